package scene

import (
	"strconv"
	"time"

	"sluice/wasm/lab"
)

// Drawing is a finished list and what can be pointed at in it.
type Drawing struct {
	Ops     []Op
	Regions []Region // later ones lie on top
	// Moving reports whether the drawing changes with the frame's time alone.
	Moving bool
	// Height is what the drawing needs, which may be more than it was offered.
	Height float32
}

// Region is a part of a drawing that a person can point at. It holds what is
// known of the part; Title puts that into words.
type Region struct {
	X, Y, W, H float32
	Part       Part
	Key        uint8    // of the event
	Kind       lab.Kind // state of the goroutine; of a mark, what happened
	Who        lab.Who  // the goroutine shown there, or 0
	Event      uint32   // the event shown there, or 0
	N          int      // see Part
	Of         int

	// Of a bar, when the state began and ended: To is -1 while it lasts. Of a
	// goroutine on the stage, To is when its state is due to end, or 0.
	From, To time.Duration
	Now      time.Duration // the instant drawn
	Step     uint64        // of a mark, a bar or a stage: the trace's step that began it
	Name     string        // of a stage
}

// Part is the sort of a region.
type Part uint8

const (
	Figure  Part = iota // a goroutine
	InHand              // the event that a goroutine has
	Slot                // slot N of Of in the buffer, from 1
	Count               // a key in the store: N stored, Of last polled
	Lane                // a goroutine's lane of the timeline
	Bar                 // one state in a lane
	Bars                // N states too short to be drawn singly; Kind took the most time
	Instant             // a mark across all lanes
	Gone                // what the trace no longer retains: N steps
	Spell               // one stage in the life of an event
)

// At returns the uppermost region at a point.
func (d Drawing) At(x, y float32) (Region, bool) {
	for i := len(d.Regions) - 1; i >= 0; i-- {
		r := d.Regions[i]
		if x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H {
			return r, true
		}
	}
	return Region{}, false
}

// Title says what is shown in the region.
func (r Region) Title() string {
	switch r.Part {
	case Slot:
		s := "slot " + strconv.Itoa(r.N) + " of " + strconv.Itoa(r.Of) + ": "
		if r.Event == 0 {
			return s + "empty"
		}
		return s + r.event() + ", buffered for " + span(r.Now-r.From)
	case Count:
		return key(r.Key) + ": " + thousands(r.N) + " stored, " + thousands(r.Of) + " when last polled"
	case Lane:
		return r.Who.String()
	case Bars:
		return r.Who.String() + ": " + strconv.Itoa(r.N) + " states in " + span(r.To-r.From) + ", most of it " + state(r.Who, r.Kind)
	case Instant:
		return markWord(r.Kind) + " at " + span(r.From)
	case Spell:
		return r.Name + ", " + span(r.To-r.From)
	case Gone:
		return thousands(r.N) + " steps before this are no longer retained"
	}
	s := r.Who.String() + ": " + state(r.Who, r.Kind)
	if r.Event != 0 {
		s += " " + r.event()
	}
	switch {
	case r.Part == Bar && r.To >= 0:
		s += ", " + span(r.To-r.From)
	case r.Part == Bar:
		s += ", for " + span(r.Now-r.From) + " so far"
	case r.To > r.Now:
		s += ", " + span(r.To-r.Now) + " left"
	}
	return s
}

func (r Region) event() string {
	return "event " + strconv.Itoa(int(r.Event)) + " (" + key(r.Key) + ")"
}

func key(k uint8) string { return lab.Keys()[k%lab.NumKeys] }

// state names what a goroutine of a role does in a state.
func state(w lab.Who, k lab.Kind) string {
	switch k {
	case lab.NoKind:
		return "not started"
	case lab.Submitting:
		return "submitting"
	case lab.Received:
		return "has received"
	case lab.Working:
		return "processing"
	case lab.Idle:
		return "idle, waits in select"
	case lab.Draining:
		return "draining, free"
	case lab.AtDoor:
		if w.Role() == lab.Reader {
			return "waits for the read lock"
		}
		return "waits for the lock with"
	case lab.Inside:
		if w.Role() == lab.Reader {
			return "holds the read lock"
		}
		return "holds the lock, storing"
	case lab.Resting, lab.Pausing:
		return "resting"
	case lab.Polling:
		return "polls Get"
	case lab.Running:
		return "running"
	case lab.Closed:
		return "waits for the workers to drain"
	case lab.Left:
		return "done"
	}
	return k.String()
}

// span writes a stretch of time to three figures.
func span(d time.Duration) string {
	neg := ""
	if d < 0 {
		neg, d = "-", -d
	}
	unit, name := time.Microsecond, " µs"
	switch {
	case d >= time.Second:
		unit, name = time.Second, " s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, " ms"
	}
	v := float64(d) / float64(unit)
	decimals := 0
	if v < 9.995 && unit != time.Microsecond {
		decimals = 2
	} else if v < 99.95 && unit == time.Second {
		decimals = 1
	}
	return neg + strconv.FormatFloat(v, 'f', decimals, 64) + name
}

// thousands writes n with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	if n < 0 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// decimal writes d in a unit with n decimals.
func decimal(d, unit time.Duration, n int) string {
	return strconv.FormatFloat(float64(d)/float64(unit), 'f', n, 64)
}
