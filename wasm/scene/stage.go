package scene

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"sluice/wasm/lab"
)

// StageOptions say how large and at which moment the stage is drawn.
type StageOptions struct {
	W, H     float32
	Scale    float32       // of type; 0 is 1
	Portrait bool          // top to bottom; the height is as needed
	Now      time.Duration // lab time, at or after the view's
	Clock    float64       // seconds of wall time, for motion
	Rate     float64       // events a second of wall time that pass now
	Paused   bool
	Parallel bool // the trace was recorded on several cores

	Followed      uint32  // an event that is lit wherever it is
	Chosen        lab.Who // a goroutine that is lit
	Hover         lab.Who // what the pointer is at
	HoverEvent    uint32
	ReducedMotion bool
}

// Stage draws the experiment as a picture: producers, the gate of the intake,
// every slot of the buffer, workers, the store and its readers. What it says
// is true at o.Now; only glyphs may still be on their way, as m remembers.
// A nil m draws everything at rest.
func Stage(v *lab.View, t *lab.Trace, o StageOptions, m *Motion) Drawing {
	if m == nil {
		m = &Motion{}
	}
	if o.Scale <= 0 {
		o.Scale = 1
	}
	o.Now = max(o.Now, v.At)
	m.pen.ops, m.pen.regions, m.pen.words = m.pen.ops[:0], m.pen.regions[:0], &m.words
	m.begin(v, t, o)

	s := stage{pen: &m.pen, v: v, t: t, o: o, m: m}
	s.sortCrew()
	if o.Portrait {
		s.layoutPortrait()
	} else {
		s.layoutWide()
	}
	s.drawProducers()
	s.drawGate()
	s.drawBuffer()
	s.drawWorkers()
	s.drawStore()
	s.drawReaders()
	height := s.drawFoot()
	moving := m.end(s.hand, s.shelf, s.glyph())
	return Drawing{Ops: m.pen.ops, Regions: m.pen.regions, Moving: moving, Height: height}
}

// stage is one call of Stage.
type stage struct {
	*pen
	v *lab.View
	t *lab.Trace
	o StageOptions
	m *Motion

	crew [5][]lab.Goroutine // by role

	pad float32
	// Where things are. A head is the place of a heading, a row the baseline
	// of a line of words under a column.
	producers, buffer, workers, store, readers area
	gate                                       area // one of w and h is 0
	producersHead, bufferHead, workersHead     point
	storeHead, readersHead                     point
	gateRow, bufferRow, workersRow, storeRow   point
	foot                                       area

	boxes grids // of producers
}

type point struct{ x, y float32 }

// grids are equal cells in an area, row by row.
type grids struct {
	area
	cols, rows   int
	w, h, dx, dy float32 // of a cell, and from one to the next
}

func (g *grids) cell(i int) area {
	return area{g.x + float32(i%g.cols)*g.dx, g.y + float32(i/g.cols)*g.dy, g.w, g.h}
}

func (s *stage) sortCrew() {
	crew := s.v.Crew
	for len(crew) > 0 {
		role, n := crew[0].Who.Role(), 1
		for n < len(crew) && crew[n].Who.Role() == role {
			n++
		}
		if int(role) < len(s.crew) {
			s.crew[role] = crew[:n]
		}
		crew = crew[n:]
	}
}

// glyph is the radius of an event's glyph.
func (s *stage) glyph() float32 { return 7.5 * s.s }

func (s *stage) layoutWide() {
	o := &s.o
	u := o.W / 704
	s.s = min(o.Scale, u*1.06, o.H/280)
	k := s.s
	s.pad = 16 * u
	top, bottom := 44*k, o.H-50*k
	h := bottom - top
	col := func(x, w float32) area { return area{x * u, top, w * u, h} }
	s.producers = col(16, 90)
	s.gate = area{132 * u, top, 0, h}
	s.buffer = col(146, 162)
	s.workers = col(342, 132)
	s.store = col(506, 130)
	s.readers = col(644, 46)

	head := 26 * k
	s.producersHead = point{s.producers.x, head}
	s.bufferHead = point{s.buffer.x, head}
	s.workersHead = point{s.workers.x, head}
	s.storeHead = point{s.store.x, head}
	s.readersHead = point{s.readers.x, head}
	row := bottom + 18*k
	s.gateRow = point{s.gate.x, row}
	s.bufferRow = point{s.buffer.right(), row}
	s.workersRow = point{s.workers.x, row}
	s.storeRow = point{s.store.x, row}
	s.foot = area{s.pad, o.H - 7*k, o.W - 2*s.pad, 0}

	n := max(len(s.crew[lab.Producer]), 1)
	dy := min(h/float32(n), 84*k)
	bh := min(52*k, dy-min(6*k, dy*0.12))
	s.boxes = grids{area: area{s.producers.x, top + (h-dy*float32(n))/2 + (dy-bh)/2, s.producers.w, h}, cols: 1, rows: n, w: s.producers.w, h: bh, dx: 0, dy: dy}
}

func (s *stage) layoutPortrait() {
	o := &s.o
	s.s = min(o.Scale, o.W/340)
	k := s.s
	s.pad = 16 * k
	w := o.W - 2*s.pad
	y := 22 * k

	s.producersHead = point{s.pad, y}
	y += 10 * k
	n := max(len(s.crew[lab.Producer]), 1)
	cols := min(n, 4)
	gap := 8 * k
	bw := min((w-gap*float32(cols-1))/float32(cols), 120*k)
	rows := (n + cols - 1) / cols
	s.boxes = grids{area: area{s.pad, y, w, 0}, cols: cols, rows: rows, w: bw, h: 52 * k, dx: bw + gap, dy: 76 * k}
	s.producers = area{s.pad, y, w, float32(rows) * 76 * k}
	y += s.producers.h + 4*k
	s.gate = area{s.pad, y, w, 0}

	y += 26 * k
	s.bufferHead = point{s.pad, y}
	s.gateRow = point{o.W - s.pad, y}
	y += 10 * k
	_, brows, pitch := s.slotGrid(w)
	s.buffer = area{s.pad, y, w, float32(brows) * min(pitch*1.1, 46*k)}
	y = s.buffer.bottom() + 16*k
	s.bufferRow = point{s.pad, y + 2*k}

	y += 26 * k
	s.workersHead = point{s.pad, y}
	y += 10 * k
	workers := max(len(s.crew[lab.Worker]), 1)
	wh := float32((workers+1)/2) * 52 * k
	if workers > 8 {
		wh = float32((workers+7)/8) * 44 * k
	}
	s.workers = area{s.pad, y, w, wh}
	y = s.workers.bottom() + 14*k
	s.workersRow = point{s.pad, y}

	y += 30 * k
	s.storeHead = point{s.pad + 26*k, y}
	y += 10 * k
	readers := 62 * k
	s.store = area{s.pad + 26*k, y, w - readers - 36*k, 206 * k}
	s.readers = area{s.store.right() + 10*k, y, readers, 206 * k}
	s.readersHead = point{s.readers.x, s.storeHead.y}
	y = s.store.bottom() + 18*k
	s.storeRow = point{s.store.x, y}
	s.foot = area{s.pad, y + 26*k, w, 0}
}

// slotGrid is how the slots lie in a phone's width, and how far apart.
func (s *stage) slotGrid(w float32) (cols, rows int, pitch float32) {
	n := max(s.v.Capacity, 1)
	cols = min(max(n, 6), 8)
	switch {
	case n > 128:
		cols = 32
	case n > 32:
		cols = 16
	}
	return cols, (n + cols - 1) / cols, w / float32(cols)
}

func (s *stage) heading(at point, text string) float32 {
	s.text(at.x, at.y, SansBold, Ink1, Left, text)
	return at.x + s.wide(SansBold, text) + 7*s.s
}

func (s *stage) lit(w lab.Who) Ink {
	if w == s.o.Chosen || w == s.o.Hover {
		return Accent
	}
	return None
}

// held reports whether the lab holds the goroutine, so that it is not where its
// last step says that it goes next.
func (s *stage) held(g *lab.Goroutine) bool {
	return s.o.Paused && s.t.Place(g.Place).Where == lab.Held
}

func (s *stage) figure(g *lab.Goroutine, a area) {
	r := a.region()
	r.Part, r.Who, r.Kind, r.Event, r.Key = Figure, g.Who, g.Kind, g.Event, g.Key
	r.From, r.To, r.Now = g.Since, g.Due, s.o.Now
	s.region(r)
}

// token puts an event's glyph where it is, to be drawn at the end.
func (s *stage) token(event uint32, key uint8, x, y, r, alpha float32) {
	s.m.tokens = append(s.m.tokens, token{event: event, key: key, x: x, y: y, r: r, alpha: alpha})
}

func (s *stage) inHand(g *lab.Goroutine, x, y, r, alpha float32) {
	s.token(g.Event, g.Key, x, y, r, alpha)
	reg := area{x - r - 3, y - r - 3, 2*r + 6, 2*r + 6}.region()
	reg.Part, reg.Who, reg.Kind, reg.Event, reg.Key = InHand, g.Who, g.Kind, g.Event, g.Key
	reg.From, reg.To, reg.Now = g.Since, g.Due, s.o.Now
	s.region(reg)
}

// box draws a goroutine's box. One that does not run is dashed.
func (s *stage) box(a area, line Ink, gone bool, w lab.Who) {
	o := Op{Do: Rect, X: a.x, Y: a.y, W: a.w, H: a.h, R: min(6*s.s, a.h/4), Fill: Sheet, Line: line, Width: 1}
	if gone {
		o.Dash, o.Fill, o.Line = Dashed, None, Strong
	}
	if ink := s.lit(w); ink != None {
		o.Line, o.Width = ink, 2
	}
	s.op(o)
}

// hand is where a producer holds an event.
func (s *stage) hand(w lab.Who) (x, y float32, ok bool) {
	for i := range s.crew[lab.Producer] {
		if s.crew[lab.Producer][i].Who == w {
			b := s.boxes.cell(i)
			if s.o.Portrait {
				return b.midX(), b.bottom() + 12*s.s, true
			}
			return (b.right() + s.gate.x - 5*s.s) / 2, b.midY(), true
		}
	}
	return 0, 0, false
}

func (s *stage) drawProducers() {
	s.heading(s.producersHead, "producers")
	for i := range s.crew[lab.Producer] {
		g := &s.crew[lab.Producer][i]
		a := s.boxes.cell(i)
		first, second, ink, gone := s.producer(g)
		outline := Hair
		if ink == Wait {
			outline = Wait
		}
		s.box(a, outline, gone, g.Who)
		s.figure(g, a)
		s.boxWords(a, g.Who, first, second, ink)
		if g.Kind == lab.Resting && !gone && s.o.Rate <= FastRate && g.Due > g.Since {
			left := float32(g.Due-s.o.Now) / float32(g.Due-g.Since)
			if left = min(max(left, 0), 1); left > 0 {
				s.rect(area{a.x + 8*s.s, a.bottom() - 4*s.s, (a.w - 16*s.s) * left, 1.5 * s.s}, 0, Rest, None, 0)
			}
		}
		x, y, _ := s.hand(g.Who)
		r := min(6*s.s, s.boxes.dy*0.3)
		switch {
		case g.Kind == lab.Submitting && g.Waiting():
			s.inHand(g, x, y, r, 1)
		case g.Kind == lab.Rejected:
			s.inHand(g, x, y, r, 0.35)
		case g.Kind == lab.Left:
			if b := s.refused(g); b.Event != 0 {
				gone := *g
				gone.Event, gone.Key = b.Event, b.Key
				s.inHand(&gone, x, y, r, 0.35)
			}
		}
	}
}

// boxWords writes a goroutine's name and its state, on as many lines as the
// box has room for.
func (s *stage) boxWords(a area, w lab.Who, first, second string, ink Ink) {
	k := s.s
	x, room := a.x+9*k, a.w-12*k
	name := s.words.who(w)
	switch {
	case a.h >= 50*k && second != "":
		s.text(x, a.midY()-9*k, Sans, Ink1, Left, name)
		s.fits(x, a.midY()+6*k, room, SansSmall, ink, Left, first)
		s.fits(x, a.midY()+19*k, room, SansSmall, ink, Left, second)
	case a.h >= 32*k:
		if second != "" && s.wide(SansSmall, second) <= room {
			first = second
		}
		s.text(x, a.midY()-4*k, Sans, Ink1, Left, name)
		s.fits(x, a.midY()+11*k, room, SansSmall, ink, Left, first)
	default:
		if second != "" {
			first = second
		}
		y := a.midY() + 4*k
		s.text(x, y, Sans, Ink1, Left, s.words.short(w))
		s.fits(x+21*k, y, room-21*k, SansSmall, ink, Left, first)
	}
}

// producer says what a producer does, in one or two lines.
func (s *stage) producer(g *lab.Goroutine) (first, second string, ink Ink, gone bool) {
	switch g.Kind {
	case lab.NoKind:
		return "not started", "", Ink2, true
	case lab.Resting:
		if s.o.Rate > FastRate {
			return "resting", "", Ink2, false
		}
		return s.words.time(wordRests, g.Due-s.o.Now), "", Ink2, false
	case lab.Submitting:
		switch {
		case !g.Waiting():
			return "accepted", "", Ink2, false
		case s.held(g):
			return "held before", "Submit", Ink2, false
		case len(s.v.Queue) >= s.v.Capacity:
			return "waiting:", "buffer full", Wait, false
		}
		return "submits", "", Ink2, false
	case lab.Accepted:
		return "accepted", "", Ink2, false
	case lab.Rejected, lab.Left:
		ink, gone = Wait, false
		if g.Kind == lab.Left {
			ink, gone = Ink2, true
		}
		switch g.Refused {
		case lab.TurnedAway:
			return "ErrStopped", "", ink, gone
		case lab.GaveUp:
			return "gave up", "", ink, gone
		}
		return "done", "", ink, gone
	}
	return g.Kind.String(), "", Ink2, false
}

// refused is the bar of the event with which a producer ended, if the trace
// still has it.
func (s *stage) refused(g *lab.Goroutine) lab.Bar {
	if g.Refused == 0 {
		return lab.Bar{}
	}
	for _, b := range s.t.Bars(g.Who, g.Since, g.Since) {
		if b.Kind == lab.Rejected && b.To == g.Since {
			return b
		}
	}
	return lab.Bar{}
}

func (s *stage) drawGate() {
	g, k := s.gate, s.s
	closed := s.v.CloseAt >= 0
	word, ink := "intake open", Ink2
	if closed {
		word, ink = "intake closed", Wait
	} else if s.v.Phase == lab.Unstarted {
		word = "not started"
	}
	frame := area{g.x - 5*k, g.y, 10 * k, g.h}
	stub := 16 * k
	if s.o.Portrait {
		frame = area{g.x, g.y - 5*k, g.w, 10 * k}
	}
	if closed {
		s.rect(frame, 0, None, Wait, 1)
		s.line(g.x, g.y, g.w, g.h, Wait, 3*k)
	} else {
		// Drawn back at both ends.
		s.rect(frame, 0, None, Hair, 1)
		if s.o.Portrait {
			s.line(g.x, g.y, stub, 0, Strong, 3*k)
			s.line(g.right(), g.y, -stub, 0, Strong, 3*k)
		} else {
			s.line(g.x, g.y, 0, stub, Strong, 3*k)
			s.line(g.x, g.bottom(), 0, -stub, Strong, 3*k)
		}
	}
	align := Center
	if s.o.Portrait {
		align = Right
	}
	s.text(s.gateRow.x, s.gateRow.y, Sans, ink, align, word)
}

func (s *stage) drawBuffer() {
	v, k := s.v, s.s
	n, have := max(v.Capacity, 1), len(v.Queue)
	x := s.heading(s.bufferHead, "buffer")
	if have >= n {
		s.text(x, s.bufferHead.y, Sans, Wait, Left, s.words.pair(wordFull, have, n))
	} else {
		s.text(x, s.bufferHead.y, Sans, Ink2, Left, s.words.pair(wordOf, have, n))
	}

	a := s.buffer
	cols, rows := grid(n, a.w, a.h, 0.82)
	if s.o.Portrait {
		cols, rows, _ = s.slotGrid(a.w)
	}
	dx, dy := min(a.w/float32(cols), 52*k), min(a.h/float32(rows), 54*k)
	gap := min(7*k, dx*0.16)
	w, h := dx-gap, min(dy-min(10*k, dy*0.16), 40*k)
	r := min(s.glyph(), w*0.36, h*0.4)
	digits := w >= 26*k && h >= 30*k
	dim := float32(1)
	if v.KillAt >= 0 {
		dim = 0.45 // nobody will receive them
	}
	// The buffer of a Go channel is a ring: an event stays in its slot, and what
	// moves on is the slot that is received from next.
	next := int((v.Accepted - uint64(have)) % uint64(n))
	for slot := range n {
		c := area{a.x + float32(slot%cols)*dx + gap, a.y + float32(slot/cols)*dy, w, h}
		reg := c.region()
		reg.Part, reg.N, reg.Of, reg.Now = Slot, slot+1, n, s.o.Now
		if i := (slot - next + n) % n; i < have {
			q := &v.Queue[i]
			line, width := Hair, float32(1)
			if i == 0 {
				line, width = Ink1, 1.5
			}
			s.rect(c, min(5*k, w/5), Sheet, line, width)
			y := c.midY()
			if digits {
				y -= 4 * k
				s.fits(c.midX(), c.bottom()-4*k, w, MonoSmall, Ink2, Center, s.words.number(q.Event))
			}
			s.token(q.Event, q.Key, c.midX(), y, r, dim)
			reg.Event, reg.Key, reg.From = q.Event, q.Key, q.Since
		} else {
			s.rect(c, min(5*k, w/5), Sunk, Hair, 1)
		}
		s.region(reg)
	}
	last := area{a.x + float32(cols-1)*dx + gap, a.y, w, h}
	if s.o.Portrait {
		last.y += float32(rows-1) * dy
	}
	s.arrow(last)

	word, ink := "", Ink2
	switch {
	case v.Abandoned > 0:
		word, ink = s.words.thousands(int(v.Abandoned))+" abandoned", Wait
	case v.KillAt >= 0 && have > 0:
		word, ink = "to be abandoned", Wait
	case have > 0:
		word = "next out is outlined"
	}
	if word == "" {
		return
	}
	align := Right
	if s.o.Portrait {
		align = Left
	}
	s.text(s.bufferRow.x, s.bufferRow.y, Sans, ink, align, word)
}

// arrow leads from the buffer to the workers.
func (s *stage) arrow(c area) {
	k := s.s
	if s.o.Portrait {
		x, y := c.midX(), c.bottom()+3*k
		s.line(x, y, 0, 18*k, Strong, 1)
		s.line(x, y+18*k, -4*k, -5*k, Strong, 1)
		s.line(x, y+18*k, 4*k, -5*k, Strong, 1)
		return
	}
	x, y := c.right()+5*k, c.midY()
	w := s.workers.x - 6*k - x
	s.line(x, y, w, 0, Strong, 1)
	s.line(x+w, y, -5*k, -4*k, Strong, 1)
	s.line(x+w, y, -5*k, 4*k, Strong, 1)
}

func (s *stage) drawWorkers() {
	v, k := s.v, s.s
	s.heading(s.workersHead, "workers")
	crew := s.crew[lab.Worker]
	n := max(len(crew), 1)
	a := s.workers
	var cells grids
	rings := false
	switch {
	case s.o.Portrait && n <= 8:
		cells = grids{area: a, cols: 2, w: a.w/2 - 4*k, h: 44 * k, dx: a.w/2 + 4*k, dy: 52 * k}
	case !s.o.Portrait && a.h/float32(n) >= 24*k:
		dy := min(a.h/float32(n), 52*k)
		cells = grids{area: a, cols: 1, w: a.w, h: dy - min(8*k, dy*0.14), dy: dy}
	default:
		cols, rows := grid(n, a.w, a.h, 0.9)
		if s.o.Portrait {
			cols, rows = 8, (n+7)/8
		}
		dx := a.w / float32(cols)
		dy := min(a.h/float32(rows), max(dx*1.25, 32*k))
		cells = grids{area: a, cols: cols, w: dx, h: dy, dx: dx, dy: dy}
		rings = true
	}
	busy, waiting := 0, 0
	for i := range crew {
		g := &crew[i]
		switch {
		case g.Kind == lab.AtDoor:
			waiting++
			busy++
		case g.InHand():
			busy++
		}
		c := cells.cell(i)
		if rings {
			s.ringOnly(g, c)
		} else {
			s.workerBox(g, c)
		}
	}

	word := ""
	switch {
	case v.Phase == lab.Unstarted:
		word = "not started"
	case v.Phase == lab.Stopped:
		word = "Run has returned"
	case v.KillAt >= 0:
		word = "killed: end at once"
		if busy > 0 {
			word = "finish what is in hand"
		}
	case v.Phase == lab.Drained:
		word = "draining what was accepted"
	case waiting > 0:
		word = s.words.pair(wordLocked, busy-waiting, waiting)
	default:
		word = s.words.pair(wordBusy, busy, len(crew)-busy)
	}
	room := s.o.W - s.pad - s.workersRow.x
	if !s.o.Portrait {
		room = s.storeRow.x - s.workersRow.x - 4*k
	}
	if !s.fits(s.workersRow.x, s.workersRow.y, room, Sans, Ink2, Left, word) && v.Phase == lab.Drained {
		s.fits(s.workersRow.x, s.workersRow.y, room, Sans, Ink2, Left, "draining")
	}
}

func (s *stage) workerBox(g *lab.Goroutine, a area) {
	k := s.s
	gone := g.Kind == lab.Exited || g.Kind == lab.NoKind
	s.box(a, Hair, gone, g.Who)
	s.figure(g, a)
	word, ink := s.worker(g)
	r := min(17*k, a.h/2-2.5*k)
	x, y := a.x+9*k+r, a.midY()
	s.ring(g, x, y, r, gone)
	if g.InHand() {
		s.inHand(g, x, y, min(s.glyph(), r*0.56), 1)
	}
	left := x + r + 9*k
	room := a.right() - left - 4*k
	if a.h >= 34*k {
		s.text(left, y-4*k, Sans, Ink1, Left, s.words.who(g.Who))
		s.fits(left, y+12*k, room, Sans, ink, Left, word)
		return
	}
	s.text(left, y+4*k, Sans, Ink1, Left, s.words.short(g.Who))
	s.fits(left+25*k, y+4*k, room-25*k, Sans, ink, Left, word)
}

// ringOnly is a worker where there is room for no more: the ring tells its
// state by colour and by how it is drawn.
func (s *stage) ringOnly(g *lab.Goroutine, a area) {
	k := s.s
	gone := g.Kind == lab.Exited || g.Kind == lab.NoKind
	label := a.h >= 28*k
	r := min(a.w, a.h)/2 - 1.5*k
	y := a.midY()
	if label {
		r = min(a.w/2-3*k, (a.h-11*k)/2-1*k, 16*k)
		y = a.y + r + 2*k
		s.text(a.midX(), y+r+9.5*k, MonoSmall, Ink2, Center, s.words.short(g.Who))
	}
	s.figure(g, a)
	s.ring(g, a.midX(), y, r, gone)
	if g.InHand() {
		s.inHand(g, a.midX(), y, min(s.glyph(), r*0.56), 1)
	}
	if ink := s.lit(g.Who); ink != None {
		s.rect(area{a.midX() - r - 3*k, y - r - 3*k, 2*r + 6*k, 2*r + 6*k}, 3*k, None, ink, 1.5*k)
	}
}

// ring draws the clock of the work that remains.
func (s *stage) ring(g *lab.Goroutine, x, y, r float32, gone bool) {
	k := s.s
	width := min(3*k, r*0.22)
	circle := Op{Do: Disc, X: x, Y: y, R: r, Line: Hair, Width: width}
	switch {
	case gone:
		circle.Line, circle.Width, circle.Dash = Strong, 1, Dashed
	case g.Kind == lab.AtDoor:
		circle.Line, circle.Dash = Wait, Dotted
	case g.Kind == lab.Draining:
		circle.Line, circle.Dash = Drain, Dotted
	case !g.InHand():
		circle.Line, circle.Width = Rest, 1
	}
	s.op(circle)
	if g.Kind == lab.Exited {
		d := r * 0.3
		s.line(x-d, y-d, 2*d, 2*d, Strong, 1)
		s.line(x-d, y+d, 2*d, -2*d, Strong, 1)
	}
	if g.Kind != lab.Working && g.Kind != lab.Inside || g.Due <= g.Since {
		return
	}
	left := float32(g.Due-s.o.Now) / float32(g.Due-g.Since)
	if left = min(left, 1); left > 0 {
		s.op(Op{Do: Arc, X: x, Y: y, R: r, From: 0, To: left, Line: Run, Width: width * 1.17})
	}
}

// worker says what a worker does.
func (s *stage) worker(g *lab.Goroutine) (string, Ink) {
	held := s.held(g)
	switch g.Kind {
	case lab.NoKind:
		return "not started", Ink2
	case lab.Idle:
		if held {
			return "idle, held", Ink2
		}
		return "idle: select", Ink2
	case lab.Received, lab.Stored, lab.Working, lab.Inside:
		if g.Event == 0 {
			return g.Kind.String(), Ink2
		}
		if g.Kind == lab.Stored {
			return "stored", Ink2
		}
		if held {
			return s.words.get(wordEventHeld, g.Event), Ink2
		}
		return s.words.event(g.Event), Ink2
	case lab.AtDoor:
		if held {
			return "before Lock, held", Ink2
		}
		return "waits for lock", Wait
	case lab.Draining:
		if held {
			return "draining, held", Ink2
		}
		return "draining", Drain
	case lab.Exited:
		return "exited", Ink2
	}
	return g.Kind.String(), Ink2
}

// Of the store's room: the lines of counts are above, below is the floor, where
// those stand who have the lock.
func (s *stage) rows() float32  { return min(23*s.s, (s.store.h-90*s.s)/lab.NumKeys) }
func (s *stage) floor() float32 { return s.store.y + 8*s.s + s.rows()*lab.NumKeys }

// shelf is where the store keeps a key.
func (s *stage) shelf(k uint8) (x, y float32) {
	return s.store.x + 14*s.s, s.store.y + 14*s.s + float32(k%lab.NumKeys)*s.rows()
}

func (s *stage) drawStore() {
	v, k, a := s.v, s.s, s.store
	x := s.heading(s.storeHead, "store")
	s.fits(x, s.storeHead.y, s.readersHead.x-x-4*k, Mono, Ink2, Left, "sync.RWMutex")

	most := 1
	for _, n := range v.Counts {
		most = max(most, n)
	}
	for i, n := range v.Counts {
		x, y := s.shelf(uint8(i))
		s.op(Op{Do: Glyph, X: x, Y: y, R: 5 * k, Fill: Key0 + Ink(i), Shape: uint8(i)})
		number := s.words.thousands(n)
		s.text(a.right()-8*k, y+3*k, Mono, Ink1, Right, number)
		room := a.right() - 12*k - s.wide(Mono, number) - x - 12*k
		if name := key(uint8(i)); !s.fits(x+12*k, y+3*k, room, Mono, Ink1, Left, name) {
			name, _, _ = strings.Cut(name, ".") // the glyph says the rest
			s.fits(x+12*k, y+3*k, room, Mono, Ink1, Left, name)
		}
		if n > 0 {
			w := float32(n) / float32(most) * (a.right() - 8*k - x - 12*k)
			s.rect(area{x + 12*k, y + 7*k, max(w, 1), 3 * k}, 0, Key0+Ink(i), None, 0)
		}
		s.region(Region{X: a.x, Y: y - 9*k, W: a.w, H: s.rows(), Part: Count, Key: uint8(i), N: n, Of: v.Polled[i]})
	}
	floor := s.floor()
	s.line(a.x+8*k, floor, a.w-16*k, 0, Hair, 1)

	var r room
	s.occupy(&r)
	top, bottom := floor+10*k, floor+42*k // of the door, in the left wall
	for _, wall := range [...]area{
		{a.x, a.y, a.w, 0}, {a.right(), a.y, 0, a.h}, {a.x, a.bottom(), a.w, 0},
		{a.x, a.y, 0, top - a.y}, {a.x, bottom, 0, a.bottom() - bottom},
	} {
		s.line(wall.x, wall.y, wall.w, wall.h, Ink2, 2*k)
	}
	if r.shut {
		s.op(Op{Do: Line, X: a.x, Y: top, H: bottom - top, Line: Wait, Width: 3 * k, Dash: Dotted})
	} else {
		s.line(a.x, top, -7*k, 0, Ink2, 1.5*k) // the leaf stands open
	}
	s.drawRoom(&r, top)

	word := "not polled yet"
	switch {
	case v.Phase == lab.Unstarted:
		word = ""
	case len(s.crew[lab.Reader]) == 0:
		word = "no reader polls"
	case v.Polls > 0:
		word = s.words.time(wordAgo, s.o.Now-v.PolledAt)
	}
	s.text(s.storeRow.x, s.storeRow.y, Sans, Ink2, Left, word)
}

// room is who has the store's lock and who waits for it.
type room struct {
	inside, door, behind [72]*lab.Goroutine
	nIn, nDoor, nBehind  int
	shut                 bool // for whoever comes now
}

// occupy finds who is where. A sync.RWMutex lets readers in together while no
// writer holds it or waits for it. When a writer leaves, the readers that wait
// go first; otherwise the writer that waited longest does.
func (s *stage) occupy(r *room) {
	if !s.v.SlowLock {
		return
	}
	writing, wants := false, -1
	for i := range s.v.Crew {
		g := &s.v.Crew[i]
		writer := g.Who.Role() == lab.Worker
		switch {
		case g.Kind == lab.Inside && r.nIn < len(r.inside):
			r.inside[r.nIn] = g
			r.nIn++
			writing = writing || writer
		case g.Kind == lab.AtDoor && !s.held(g) && r.nBehind < len(r.behind):
			if writer && (wants < 0 || g.Since < r.behind[wants].Since) {
				wants = r.nBehind
			}
			r.behind[r.nBehind] = g
			r.nBehind++
		}
	}
	r.shut = writing || wants >= 0
	readers := false
	for _, g := range r.behind[:r.nBehind] {
		readers = readers || g.Who.Role() == lab.Reader
	}
	n := 0
	for i, g := range r.behind[:r.nBehind] {
		next := i == wants
		if writing && readers {
			next = g.Who.Role() == lab.Reader
		}
		if next {
			r.door[r.nDoor] = g
			r.nDoor++
		} else {
			r.behind[n] = g
			n++
		}
	}
	r.nBehind = n
	rest := r.behind[:n]
	for i := 1; i < n; i++ { // few, and nearly in order
		for j := i; j > 0 && rest[j].Since < rest[j-1].Since; j-- {
			rest[j], rest[j-1] = rest[j-1], rest[j]
		}
	}
}

func (s *stage) drawRoom(r *room, door float32) {
	k, a := s.s, s.store
	x, y := a.x+10*k, s.floor()
	if !s.v.SlowLock {
		s.wrap(x, y+20*k, (a.right()-x)*0.93, SansSmall, Ink2, "Each visit takes nanoseconds, so nobody is ever seen inside.")
		return
	}
	step := 25 * k
	fit := int((a.w - 18*k) / step)
	for i := range r.nIn {
		at := area{x + float32(i)*step, y + 10*k, 22 * k, 15 * k}
		if i == fit-1 && r.nIn > fit {
			s.text(at.x, at.y+11*k, Mono, Ink2, Left, s.words.more(r.nIn-i))
			break
		}
		s.chip(r.inside[i], at, Run)
	}
	// Outside, in the order in which they stand.
	at := area{a.x - 25*k, door + 9*k, 21 * k, 15 * k}
	end := a.bottom() + 2*k
	for i := range r.nDoor + r.nBehind {
		if at.bottom() > end-12*k && i < r.nDoor+r.nBehind-1 {
			s.text(at.right(), at.y+10*k, Mono, Ink2, Right, s.words.more(r.nDoor+r.nBehind-i))
			break
		}
		if i < r.nDoor {
			s.chip(r.door[i], at, Wait)
		} else {
			s.chip(r.behind[i-r.nDoor], at, Strong)
		}
		at.y += 18 * k
	}
	y += 41 * k
	for i, p := range [...]struct {
		word  string
		who   []*lab.Goroutine
		alone bool
		ink   Ink
	}{
		{"inside: ", r.inside[:r.nIn], r.nIn == 1 && r.inside[0].Who.Role() == lab.Worker, Ink1},
		{"at the door: ", r.door[:r.nDoor], false, Wait},
		{"behind: ", r.behind[:r.nBehind], false, Ink2},
	} {
		s.people(x, y+float32(i)*15*k, a.right()-x-4*k, p.word, p.who, p.ink)
	}
}

// people is a line such as "inside: reader 1", or a number where names do not fit.
func (s *stage) people(x, y, room float32, word string, who []*lab.Goroutine, ink Ink) {
	if len(who) == 0 {
		s.text(x, y, SansSmall, Ink2, Left, word)
		s.text(x+s.wide(SansSmall, word), y, SansSmall, Ink2, Left, "nobody")
		return
	}
	s.text(x, y, SansSmall, ink, Left, word)
	x0 := x + s.wide(SansSmall, word)
	if len(who) == 1 && s.fits(x0, y, room-(x0-x), SansSmall, ink, Left, s.words.who(who[0].Who)) {
		return
	}
	for i, g := range who {
		name := s.words.short(g.Who)
		more := s.words.more(len(who) - i)
		need := s.wide(SansSmall, name)
		if i < len(who)-1 {
			need += s.wide(SansSmall, more) + 4*s.s
		}
		if x0+need > x+room {
			s.text(x0, y, SansSmall, ink, Left, more)
			return
		}
		s.text(x0, y, SansSmall, ink, Left, name)
		x0 += s.wide(SansSmall, name) + 4*s.s
	}
}

// chip is a goroutine as a small figure that stands somewhere.
func (s *stage) chip(g *lab.Goroutine, a area, ink Ink) {
	k := s.s
	line, width := ink, float32(1)
	if l := s.lit(g.Who); l != None {
		line, width = l, 2
	}
	s.rect(a, 3*k, Sheet, line, width)
	s.text(a.midX(), a.midY()+3.5*k, Mono, Ink1, Center, s.words.short(g.Who))
	s.figure(g, a)
}

func (s *stage) drawReaders() {
	v, k, a := s.v, s.s, s.readers
	s.heading(s.readersHead, "readers")
	crew := s.crew[lab.Reader]
	for i, n := range v.Polled {
		_, y := s.shelf(uint8(i))
		word := "-"
		if v.Polls > 0 {
			word = s.words.thousands(n)
		}
		s.fits(a.right(), y+3*k, a.w, Mono, Accent, Right, word)
	}
	floor := s.floor()
	s.line(a.x, floor, a.w, 0, Hair, 1)
	if len(crew) == 0 {
		s.text(a.x, floor+20*k, SansSmall, Ink2, Left, "none")
		return
	}
	cols := 1
	if len(crew) > 4 {
		cols = 2
	}
	for i := range crew {
		g := &crew[i]
		c := area{a.x + float32(i%cols)*24*k, floor + 10*k + float32(i/cols)*18*k, 21 * k, 15 * k}
		word, away := s.reader(g)
		o := Op{Do: Rect, X: c.x, Y: c.y, W: c.w, H: c.h, R: 3 * k, Fill: Sheet, Line: Strong, Width: 1}
		ink := Ink1
		if away { // it stands in the store or at its door
			o.Fill, o.Line, o.Dash, ink = None, Hair, Dashed, Ink2
		} else if g.Kind == lab.Polling {
			o.Line = Accent
		}
		if l := s.lit(g.Who); l != None {
			o.Line, o.Width = l, 2
		}
		s.op(o)
		s.text(c.midX(), c.midY()+3.5*k, Mono, ink, Center, s.words.short(g.Who))
		if cols == 1 {
			s.fits(c.right()+4*k, c.midY()+3.5*k, s.o.W-c.right()-4*k, SansSmall, Ink2, Left, word)
			c.w = a.right() - c.x
		}
		s.figure(g, c)
	}
}

// reader says what a reader does, and whether it is away from its place.
func (s *stage) reader(g *lab.Goroutine) (string, bool) {
	switch g.Kind {
	case lab.NoKind:
		return "", true
	case lab.Left:
		return "done", true
	case lab.Polling:
		return "polls", false
	case lab.AtDoor:
		if s.held(g) {
			return "held", false
		}
		return "waits", s.v.SlowLock
	case lab.Inside:
		return "reads", s.v.SlowLock
	}
	return "rests", false
}

// drawFoot writes what is to be said of the whole, and returns the height.
func (s *stage) drawFoot() float32 {
	o, f := &s.o, s.foot
	text := "Every event keeps its shape and colour from producer to store. Click one to follow it."
	switch {
	case o.Followed != 0:
		text = s.whereabouts()
	case o.Rate > FastRate && s.v.Phase != lab.Unstarted && s.v.Phase != lab.Stopped:
		in, out := s.flow()
		text = "Too fast to draw each event on its way: " + in + " accepted and " + out + " stored a second. Slots and rings show this instant."
	case o.Paused:
		text = "Time is held: every goroutine stands still until Resume or Step."
	case o.Parallel:
		text = "Recorded natively: these goroutines ran in parallel, on several cores."
	case s.v.Phase == lab.Unstarted:
		text = "Every slot of the buffer exists, empty or full. Start lets the goroutines go."
	}
	if o.Portrait {
		y := s.wrap(f.x, f.y, f.w, Sans, Ink2, text)
		return y
	}
	if !s.fits(f.x, f.y, f.w, Sans, Ink2, Left, text) {
		s.fits(f.x, f.y, f.w*1.1, SansSmall, Ink2, Left, text)
	}
	return o.H
}

// flow is how many events were accepted and stored in the last second, in words.
func (s *stage) flow() (in, out string) {
	points := s.t.Points()
	n := sort.Search(len(points), func(i int) bool { return points[i].At > s.o.Now })
	if n == 0 {
		return "0", "0"
	}
	return thousands(int(points[n-1].In + 0.5)), thousands(int(points[n-1].Out + 0.5))
}

// whereabouts says where the followed event is.
func (s *stage) whereabouts() string {
	e := s.o.Followed
	name := "Event " + strconv.Itoa(int(e)) + " "
	for i := range s.v.Queue {
		if s.v.Queue[i].Event == e {
			if i == 0 {
				return name + "is next out of the buffer."
			}
			return name + "is in the buffer, " + strconv.Itoa(i) + " ahead of it."
		}
	}
	for i := range s.v.Crew {
		g := &s.v.Crew[i]
		if g.Event != e {
			continue
		}
		switch {
		case g.InHand() && g.Kind == lab.AtDoor:
			return name + "is in the hands of " + g.Who.String() + ", which waits for the lock."
		case g.InHand():
			return name + "is in the hands of " + g.Who.String() + "."
		case g.Kind == lab.Submitting && g.Waiting():
			return name + "is still with " + g.Who.String() + "."
		case g.Kind == lab.Rejected:
			return name + "was rejected."
		case g.Kind == lab.Stored:
			return name + "is stored."
		}
	}
	return name + "is not on the stage at this instant."
}
