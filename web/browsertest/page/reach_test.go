//go:build browser

package page

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const active = `((el) => el.ariaLabel || el.textContent.trim() || el.id)(document.activeElement)`

func (p *page) notLost(after string) {
	p.T.Helper()
	p.Get(frames(2), nil)
	if got := p.Eval(`document.activeElement.tagName`); got == "BODY" {
		p.T.Errorf("after %s the focus is lost", after)
	}
}

// With Tab alone a person comes by every control, in the order in which they
// are read, and sees where the focus is.
func TestTabOrder(t *testing.T) {
	p := blank(t)
	p.size(1280, 800)
	p.visit("?rate=40")
	p.held()
	p.press("Step back", "Step back") // now all of the transport can be used
	p.look()
	var want []string
	p.Get(`[...document.querySelectorAll("button, input, [tabindex='0']")]
		.filter((el) => !el.disabled && el.tabIndex >= 0 && el.checkVisibility({ visibilityProperty: true }))
		.map((el) => (window.stops ??= []).push(el) && (el.ariaLabel || el.textContent.trim() || el.id))`, &want)
	if len(want) < 30 {
		t.Fatalf("controls: %v", want)
	}
	var got []string
	for i := range want {
		if i == 0 { // where Tab begins depends on what was clicked last
			p.Get(`stops[0].focus({ focusVisible: true })`, nil)
		} else {
			p.keys(kb.Tab)
		}
		var here struct {
			Index   int
			Outline string
			Inside  bool
		}
		p.Get(`(() => {
			const el = document.activeElement, r = el.getBoundingClientRect();
			return {
				Index: stops.indexOf(el), Outline: getComputedStyle(el).outlineStyle,
				Inside: r.left > -1 && r.top > -1 && r.right < innerWidth + 1 && r.bottom < innerHeight + 1,
			};
		})()`, &here)
		name := p.Eval(active)
		if here.Index != len(got) {
			t.Fatalf("after %v comes %s, want %s", got, name, want[len(got)])
		}
		if here.Outline == "none" || !here.Inside {
			t.Errorf("the focus on %s cannot be seen: %+v", name, here)
		}
		got = append(got, name)
	}
	for _, name := range []string{
		"Stop", "Kill", "Reset", "Burst", "Producers", "Rate", "Processing time", "Readers", "Speed",
		"To start", "Step back", "Resume", "Step", "Live", "Export trace", "Open trace", "Time", "worker 1", "What that hides",
	} {
		if !slices.Contains(got, name) {
			t.Errorf("Tab does not come by %s, only by %v", name, got)
		}
	}
}

// Whatever a key does to the control that has the focus, the focus stays somewhere.
func TestFocusStays(t *testing.T) {
	p := visit(t, "?rate=40&cost=50ms&buffer=4&store=slow")
	enter := func(name string) {
		t.Helper()
		p.button(name).focus()
		p.keys(kb.Enter)
		p.notLost(name)
	}
	p.slider("Workers").focus()
	p.keys("s")
	p.see("a run", func(v view) bool { return v.State == "running" && v.Ledger["submitted"] > 10 })
	p.notLost("s on a slider that is then fixed")
	for _, name := range []string{"Burst", "Pause", "Step", "Step back", "To start", "Live", "Resume"} {
		enter(name)
	}
	// The list of recent events goes on under the focus, rows come and go.
	p.Get(`document.querySelector("[data-event]").focus()`, nil)
	before := p.look()
	p.see("other events", func(v view) bool { return v.Ledger["submitted"] > before.Ledger["submitted"]+12 })
	p.notLost("the list has moved on")
	p.button("reader 2").focus()
	p.slider("Readers").move(4)
	p.Wait(`document.querySelector("[data-goroutine=reader-4]") !== null`)
	p.notLost("a row came")
	if got := p.Eval(active); got != "reader 2" {
		t.Errorf("and is on %q", got)
	}
	p.Get(`document.querySelector("[data-at]").focus()`, nil)
	p.see("markers have moved", func(v view) bool { return v.Step > before.Step+100 })
	p.notLost("markers moved")
	p.button("Burst").focus()
	p.keys("x")
	p.notLost("x on Burst")
	p.button("Kill").focus()
	p.see("the end", is("stopped"))
	p.notLost("the run ended by itself")
	enter("Start")
	enter("Stop")
	p.keys("k")
	p.see("the end", is("stopped"))
	enter("Reset")
	enter("Start")
	enter("Kill")
	p.slider("Time").focus()
	p.keys("r")
	p.notLost("r on Time")
}

func TestKeys(t *testing.T) {
	p := visit(t, "?rate=40&cost=400ms&workers=1&buffer=4")
	p.keys("s")
	p.see("s starts", is("running"))
	p.keys("b")
	p.see("b bursts", func(v view) bool { return v.Ledger["buffered"] == 4 && v.Ledger["waiting"] > 0 })
	p.keys(" ")
	held := p.see("space pauses", func(v view) bool { return v.Paused })
	p.keys(arrowRight)
	one := p.look()
	p.keys(arrowRight)
	two := p.look()
	if one.Step <= held.Step || two.Step <= one.Step || !two.Paused {
		t.Errorf("right steps from %d to %d to %d", held.Step, one.Step, two.Step)
	}
	p.keys(arrowLeft)
	if got := p.look(); got.Step != one.Step || !got.Past {
		t.Errorf("left leads to %s, want step %d", got, one.Step)
	}
	p.keys(kb.Home)
	if got := p.look(); got.Step != 0 || got.State != "idle" {
		t.Errorf("home leads to %s", got)
	}
	p.keys(arrowRight)
	if got := p.look(); got.Step == 0 || !got.Past {
		t.Errorf("right from the start leads to %s", got)
	}
	p.keys(kb.End)
	if got := p.look(); !reflect.DeepEqual(got, two) {
		t.Errorf("end leads to %s, want %s", got, two)
	}
	// The Time slider goes by instants too, and by its own keys.
	p.slider("Time").focus()
	p.keys(arrowLeft)
	if got := p.look(); got.Step != one.Step {
		t.Errorf("left on Time leads to %s, want step %d", got, one.Step)
	}
	p.keys(kb.End)
	p.see("end on Time is now", func(v view) bool { return v.Step == two.Step })
	// A control keeps the keys that it needs.
	p.slider("Speed").focus()
	p.keys(arrowRight)
	if got := p.look(); got.Step != two.Step {
		t.Errorf("right on Speed leads to %s", got)
	}
	p.button("Theme").focus()
	p.keys(" ")
	if got := p.look(); !got.Paused {
		t.Error("space on Theme resumes")
	}
	if p.Eval(`document.documentElement.dataset.theme ?? ""`) == "" {
		t.Error("space on Theme does not press it")
	}
	p.keys("?")
	dialog := p.find("dialog", "Keys")
	p.keys("x")
	p.keys(kb.Escape)
	p.Wait(`document.querySelector("dialog[open]") === null`)
	p.notLost("the list of keys")
	if got := p.look(); got.State != "running" {
		t.Errorf("x in %v stops the run", dialog)
	}
	p.Get(`document.activeElement.blur()`, nil)
	p.keys(" ")
	p.see("space resumes", func(v view) bool { return !v.Paused })
	p.keys("x")
	p.see("x stops", is("draining"))
	p.keys("k")
	p.see("k kills", func(v view) bool { return v.State == "stopped" && v.Ledger["abandoned"] > 0 })
	p.keys("r")
	p.see("r resets", is("idle"))
}

func (p *page) size(w, h int64) {
	p.T.Helper()
	p.Run(chromedp.EmulateViewport(w, h))
}

func (p *page) media(name, value string) {
	p.T.Helper()
	p.Run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: name, Value: value}}))
}

func (p *page) fits(when string) {
	p.T.Helper()
	var over []string
	p.Get(`document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
		.filter((el) => el.getBoundingClientRect().right > innerWidth + 1).map((el) => el.tagName + "#" + el.id + "." + el.className).slice(0, 8)`, &over)
	if len(over) > 0 {
		p.T.Errorf("%s it is wider than the screen: %v", when, over)
	}
}

func TestPhone(t *testing.T) {
	p := blank(t)
	p.size(390, 844)
	p.visit("?rate=60&cost=400ms&workers=2&speed=0.5")
	p.fits("idle")
	if nodes, err := p.query("button", "Start"); err != nil || len(nodes) != 1 {
		t.Errorf("with the sheet closed, of %d buttons Start one must remain: the bar's (%v)", len(nodes), err)
	}
	sheet := p.button("Controls")
	sheet.press()
	p.Wait(`document.querySelector("#b-sheet").ariaExpanded === "true" && document.querySelector("#controls").getAnimations().length === 0`)
	p.slider("Workers").move(500)
	if got := p.Eval(`document.querySelector("#o-workers").textContent`); got == "2" {
		p.Wait(`document.querySelector("#o-workers").textContent !== "2"`)
	}
	start := p.inSheet("Start")
	start.press()
	p.see("a run", is("running"))
	p.inSheet("Burst").press()
	p.see("a burst", func(v view) bool { return v.Ledger["submitted"] > 16 })
	sheet.press()
	p.Wait(`document.querySelector("#b-sheet").ariaExpanded === "false"`)
	p.fits("running")
	p.press("Pause")
	p.see("a pause", func(v view) bool { return v.Paused })
	p.press("Step", "Step back")
	p.recent().press()
	p.Wait(`!document.querySelector("#strip-part").hidden`)
	p.fits("following an event")
	p.press("Resume", "Stop") // the bar's
	p.see("the drain", func(v view) bool { return v.State == "draining" || v.State == "stopped" })
	p.fits("draining")
	p.see("the end", is("stopped"))
	p.fits("stopped")
}

// inSheet is a button that the bar at the foot may have too.
func (p *page) inSheet(name string) element {
	p.T.Helper()
	e := element{p: p, role: "button", name: name}
	p.until(e.String(), func() error {
		nodes, err := p.query("button", name)
		if err != nil {
			return err
		}
		for _, e.id = range nodes {
			if e.text(`function() { return this.closest("#controls") ? "in" : "out" }`) == "in" {
				return nil
			}
		}
		return fmt.Errorf("%d elsewhere", len(nodes))
	})
	return e
}

// Under reduced motion a step shows as done in the first frame; else it takes
// some to arrive.
func TestReducedMotion(t *testing.T) {
	for _, reduced := range []bool{true, false} {
		t.Run(fmt.Sprint(reduced), func(t *testing.T) {
			p := blank(t)
			if reduced {
				p.media("prefers-reduced-motion", "reduce")
			}
			p.visit("?rate=40&cost=200ms&workers=2&buffer=4")
			v := p.held()
			step := p.button("Step")
			travelled := false
			for range 12 {
				step.press()
				var same bool
				p.Get(frames(1)+`.then(async () => {
					const picture = () => document.querySelector("#stage").toDataURL(), first = picture();
					await `+frames(20)+`;
					return picture() === first;
				})`, &same)
				travelled = travelled || !same
			}
			if now := p.look(); now.Step <= v.Step {
				t.Errorf("it does not step: %s", now)
			}
			if travelled == reduced {
				t.Errorf("things travel: %v", travelled)
			}
			p.press("Resume")
			p.see("it goes on", func(now view) bool { return now.Ledger["stored"] > v.Ledger["stored"] })
			p.press("Stop")
			p.see("the end", is("stopped"))
		})
	}
}

// axe-core finds nothing wrong in any state, theme or width.
func TestAxe(t *testing.T) {
	source, err := os.ReadFile("../../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("%v: run make test, which installs it", err)
	}
	for _, size := range [][2]int64{{1280, 800}, {390, 844}} {
		for _, theme := range []string{"dark", "light"} {
			t.Run(fmt.Sprintf("%s %d", theme, size[0]), func(t *testing.T) {
				p := blank(t)
				p.size(size[0], size[1])
				p.media("prefers-color-scheme", theme)
				p.visit("?rate=40&cost=300ms&workers=3&buffer=4&rate=fast")
				p.Get(string(source)+"; true", new(bool))
				check := func(state string) {
					t.Helper()
					var found []string
					p.Get(`axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.flatMap((v) =>
						v.nodes.map((n) => v.id + ": " + n.target + ": " + n.failureSummary)))`, &found)
					for _, f := range found {
						t.Errorf("%s: %s", state, strings.ReplaceAll(f, "\n", " "))
					}
				}
				check("idle")
				p.keys("s")
				p.keys("b")
				p.see("a run", func(v view) bool { return v.Ledger["stored"] > 2 })
				check("running")
				p.keys(" ")
				p.see("a pause", func(v view) bool { return v.Paused })
				p.recent().press()
				p.Wait(`!document.querySelector("#strip-part").hidden`)
				check("paused")
				p.keys("?")
				check("the list of keys")
				p.keys(kb.Escape)
				p.Get(`document.activeElement.blur()`, nil)
				p.keys(" ")
				p.keys("k")
				p.see("the end", is("stopped"))
				check("stopped")
			})
		}
	}
}
