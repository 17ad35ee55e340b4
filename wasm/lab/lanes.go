package lab

import (
	"sort"
	"time"
)

// Bar is a stretch of lab time that a goroutine spent in one state.
type Bar struct {
	From, To time.Duration // To is -1 while the state lasts
	Event    uint32
	Step     uint32 // low bits of the number of the step that began it
	Who      Who
	Kind     Kind // the state
	Key      uint8
}

// Mark is an instant that concerns every goroutine.
type Mark struct {
	At   time.Duration
	Kind Kind // Cancelled, Closed, Killed, Returned or Bursting
	Step uint64
}

// lanes is the fold that a timeline draws: for each goroutine its bars.
type lanes struct {
	byWho map[Who][]Bar
	order []Who
	marks []Mark
}

func (l *lanes) add(s Step, n uint64) {
	switch s.Kind {
	case Cancelled, Closed, Killed, Returned, Bursting:
		l.marks = append(l.marks, Mark{At: s.At, Kind: s.Kind, Step: n})
	}
	if s.Who.Role() == Control || s.Kind == Waits || s.Kind == Got {
		return
	}
	if l.byWho == nil {
		l.byWho = map[Who][]Bar{}
	}
	bars, ok := l.byWho[s.Who]
	if !ok {
		i := sort.Search(len(l.order), func(i int) bool { return l.order[i] >= s.Who })
		l.order = insert(l.order, i, s.Who)
	}
	if k := len(bars); k > 0 && bars[k-1].To < 0 {
		bars[k-1].To = s.At
		// A state that took no time is only a bar if nothing else tells of it.
		if b := bars[k-1]; b.To == b.From && b.Kind != Accepted && b.Kind != Rejected && b.Kind != Polling {
			bars = bars[:k-1]
		}
	}
	l.byWho[s.Who] = append(bars, Bar{From: s.At, To: -1, Event: s.Event, Step: uint32(n), Who: s.Who, Kind: s.Kind, Key: s.Key})
}

// begin has the bars that are open in v, the oldest instant of a trace.
func (l *lanes) begin(v *View) {
	for _, g := range v.Crew {
		if g.Kind == NoKind {
			continue
		}
		key := uint8(0)
		if g.Event != 0 || g.Kind == AtDoor || g.Kind == Inside {
			key = g.Key
		}
		l.add(Step{At: g.Since, Who: g.Who, Kind: g.Kind, Event: g.Event, Key: key}, g.step)
	}
	l.marks = nil
}

// drop forgets what ended before at.
func (l *lanes) drop(at time.Duration) {
	for w, bars := range l.byWho {
		i := sort.Search(len(bars), func(i int) bool { return bars[i].To < 0 || bars[i].To >= at })
		if i > len(bars)/2 { // seldom, so that the copying is cheap on average
			l.byWho[w] = append(make([]Bar, 0, 2*(len(bars)-i)), bars[i:]...)
		}
	}
	i := 0
	for i < len(l.marks) && l.marks[i].At < at && len(l.marks)-i > 64 {
		i++
	}
	l.marks = l.marks[i:]
}

func (l *lanes) bytes() int {
	n := 0
	for _, bars := range l.byWho {
		n += cap(bars) * 32
	}
	return n
}

// Lanes lists the goroutines that have bars, in the order of a view's crew.
func (t *Trace) Lanes() []Who { return t.lanes.order }

// Bars returns the bars of a goroutine that touch the stretch from a to b of
// lab time, oldest first. The slice is not a copy.
func (t *Trace) Bars(w Who, a, b time.Duration) []Bar {
	bars := t.lanes.byWho[w]
	i := sort.Search(len(bars), func(i int) bool { return bars[i].To < 0 || bars[i].To >= a })
	j := sort.Search(len(bars), func(i int) bool { return bars[i].From > b })
	if i >= j {
		return nil
	}
	return bars[i:j]
}

// Marks returns the instants that concern every goroutine, oldest first.
func (t *Trace) Marks() []Mark { return t.lanes.marks }
