package scene

import (
	"sort"
	"time"

	"sluice/wasm/lab"
)

// TimelineOptions say which stretch of lab time is drawn, and how large.
type TimelineOptions struct {
	W, H     float32
	Scale    float32 // of type; 0 is 1
	From, To time.Duration
	Now      time.Duration // where states that last end
	Cursor   time.Duration // the instant shown elsewhere
	Live     bool          // the cursor is at the newest instant

	Followed   uint32  // an event that is lit wherever it is
	Chosen     lab.Who // a goroutine that is lit
	Hover      lab.Who // what the pointer is at
	HoverEvent uint32

	// Reuse is a drawing that is no longer needed, whose memory is taken.
	Reuse Drawing
}

const (
	minBar  = 1.5 // CSS pixels that the shortest bar takes
	merging = 3   // CSS pixels in which bars too short are drawn as one
	minLane = 5
)

// Timeline draws a lane for each goroutine and in it a bar for each state.
// Bars that are shorter than a pixel are merged, so that the drawing is never
// much longer than the lanes are wide.
func Timeline(t *lab.Trace, o TimelineOptions) Drawing {
	o.fill()
	p := pen{ops: o.Reuse.Ops[:0], regions: o.Reuse.Regions[:0], s: o.Scale}
	l := timeline{pen: &p, t: t, o: &o}
	return l.draw()
}

func (o *TimelineOptions) fill() {
	if o.Scale <= 0 {
		o.Scale = 1
	}
	if o.To <= o.From {
		o.To = o.From + least
	}
}

// plot is where time runs: from x to x+w.
func (o *TimelineOptions) plot() (x, w float32) {
	x = 76 * o.Scale
	return x, max(o.W-x-1, 1)
}

// X is where an instant is drawn.
func (o TimelineOptions) X(at time.Duration) float32 {
	o.fill()
	x, w := o.plot()
	return x + w*float32(float64(at-o.From)/float64(o.To-o.From))
}

// Time is the instant drawn at x, within the window.
func (o TimelineOptions) Time(x float32) time.Duration {
	o.fill()
	x0, w := o.plot()
	u := min(max((x-x0)/w, 0), 1)
	return o.From + time.Duration(float64(u)*float64(o.To-o.From))
}

// Span is how much lab time dx pixels stand for.
func (o TimelineOptions) Span(dx float32) time.Duration {
	o.fill()
	_, w := o.plot()
	return time.Duration(float64(dx/w) * float64(o.To-o.From))
}

type timeline struct {
	*pen
	t         *lab.Trace
	o         *TimelineOptions
	x, w      float32 // of the plot
	top       float32 // of the first lane
	perSecond float64 // pixels
}

func (l *timeline) at(at time.Duration) float32 {
	return l.x + float32(float64(at-l.o.From)/1e9*l.perSecond)
}

// clamped is at, kept just outside the plot when it is outside it.
func (l *timeline) clamped(at time.Duration) float32 {
	switch {
	case at <= l.o.From:
		return l.x
	case at >= l.o.To:
		return l.x + l.w
	}
	return l.at(at)
}

func (l *timeline) draw() Drawing {
	o, k := l.o, l.s
	l.x, l.w = o.plot()
	l.perSecond = float64(l.w) / (o.To - o.From).Seconds()
	l.top = 15 * k
	lanes := l.t.Lanes()
	if len(lanes) == 0 { // before the start, those that there will be
		for i := range l.t.Now().Crew {
			lanes = append(lanes, l.t.Now().Crew[i].Who)
		}
	}
	n := max(len(lanes), 1)
	pitch := min(max((o.H-l.top-4*k)/float32(n), minLane), 19*k)
	bottom := l.top + pitch*float32(n)

	l.axis(bottom)
	named := float32(-100)
	for i, w := range lanes {
		a := area{l.x, l.top + float32(i)*pitch, l.w, pitch}
		r := area{0, a.y, o.W, a.h}.region()
		r.Part, r.Who = Lane, w
		l.region(r)
		if lit := w == o.Chosen || w == o.Hover; lit {
			l.rect(area{0, a.y, o.W, a.h}, 2, Sunk, None, 0)
			l.rect(area{0, a.y, 2, a.h}, 0, Accent, None, 0)
		}
		if pitch >= 7*k {
			l.line(a.x, a.bottom()-0.5, a.w, 0, Hair, 0.6)
		}
		if a.midY()-named >= 10.5*k {
			named = a.midY()
			ink := Ink2
			if w == o.Chosen {
				ink = Ink1
			}
			l.text(4*k, a.midY()+3.5*k, Mono, ink, Left, w.String())
		}
	}
	l.op(Op{Do: Clip, X: l.x - 1, Y: l.top - 1, W: l.w + 2, H: bottom - l.top + 2})
	for i, w := range lanes {
		l.lane(w, area{l.x, l.top + float32(i)*pitch, l.w, pitch})
	}
	l.op(Op{Do: Unclip})
	l.dropped(bottom)
	l.marks(bottom)
	if o.Cursor >= o.From && o.Cursor <= o.To {
		x := l.at(o.Cursor)
		l.line(x, l.top-3*k, 0, bottom-l.top+3*k, Accent, 1.5)
		if !o.Live {
			l.op(Op{Do: Glyph, X: min(x, o.W-4.2*k), Y: l.top - 3*k, R: 3.5 * k, Fill: Accent, Shape: 3})
		}
	}
	return Drawing{Ops: l.ops, Regions: l.regions, Height: bottom + 4*k}
}

// class is how a state is drawn.
type class uint8

const (
	nothing class = iota
	hollow        // rests, idle, Run runs
	solid         // processes
	striped       // waits
	dotted        // drains
	tick          // polls
	refused       // was turned away
	numClasses
)

func classOf(b *lab.Bar) class {
	switch b.Kind {
	case lab.Resting, lab.Idle, lab.Running:
		return hollow
	case lab.Received, lab.Working, lab.Inside, lab.Stored:
		return solid
	case lab.Submitting, lab.AtDoor:
		return striped
	case lab.Draining, lab.Closed:
		return dotted
	case lab.Polling:
		return tick
	case lab.Rejected:
		return refused
	}
	return nothing
}

func (l *timeline) lane(w lab.Who, a area) {
	o := l.o
	bars := l.t.Bars(w, o.From, min(o.To, o.Now))
	for i := 0; i < len(bars); {
		b := &bars[i]
		x0, x1 := l.ends(b)
		c := classOf(b)
		if c == nothing {
			i++
			continue
		}
		if x1-x0 < minBar {
			// All that begin in these few pixels, unless there is but one.
			end := b.From + time.Duration(merging/l.perSecond*1e9)
			j := i + 1
			if j < len(bars) && bars[j].From < end {
				j = after(bars, i, end)
				if last := &bars[j-1]; l.pixels(last) >= 2*merging {
					j-- // it is long enough to be drawn by itself
				}
			}
			if j-i > 2 {
				l.merged(w, bars[i:j], a, x0)
				i = j
				continue
			}
		}
		l.bar(b, c, a, x0, x1)
		i++
	}
}

// after is the first bar behind i that begins at or after end. It looks near i
// first, since that is where it is, as a rule.
func after(bars []lab.Bar, i int, end time.Duration) int {
	step := 1
	for i+step < len(bars) && bars[i+step].From < end {
		i += step
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if i+step < len(bars) && bars[i+step].From < end {
			i += step
		}
	}
	return i + 1
}

func (l *timeline) end(b *lab.Bar) time.Duration {
	if b.To < 0 || b.To > l.o.Now {
		return l.o.Now
	}
	return b.To
}

func (l *timeline) ends(b *lab.Bar) (x0, x1 float32) {
	return l.clamped(b.From), l.clamped(l.end(b))
}

func (l *timeline) pixels(b *lab.Bar) float32 {
	return float32((l.end(b) - b.From).Seconds() * l.perSecond)
}

func (l *timeline) lights(b *lab.Bar) bool {
	return b.Event != 0 && (b.Event == l.o.Followed || b.Event == l.o.HoverEvent)
}

// bar draws one state.
func (l *timeline) bar(b *lab.Bar, c class, a area, x0, x1 float32) {
	tall, flat := a.h*0.62, a.h*0.3
	gap := min(1, (x1-x0)*0.2)
	r := area{x0, a.midY() - tall/2, max(x1-x0-gap, minBar), tall}
	op := Op{Do: Rect, X: r.x, Y: r.y, W: r.w, H: r.h, R: min(1, r.w/4)}
	switch c {
	case hollow:
		op.Y, op.H = a.midY()-flat/2, flat
		if r.w < 4 || flat < 2.5 {
			op.Fill = Rest // no room for an outline round nothing
			op.Y, op.H = a.midY()-min(flat, 2)/2, min(flat, 2)
		} else {
			op.Line, op.Width, op.R = Rest, 1, 1
		}
	case solid:
		op.Fill = Run
	case striped:
		op.Fill, op.Hatch = Wait, Stripes
	case dotted:
		op.Fill, op.Hatch = Drain, Dots
	case tick:
		op.Fill, op.W = Accent, max(r.w, 2.5)
		op.Y, op.H = a.midY()-a.h*0.25, a.h*0.5
	case refused:
		op.Fill, op.W = Wait, 2.5
	}
	if (c == striped || c == dotted) && op.W < 4 {
		op.Hatch = Plain // a pattern needs room to be seen
	}
	l.op(op)
	if l.lights(b) {
		l.rect(area{op.X - 1.5, r.y - 1.5, op.W + 3, r.h + 3}, 1.5, None, Accent, 1.5)
	}
	reg := area{op.X - 1, a.y, op.W + 2, a.h}.region()
	reg.Part, reg.Who, reg.Event, reg.Key, reg.Kind = Bar, b.Who, b.Event, b.Key, b.Kind
	reg.From, reg.To, reg.Now, reg.Step = b.From, b.To, l.o.Now, uint64(b.Step)
	if b.To > l.o.Now {
		reg.To = -1
	}
	l.region(reg)
}

// merged draws bars too short to be told apart as one, lower, in the manner of
// the state that took most of the time.
func (l *timeline) merged(w lab.Who, bars []lab.Bar, a area, x0 float32) {
	var took [numClasses]time.Duration
	var kind [numClasses]lab.Kind
	lit := false
	stride := 1
	if len(bars) > 128 {
		stride = len(bars)/64 | 1 // a sample is enough to tell which is most
	}
	for i := 0; i < len(bars); i += stride {
		b := &bars[i]
		c := classOf(b)
		took[c] += l.end(b) - b.From + 1
		kind[c] = b.Kind
		lit = lit || l.lights(b)
	}
	most := hollow
	for c := hollow; c < numClasses; c++ {
		if took[c] > took[most] {
			most = c
		}
	}
	last := &bars[len(bars)-1]
	x1 := max(l.clamped(l.end(last)), x0+minBar)
	h := a.h * 0.4
	op := Op{Do: Rect, X: x0, Y: a.midY() - h/2, W: x1 - x0, H: h, Fill: [...]Ink{None, Rest, Run, Wait, Drain, Accent, Wait}[most]}
	if most == hollow {
		op.H = min(h, 2)
		op.Y = a.midY() - op.H/2
	}
	l.join(op)
	if lit {
		l.rect(area{x0 - 1, a.y + 1, x1 - x0 + 2, a.h - 2}, 1.5, None, Accent, 1.5)
	}
	reg := area{x0, a.y, x1 - x0, a.h}.region()
	reg.Part, reg.Who, reg.Kind, reg.N = Bars, w, kind[most], len(bars)
	reg.From, reg.To, reg.Now = bars[0].From, l.end(last), l.o.Now
	l.region(reg)
}

// join appends op, or makes the last operation longer if op only continues it.
func (l *timeline) join(op Op) {
	if n := len(l.ops); n > 0 {
		p := &l.ops[n-1]
		if p.Do == Rect && p.Fill == op.Fill && p.Y == op.Y && p.H == op.H && p.R == 0 && p.X+p.W >= op.X-1 && p.X <= op.X {
			p.W = op.X + op.W - p.X
			return
		}
	}
	l.op(op)
}

// axis writes the time at a few round instants along the top.
func (l *timeline) axis(bottom float32) {
	o, k := l.o, l.s
	every := l.every()
	for at := (o.From + every - 1) / every * every; at <= o.To; at += every {
		x := l.at(at)
		l.line(x, l.top-3*k, 0, 3*k, Strong, 1)
		l.line(x, l.top, 0, bottom-l.top, Hair, 0.5)
	}
}

// every is the time between two instants of the axis.
func (l *timeline) every() time.Duration {
	return round(time.Duration(float64(70*l.s) / l.perSecond * 1e9))
}

// round is the next of 1, 2 and 5 times a power of ten.
func round(d time.Duration) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		for _, n := range [...]time.Duration{1, 2, 5} {
			if n*unit >= d {
				return n * unit
			}
		}
	}
}

// dropped shows where the trace no longer knows what happened.
func (l *timeline) dropped(bottom float32) {
	n := l.t.Dropped()
	if n == 0 || l.o.From >= l.t.Start() {
		return
	}
	x := l.clamped(l.t.Start())
	a := area{l.x, l.top, x - l.x, bottom - l.top}
	l.rect(a, 0, Sunk, None, 0)
	l.op(Op{Do: Rect, X: a.x, Y: a.y, W: a.w, H: a.h, Fill: Hair, Hatch: Stripes})
	l.line(x, l.top, 0, bottom-l.top, Strong, 1)
	if a.w > l.wide(SansSmall, "no longer retained")+8*l.s {
		w := l.wide(SansSmall, "no longer retained") + 8*l.s
		l.rect(area{a.midX() - w/2, a.midY() - 9*l.s, w, 18 * l.s}, 3, Paper, None, 0)
		l.text(a.midX(), a.midY()+4*l.s, SansSmall, Ink2, Center, "no longer retained")
	}
	r := a.region()
	r.Part, r.N = Gone, int(n)
	l.region(r)
}

func markWord(k lab.Kind) string {
	switch k {
	case lab.Cancelled:
		return "cancel"
	case lab.Killed:
		return "kill"
	}
	return k.String() // intake closed, burst, returned
}

// marks draws the instants that concern every goroutine and, where there is
// room, their names; then the times of the axis in the room that is left.
func (l *timeline) marks(bottom float32) {
	o, k := l.o, l.s
	marks := l.t.Marks()
	i := sort.Search(len(marks), func(i int) bool { return marks[i].At >= o.From })
	limit := min(o.To, o.Now)
	y := l.top - 5*k
	var taken [48]area // of words; only x and w count
	n := 0
	place := func(x, w float32) bool {
		if x < l.x-20*k || x+w > o.W || n == len(taken) {
			return false
		}
		for _, t := range taken[:n] {
			if x < t.right()+6*k && t.x < x+w+6*k {
				return false
			}
		}
		taken[n] = area{x: x, w: w}
		n++
		return true
	}
	drawn := float32(-10)
	for ; i < len(marks) && marks[i].At <= limit; i++ {
		m := marks[i]
		x := l.at(m.At)
		ink, word := Wait, markWord(m.Kind)
		switch m.Kind {
		case lab.Bursting:
			ink = Ink2
		case lab.Returned:
			ink = Drain
		case lab.Closed:
			// Cancel closes the intake: the two are told as one where they meet.
			if i > 0 && x-l.at(marks[i-1].At) < 3 {
				continue
			}
		case lab.Cancelled, lab.Killed:
			if i+1 < len(marks) && marks[i+1].Kind == lab.Closed && marks[i+1].At <= limit && l.at(marks[i+1].At)-x < 3 {
				full := word + ", intake closed"
				if i+2 >= len(marks) || marks[i+2].At > limit || x+8*k+l.wide(Mono, full) < l.at(marks[i+2].At) {
					word = full
				}
			}
		}
		if x-drawn >= 1 {
			op := Op{Do: Line, X: x, Y: l.top - 12*k, H: bottom - l.top + 12*k, Line: ink, Width: 1.5}
			if m.Kind == lab.Bursting {
				op.Dash, op.Width = Dotted, 1
			}
			l.op(op)
			l.region(Region{X: x - 3, Y: 0, W: 6, H: l.top, Part: Instant, Kind: m.Kind, From: m.At, Step: m.Step})
			drawn = x
		}
		ww := l.wide(Mono, word)
		if m.Kind == lab.Bursting {
			ink = Ink2
		}
		switch {
		case place(x+4*k, ww):
			l.halo(x+4*k, y, ink, Left, word)
		case place(x-4*k-ww, ww):
			l.halo(x-4*k, y, ink, Right, word)
		}
	}
	every := l.every()
	for at := (o.From + every - 1) / every * every; at <= o.To; at += every {
		word := clock(at, every)
		ww := l.wide(Mono, word)
		x := l.at(at)
		if place(x-ww/2, ww) {
			l.text(x, y, Mono, Ink2, Center, word)
		}
	}
}

// halo is a word that stands clear of the lines behind it.
func (l *timeline) halo(x, y float32, ink Ink, a Align, word string) {
	l.op(Op{Do: Text, X: x, Y: y, R: l.s, Font: Mono, Fill: ink, Line: Paper, Width: 3, Align: a, Text: word})
}

// clock writes an instant of the axis, as fine as the axis is.
func clock(at, every time.Duration) string {
	switch {
	case at == 0:
		return "0"
	case every >= time.Second:
		return decimal(at, time.Second, 0) + " s"
	case every >= time.Millisecond:
		n := 1
		if every < 10*time.Millisecond {
			n = 3
		} else if every < 100*time.Millisecond {
			n = 2
		}
		return decimal(at, time.Second, n) + " s"
	}
	n := 1
	if every < 10*time.Microsecond {
		n = 3
	} else if every < 100*time.Microsecond {
		n = 2
	}
	return decimal(at, time.Millisecond, n) + " ms"
}
