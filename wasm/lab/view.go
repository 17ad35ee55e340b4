package lab

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"sluice/core"
)

// Phase is how far a run has come.
type Phase uint8

const (
	Unstarted Phase = iota
	Live            // the pool takes events
	Drained         // shutdown has begun: what was accepted is being processed
	Stopped         // Run has returned
)

// String is the phase as the page's data-state has it.
func (p Phase) String() string {
	return [...]string{"idle", "running", "draining", "stopped"}[p]
}

// View is the state of an experiment at one instant: the fold of its trace up
// to a step. It is a value; whoever holds a Clone may keep it.
type View struct {
	Step     uint64        // number of the last step folded, from 1; 0 before any
	At       time.Duration // lab time of that step
	Last     Step          // that step
	Phase    Phase
	Capacity int // of the buffer
	SlowLock bool
	Crew     []Goroutine // producers, workers, readers, then Run
	Queue    []Queued    // the buffer's contents, oldest first

	Submitted, Accepted, Rejected, Stored, Abandoned uint64

	Counts   [NumKeys]int  // stored, by key
	Polled   [NumKeys]int  // what a reader last got from Get
	PolledAt time.Duration // when; Polls tells whether ever
	Polls    uint64

	CancelAt, CloseAt, KillAt, ReturnAt time.Duration // -1 until it happens
}

// Goroutine is one goroutine in a view.
type Goroutine struct {
	Who     Who
	Kind    Kind          // its state: the last step that changed it
	Key     uint8         // of the event it has
	Place   uint16        // where it is at rest, in Trace.Place
	Event   uint32        // the event it has; 0 for none
	Since   time.Duration // when it entered the state
	Due     time.Duration // when the state is due to end, if it has a time
	From    time.Duration // when the event it has was submitted
	Done    uint64        // events it has submitted, stored, or read
	step    uint64        // number of the step that took it into this state
	Refused uint8         // why its last Submit returned an error: TurnedAway, GaveUp, or 0
	taken   bool          // a worker has received its event, though Submit has not yet returned
	latest  uint64        // number of its last step of any kind
}

// Queued is one event in the buffer.
type Queued struct {
	Event uint32
	Key   uint8
	From  time.Duration // submitted
	Since time.Duration // accepted
	call  uint32        // number of its call of Submit
}

// NewView is the view before the first step of a run of s.
func NewView(s Scenario) View {
	v := View{Capacity: s.Buffer, SlowLock: s.SlowLock, CancelAt: -1, CloseAt: -1, KillAt: -1, ReturnAt: -1}
	for n := 1; n <= s.Producers; n++ {
		v.goroutine(NewWho(Producer, n))
	}
	for n := 1; n <= s.Workers; n++ {
		v.goroutine(NewWho(Worker, n))
	}
	for n := 1; n <= s.Readers; n++ {
		v.goroutine(NewWho(Reader, n))
	}
	v.goroutine(NewWho(Runner, 1))
	return v
}

// Clone copies v, so that neither changes with the other.
func (v *View) Clone() View {
	c := *v
	c.Crew = slices.Clone(v.Crew)
	c.Queue = slices.Clone(v.Queue)
	return c
}

// CopyFrom makes v equal to w, reusing what v had.
func (v *View) CopyFrom(w *View) {
	crew, queue := append(v.Crew[:0], w.Crew...), append(v.Queue[:0], w.Queue...)
	*v = *w
	v.Crew, v.Queue = crew, queue
}

// Find returns the goroutine, or nil if the view has none of that name.
func (v *View) Find(w Who) *Goroutine {
	if i := v.index(w); i < len(v.Crew) && v.Crew[i].Who == w {
		return &v.Crew[i]
	}
	return nil
}

// index is where the goroutine is in the crew, or belongs.
func (v *View) index(w Who) int {
	return sort.Search(len(v.Crew), func(i int) bool { return v.Crew[i].Who >= w })
}

// goroutine returns the goroutine, adding it if it is new.
func (v *View) goroutine(w Who) *Goroutine {
	i := v.index(w)
	if i == len(v.Crew) || v.Crew[i].Who != w {
		v.Crew = insert(v.Crew, i, Goroutine{Who: w})
	}
	return &v.Crew[i]
}

// Apply folds one more step into the view.
func (v *View) Apply(s Step) {
	v.Step++
	v.At, v.Last = s.At, s
	if s.Who.Role() == Control {
		switch s.Kind {
		case Cancelled:
			v.CancelAt = s.At
			v.Phase = max(v.Phase, Drained)
		case Killed:
			v.KillAt = s.At
			v.Phase = max(v.Phase, Drained)
		}
		return
	}
	g := v.goroutine(s.Who)
	g.latest = v.Step
	g.Place = s.Place
	switch s.Kind {
	case Waits:
		return
	case Got:
		v.Polled[s.Key%NumKeys], v.PolledAt = int(s.Value), s.At
		v.Polls++
		g.Done++
		return
	}
	g.Kind, g.Since, g.Due, g.step = s.Kind, s.At, s.Until(), v.Step
	switch s.Kind {
	case Running:
		v.Phase = max(v.Phase, Live)
	case Closed:
		v.CloseAt = s.At
	case Returned:
		// Of what is left in the buffer, what Run does not own up to is lost. It
		// stays there for all to see.
		v.Abandoned += uint64(s.Value)
		v.Queue = remove(v.Queue, 0, min(int(s.Value), len(v.Queue)))
		v.ReturnAt, v.Phase = s.At, Stopped

	case Submitting:
		g.Event, g.Key, g.From, g.taken, g.Refused = s.Event, s.Key, s.At, false, 0
		v.Submitted++
	case Accepted:
		if !g.taken {
			v.Accepted++
			v.enqueue(Queued{Event: s.Event, Key: s.Key, From: g.From, Since: s.At, call: s.Value})
		}
		g.taken = false
		g.Done++
	case Rejected:
		v.Rejected++
		g.Refused = uint8(s.Value)
	case Resting:
		g.Event, g.Refused = 0, 0
	case Left, Pausing, Exited, Idle, Draining:
		g.Event = 0
	case Received:
		g.Event, g.Key, g.From = s.Event, s.Key, s.At
		v.receive(g)
	case AtDoor, Inside:
		g.Key = s.Key
	case Stored:
		v.Stored++
		v.Counts[s.Key%NumKeys]++
		g.Done++
	}
}

// enqueue puts q behind the events for which Submit was called before. Submits that waited are
// accepted in the order in which they began to wait, but the runtime may tell
// their goroutines so in another.
func (v *View) enqueue(q Queued) {
	i := len(v.Queue)
	for i > 0 && v.Queue[i-1].call > q.call {
		i--
	}
	v.Queue = insert(v.Queue, i, q)
}

// receive takes g's event out of the buffer, or out of the hands of a producer
// whose Submit has succeeded but has not yet returned.
func (v *View) receive(g *Goroutine) {
	for i, q := range v.Queue {
		if q.Event == g.Event {
			g.From = q.From
			v.Queue = remove(v.Queue, i, i+1)
			return
		}
	}
	for i := range v.Crew {
		p := &v.Crew[i]
		if p.Kind == Submitting && p.Event == g.Event && !p.taken {
			p.taken = true
			g.From = p.From
			v.Accepted++
			return
		}
	}
}

// Ledger is the conservation law of events at one instant.
type Ledger struct {
	Submitted, Accepted, Rejected, Waiting uint64
	Stored, InFlight, Buffered, Abandoned  uint64
}

// Ledger adds up the view.
func (v *View) Ledger() Ledger {
	l := Ledger{
		Submitted: v.Submitted, Accepted: v.Accepted, Rejected: v.Rejected,
		Stored: v.Stored, Abandoned: v.Abandoned, Buffered: uint64(len(v.Queue)),
	}
	for i := range v.Crew {
		switch g := &v.Crew[i]; g.Who.Role() {
		case Producer:
			if g.Waiting() {
				l.Waiting++
			}
		case Worker:
			if g.InHand() {
				l.InFlight++
			}
		}
	}
	return l
}

// Waiting reports whether a producer's Submit has been called and its event
// has not been accepted.
func (g *Goroutine) Waiting() bool { return g.Kind == Submitting && !g.taken }

// InHand reports whether a worker has an event that is not yet counted.
func (g *Goroutine) InHand() bool {
	if g.Who.Role() != Worker {
		return false
	}
	switch g.Kind {
	case Received, Working, AtDoor, Inside:
		return true
	}
	return false
}

// Balanced reports whether both equations hold.
func (l Ledger) Balanced() bool {
	return l.Submitted == l.Accepted+l.Rejected+l.Waiting &&
		l.Accepted == l.Stored+l.InFlight+l.Buffered+l.Abandoned
}

// Check compares the ledger of v with the collector's own counters and the sum
// of the store's counts, as [Ledger.Check] does, and once Run has returned sees
// that nothing accepted is left lying.
func (v *View) Check(s core.Stats, store int) error {
	l := v.Ledger()
	if left := l.Buffered + l.InFlight; v.Phase == Stopped && left > 0 {
		return fmt.Errorf("%d accepted events are neither stored nor reported as abandoned, though Run has returned", left)
	}
	return l.Check(s, store)
}

// Check compares the ledger, which comes from the trace, with the collector's
// own counters and with the sum of the store's counts. All three must have been
// read while everything was at rest. The error says which figures differ.
func (l Ledger) Check(s core.Stats, store int) error {
	if !l.Balanced() {
		return fmt.Errorf("the ledger does not add up: %+v", l)
	}
	for _, c := range []struct {
		what        string
		trace, real uint64
	}{
		{"accepted, by the trace and by Stats", l.Accepted, s.Accepted},
		{"stored, by the trace and by Stats", l.Stored, s.Processed},
		{"buffered, by the trace and by Stats", l.Buffered, uint64(s.Queued)},
		{"abandoned, by the trace and by Stats", l.Abandoned, s.Abandoned},
		{"stored, by the trace and by the store", l.Stored, uint64(store)},
	} {
		if c.trace != c.real {
			return fmt.Errorf("%s: %d and %d", c.what, c.trace, c.real)
		}
	}
	return nil
}
