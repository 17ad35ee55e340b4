// Package page holds the components of the page. They are its skeleton: the
// server renders them to be read before the program has arrived, and in the
// browser package canvas fills them from what the desk shows.
package page

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"sluice/wasm/canvas"
	"sluice/wasm/lab"
)

// New returns the root component, served at the route /.
func New() app.Composer { return &root{} }

type root struct {
	app.Compo
	stop func()
}

func (r *root) OnMount(ctx app.Context) { r.stop = canvas.Start(ctx.Page().URL().RawQuery) }

func (r *root) OnDismount() { r.stop() }

func (r *root) Render() app.UI {
	return app.Div().ID("app").Class("app").Body(
		header(),
		app.Main().ID("main").DataSet("state", "idle").DataSet("step", "0").Body(
			controls(),
			app.Div().Class("centre").Body(
				app.P().ID("say").Class("say").Body(
					app.B().ID("say-head").Text("A real Go worker pool, in this page."),
					app.Text(" "),
					app.Span().ID("say-text").Text("Producers submit events through a buffered channel; workers count them in a store; readers poll it. Press Start and turn a dial."),
				),
				app.Div().ID("notice").Class("notice").Attr("role", "alert").Hidden(true),
				app.Div().ID("stage-box").Class("stage").Body(
					app.Canvas().ID("stage").Attr("role", "img").Attr("aria-label", "The pool at the instant shown, from producers to readers").Aria("describedby", "crew"),
				),
				ledger(),
				timePart(),
				charts(),
				app.Section().ID("strip-part").Class("strip").Aria("label", "The life of one event").Hidden(true).Body(
					app.Div().Class("strip-head").Body(
						app.H2().ID("strip-title"),
						app.Button().Type("button").Class("quiet").DataSet("act", "unfollow").Text("Close"),
					),
					app.Div().ID("strip-box").Body(app.Canvas().ID("strip").Attr("role", "img").Aria("labelledby", "strip-text")),
					app.Ol().ID("strip-text").Class("stages"),
				),
			),
			side(),
			app.P().ID("announce").Class("unseen").Attr("role", "status").Aria("live", "polite"),
		),
		sheetBar(),
		dialogs(),
		app.Input().ID("file").Type("file").Accept(".sluice").Class("unseen").Aria("label", "Trace file").TabIndex(-1),
	)
}

func header() app.UI {
	return app.Header().Body(
		app.H1().Text("Sluice"),
		app.Span().Class("sub").Text("Go concurrency, running"),
		app.Span().ID("source").Class("source"),
		app.Nav().Aria("label", "Page").Body(
			button("Share", "share", true).Class("quiet"),
			button("Present", "present", true).Class("quiet").Aria("pressed", "false"),
			button("Keys ?", "keys", true).Class("quiet"),
			button("Theme", "theme", true).ID("theme").Class("quiet"),
		),
	)
}

// button is disabled until the program has arrived, unless it only shows a dialog.
func button(text, act string, ready bool) app.HTMLButton {
	return app.Button().Type("button").ID("b-"+act).DataSet("act", act).Disabled(!ready).Text(text)
}

func controls() app.UI {
	return app.Section().ID("controls").Class("controls").Aria("label", "Controls").Body(
		app.Div().Class("pair").Body(
			button("Start", "start", false),
			button("Stop", "stop", false),
			button("Kill", "kill", false),
			button("Reset", "reset", false),
		),
		app.FieldSet().Body(app.Legend().Text("Produce"), dial("producers"), dial("rate"), button("Burst", "burst", false)),
		app.FieldSet().Body(app.Legend().Text("Pool"), dial("workers"), dial("buffer"),
			app.P().ID("fixed").Class("note").Text("Workers and buffer are fixed while it runs: Reset to change them.")),
		app.FieldSet().Body(app.Legend().Text("Work"), dial("cost"),
			app.Label().Class("check").For("slow").Body(
				app.Input().ID("slow").Type("checkbox").Disabled(true),
				app.Span().Text("spent inside the store's lock"))),
		app.FieldSet().Body(app.Legend().Text("Read"), dial("readers")),
		app.FieldSet().Body(app.Legend().Text("Time"), dial("speed"),
			app.P().ID("pace").Class("note")),
		app.P().Class("note honest").Body(
			app.Text("In a browser these goroutines run concurrently on one thread, not in parallel. "),
			app.Button().Type("button").Class("link").DataSet("act", "honest").Text("What that hides"),
		),
	)
}

func dial(query string) app.UI {
	for _, d := range lab.Dials() {
		if d.Query == query {
			return app.Label().Class("dial").For("d-"+query).Body(
				app.Span().Text(d.Name),
				app.Output().ID("o-"+query).For("d-"+query).Text(d.Text(d.Default)),
				app.Input().ID("d-"+query).Type("range").DataSet("dial", query).Aria("label", d.Name).Disabled(true).
					Min("0").Max("1000").Step(1),
			)
		}
	}
	panic("page: no dial " + query)
}

func ledger() app.UI {
	term := func(id, word string, named bool) app.UI {
		n := app.Span().Class("n").ID("l-" + id).Text("0")
		if named {
			n = n.DataSet("ledger", id)
		}
		return app.Span().Class("t").Body(n, app.Text(word))
	}
	op := func(s string) app.UI { return app.Span().Class("op").Text(s) }
	return app.Section().Class("ledger").Aria("label", "Ledger").Body(
		app.Div().Class("equation").Body(
			term("submitted", "submitted", true), op("="), term("accepted", "accepted", true), op("+"),
			term("rejected", "rejected", true), op("+"), term("waiting", "waiting", true),
		),
		app.Div().Class("equation").Body(
			term("accepted-2", "accepted", false), op("="), term("stored", "stored", true), op("+"),
			term("in-flight", "in flight", true), op("+"), term("buffered", "buffered", true), op("+"), term("abandoned", "abandoned", true),
		),
		app.Span().ID("balance").Class("balance").Text("balanced"),
	)
}

func timePart() app.UI {
	return app.Section().Class("time").Aria("label", "Time").Body(
		app.Div().Class("transport").Body(
			button("\u21e4", "to-start", false).Aria("label", "To start").Title("To start"),
			button("Step back", "step-back", false),
			button("Pause", "pause", false),
			button("Resume", "resume", false).Hidden(true),
			button("Step", "step", false),
			button("Live", "live", false),
			app.Span().ID("clock").Class("clock").Text("00:00.000"),
			app.Span().ID("steps").Class("steps"),
			button("Export trace", "export", false).Class("quiet"),
			button("Open trace", "open", false).Class("quiet"),
		),
		app.Div().ID("lanes-box").Class("lanes").Body(
			app.Canvas().ID("lanes").TabIndex(0).Attr("role", "img").Attr("aria-label", "Timeline: one lane a goroutine. Plus and minus zoom, shift with an arrow pans, f fits all."),
			app.Div().ID("lane-list"),
			app.Div().ID("tip").Class("tip").Hidden(true),
		),
		app.Input().ID("time").Type("range").Aria("label", "Time").Min("0").Max("0").Value("0").Disabled(true),
	)
}

func charts() app.UI {
	chart := func(id, title string) app.UI {
		return app.Div().Class("chart").Body(
			app.H2().Body(app.Text(title), app.Span().ID("v-"+id)),
			app.Div().ID("c-"+id).Class("plot"),
		)
	}
	polled := app.Div().Class("chart").Body(
		app.H2().Body(app.Text("Polled by Get"), app.Span().ID("v-polled")),
		app.Div().Class("polled").Body(polledKeys()...),
	)
	return app.Section().ID("charts").Class("charts").Aria("label", "Charts").Body(
		chart("rate", "Events /s"),
		chart("queue", "Buffer length"),
		chart("span", "In system"),
		polled,
	)
}

func polledKeys() []app.UI {
	var all []app.UI
	for i, key := range lab.Keys() {
		all = append(all, app.Div().Class("polled-key").Body(
			app.Span().Class("key", "key-"+strconv.Itoa(i)).Text(key),
			app.Span().ID("k-"+strconv.Itoa(i)).DataSet("count", key).Class("n").Text("0"),
			app.Meter().ID("m-"+strconv.Itoa(i)).Class("bar", "bar-"+strconv.Itoa(i)).Min("0").Max("1").Value("0").Aria("label", key),
		))
	}
	return all
}

func side() app.UI {
	tab := func(text, act string, on bool) app.UI {
		return app.Button().Type("button").ID("b-"+act).Attr("role", "tab").DataSet("act", act).Aria("selected", strconv.FormatBool(on)).Aria("controls", "code").Text(text)
	}
	return app.Aside().Aria("label", "Code and goroutines").Body(
		app.Div().Class("tabs").Attr("role", "tablist").Aria("label", "Source files").Body(
			tab("collector.go", "file-collector", true),
			tab("store.go", "file-store", false),
		),
		app.Div().ID("code").Class("code-box").TabIndex(0).Attr("role", "tabpanel").Aria("label", "The source that was compiled"),
		app.Div().ID("crew-box").Class("crew").TabIndex(0).Attr("role", "region").Aria("label", "Goroutines").Body(
			app.P().ID("line-list").Class("note").Hidden(true),
			// The roles are written out, since the rows are laid out as grids.
			app.Table().ID("crew").Attr("role", "table").Aria("label", "Goroutines at the instant shown").Body(
				app.THead().Attr("role", "rowgroup").Body(app.Tr().Attr("role", "row").Body(
					head("goroutine"), head("state"), head("waits in"), head("at line").Class("place"),
					head("why, and who can wake it").Class("unseen"),
				)),
				app.TBody().ID("crew-rows").Attr("role", "rowgroup"),
			),
			app.H2().Class("recent-head").Text("Recent events"),
			app.Div().ID("recent").Class("recent"),
		),
	)
}

func head(text string) app.HTMLTh {
	return app.Th().Scope("col").Attr("role", "columnheader").Text(text)
}

// sheetBar is the bar at the foot of a phone's screen.
func sheetBar() app.UI {
	return app.Div().ID("sheet-bar").Class("sheet-bar").Body(
		app.Button().Type("button").DataSet("act", "main").ID("b-main").Disabled(true).Text("Run"),
		app.Button().Type("button").DataSet("act", "sheet").ID("b-sheet").Aria("expanded", "false").Aria("controls", "controls").Text("Controls"),
	)
}

func dialogs() app.UI {
	closer := func() app.UI {
		return app.Form().Method("dialog").Body(app.Button().Type("submit").Class("main").Text("Close"))
	}
	row := func(keys, what string) app.UI {
		return app.Tr().Body(app.Th().Scope("row").Body(app.Kbd().Text(keys)), app.Td().Text(what))
	}
	return app.Div().Body(
		app.Dialog().ID("keys").Aria("labelledby", "keys-title").Body(
			app.H2().ID("keys-title").Text("Keys"),
			app.Table().Body(
				app.TBody().Body(
					row("space", "pause, or resume"),
					row("right", "step: release one goroutine, or show the next instant"),
					row("left", "step back"),
					row("home", "to the oldest instant retained"),
					row("end", "live: to now"),
					row("s  x  k  r  b", "Start, Stop, Kill, Reset, Burst"),
					row("+  -  f", "zoom the timeline, fit all of it"),
					row("shift left, right", "pan the timeline"),
					row("esc", "follow no event, choose no goroutine"),
					row("p  t", "present on a projector, change the theme"),
					row("?", "this list"),
				),
			),
			closer(),
		),
		app.Dialog().ID("honest").Aria("labelledby", "honest-title").Body(
			app.H2().ID("honest-title").Text("What one thread hides"),
			app.P().Text("Everything here is a real Go program: real goroutines, a real channel, a real lock, scheduled by the real Go runtime. But WebAssembly gives it one thread. The runtime switches from one goroutine to another only where one blocks, so two workers are never executing at the same instant, and nothing is interrupted in the middle of a line."),
			app.P().Text("That hides data races, contention for the processor's caches, and a lock that is held by a goroutine that runs on another core. It also makes a run repeatable: the same seed and the same moves give the same trace. Only the choice that select makes among several ready cases is random."),
			app.P().Text("What is staged: the work. An event's processing time is simulated by a store that is injected into the collector and waits before it counts. Lab time moves only while all goroutines rest, so the program's own microseconds take no lab time; Speed sets how fast lab time moves against yours. Pausing holds the goroutines themselves, in the collector's Observe and in that store."),
			app.P().Text("To compare with real parallelism, record the same scenario natively and open the file here:"),
			app.Pre().Text("sluice -record run.sluice -workers 8 -rate 200"),
			closer(),
		),
	)
}
