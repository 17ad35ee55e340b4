package lab

import (
	"container/heap"
	"sync"
	"time"
)

// clock is what the goroutines of a run know of time. Its methods may be
// called concurrently, each goroutine by its own name.
type clock interface {
	// now is the lab time.
	now() time.Duration
	// sleep blocks w until the given lab time, or until wake.
	sleep(w Who, until time.Duration)
	// pass blocks w while the lab holds its goroutines.
	pass(w Who)
	// wake ends the sleep of w, if it sleeps.
	wake(w Who)
	// abort ends every sleep and every hold, now and from now on.
	abort()
	// late is by how much a sleep may end too late.
	late() time.Duration
}

// stepper is a clock that stands still unless it is driven. The goroutines that
// sleep, and those that it holds, are a queue ordered by the lab time at which
// they are due; whoever drives it releases one at a time and waits until
// everything has come to rest before it releases the next. So lab time costs
// nothing, a transition bears the exact lab time at which it was due, and to
// pause is just not to release.
type stepper struct {
	mu      sync.Mutex
	at      time.Duration
	holding bool // pass blocks
	aborted bool
	queue   seats
	seats   map[Who]*seat
	arrived uint64
}

// A seat is where one goroutine waits to be released.
type seat struct {
	who     Who
	due     time.Duration
	arrived uint64
	held    bool // by pass; else it sleeps
	index   int  // in the queue, or -1
	release chan struct{}
}

func newStepper() *stepper { return &stepper{seats: map[Who]*seat{}} }

func (c *stepper) now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *stepper) sleep(w Who, until time.Duration) {
	c.mu.Lock()
	if c.aborted || until <= c.at && !c.holding {
		c.mu.Unlock()
		return
	}
	s := c.sit(w, until, false)
	c.mu.Unlock()
	<-s.release
}

func (c *stepper) pass(w Who) {
	c.mu.Lock()
	if c.aborted || !c.holding {
		c.mu.Unlock()
		return
	}
	s := c.sit(w, c.at, true)
	c.mu.Unlock()
	<-s.release
}

func (c *stepper) late() time.Duration { return 0 }

func (c *stepper) sit(w Who, due time.Duration, held bool) *seat {
	s := c.seats[w]
	if s == nil {
		s = &seat{who: w, release: make(chan struct{}, 1)}
		c.seats[w] = s
	}
	c.arrived++
	s.due, s.held, s.arrived = due, held, c.arrived
	heap.Push(&c.queue, s)
	return s
}

func (c *stepper) wake(w Who) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.seats[w]; s != nil && s.index >= 0 && !s.held {
		s.due = min(s.due, c.at)
		heap.Fix(&c.queue, s.index)
	}
}

func (c *stepper) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	for c.queue.Len() > 0 {
		heap.Pop(&c.queue).(*seat).release <- struct{}{}
	}
}

// hold makes pass block, or no longer.
func (c *stepper) hold(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holding = on
}

// next releases the goroutine that is due first, if it is due by limit, and
// moves lab time to when it was due.
func (c *stepper) next(limit time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 || c.queue[0].due > limit {
		return false
	}
	s := heap.Pop(&c.queue).(*seat)
	c.at = max(c.at, s.due)
	s.release <- struct{}{}
	return true
}

// releaseOne releases w, moving lab time to when it is due; without a name, the
// one due first. It reports false if w does not wait here.
func (c *stepper) releaseOne(w Who) (Who, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return 0, false
	}
	s := c.queue[0]
	if w != 0 {
		if s = c.seats[w]; s == nil || s.index < 0 {
			return 0, false
		}
	}
	heap.Remove(&c.queue, s.index)
	c.at = max(c.at, s.due)
	s.release <- struct{}{}
	return s.who, true
}

// moveTo moves lab time forward, past no goroutine that is due.
func (c *stepper) moveTo(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		at = min(at, c.queue[0].due)
	}
	c.at = max(c.at, at)
}

// seats is a heap: first due, and among those first arrived, is first.
type seats []*seat

func (q seats) Len() int { return len(q) }
func (q seats) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].arrived < q[j].arrived
}
func (q seats) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *seats) Push(x any) {
	s := x.(*seat)
	s.index = len(*q)
	*q = append(*q, s)
}
func (q *seats) Pop() any {
	old := *q
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	s.index = -1
	return s
}

// wall is a clock that runs with the machine's, speed times as fast. It holds
// nobody: what runs on it runs on all cores.
type wall struct {
	start time.Time
	speed float64
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	early map[Who]chan struct{}
}

func newWall(speed float64) *wall {
	return &wall{start: time.Now(), speed: speed, done: make(chan struct{}), early: map[Who]chan struct{}{}}
}

func (c *wall) now() time.Duration {
	return time.Duration(float64(time.Since(c.start)) * c.speed)
}

func (c *wall) sleep(w Who, until time.Duration) {
	d := time.Duration(float64(until-c.now()) / c.speed)
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.waker(w): // there is something to do sooner
	case <-c.done: // the run is thrown away
	}
}

func (c *wall) waker(w Who) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.early[w] == nil {
		c.early[w] = make(chan struct{}, 1)
	}
	return c.early[w]
}

func (c *wall) wake(w Who) {
	select {
	case c.waker(w) <- struct{}{}:
	default: // woken already
	}
}

func (c *wall) pass(Who) {}

// late is far above what timers are late by, and below what a person sees.
func (c *wall) late() time.Duration { return time.Duration(float64(20*time.Millisecond) * c.speed) }

func (c *wall) abort() { c.once.Do(func() { close(c.done) }) }
