//go:build js && wasm

package canvas

import (
	"bytes"
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
	case "keys", "honest", "export":
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
		must(global("sluiceTheme").Invoke())
		p.charts.rebuild()
	case "share":
		p.share()
	case "file-collector":
		p.code.open("collector.go")
	case "file-store":
		p.code.open("store.go")
	case "export-own":
		p.save("trace.sluice", "application/octet-stream", p.desk.Trace().Encode())
	case "export-perfetto":
		var out bytes.Buffer
		if err := p.desk.Trace().Perfetto(&out); err != nil {
			p.desk.Do(desk.Say{Text: err.Error()})
			return
		}
		p.save("trace.json", "application/json", out.Bytes())
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

// share copies the address of this scenario.
func (p *page) share() {
	must(global("sluiceShare").Invoke(p.desk.Lab().Scenario().Query(), p.once(func(told safejs.Value) {
		p.inbox.put(desk.Say{Text: must(told.String())})
	})))
}

// save gives the person a file.
func (p *page) save(name, kind string, data []byte) {
	array := must(global("Uint8Array").New(len(data)))
	must(safejs.CopyBytesToJS(array, data))
	must(global("sluiceSave").Invoke(name, kind, array))
}

// announce has a screen reader say something, now.
func (p *page) announce(s string) {
	p.spoken = s
	p.dom.node("announce").text(s)
}
