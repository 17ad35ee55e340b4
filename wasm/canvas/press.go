//go:build js && wasm

package canvas

import (
	"strconv"

	"github.com/hack-pad/safejs"

	"sluice/wasm/desk"
	"sluice/wasm/lab"
)

// press carries out a button. Those of the run and of time are the desk's.
func (p *page) press(m press) {
	if msg := desk.Act(m.act); msg != nil {
		p.desk.Do(msg)
		if m.act == "unfollow" { // its button goes with the strip
			p.dom.node("crew-box").focus()
		}
		return
	}
	html := get(p.dom.doc, "documentElement")
	switch m.act {
	case "choose":
		if w := whoOf(m.file); w != 0 {
			p.choose(w)
		}
	case "follow":
		if n, err := strconv.ParseUint(m.file, 10, 32); err == nil {
			p.desk.Do(desk.Follow{Event: uint32(n)})
			p.inbox.put(relayout{})
		}
	case "main":
		s := p.desk.Screen(false)
		p.press(press{act: s.MainAct()})
	case "sheet":
		on := !must(call(html, "hasAttribute", "data-sheet").Bool())
		call(html, "toggleAttribute", "data-sheet", on)
		p.dom.node("b-sheet").attr("aria-expanded", strconv.FormatBool(on))
	case "keys", "honest":
		dialog := p.dom.node(m.act).el
		if !truthy(dialog, "open") {
			call(dialog, "showModal")
		}
	case "present":
		on := !must(call(html, "hasAttribute", "data-present").Bool())
		call(html, "toggleAttribute", "data-present", on)
		p.dom.node("b-present").attr("aria-pressed", strconv.FormatBool(on))
		p.relayout()
	case "theme":
		p.theme(html)
	case "share":
		p.share()
	case "file-collector":
		p.code.open("collector.go")
	case "file-store":
		p.code.open("store.go")
	case "export":
		t := p.desk.Trace()
		p.save("sluice-trace.sluice", "application/octet-stream", t.Encode())
		p.announce("Two files are saved: sluice-trace.sluice for this page, sluice-trace.json for Perfetto and Chrome.")
	case "open":
		call(p.dom.node("file").el, "click")
	}
}

// choose lights a goroutine and shows where it stands in the code.
func (p *page) choose(w lab.Who) {
	p.desk.Do(desk.Choose{Who: w})
	p.code.follow = p.desk.Chosen() != 0
}

// keepFocus gives the focus, which the control named by act has had until it was
// disabled or hidden, to the button that a person most likely wants next.
func (p *page) keepFocus(s *desk.Screen, act string) {
	on := map[string]bool{}
	for _, b := range s.Buttons {
		on[b.Act] = b.On && !b.Hidden
	}
	next := []string{s.MainAct(), "main"} // the second for a phone, where the first is in the sheet
	switch act {
	case "pause", "resume", "step", "live":
		next = append([]string{"resume", "pause"}, next...)
	case "step-back", "to-start":
		next = append([]string{"step", "resume", "pause"}, next...)
	}
	for _, act := range next {
		if n := p.dom.node("b-" + act); on[act] {
			n.focus()
			if n.focused() {
				return
			}
		}
	}
}

// theme goes from the colours in use to the other ones and remembers it.
func (p *page) theme(html safejs.Value) {
	dark := truthy(call(global("window"), "matchMedia", "(prefers-color-scheme: dark)"), "matches")
	if must(call(html, "hasAttribute", "data-theme").Bool()) {
		dark = attribute(html, "data-theme") == "dark"
	}
	next := "dark"
	if dark {
		next = "light"
	}
	call(html, "setAttribute", "data-theme", next)
	// Storage may be full or forbidden: then the choice lasts as long as the page.
	if storage, err := safejs.Global().Get("localStorage"); err == nil {
		_, _ = storage.Call("setItem", "sluice-theme", next)
	}
	p.charts.rebuild()
	p.dirty = true
}

// share copies the address of this scenario.
func (p *page) share() {
	loc := global("location")
	link := text(loc, "origin") + text(loc, "pathname")
	if q := p.desk.Lab().Scenario().Query(); q != "" {
		link += "?" + q
	}
	check2(global("history").Call("replaceState", safejs.Null(), "", link))
	told := "The address now holds this scenario: " + link
	clipboard, err := get(global("window"), "navigator").Get("clipboard")
	if err == nil && !clipboard.IsUndefined() {
		if promise, err := clipboard.Call("writeText", link); err == nil {
			call(promise, "then", p.once(func(safejs.Value) {
				p.inbox.put(desk.Say{Text: "Copied: " + link})
			}), p.once(func(safejs.Value) {
				p.inbox.put(desk.Say{Text: told})
			}))
			return
		}
	}
	p.desk.Do(desk.Say{Text: told})
}

func check2(_ safejs.Value, err error) { check(err) }

// save gives the person a file.
func (p *page) save(name, kind string, data []byte) {
	array := must(global("Uint8Array").New(len(data)))
	must(safejs.CopyBytesToJS(array, data))
	parts := must(global("Array").New(1))
	check(parts.SetIndex(0, array))
	blob := must(global("Blob").New(parts, must(safejs.ValueOf(map[string]any{"type": kind}))))
	link := call(global("URL"), "createObjectURL", blob)
	a := call(p.dom.doc, "createElement", "a")
	check(a.Set("href", link))
	check(a.Set("download", name))
	call(a, "click")
	var later safejs.Value
	later = p.funcs.of(func(safejs.Value, []safejs.Value) any {
		call(global("URL"), "revokeObjectURL", link)
		return nil
	})
	call(global("window"), "setTimeout", later, 10000)
}

// announce has a screen reader say something, now.
func (p *page) announce(s string) {
	p.spoken = s
	p.dom.node("announce").text(s)
}
