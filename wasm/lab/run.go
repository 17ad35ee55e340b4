package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sluice/core"
)

// Pool is what the lab asks of a collector. [core.AsyncCollector] is one.
type Pool interface {
	Run(ctx context.Context) error
	Submit(ctx context.Context, e core.LogEvent) error
	Kill()
	Stats() core.Stats
}

// NewPool makes the pool that an experiment runs.
type NewPool func(store core.MetricStore, cfg core.Config) (Pool, error)

// Collector makes the reference implementation.
func Collector(store core.MetricStore, cfg core.Config) (Pool, error) {
	return core.NewAsyncCollector(store, cfg)
}

// Why a Submit was rejected, in the Value of a Rejected step.
const (
	TurnedAway = 1 // ErrStopped: shutdown has begun
	GaveUp     = 2 // its own context ended while the buffer was full
)

// PollEvery is the lab time between two polls of a reader.
const PollEvery = 200 * time.Millisecond

// run is one life of a pool and of the goroutines round it. It owns them: end
// and wait return when none is left.
type run struct {
	clock clock
	pool  Pool
	store countingStore
	keys  []string
	ids   identity
	hands [256]Step // by worker: the event it has in hand; each is its worker's own

	cancel context.CancelFunc // Stop
	group  sync.WaitGroup
	over   chan struct{} // closed when Run has returned

	mu        sync.Mutex // guards what follows
	trace     *Trace
	sc        Scenario
	events    uint32 // submitted
	calls     uint32 // of Submit
	cancelled bool
	aborted   bool
	producers map[Who]*producer
	readers   map[Who]bool // whether it should go on
}

type producer struct {
	leave   context.CancelFunc
	leaving bool
	backlog int           // events to submit at once
	due     time.Duration // its last event: its own goroutine's
}

// start begins a run of sc that writes to trace.
func start(sc Scenario, newPool NewPool, c clock, trace *Trace) (*run, error) {
	r := &run{
		clock: c, keys: Keys(), over: make(chan struct{}), trace: trace, sc: sc,
		producers: map[Who]*producer{}, readers: map[Who]bool{},
	}
	if sc.SlowLock {
		r.store = &slowStore{r: r, counts: map[string]int{}}
	} else {
		r.store = &timedStore{r: r, inner: core.NewMemoryStore()}
	}
	pool, err := newPool(r.store, core.Config{Workers: sc.Workers, Buffer: sc.Buffer, Observe: r.observe})
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	r.pool = pool
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.group.Go(func() {
		me := NewWho(Runner, 1)
		r.transition(Step{Who: me, Kind: Running})
		err := r.pool.Run(ctx)
		var left uint64
		if errors.Is(err, core.ErrAbandoned) {
			left = r.pool.Stats().Abandoned
		}
		r.closed()
		r.note(Step{Who: me, Kind: Returned, Value: uint32(left)})
		close(r.over)
		r.callReaders()
	})
	r.turn(sc)
	return r, nil
}

// turn makes sc the scenario from now on, as far as it can change in a run.
func (r *run) turn(sc Scenario) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sc.Workers, sc.Buffer, sc.Seed, sc.SlowLock = r.sc.Workers, r.sc.Buffer, r.sc.Seed, r.sc.SlowLock
	r.sc = sc
	for n := 1; n <= sc.Producers; n++ {
		r.hire(NewWho(Producer, n))
	}
	for w, p := range r.producers {
		if w.N() > sc.Producers && !p.leaving {
			p.leaving = true
			p.leave()
		}
		r.clock.wake(w) // its interval may have changed
	}
	select {
	case <-r.over:
		return
	default:
	}
	for n := 1; n <= sc.Readers; n++ {
		w := NewWho(Reader, n)
		if _, here := r.readers[w]; !here { // else it may be about to leave, and stays
			r.group.Go(func() { r.read(w) })
		}
		r.readers[w] = true
	}
	for w := range r.readers {
		if w.N() > sc.Readers && r.readers[w] {
			r.readers[w] = false
			r.clock.wake(w)
		}
	}
}

// hire starts producer w, unless it is there. One that is about to leave hires
// its successor.
func (r *run) hire(w Who) {
	if r.producers[w] != nil || r.cancelled {
		return
	}
	ctx, leave := context.WithCancel(context.Background())
	p := &producer{leave: leave}
	r.producers[w] = p
	r.group.Go(func() { r.produce(ctx, w, p) })
}

// note appends a step to the trace and returns the lab time that it bears.
func (r *run) note(s Step) time.Duration {
	r.ids.enter(s.Who)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(s)
}

// control appends a step of the person at the controls.
func (r *run) control(s Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(s)
}

// add appends a step, unless the run is being thrown away.
func (r *run) add(s Step) time.Duration {
	s.At = r.clock.now()
	if !r.aborted {
		r.trace.add(s)
	}
	return s.At
}

// transition is note, and then stands still while the lab holds its goroutines.
// The step comes first: it tells what has happened already.
func (r *run) transition(s Step) {
	r.note(s)
	r.clock.pass(s.Who)
	r.ids.enter(s.Who)
}

func (r *run) sleep(w Who, until time.Duration) {
	r.clock.sleep(w, until)
	r.ids.enter(w)
}

// observe is the collector's Observe; it runs on the worker's own goroutine.
func (r *run) observe(s core.Step) {
	me := NewWho(Worker, s.Worker)
	step := Step{Who: me}
	switch s.State {
	case core.Idle:
		step.Kind = Idle
	case core.Processing:
		step.Kind = Received
		step.Event = uint32(s.Event.ID)
		step.Key = r.keyIndex(s.Event.Key)
		r.hands[s.Worker] = step
	case core.Draining:
		step.Kind = Draining
	case core.Exited:
		step.Kind = Exited
	}
	r.transition(step)
}

// produce submits events until it is told to leave or is turned away.
func (r *run) produce(ctx context.Context, me Who, p *producer) {
	defer func() {
		r.note(Step{Who: me, Kind: Left})
		r.ids.leave(me)
		r.mu.Lock()
		defer r.mu.Unlock()
		p.leave()
		if p.leaving {
			delete(r.producers, me)
			if me.N() <= r.sc.Producers { // the dial has come back meanwhile
				r.hire(me)
			}
		}
	}()
	for draw := uint64(0); ; {
		if !r.hasBacklog(p) {
			if !r.rest(ctx, me, p, draw) {
				return
			}
			draw++
		}
		if !r.submit(ctx, me) {
			return
		}
	}
}

// rest waits until me should submit its next event. It reports false if the
// producer should end.
func (r *run) rest(ctx context.Context, me Who, p *producer, draw uint64) bool {
	// From when it was due, not from when it woke up, so that what the machine's
	// timers are late by does not add up.
	began := max(p.due, r.clock.now()-r.clock.late())
	share := 0.5 + unit(mix(r.trace.Scenario.Seed, forInterval, uint64(me), draw))
	due := r.due(began, share)
	r.note(Step{Who: me, Kind: Resting, Value: micros(due - r.clock.now())})
	for {
		r.sleep(me, due)
		p.due = min(due, r.clock.now())
		if ctx.Err() != nil {
			return false
		}
		if r.hasBacklog(p) {
			return true
		}
		// A dial may have been turned meanwhile.
		now := r.clock.now()
		if due = r.due(began, share); due <= now {
			return true
		}
		r.note(Step{Who: me, Kind: Resting, Value: micros(due - now)})
	}
}

// submit takes the next event to the collector. It blocks while the buffer is
// full. It reports false if the producer should end.
func (r *run) submit(ctx context.Context, me Who) bool {
	r.mu.Lock()
	r.events++
	id := r.events
	r.mu.Unlock()
	key := keyOf(r.trace.Scenario.Seed, id)
	r.transition(Step{Who: me, Kind: Submitting, Event: id, Key: key})
	r.mu.Lock()
	r.calls++ // after the hold: the lab may let another producer go first
	call := r.calls
	r.mu.Unlock()
	err := r.pool.Submit(ctx, core.LogEvent{ID: uint64(id), Key: r.keys[key]})
	if err == nil {
		r.transition(Step{Who: me, Kind: Accepted, Event: id, Key: key, Value: call})
		return true
	}
	why := uint32(GaveUp)
	if errors.Is(err, core.ErrStopped) {
		why = TurnedAway
		r.closed()
	}
	r.transition(Step{Who: me, Kind: Rejected, Event: id, Key: key, Value: why})
	return false
}

// due is when a producer that began to rest should submit: all producers
// together submit at the scenario's rate.
func (r *run) due(began time.Duration, share float64) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	mean := float64(time.Second) * float64(max(r.sc.Producers, 1)) / r.sc.Rate
	return began + time.Duration(share*mean)
}

func (r *run) hasBacklog(p *producer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.backlog == 0 {
		return false
	}
	p.backlog--
	return true
}

// burst gives the producers n more events, to be submitted without rest.
func (r *run) burst(n int) {
	r.control(Step{Kind: Bursting, Value: uint32(n)})
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; n > 0; n-- {
		w := NewWho(Producer, 1+n%max(r.sc.Producers, 1))
		if p := r.producers[w]; p != nil && !p.leaving {
			p.backlog++
			r.clock.wake(w)
		}
	}
}

// read polls the store as a dashboard would, until it should not go on. When
// Run has returned it polls once more, so that what it shows last is final.
func (r *run) read(me Who) {
	defer func() {
		r.note(Step{Who: me, Kind: Left})
		r.ids.leave(me)
	}()
	first := PollEvery / 4 * time.Duration(me.N()) // not all at once
	r.sleep(me, first+r.note(Step{Who: me, Kind: Pausing, Value: micros(first)}))
	for {
		last := false
		select {
		case <-r.over:
			last = true
		default:
		}
		if !r.wanted(me) {
			return
		}
		r.transition(Step{Who: me, Kind: Polling})
		for k, key := range r.keys {
			n := r.store.Get(key)
			r.note(Step{Who: me, Kind: Got, Key: uint8(k), Value: uint32(n)})
		}
		if last {
			return
		}
		at := r.note(Step{Who: me, Kind: Pausing, Value: micros(PollEvery)})
		select {
		case <-r.over: // while it read: once more, at once
		default:
			r.sleep(me, at+PollEvery)
		}
	}
}

func (r *run) wanted(me Who) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.readers[me] || r.aborted {
		delete(r.readers, me)
		return false
	}
	return true
}

func (r *run) callReaders() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.readers {
		r.clock.wake(w)
	}
}

// stop cancels the context given to Run.
func (r *run) stop() {
	r.mu.Lock()
	r.cancelled = true
	r.mu.Unlock()
	r.control(Step{Kind: Cancelled})
	r.cancel()
}

func (r *run) kill() {
	r.mu.Lock()
	r.cancelled = true
	r.mu.Unlock()
	r.control(Step{Kind: Killed})
	r.pool.Kill()
}

// end throws the run away: no sleep or hold lasts, and it waits for every goroutine.
func (r *run) end() {
	r.mu.Lock()
	r.aborted, r.cancelled = true, true
	for _, p := range r.producers {
		p.leaving = true
		p.leave()
	}
	r.mu.Unlock()
	r.clock.abort()
	r.pool.Kill()
	r.cancel()
	r.group.Wait()
}

// closed notes that the intake is closed, once. The caller knows that it is.
func (r *run) closed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trace.now.CloseAt < 0 {
		r.add(Step{Who: NewWho(Runner, 1), Kind: Closed})
	}
}
