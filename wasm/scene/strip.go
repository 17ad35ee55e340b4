package scene

import (
	"time"

	"sluice/wasm/lab"
)

// StripOptions say how large the life of an event is drawn.
type StripOptions struct {
	W, H  float32
	Scale float32       // of type; 0 is 1
	Now   time.Duration // the instant shown: a life that goes on is drawn up to it
	Reuse Drawing       // no longer needed
}

// Strip draws the life of one event: its stages, each as long as it took, and
// under them their names and durations, which add up to the whole.
func Strip(life lab.Life, o StripOptions) Drawing {
	if o.Scale <= 0 {
		o.Scale = 1
	}
	p := pen{ops: o.Reuse.Ops[:0], regions: o.Reuse.Regions[:0], s: o.Scale}
	k := p.s
	end := life.To
	if life.Outcome == lab.OnTheWay {
		end = max(end, o.Now)
	}
	whole := max(end-life.From, 1)
	bar := area{14 * k, 6 * k, max(o.W-28*k, 1), 14 * k}
	at := func(t time.Duration) float32 {
		return bar.x + bar.w*min(max(float32(float64(t-life.From)/float64(whole)), 0), 1)
	}

	p.rect(bar, 1, Sunk, None, 0)
	x, y := bar.x, bar.bottom()+17*k
	n := len(life.Stages)
	for i, s := range life.Stages {
		to := s.To
		if i == n-1 {
			to = max(to, end)
		}
		x0, x1 := at(s.From), at(to)
		mark := Op{Do: Rect, X: x0, Y: bar.y, W: max(x1-x0-1, minBar), H: bar.h, R: 1}
		spell(&mark, s.Kind)
		if to > s.From {
			p.op(mark)
		} else {
			p.line(x0, bar.y-3*k, 0, bar.h+6*k, Strong, 1)
		}
		r := area{mark.X - 1, bar.y, mark.W + 2, bar.h}.region()
		r.Part, r.Who, r.Event, r.Key, r.Kind = Spell, s.Who, life.Event, life.Key, s.Kind
		r.From, r.To, r.Step, r.Name = s.From, to, s.Step, s.Name
		p.region(r)

		took := span(to - s.From)
		if to == s.From {
			took = "+" + span(s.From-life.From)
		}
		need := 13*k + p.wide(SansSmall, s.Name) + 5*k + p.wide(Mono, took) + 14*k
		if x+need > o.W-8*k && x > bar.x {
			x, y = bar.x, y+17*k
		}
		if to > s.From {
			mark.X, mark.Y, mark.W, mark.H = x, y-8*k, 9*k, 8*k
			p.op(mark)
		} else {
			p.line(x+4.5*k, y-9*k, 0, 10*k, Strong, 1)
		}
		p.text(x+13*k, y, SansSmall, Ink1, Left, s.Name)
		p.text(x+18*k+p.wide(SansSmall, s.Name), y, Mono, Ink2, Left, took)
		r = area{x, y - 11*k, need - 8*k, 15 * k}.region()
		r.Part, r.Who, r.Event, r.Key, r.Kind = Spell, s.Who, life.Event, life.Key, s.Kind
		r.From, r.To, r.Step, r.Name = s.From, to, s.Step, s.Name
		p.region(r)
		x += need
	}

	sum := span(end-life.From) + " in all"
	if life.Outcome == lab.OnTheWay {
		sum = span(end-life.From) + " so far"
	}
	if x+p.wide(SansSmall, sum) > o.W-8*k {
		x, y = bar.x, y+17*k
	}
	p.text(x, y, SansSmall, Ink1, Left, sum)

	shape := life.Key % lab.NumKeys
	g := Op{Do: Glyph, X: at(end), Y: bar.midY(), R: 6 * k, Fill: Key0 + Ink(shape), Shape: shape}
	if life.Outcome == lab.WasRejected || life.Outcome == lab.WasAbandoned {
		g.Alpha = 0.45
	}
	p.op(g)
	return Drawing{Ops: p.ops, Regions: p.regions, Height: y + 8*k}
}

// spell is how a stage is drawn: as the timeline draws the state.
func spell(o *Op, k lab.Kind) {
	switch k {
	case lab.Submitting, lab.AtDoor:
		o.Fill, o.Hatch = Wait, Stripes
	case lab.Accepted:
		o.Fill, o.Line, o.Width = Sheet, Rest, 1
	case lab.Returned, lab.Rejected:
		o.Fill = Wait
	default:
		o.Fill = Run
	}
}
