package lab

import (
	"sort"
	"time"
)

// Place is where a goroutine is at rest, in the Go runtime's own words.
type Place struct {
	File   string // such as "collector.go"; "" if no frame of the pool is on its stack
	Line   int    // of the innermost frame of the pool
	Func   string // the function there
	Reason string // the runtime's wait reason, such as "select"
	Where  Where  // what the frames further in are
}

// Where says what holds a goroutine that is at rest.
type Where uint8

const (
	InPool Where = iota // blocked in the line itself
	AtWork              // called from the line: simulated processing time
	Held                // called from the line: the lab holds it, since time is paused
	AtLock              // called from the line: blocked at the store's lock
)

const (
	// ringSize bounds the steps a trace retains, and so its memory: 24 bytes
	// each. It is a power of two.
	ringSize = 1 << 18
	// checkpointEvery bounds the steps that a seek folds.
	checkpointEvery = 2048
)

// Trace is the list of a run's steps and what is derived from them as they
// come. It retains the last 200,000 steps or more; what came before is dropped.
//
// A Trace has one writer, and may be read only while nothing is written.
type Trace struct {
	Scenario Scenario
	Parallel bool // recorded natively, on several cores

	size   uint64 // of the ring
	every  uint64 // steps from one checkpoint to the next
	base   uint64 // steps before those that the ring ever had
	ring   []Step // step n is at (n-1-base) % size
	now    View   // after the last step
	places []Place
	index  map[Place]uint16
	marks  []View // checkpoints, oldest first; the first is the oldest instant retained

	lanes  lanes
	series series

	followed followed
}

// NewTrace returns the empty trace of a run of s.
func NewTrace(s Scenario) *Trace {
	return newTrace(s, ringSize, checkpointEvery)
}

func newTrace(s Scenario, size, every uint64) *Trace {
	t := &Trace{Scenario: s, size: size, every: every, now: NewView(s), places: make([]Place, 1), index: map[Place]uint16{}}
	t.marks = append(t.marks, t.now.Clone())
	return t
}

// First is the number of the oldest instant that can be shown: 0, unless steps
// have been dropped. Last is the number of the newest step.
func (t *Trace) First() uint64 { return t.marks[0].Step }
func (t *Trace) Last() uint64  { return t.now.Step }

// Now is the view after the last step. It is not a copy.
func (t *Trace) Now() *View { return &t.now }

// Start and End are the lab times of the oldest and the newest instant.
func (t *Trace) Start() time.Duration { return t.marks[0].At }
func (t *Trace) End() time.Duration   { return t.now.At }

// Step returns step n, which must be retained: First() < n <= Last().
func (t *Trace) Step(n uint64) Step { return *t.at(n) }

func (t *Trace) at(n uint64) *Step { return &t.ring[(n-1-t.base)&(t.size-1)] }

// add appends a step.
func (t *Trace) add(s Step) {
	n := t.now.Step
	if n-t.marks[len(t.marks)-1].Step >= t.every {
		t.marks = append(t.marks, t.now.Clone())
	}
	if uint64(len(t.ring)) < t.size {
		t.ring = append(t.ring, s)
	} else {
		// The step that is overwritten must not be one that a checkpoint needs.
		for len(t.marks) > 1 && t.marks[0].Step <= n-t.size {
			t.marks = remove(t.marks, 0, 1)
			t.lanes.drop(t.marks[0].At)
		}
		t.ring[(n-t.base)&(t.size-1)] = s
	}
	t.series.add(&t.now, s)
	t.lanes.add(s, n+1)
	t.now.Apply(s)
}

// settle marks the last step as one after which everything was at rest.
func (t *Trace) settle() {
	if t.now.Step > t.First() {
		t.at(t.now.Step).flags |= settled
		t.now.Last.flags |= settled
	}
}

// place records where g rests after its latest step: in that step, if it was
// not looked at since, else as a step of its own.
func (t *Trace) place(g *Goroutine, p Place, at time.Duration) {
	i, ok := t.index[p]
	if !ok {
		if len(t.places) > 1<<15 {
			return
		}
		i = uint16(len(t.places))
		t.places = append(t.places, p)
		t.index[p] = i
	}
	if g.Place == i {
		return
	}
	if g.Place == 0 && g.latest > t.marks[len(t.marks)-1].Step {
		t.at(g.latest).Place = i
		g.Place = i
		if g.latest == t.now.Step {
			t.now.Last.Place = i
		}
		return
	}
	t.add(Step{At: at, Who: g.Who, Kind: Waits, Event: g.Event, Key: g.Key, Place: i})
}

// Place returns place i of the trace; Place(0) is the zero Place, for a
// goroutine that moved on before the runtime was asked.
func (t *Trace) Place(i uint16) Place {
	if int(i) >= len(t.places) {
		return Place{}
	}
	return t.places[i]
}

// Seek makes v the view after step n, or the nearest that is retained. It
// folds at most a few thousand steps, from the checkpoint before n.
func (t *Trace) Seek(v *View, n uint64) {
	n = min(max(n, t.First()), t.Last())
	if n == t.now.Step {
		v.CopyFrom(&t.now)
		return
	}
	i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].Step > n }) - 1
	v.CopyFrom(&t.marks[i])
	for v.Step < n {
		v.Apply(*t.at(v.Step + 1))
	}
}

// Find returns the number of the last retained step at or before lab time at.
func (t *Trace) Find(at time.Duration) uint64 {
	first, last := t.First(), t.Last()
	n := sort.Search(int(last-first), func(i int) bool { return t.at(first+1+uint64(i)).At > at })
	return first + uint64(n)
}

// Before returns the last instant before step n at which everything was at
// rest, and After the first one after it; at the ends they return the end. In a
// trace recorded in parallel nothing is ever known to rest: each step counts.
func (t *Trace) Before(n uint64) uint64 {
	first := t.First()
	if n <= first {
		return first
	}
	for n--; n > first; n-- {
		if t.Parallel || t.at(n).Settled() {
			return n
		}
	}
	return first
}

// After is described at Before.
func (t *Trace) After(n uint64) uint64 {
	last := t.Last()
	for n = max(n, t.First()) + 1; n < last; n++ {
		if t.Parallel || t.at(n).Settled() {
			return n
		}
	}
	return last
}

// Dropped reports how many steps came before the oldest one retained.
func (t *Trace) Dropped() uint64 { return t.First() }

// Bytes is about what the retained steps and what is derived from them occupy.
func (t *Trace) Bytes() int {
	view := func(v *View) int { return 300 + 64*len(v.Crew) + 32*len(v.Queue) }
	n := 24 * len(t.ring)
	for i := range t.marks {
		n += view(&t.marks[i])
	}
	return n + t.lanes.bytes() + t.series.bytes()
}
