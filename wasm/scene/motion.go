package scene

import "sluice/wasm/lab"

const (
	travel    = 0.22 // seconds of wall time that a glyph travels
	manySteps = 400  // between two frames: then nothing travels
	// FastRate is the number of events a second above which single events are
	// not drawn on their way.
	FastRate = 200
)

// Motion is what the stage remembers from frame to frame: where each event's
// glyph was drawn, and memory to draw into. It holds no state of the
// experiment. The zero value is ready for use.
//
// A Drawing made with a Motion is valid until the next one is.
type Motion struct {
	pen    pen
	words  words
	flying map[uint32]flight
	tokens []token
	stored []token // events that the store has counted since the last frame
	born   []token // events submitted since the last frame

	frame  uint32
	step   uint64
	trace  *lab.Trace
	o      StageOptions
	primed bool
}

// A flight is a glyph's way from where it was to where its event is.
type flight struct {
	x0, y0, r0, x, y, r float32
	began               float64
	frame               uint32
	key                 uint8
	landing             bool // in the store, where it disappears
}

// A token is one event's glyph where the view has the event.
type token struct {
	event   uint32
	who     lab.Who
	key     uint8
	x, y, r float32
	alpha   float32
}

// at is where the glyph is after t seconds of wall time; done, at rest.
func (f *flight) at(clock float64) (x, y, r float32, done bool) {
	u := (clock - f.began) / travel
	if u >= 1 || u < 0 {
		return f.x, f.y, f.r, true
	}
	rest := float32((1 - u) * (1 - u) * (1 - u))
	return f.x + (f.x0-f.x)*rest, f.y + (f.y0-f.y)*rest, f.r + (f.r0-f.r)*rest, false
}

// begin notes what happened since the last frame, or forgets where the glyphs
// were if they must not travel from there.
func (m *Motion) begin(v *lab.View, t *lab.Trace, o StageOptions) {
	m.frame++
	m.tokens, m.stored, m.born = m.tokens[:0], m.stored[:0], m.born[:0]
	still := !m.primed || t != m.trace || o.ReducedMotion || o.Rate > FastRate ||
		v.Step < m.step || v.Step > m.step+manySteps || m.step < t.First() || v.Step > t.Last() ||
		o.W != m.o.W || o.H != m.o.H || o.Scale != m.o.Scale || o.Portrait != m.o.Portrait ||
		o.Clock < m.o.Clock || o.Clock > m.o.Clock+1
	if still {
		clear(m.flying)
	} else {
		for n := m.step + 1; n <= v.Step; n++ {
			switch s := t.Step(n); s.Kind {
			case lab.Submitting:
				m.born = append(m.born, token{event: s.Event, key: s.Key, who: s.Who})
			case lab.Stored:
				m.stored = append(m.stored, token{event: s.Event, key: s.Key})
			}
		}
	}
	if m.flying == nil {
		m.flying = map[uint32]flight{}
	}
	m.primed, m.trace, m.step, m.o = true, t, v.Step, o
}

// end draws the glyphs, those on their way above the others, and reports
// whether any is on its way. hand tells where a producer holds an event, and
// shelf where the store keeps a key.
func (m *Motion) end(hand func(lab.Who) (x, y float32, ok bool), shelf func(key uint8) (x, y float32), r float32) (moving bool) {
	o := &m.o
	if o.ReducedMotion || o.Rate > FastRate {
		for i := range m.tokens {
			m.draw(&m.tokens[i])
		}
		return false
	}
	for _, b := range m.born {
		if x, y, ok := hand(b.who); ok {
			m.flying[b.event] = flight{x0: x, y0: y, r0: r, x: x, y: y, r: r, began: o.Clock - 1, frame: m.frame, key: b.key}
		}
	}
	for _, s := range m.stored {
		if f, ok := m.flying[s.event]; ok {
			x, y := shelf(s.key)
			f.turn(x, y, r*0.7, o.Clock)
			f.landing, f.frame = true, m.frame
			m.flying[s.event] = f
		}
	}
	late := 0
	for i := range m.tokens {
		k := m.tokens[i]
		f, known := m.flying[k.event]
		if !known {
			f = flight{x0: k.x, y0: k.y, r0: k.r, x: k.x, y: k.y, r: k.r, began: o.Clock - 1, key: k.key}
		} else if f.x != k.x || f.y != k.y {
			f.turn(k.x, k.y, k.r, o.Clock)
		}
		f.frame, f.landing = m.frame, false
		m.flying[k.event] = f
		x, y, r, done := f.at(o.Clock)
		k.x, k.y, k.r = x, y, r
		if done {
			m.draw(&k)
			continue
		}
		m.tokens[late] = k // those before it have been dealt with
		late++
	}
	for i := range m.tokens[:late] {
		m.draw(&m.tokens[i])
	}
	moving = late > 0
	for e, f := range m.flying {
		if f.landing {
			if x, y, r, done := f.at(o.Clock); !done {
				m.draw(&token{event: e, key: f.key, x: x, y: y, r: r, alpha: 1})
				moving = true
				continue
			}
		}
		if f.landing || f.frame != m.frame {
			delete(m.flying, e)
		}
	}
	return moving
}

// turn sends the glyph from where it is now to another place.
func (f *flight) turn(x, y, r float32, clock float64) {
	f.x0, f.y0, f.r0, _ = f.at(clock)
	f.x, f.y, f.r, f.began = x, y, r, clock
}

func (m *Motion) draw(k *token) {
	p := &m.pen
	p.op(Op{Do: Glyph, X: k.x, Y: k.y, R: k.r, Fill: Key0 + Ink(k.key%lab.NumKeys), Shape: k.key % lab.NumKeys, Alpha: k.alpha})
	if k.event != 0 && (k.event == m.o.Followed || k.event == m.o.HoverEvent) {
		p.op(Op{Do: Disc, X: k.x, Y: k.y, R: k.r*1.2 + 2.5*p.s, Line: Accent, Width: 2 * p.s})
	}
}
