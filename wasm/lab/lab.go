package lab

import (
	"errors"
	"fmt"
	"time"
)

// Message is a wish of the person at the controls. Nothing else changes a Lab.
type Message interface{ message() }

type (
	// Start begins a run, after Reset or after the last one has stopped.
	Start struct{}
	// Stop cancels the context given to Run.
	Stop struct{}
	// Kill calls the collector's Kill.
	Kill struct{}
	// Reset throws the run away and goes back to idle.
	Reset struct{}
	// Burst gives the producers twice the buffer's capacity to submit at once.
	Burst struct{}
	// Pause holds every goroutine at its next transition, and lab time with them.
	Pause struct{}
	// Resume lets them go on from where they are.
	Resume struct{}
	// Release lets one goroutine make one transition while time is paused: Who,
	// or the one due first if Who is 0.
	Release struct{ Who Who }
	// Turn sets a dial, named as in [Dial.Query], to a value in its unit.
	Turn struct {
		Query string
		Value float64
	}
	// UseStore chooses the store of the next run.
	UseStore struct{ SlowLock bool }
	// Use replaces the whole scenario of the next run.
	Use struct{ Scenario Scenario }
)

func (Start) message()    {}
func (Stop) message()     {}
func (Kill) message()     {}
func (Reset) message()    {}
func (Burst) message()    {}
func (Pause) message()    {}
func (Resume) message()   {}
func (Release) message()  {}
func (Turn) message()     {}
func (UseStore) message() {}
func (Use) message()      {}

// Options are what a lab needs from where it runs.
type Options struct {
	// Settle returns when every goroutine other than the caller's is blocked.
	Settle func()
	// Quick, if set, is used instead while time runs, many times a frame.
	Quick func()
	// NewPool makes the pool; nil means Collector.
	NewPool NewPool
}

// Lab holds one experiment and drives its time. Its methods must be called
// from one goroutine, and not from within a JavaScript callback.
type Lab struct {
	opt    Options
	sc     Scenario
	clock  *stepper
	run    *run // nil while idle
	trace  *Trace
	paused bool
	fault  error
	pace   float64
	busy   bool // the last Tick released many
	looked bool // nobody has been released since the last look
	stacks stacks
	size   uint64 // of the trace's ring
	every  uint64 // steps from one of its checkpoints to the next
}

// New returns an idle lab.
func New(sc Scenario, opt Options) *Lab {
	if opt.NewPool == nil {
		opt.NewPool = Collector
	}
	if opt.Quick == nil {
		opt.Quick = opt.Settle
	}
	l := &Lab{opt: opt, sc: sc, size: ringSize, every: checkpointEvery}
	l.fresh()
	return l
}

// Scenario is what the dials say. A run that is on may still have another
// number of workers or another buffer: that is in Trace().Scenario.
func (l *Lab) Scenario() Scenario { return l.sc }

// Trace is what has been observed of the current run.
func (l *Lab) Trace() *Trace { return l.trace }

// Phase is how far the current run has come.
func (l *Lab) Phase() Phase { return l.trace.now.Phase }

// Paused reports whether time is held.
func (l *Lab) Paused() bool { return l.paused }

// Now is the lab time.
func (l *Lab) Now() time.Duration { return l.clock.now() }

// Pace is the speed that was reached lately. It is below the scenario's when
// the machine has too little time for all that happens.
func (l *Lab) Pace() float64 { return l.pace }

// Fault says how the trace, Stats and the store disagree, or is nil, as it
// should be. It is kept until the next run.
func (l *Lab) Fault() error { return l.fault }

// Do carries out a message. The error says, to the person, why it cannot.
func (l *Lab) Do(m Message) error {
	phase := l.Phase()
	switch m := m.(type) {
	case Start:
		if phase == Live || phase == Drained {
			return errors.New("a run is on: Stop or Reset it first")
		}
		return l.start()
	case Reset:
		l.end()
		l.fresh()
		return nil
	case Turn:
		return l.turn(m)
	case UseStore:
		if phase == Live || phase == Drained {
			return errors.New("the store is fixed while it runs: Reset to change it")
		}
		l.sc.SlowLock = m.SlowLock
		l.forget(phase)
		return nil
	case Use:
		if phase == Live || phase == Drained {
			return errors.New("a run is on: Reset it first")
		}
		l.sc = m.Scenario
		l.forget(phase)
		return nil
	}
	if l.run == nil {
		return errors.New("nothing is running: press Start first")
	}
	switch m := m.(type) {
	case Stop:
		if phase != Live {
			return errors.New("shutdown has begun already")
		}
		l.run.stop()
	case Kill:
		if phase == Stopped {
			return errors.New("the run is over: there is nothing to kill")
		}
		l.run.kill()
	case Burst:
		if phase != Live {
			return errors.New("the intake is closed: a burst would be turned away")
		}
		l.run.burst(2 * l.trace.Scenario.Buffer)
	case Pause:
		if l.paused {
			return nil
		}
		l.paused = true
		l.clock.hold(true)
	case Resume:
		if !l.paused {
			return nil
		}
		l.paused = false
		l.clock.hold(false)
	case Release:
		if !l.paused {
			return errors.New("time is running: Pause first, then Step")
		}
		return l.release(m.Who)
	default:
		return fmt.Errorf("lab: unknown message %T", m)
	}
	l.opt.Settle()
	l.rest(true)
	l.check()
	return nil
}

func (l *Lab) turn(m Turn) error {
	for i, d := range Dials() {
		if d.Query != m.Query {
			continue
		}
		phase := l.Phase()
		on := phase == Live || phase == Drained
		if on && !d.Live && d.Get(l.sc) != m.Value {
			return fmt.Errorf("%s are fixed while it runs: Reset to change them", "workers and buffer")
		}
		sc, err := d.Set(l.sc, m.Value)
		if err != nil {
			return err
		}
		changed := d.Get(l.sc) != d.Get(sc)
		l.sc = sc
		if on {
			if changed {
				l.run.control(Step{Kind: Turned, Event: uint32(i), Value: uint32(m.Value * 1000)})
			}
			l.run.turn(sc)
			l.opt.Settle()
			l.rest(l.paused)
		} else {
			l.forget(phase)
		}
		return nil
	}
	return fmt.Errorf("there is no dial %q", m.Query)
}

// forget shows the scenario as it now is, unless there is a finished run to look at.
func (l *Lab) forget(phase Phase) {
	if phase == Unstarted {
		l.fresh()
	}
}

func (l *Lab) fresh() {
	l.clock, l.trace, l.fault, l.paused, l.pace = newStepper(), newTrace(l.sc, l.size, l.every), nil, false, l.sc.Speed
}

// end ends the run, if there is one, and waits for its goroutines.
func (l *Lab) end() {
	if l.run != nil {
		l.run.end()
		l.run = nil
	}
}

// Close ends what runs and waits for it.
func (l *Lab) Close() { l.end() }

func (l *Lab) start() error {
	l.end()
	l.fresh()
	r, err := start(l.sc, l.opt.NewPool, l.clock, l.trace)
	if err != nil {
		return err
	}
	l.run = r
	l.opt.Settle()
	l.rest(true)
	l.check()
	return nil
}

// release lets one goroutine go and waits until all have come to rest.
func (l *Lab) release(w Who) error {
	before := l.trace.Last()
	if w != 0 {
		g := l.trace.now.Find(w)
		if g == nil {
			return fmt.Errorf("there is no %v", w)
		}
	}
	chosen := w
	w, ok := l.clock.releaseOne(w)
	if !ok {
		return l.cannotRelease(chosen)
	}
	l.opt.Settle()
	l.rest(true)
	if l.trace.Last() == before {
		// It went on and came to rest without a transition, in a place that
		// it was seen in before.
		g := l.trace.now.Find(w)
		l.run.control(Step{Who: w, Kind: Waits, Event: g.Event, Key: g.Key, Place: g.Place})
		l.trace.settle()
	}
	l.check()
	return nil
}

// cannotRelease says why w, or with 0 nobody, can be released.
func (l *Lab) cannotRelease(w Who) error {
	if w == 0 {
		return errors.New("no goroutine waits to be released")
	}
	switch l.trace.now.Find(w).Kind {
	case Left, Exited, Returned:
		return fmt.Errorf("%v has ended", w)
	}
	return fmt.Errorf("%v is blocked in the program itself: another goroutine must wake it", w)
}

// Next is the goroutine that a Release without a name lets go, or 0.
func (l *Lab) Next() Who {
	l.clock.mu.Lock()
	defer l.clock.mu.Unlock()
	if len(l.clock.queue) == 0 {
		return 0
	}
	return l.clock.queue[0].who
}

// Tick moves lab time forward by elapsed, of the reader's time, times the
// speed. It releases one goroutine after the other, each when all others are at
// rest, and gives up what is left of elapsed when more reports false.
func (l *Lab) Tick(elapsed time.Duration, more func() bool) {
	if l.run == nil || l.paused || elapsed <= 0 || l.over() {
		return
	}
	began := l.clock.now()
	target := began + time.Duration(float64(elapsed)*l.sc.Speed)
	// A look at the stacks takes up to a millisecond. Those after each release
	// make a better record, which only a slow run leaves time for.
	looks := 2
	if l.busy {
		looks = 0
	}
	releases := 0
	for l.clock.next(target) {
		l.opt.Quick()
		l.rest(looks > 0)
		looks--
		releases++
		if more != nil && !more() {
			target = l.clock.now()
		}
	}
	if l.busy = releases > 8; !l.busy {
		l.Look()
	}
	l.clock.moveTo(target)
	got := float64(l.clock.now()-began) / float64(elapsed)
	l.pace += (got - l.pace) * 0.1
	l.trace.series.advance(l.clock.now(), len(l.trace.now.Queue))
	l.check()
}

// Look asks the runtime where every goroutine rests, so that the view says it.
// Tick does so itself unless it has much else to do.
func (l *Lab) Look() {
	if l.run != nil && !l.looked {
		l.rest(true)
	}
}

// over reports whether everybody has ended. Then lab time would pass for nothing.
func (l *Lab) over() bool {
	return l.Phase() == Stopped && l.Next() == 0
}

// rest is called when everything has come to rest. If look, it asks the
// runtime where.
func (l *Lab) rest(look bool) {
	l.looked = look
	r := l.run
	v := &l.trace.now
	r.mu.Lock() // what was written under it is seen from here on, however Settle waits
	closed := v.CloseAt < 0 && v.Phase == Drained
	r.mu.Unlock()
	if closed {
		// Run closes the intake without passing the lab, so it is done by now.
		r.closed()
	}
	if look {
		at := l.clock.now()
		l.stacks.rest(&r.ids, func(w Who, p Place) {
			if g := v.Find(w); g != nil {
				l.trace.place(g, p, at)
			}
		})
	}
	l.trace.settle()
}

// check compares the three sources of the ledger.
func (l *Lab) check() {
	if l.fault != nil || l.run == nil || l.compare() == nil {
		return
	}
	// Quick may have come back while a goroutine was kept from running by the
	// garbage collector: what is said to be wrong must be wrong at rest.
	l.opt.Settle()
	l.rest(true)
	l.fault = l.compare()
}

func (l *Lab) compare() error {
	return l.trace.now.Check(l.run.pool.Stats(), l.run.store.sum())
}

// Stats are the collector's own counters, or zero if there is none.
func (l *Lab) Stats() (accepted, processed, abandoned uint64, queued int) {
	if l.run == nil {
		return
	}
	s := l.run.pool.Stats()
	return s.Accepted, s.Processed, s.Abandoned, s.Queued
}
