//go:build js && wasm

package canvas

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hack-pad/safejs"

	"sluice/wasm/desk"
	"sluice/wasm/lab"
	"sluice/wasm/scene"
)

const (
	// frameBudget is how much of a frame's 16.7 ms the program may take before
	// lab time waits for the next frame.
	frameBudget = 7 * time.Millisecond
)

// page is the running page. It belongs to its loop's goroutine; JavaScript's
// callbacks only leave messages for it.
type page struct {
	desk   *desk.Desk
	dom    *dom
	funcs  funcs
	inbox  inbox
	stage  *surface
	lanes  *surface
	strip  *surface
	motion scene.Motion
	charts *charts
	code   *code
	table  *table
	recent map[desk.Recent]*node // the buttons of recent events

	last     float64 // the frame before, in the browser's milliseconds
	clock    float64 // milliseconds of frames so far: unlike those, it never goes back
	barShown bool    // the tip tells of the bar in focus
	steps    float64 // taken a frame, lately
	parts    []*part
	step     uint64 // the instant that was shown last
	instant  time.Duration
	dirty    bool // a message has come, or the phase has changed: show everything
	phase    lab.Phase
	layout   layout
	spoken   string
	spokenAt float64
}

// layout is what the page's size and the person's wishes mean for drawing.
type layout struct {
	portrait, present, reduced bool
	scale                      float32
}

// inbox holds what callbacks leave for the loop. A callback must not block, and
// nothing that the person does may be dropped, so it grows.
type inbox struct {
	mu    sync.Mutex
	list  []any
	frame float64 // the time of the newest frame, or 0
	ready chan struct{}
}

func (b *inbox) put(m any) {
	b.mu.Lock()
	b.list = append(b.list, m)
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) tick(at float64) {
	b.mu.Lock()
	b.frame = at
	b.mu.Unlock()
	b.wake()
}

func (b *inbox) wake() {
	select {
	case b.ready <- struct{}{}:
	default: // it is awake already
	}
}

func (b *inbox) take() (list []any, frame float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, frame = b.list, b.frame
	b.list, b.frame = nil, 0
	return list, frame
}

// Start drives the page until stop is called, which waits for its end.
func Start(query string) (stop func()) {
	done := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(query, quit); err != nil {
			show(err)
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// show tells of a bug of the page itself, in the place where messages stand.
func show(err error) {
	doc, e := safejs.Global().Get("document")
	if e != nil {
		return
	}
	el, e := doc.Call("getElementById", "notice")
	if e != nil || el.IsNull() {
		return
	}
	_ = el.Set("textContent", "The page has stopped: "+err.Error()+". Reload it to go on.")
	_ = el.Set("hidden", false)
}

func run(query string, quit <-chan struct{}) (err error) {
	p := &page{inbox: inbox{ready: make(chan struct{}, 1)}}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	defer p.funcs.release()
	doc := global("document")
	p.dom = &dom{doc: doc, nodes: map[string]*node{}}
	s := newSettler(&p.funcs)
	p.desk = desk.New(query, lab.Options{Settle: s.exact, Quick: s.quick})
	defer p.desk.Close()
	p.stage = newSurface(doc, "stage", "stage-box")
	p.lanes = newSurface(doc, "lanes", "lanes-box")
	p.strip = newSurface(doc, "strip", "strip-box")
	p.code = newCode(p)
	p.table = newTable(p)
	p.recent = map[desk.Recent]*node{}
	p.parts = p.newParts()
	p.listen()
	for _, b := range p.desk.Screen(false).Buttons { // from here on Start can be pressed
		if b.On && !b.Hidden {
			p.dom.node("b-"+b.Act).flag("disabled", false)
		}
	}
	for furnished := false; ; {
		select {
		case <-p.inbox.ready:
		case <-quit:
			return nil
		}
		if !furnished {
			furnished = true
			p.furnish()
		}
		list, frame := p.inbox.take()
		for _, m := range list {
			p.do(m)
		}
		if frame > 0 {
			p.frame(frame)
		}
	}
}

// furnish shows what takes long to show for the first time. It waits for the
// first frame or message, so that the browser can show the controls before.
func (p *page) furnish() {
	p.charts = newCharts(p.dom)
	must(global("sluiceCharts").Invoke(p.once(func(came safejs.Value) {
		if must(came.Bool()) {
			p.inbox.put(retheme{})
		} else {
			p.inbox.put(desk.Say{Text: "the charts' library could not be downloaded: reload the page to have charts"})
		}
	})))
	p.code.fetch()
	p.relayout()
	p.show(0)
	if p.desk.Lab().Scenario().Autostart {
		p.do(lab.Start{})
	}
}

// do carries out one message: the page's own, or one for the desk.
func (p *page) do(m any) {
	if m, ok := m.(point); ok {
		was := p.desk.Lit()
		p.point(m)
		// The pointer passes over much that changes nothing.
		p.dirty = p.dirty || m.click || m.drag != 0 || p.desk.Lit() != was
		return
	}
	p.dirty = true
	switch m := m.(type) {
	case relayout:
		p.relayout()
	case retheme:
		p.charts.rebuild()
	case press:
		p.press(m)
	case key:
		p.key(m)
	case turned:
		p.turn(m)
	case wheel:
		p.wheel(m)
	case codeCame:
		p.code.came(m)
	case line:
		p.code.choose(string(m))
	default:
		p.desk.Do(m)
	}
}

// frame moves time on and shows what came of it.
func (p *page) frame(at float64) {
	began := time.Now()
	elapsed := time.Duration((at - p.last) * float64(time.Millisecond))
	if p.last == 0 || elapsed < 0 {
		elapsed = 0
	}
	p.last = at
	p.clock += elapsed.Seconds() * 1000
	p.desk.Frame(elapsed, func() bool { return time.Since(began) < frameBudget })
	p.show(p.clock)
}

// part is a part of the page of which a person cannot read what it says sixty
// times a second.
type part struct {
	every float64 // milliseconds from one time to the next
	show  func(at float64) (done bool)
	words bool    // it says in words and numbers what the stage draws
	at    float64 // when it was shown last
	cost  float64 // milliseconds that it took
	stale bool    // what it shows has changed since
}

// While so few steps are taken that a person can follow them, the words say at
// every frame what the stage draws, if they can be had for so many milliseconds.
const (
	calmSteps = 10 // a frame
	calmCost  = 2
)

func (p *page) newParts() []*part {
	return []*part{
		{every: 45, show: func(float64) bool {
			p.drawLanes()
			return true
		}},
		{every: 50, words: true, show: func(at float64) bool {
			s := p.desk.Screen(false)
			p.fill(&s, at)
			return true
		}},
		{every: 100, words: true, show: func(at float64) bool {
			p.desk.Look()
			s := p.desk.Screen(true)
			return p.fillSlow(&s, at)
		}},
		{every: 250, show: func(float64) bool {
			p.charts.show(p.desk, p.layout.present)
			return true
		}},
	}
}

// show brings the page up to what the desk says: all of it if a message has
// come, else the stage and one part, so that no frame takes long.
func (p *page) show(at float64) {
	d := p.desk
	if phase := d.View().Phase; phase != p.phase {
		p.phase, p.dirty = phase, true
	}
	moved := p.dirty || d.View().Step != p.step || d.At() != p.instant
	stepped := d.View().Step != p.step
	p.steps += (float64(max(d.View().Step, p.step)-p.step) - p.steps) / 16
	p.step, p.instant = d.View().Step, d.At()
	if moved || p.stage.drawing.Moving {
		p.drawStage(at)
	}
	var next *part
	for _, t := range p.parts {
		t.stale = t.stale || moved
		switch {
		case p.dirty, t.words && stepped && p.steps < calmSteps && t.cost < calmCost:
			p.showPart(t, at)
		case t.stale && at-t.at >= t.every && (next == nil || (at-t.at)/t.every > (at-next.at)/next.every):
			next = t
		}
	}
	if next != nil {
		p.showPart(next, at)
	}
	p.dirty = false
}

// showPart shows a part, and has it wait so long for its next turn that it does
// not take more than a tenth of the time.
func (p *page) showPart(t *part, at float64) {
	began := time.Now()
	t.stale = !t.show(at)
	t.cost = time.Since(began).Seconds() * 1000
	t.at = at + max(10*t.cost-t.every, 0)
}

func (p *page) drawStage(at float64) {
	d := p.desk
	rate := 0.0
	if point, ok := d.Trace().PointAt(d.At()); ok && !d.Paused() {
		rate = point.In * d.Pace()
	}
	p.stage.draw(scene.Stage(d.View(), d.Trace(), scene.StageOptions{
		W: p.stage.w, H: p.stage.h, Scale: p.layout.scale, Portrait: p.layout.portrait,
		Now: d.At(), Clock: at / 1000, Rate: rate, Paused: d.Paused(), Parallel: d.Trace().Parallel,
		Followed: d.Followed(), Chosen: d.Chosen(), Hover: d.Lit().Who, HoverEvent: d.Lit().Event,
		ReducedMotion: p.layout.reduced,
	}, &p.motion))
}

func (p *page) laneOptions() scene.TimelineOptions {
	d := p.desk
	w := d.Window()
	return scene.TimelineOptions{
		W: p.lanes.w, H: p.lanes.h, Scale: p.layout.scale, From: w.From, To: w.To,
		Now: max(d.Trace().End(), d.At()), Cursor: d.At(), Live: !d.Past(),
		Followed: d.Followed(), Chosen: d.Chosen(), Hover: d.Lit().Who, HoverEvent: d.Lit().Event,
	}
}

func (p *page) drawLanes() {
	o := p.laneOptions()
	o.Reuse = p.lanes.drawing
	p.lanes.draw(scene.Timeline(p.desk.Trace(), o))
	p.pointAtBar()
	if life, ok := p.desk.Life(); ok {
		p.strip.draw(scene.Strip(life, scene.StripOptions{W: p.strip.w, Now: p.desk.At(), Scale: p.layout.scale}))
	}
}

// pointAtBar shows what the bar in focus says, beside it.
func (p *page) pointAtBar() {
	bar, title := p.desk.Bar()
	if title == "" {
		if p.barShown {
			p.barShown = false
			p.tip("", 0, 0)
		}
		return
	}
	x, y := float64(p.laneOptions().X(bar.From)), 0.0
	for _, r := range p.lanes.drawing.Regions {
		if r.Who == bar.Who && (r.Part == scene.Lane || r.From == bar.From) {
			y = float64(r.Y + r.H)
		}
	}
	p.barShown = true
	p.lanes.measure()
	p.tip(title, p.lanes.left+x, p.lanes.top+y+4)
}

// tip shows what is under the pointer or in focus, at a place in the window.
func (p *page) tip(title string, x, y float64) {
	n := p.dom.node("tip")
	n.flag("hidden", title == "")
	if title == "" {
		return
	}
	n.text(title)
	n.style("left", strconv.Itoa(int(max(min(x, number(global("window"), "innerWidth")-240), 0)))+"px")
	n.style("top", strconv.Itoa(int(y))+"px")
}

// relayout is sent when the page's size, or how it should look, has changed.
type relayout struct{}

// retheme is sent when the colours have changed.
type retheme struct{}

func (p *page) relayout() {
	media := func(q string) bool { return truthy(call(global("window"), "matchMedia", q), "matches") }
	html := get(p.dom.doc, "documentElement")
	present := must(call(html, "hasAttribute", "data-present").Bool())
	p.layout = layout{
		portrait: media("(max-width: 760px)"),
		reduced:  media("(prefers-reduced-motion: reduce)"),
		present:  present,
		scale:    1,
	}
	switch {
	case present:
		p.layout.scale = 1.3
	case media("(min-width: 1700px)"):
		p.layout.scale = 1.2
	}
	p.stage.measure()
	p.lanes.measure()
	p.strip.measure()
	p.strip.h = 0 // its drawing says how much it needs
	p.charts.resize()
	p.dirty = true
}
