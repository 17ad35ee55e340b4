package core

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Error is the type of this package's errors. They are constants; compare
// with errors.Is, since most are returned wrapped with what was wrong.
type Error string

const (
	ErrConfig    Error = "core: bad configuration"
	ErrRunning   Error = "core: collector already run"
	ErrStopped   Error = "core: collector stopped"
	ErrFull      Error = "core: buffer full"
	ErrAbandoned Error = "core: events abandoned"
)

func (e Error) Error() string { return string(e) }

// configError names the value that was wrong. It is an ErrConfig.
type configError string

func (e configError) Error() string { return string(e) }
func (configError) Unwrap() error   { return ErrConfig }

// LogEvent is one log line. Only Key is counted; the rest travels with it.
type LogEvent struct {
	ID      uint64
	Key     string
	Message string
	Time    time.Time
}

// Config says how large a collector is and who watches it.
type Config struct {
	Workers int // goroutines that process events, at least 1
	Buffer  int // events held between Submit and a worker, at least 1

	// Observe, if set, is told of every transition of every worker. It is
	// called on that worker's goroutine, so the worker stands still until
	// it returns; calls for different workers run concurrently.
	Observe func(Step)
}

// Step is one transition of one worker.
type Step struct {
	Worker int      // 1 to Config.Workers
	State  State    // the state it enters
	Event  LogEvent // the event in hand while Processing, else zero
}

// State is what a worker is doing.
type State uint8

const (
	Idle       State = iota // free to receive an event, or to see the cancel
	Processing              // has received an event and is counting it
	Draining                // the context is cancelled: receives only what was accepted
	Exited                  // receives no more
)

func (s State) String() string {
	switch s {
	case Idle:
		return "idle"
	case Processing:
		return "processing"
	case Draining:
		return "draining"
	case Exited:
		return "exited"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Stats is a reading of the collector's counters. While nothing moves it is
// exact, and Accepted = Processed + Abandoned + Queued + events in hand. While
// calls are in progress a figure may be off by those calls, but never is an
// event processed that is not accepted. After Run it is final.
type Stats struct {
	Accepted  uint64 // events for which Submit or TrySubmit returned nil
	Processed uint64 // events counted in the store
	Abandoned uint64 // events accepted and, because of Kill, not counted
	Queued    int    // events in the buffer now
	Capacity  int    // events the buffer can hold
	Workers   int    // as configured
}

// AsyncCollector counts events in a MetricStore with a pool of workers.
// Make one with [NewAsyncCollector] and call Run once. All methods may be
// called from any goroutine at any time.
//
// Shutdown must neither lose an event whose Submit returned nil nor send on a
// closed channel. So every send first claims its place in the count of accepted
// events. Shutdown forbids further claims; those already made become sends or
// are given back, while the workers go on receiving. Once every claim has been
// received or given back no send can follow, and whoever saw to the last of them
// closes the channel, which ends the drain.
type AsyncCollector struct {
	store MetricStore
	cfg   Config

	jobs     chan LogEvent
	stopping chan struct{} // closed when shutdown begins: blocked sends give up
	stop     sync.Once     // closes stopping
	settle   sync.Once     // closes jobs
	started  atomic.Bool
	stopped  atomic.Bool // the intake is closed
	killed   atomic.Bool
	tallies  []tally // one a worker

	_         cacheLine     // what follows is written at every Submit
	claims    atomic.Uint64 // twice the number of claims, plus 1 once the intake is closed
	waiting   atomic.Int64  // claims whose Submit waits for room
	discarded atomic.Uint64 // received by Run, after Kill
	abandoned atomic.Uint64 // those, and what workers received too late
}

const (
	closedBit = 1
	oneClaim  = 2
)

// A cacheLine keeps apart what different processors write: they would wait for
// each other at every event. Two lines, since processors fetch them in pairs.
type cacheLine [128]byte

// A tally is what one worker has done. That an event was processed is written
// down together with the receipt of the next, or else by rest: an atomic write
// costs as much as a third of Inc.
type tally struct {
	moves   atomic.Uint64 // events received plus events processed
	pending uint64        // 1 if a processed event is not in moves; the worker's own
	_       cacheLine
}

func (t *tally) receive() {
	t.moves.Add(t.pending + 1)
	t.pending = 0
}

func (t *tally) rest() {
	if t.pending > 0 {
		t.moves.Add(t.pending)
		t.pending = 0
	}
}

// A worker has at most one event in hand, so moves is odd exactly while it does.
func (t *tally) received() uint64  { return (t.moves.Load() + 1) / 2 }
func (t *tally) processed() uint64 { return t.moves.Load() / 2 }

// NewAsyncCollector returns a collector that counts in store. The error is
// ErrConfig if store is nil or a size in cfg is below 1.
func NewAsyncCollector(store MetricStore, cfg Config) (*AsyncCollector, error) {
	switch {
	case store == nil:
		return nil, configError("core: store must not be nil")
	case cfg.Workers < 1:
		return nil, configError(fmt.Sprintf("core: workers must be at least 1, got %d", cfg.Workers))
	case cfg.Buffer < 1:
		return nil, configError(fmt.Sprintf("core: buffer must be at least 1, got %d", cfg.Buffer))
	}
	return &AsyncCollector{
		store:    store,
		cfg:      cfg,
		jobs:     make(chan LogEvent, cfg.Buffer),
		stopping: make(chan struct{}),
		tallies:  make([]tally, cfg.Workers),
	}, nil
}

// Run starts the workers and blocks until every one of them has exited, which
// is after ctx is cancelled (or Kill called) and what was accepted is drained.
// Events submitted before Run wait in the buffer.
//
// It returns nil if every accepted event was counted, ErrAbandoned if Kill left
// some behind, and ErrRunning, at once, if the collector has been run before.
func (c *AsyncCollector) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return ErrRunning
	}
	select {
	case <-ctx.Done():
		c.closeIntake() // before the workers make room for who waits
	default:
	}
	var workers sync.WaitGroup
	for id := 1; id <= c.cfg.Workers; id++ {
		workers.Go(func() { c.work(ctx, id) })
	}
	select {
	case <-ctx.Done():
	case <-c.stopping: // Kill closes the intake
	}
	c.closeIntake()
	workers.Wait()

	for range c.jobs { // only Kill leaves anything here
		c.abandoned.Add(1)
		c.discarded.Add(1)
		c.closeIfSettled()
	}
	if s := c.Stats(); s.Abandoned > 0 {
		return fmt.Errorf("%w: %d of %d accepted", ErrAbandoned, s.Abandoned, s.Accepted)
	}
	return nil
}

// work receives and processes events until ctx is cancelled, then drains.
func (c *AsyncCollector) work(ctx context.Context, id int) {
	t := &c.tallies[id-1]
	var e LogEvent
	for more := true; more && !c.killed.Load(); {
		if c.cfg.Observe != nil && !c.idle(ctx, id) {
			break
		}
		// A receive that need not wait is much cheaper than the full select.
		select {
		case e, more = <-c.jobs:
		default:
			t.rest()
			select {
			case e, more = <-c.jobs:
			case <-ctx.Done(): // cancelled while idle: do not wait for an event
				more = false
			}
		}
		more = more && c.process(id, &e)
	}
	for !c.killed.Load() && c.note(id, Draining, nil) {
		e, more := <-c.jobs // waits at most until the last claim is settled
		if !more || !c.process(id, &e) {
			break
		}
	}
	t.rest()
	c.note(id, Exited, nil)
}

// idle tells the observer that a worker is idle and reports whether it may go on
// to receive. A worker is never idle again once the context is cancelled: select
// chooses at random among ready cases, so it may have preferred an event to the
// cancel.
func (c *AsyncCollector) idle(ctx context.Context, id int) bool {
	return ctx.Err() == nil && c.note(id, Idle, nil)
}

// process counts one event, which nothing interrupts, and reports whether it did.
// What a worker received after Kill was not in its hands then, and is abandoned.
func (c *AsyncCollector) process(id int, e *LogEvent) bool {
	t := &c.tallies[id-1]
	t.receive()
	if c.stopped.Load() {
		c.closeIfSettled()
		if c.killed.Load() {
			c.abandoned.Add(1)
			return false
		}
	}
	c.note(id, Processing, e)
	c.store.Inc(e.Key)
	t.pending = 1
	return true
}

// note tells the observer what a worker enters, and reports whether the worker has
// not been killed meanwhile: the observer may hold it for long. It is small enough
// to be inlined, so that without an observer it costs a test.
func (c *AsyncCollector) note(id int, s State, e *LogEvent) bool {
	return c.cfg.Observe == nil || c.observe(id, s, e)
}

func (c *AsyncCollector) observe(id int, s State, e *LogEvent) bool {
	c.tallies[id-1].rest() // so that Stats is right while the observer holds the worker
	step := Step{Worker: id, State: s}
	if e != nil {
		step.Event = *e
	}
	c.cfg.Observe(step)
	return !c.killed.Load()
}

// Submit hands e to the workers, waiting while the buffer is full. It returns
// nil if and only if e was accepted. Otherwise e will never be counted, and the
// error is ErrStopped if shutdown has begun, or ctx.Err() if ctx ended the wait.
// ctx limits only the wait: an event for which there is room is accepted.
//
// Shutdown begins when Run sees its context cancelled, or with Kill. It ends the
// wait of every Submit, which may then have been accepted or not, as it says.
func (c *AsyncCollector) Submit(ctx context.Context, e LogEvent) error {
	if !c.claim() {
		return ErrStopped
	}
	// A send that need not wait is cheaper than the full select.
	select {
	case c.jobs <- e:
		return nil
	default:
	}
	c.waiting.Add(1)
	defer c.waiting.Add(-1)
	select {
	case c.jobs <- e:
		return nil
	case <-c.stopping: // whoever waits must not hold up the shutdown
		c.unclaim()
		return ErrStopped
	case <-ctx.Done(): // the caller will wait no longer
		c.unclaim()
		return ctx.Err()
	}
}

// TrySubmit is Submit without the wait: if the buffer is full it returns ErrFull.
func (c *AsyncCollector) TrySubmit(e LogEvent) error {
	if !c.claim() {
		return ErrStopped
	}
	select {
	case c.jobs <- e:
		return nil
	default:
		c.unclaim()
		return ErrFull
	}
}

// Kill stops the collector without a drain: each worker finishes at most the
// event in its hands, and the rest is abandoned. Kill does not wait for that, so
// store and observer may call it too. It may be called more than once, and before
// Run or after cancel.
func (c *AsyncCollector) Kill() {
	c.killed.Store(true)
	c.closeIntake()
}

// Stats returns the counters. It never waits.
func (c *AsyncCollector) Stats() Stats {
	s := Stats{
		Abandoned: c.abandoned.Load(),
		Capacity:  c.cfg.Buffer,
		Workers:   c.cfg.Workers,
	}
	for i := range c.tallies {
		s.Processed += c.tallies[i].processed()
	}
	s.Queued = len(c.jobs)
	// Of the claims, those that wait are not accepted yet. A Submit that was
	// let in may not have said so: then what is queued and received tells more.
	sent := c.received() + uint64(s.Queued)
	waiting, claims := c.waiting.Load(), c.claims.Load()/oneClaim
	s.Accepted = uint64(max(int64(claims)-waiting, int64(sent)))
	return s
}

// claim counts an event as accepted before it is sent. It fails once the intake
// is closed: from then on the number of claims only falls.
func (c *AsyncCollector) claim() bool {
	for {
		n := c.claims.Load()
		if n&closedBit != 0 {
			return false
		}
		if c.claims.CompareAndSwap(n, n+oneClaim) {
			return true
		}
	}
}

// unclaim gives back a claim that did not become a send.
func (c *AsyncCollector) unclaim() {
	if c.claims.Add(^uint64(oneClaim-1))&closedBit != 0 {
		c.closeIfSettled()
	}
}

// closeIntake begins the shutdown. It does not wait.
func (c *AsyncCollector) closeIntake() {
	c.stop.Do(func() {
		c.claims.Or(closedBit)
		c.stopped.Store(true)
		close(c.stopping)
		c.closeIfSettled()
	})
}

// closeIfSettled closes the jobs channel if the intake is closed and every claim
// has been received or given back. Who closes the intake asks, and after that
// whoever receives or gives back: so the last of them finds it settled.
func (c *AsyncCollector) closeIfSettled() {
	if c.claims.Load() == c.received()*oneClaim+closedBit {
		c.settle.Do(func() { close(c.jobs) })
	}
}

// received returns how many events have left the buffer.
func (c *AsyncCollector) received() uint64 {
	n := c.discarded.Load()
	for i := range c.tallies {
		n += c.tallies[i].received()
	}
	return n
}
