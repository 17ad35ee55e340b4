//go:build js && wasm

package canvas

import (
	"strconv"
	"strings"

	"github.com/hack-pad/safejs"

	"sluice/wasm/desk"
	"sluice/wasm/lab"
)

// What the callbacks leave in the inbox.
type (
	press struct{ act, file string } // a button; file is a marker's or row's ID
	key   struct {
		name  string
		shift bool
	}
	turned struct {
		dial string
		pos  float64
	}
	point struct {
		on    *surface
		x, y  float64
		click bool
		gone  bool
		drag  float64 // moved by, with the button down
	}
	wheel struct {
		x, dx, dy float64
		zoom      bool
	}
	line string // a line of the code, such as "collector.go:87"
)

// listen has the browser tell the inbox what the person does. One listener on
// the document serves all buttons, by their data-act.
func (p *page) listen() {
	doc, win := p.dom.doc, global("window")
	on := func(target safejs.Value, event string, f func(e safejs.Value)) {
		cb := p.funcs.of(func(_ safejs.Value, args []safejs.Value) any {
			f(args[0])
			return nil
		})
		options := must(safejs.ValueOf(map[string]any{"passive": false}))
		call(target, "addEventListener", event, cb, options)
	}
	put := p.inbox.put

	on(doc, "click", func(e safejs.Value) {
		target := get(e, "target")
		if el := call(target, "closest", "[data-act]"); !el.IsNull() {
			put(press{act: attribute(el, "data-act")})
			return
		}
		for _, name := range []string{"data-at", "data-goroutine", "data-lane"} {
			if el := call(target, "closest", "["+name+"]"); !el.IsNull() {
				put(press{act: "choose", file: attribute(el, name)})
				return
			}
		}
		if el := call(target, "closest", "[data-event]"); !el.IsNull() {
			put(press{act: "follow", file: attribute(el, "data-event")})
			return
		}
		if el := call(target, "closest", "[data-line]"); !el.IsNull() {
			put(line(attribute(el, "data-line")))
		}
	})
	on(doc, "input", func(e safejs.Value) {
		el := get(e, "target")
		switch {
		case must(call(el, "hasAttribute", "data-dial").Bool()):
			put(turned{attribute(el, "data-dial"), number(el, "valueAsNumber")})
		case text(el, "id") == "time":
			put(desk.Seek{Step: uint64(max(number(el, "valueAsNumber"), 0))})
		}
	})
	on(doc, "change", func(e safejs.Value) {
		el := get(e, "target")
		switch text(el, "id") {
		case "slow":
			put(lab.UseStore{SlowLock: truthy(el, "checked")})
		case "file":
			p.openFirst(get(el, "files"))
			check(el.Set("value", ""))
		}
	})
	on(doc, "keydown", func(e safejs.Value) {
		if truthy(e, "ctrlKey") || truthy(e, "metaKey") || truthy(e, "altKey") || truthy(e, "isComposing") {
			return
		}
		name := text(e, "key")
		el := get(e, "target")
		if !takes(el, name) {
			return
		}
		if m := walks(name); m != nil && must(call(p.lanes.canvas, "isSameNode", el).Bool()) {
			call(e, "preventDefault")
			put(m)
			return
		}
		if p.desk.Key(name, truthy(e, "shiftKey")) != nil || strings.Contains("?pt", name) {
			call(e, "preventDefault")
			put(key{name, truthy(e, "shiftKey")})
		}
	})

	for _, s := range []*surface{p.stage, p.lanes} {
		down, moved := false, 0.0
		on(s.canvas, "pointerdown", func(e safejs.Value) {
			down, moved = true, 0
			call(s.canvas, "setPointerCapture", get(e, "pointerId"))
		})
		on(s.canvas, "pointermove", func(e safejs.Value) {
			m := point{on: s, x: number(e, "clientX"), y: number(e, "clientY")}
			if down {
				m.drag = number(e, "movementX")
				moved += max(m.drag, -m.drag)
			}
			put(m)
		})
		on(s.canvas, "pointerup", func(e safejs.Value) {
			if down && moved < 5 {
				put(point{on: s, x: number(e, "clientX"), y: number(e, "clientY"), click: true})
			}
			down = false
		})
		on(s.canvas, "pointercancel", func(safejs.Value) { down = false })
		on(s.canvas, "pointerleave", func(safejs.Value) { put(point{on: s, gone: true}) })
	}
	on(p.lanes.canvas, "wheel", func(e safejs.Value) {
		call(e, "preventDefault")
		put(wheel{
			x: number(e, "clientX"), dx: number(e, "deltaX"), dy: number(e, "deltaY"),
			zoom: !truthy(e, "shiftKey"), // a pinch comes as a wheel too
		})
	})
	p.pinch(on)
	on(p.lanes.canvas, "dblclick", func(safejs.Value) { put(desk.Fit{}) })

	for _, event := range []string{"wheel", "pointerdown", "keydown"} {
		on(p.code.box.el, event, func(safejs.Value) { p.code.touchedAt = p.clock })
	}
	on(doc, "dragover", func(e safejs.Value) { call(e, "preventDefault") })
	on(doc, "drop", func(e safejs.Value) {
		call(e, "preventDefault")
		p.openFirst(get(get(e, "dataTransfer"), "files"))
	})
	on(win, "resize", func(safejs.Value) { put(relayout{}) })
	for _, q := range []string{"(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)"} {
		on(call(win, "matchMedia", q), "change", func(safejs.Value) {
			put(relayout{})
			put(retheme{})
		})
	}

	var tick safejs.Value
	next := global("requestAnimationFrame")
	tick = p.funcs.of(func(_ safejs.Value, args []safejs.Value) any {
		p.inbox.tick(must(args[0].Float()))
		must(next.Invoke(tick))
		return nil
	})
	must(next.Invoke(tick))
}

// pinch zooms the timeline with two fingers.
func (p *page) pinch(on func(safejs.Value, string, func(safejs.Value))) {
	spread := 0.0
	width := func(e safejs.Value) (float64, float64, bool) {
		touches := get(e, "touches")
		if must(touches.Length()) != 2 {
			return 0, 0, false
		}
		a, b := number(must(touches.Index(0)), "clientX"), number(must(touches.Index(1)), "clientX")
		return max(a-b, b-a, 1), (a + b) / 2, true
	}
	on(p.lanes.canvas, "touchstart", func(e safejs.Value) { spread, _, _ = width(e) })
	on(p.lanes.canvas, "touchmove", func(e safejs.Value) {
		w, x, ok := width(e)
		if !ok || spread == 0 {
			return
		}
		call(e, "preventDefault")
		p.inbox.put(wheel{x: x, dy: 300 * (spread - w) / spread, zoom: true})
		spread = w
	})
}

func attribute(el safejs.Value, name string) string {
	return must(call(el, "getAttribute", name).String())
}

// walks is what a key means while the timeline has the focus.
func walks(name string) any {
	switch name {
	case "ArrowUp":
		return desk.Walk{Lanes: -1}
	case "ArrowDown":
		return desk.Walk{Lanes: 1}
	case ",":
		return desk.Walk{Bars: -1}
	case ".":
		return desk.Walk{Bars: 1}
	case "Enter":
		return desk.Enter{}
	}
	return nil
}

// takes reports whether a key pressed on el is the page's: a control keeps the
// keys that it needs itself.
func takes(el safejs.Value, name string) bool {
	tag, err := el.Get("tagName")
	if err != nil || tag.IsUndefined() {
		return true
	}
	if dialog := call(el, "closest", "dialog"); !dialog.IsNull() {
		return false
	}
	arrows := strings.HasPrefix(name, "Arrow") || name == "Home" || name == "End" || name == "+" || name == "-"
	switch must(tag.String()) {
	case "INPUT":
		if text(el, "type") == "range" {
			if text(el, "id") == "time" && (name == "ArrowLeft" || name == "ArrowRight") {
				return true // by instants, not by the slider's own steps
			}
			return !arrows
		}
		return name != " "
	case "TEXTAREA", "SELECT":
		return false
	case "BUTTON":
		return name != " "
	}
	if scrolls := call(el, "closest", ".code-box, .crew"); !scrolls.IsNull() {
		return !arrows && name != " "
	}
	return true
}

func (p *page) key(k key) {
	switch k.name {
	case "?":
		p.press(press{act: "keys"})
	case "p":
		p.press(press{act: "present"})
	case "t":
		p.press(press{act: "theme"})
	default:
		if m := p.desk.Key(k.name, k.shift); m != nil {
			p.desk.Do(m)
		}
	}
}

func (p *page) turn(t turned) {
	for _, d := range lab.Dials() {
		if d.Query == t.dial {
			p.desk.Do(lab.Turn{Query: d.Query, Value: desk.DialAt(d, int(t.pos))})
		}
	}
}

// whoOf reads an ID such as "worker-2".
func whoOf(id string) lab.Who {
	for r := lab.Producer; r <= lab.Runner; r++ {
		name, n, ok := strings.Cut(id, "-")
		if !ok {
			name, n = id, "1"
		}
		i, err := strconv.Atoi(n)
		if err == nil && i >= 1 && i <= 255 {
			if w := lab.NewWho(r, i); w.ID() == id || r == lab.Runner && name == "run" {
				return w
			}
		}
	}
	return 0
}

func (p *page) point(m point) {
	if m.gone {
		p.desk.Do(desk.Hover{})
		p.tip("", 0, 0)
		return
	}
	m.on.measure()
	if m.drag != 0 {
		if m.on == p.lanes {
			p.desk.Do(desk.Pan{Share: -m.drag / float64(max(m.on.w, 1))})
		}
		return
	}
	r, ok := m.on.at(m.x, m.y)
	if m.click {
		o := p.laneOptions()
		inLanes := m.on == p.lanes && float32(m.x-m.on.left) >= o.X(o.From)
		if ok && r.Event != 0 {
			p.desk.Do(desk.Follow{Event: r.Event})
		} else if ok && r.Who != 0 && !inLanes {
			p.choose(r.Who)
		}
		if inLanes {
			p.desk.Do(desk.SeekTime{At: o.Time(float32(m.x - m.on.left))})
		}
		return
	}
	if !ok {
		p.desk.Do(desk.Hover{})
		p.tip("", 0, 0)
		return
	}
	p.desk.Do(desk.Hover{Event: r.Event, Who: r.Who})
	p.tip(r.Title(), m.x+12, m.y+14)
}

func (p *page) wheel(m wheel) {
	p.lanes.measure()
	if m.zoom && (m.dy >= m.dx || m.dy <= -m.dx) {
		factor := min(max(1+m.dy/400, 0.4), 2.5)
		p.desk.Do(desk.Zoom{At: p.laneOptions().Time(float32(m.x - p.lanes.left)), Factor: factor})
		return
	}
	p.desk.Do(desk.Pan{Share: (m.dx + m.dy) / float64(max(p.lanes.w, 1))})
}

// openFirst reads the first file of a list into the inbox.
func (p *page) openFirst(files safejs.Value) {
	if files.IsNull() || files.IsUndefined() || must(files.Length()) == 0 {
		return
	}
	file := must(files.Index(0))
	if size := number(file, "size"); size > lab.MaxFile {
		p.inbox.put(desk.Say{Text: "the file cannot be opened: it has " + strconv.Itoa(int(size/1e6)) +
			" MB, and a trace has at most " + strconv.Itoa(lab.MaxFile>>20)})
		return
	}
	must(global("sluiceRead").Invoke(file, p.once(func(array safejs.Value) {
		body := make([]byte, must(array.Length()))
		must(safejs.CopyBytesToGo(body, array))
		p.inbox.put(desk.Open{Data: body})
	}), p.once(func(why safejs.Value) {
		p.inbox.put(desk.Say{Text: "the file cannot be read: " + must(why.String())})
	})))
}

// once makes a callback that is called at most once. It is released with the
// page: of two that are given, one is never called, and seldom is any asked for.
func (p *page) once(f func(safejs.Value)) safejs.Value {
	return p.funcs.of(func(_ safejs.Value, args []safejs.Value) any {
		f(args[0])
		return nil
	})
}
