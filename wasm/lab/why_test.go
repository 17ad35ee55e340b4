package lab

import (
	"strings"
	"testing"
	"time"
)

func TestWhy(t *testing.T) {
	tr := NewTrace(Default())
	at := func(p Place) uint16 {
		tr.places = append(tr.places, p)
		return uint16(len(tr.places) - 1)
	}
	sel := at(Place{File: "collector.go", Line: 199, Reason: "select"})
	wg := at(Place{File: "collector.go", Line: 171, Reason: "sync.WaitGroup.Wait"})
	held := at(Place{Reason: "chan receive", Where: Held})
	work := at(Place{File: "collector.go", Line: 224, Reason: "chan receive", Where: AtWork})
	lock := at(Place{Reason: "sync.RWMutex.Lock", Where: AtLock})
	rlock := at(Place{Reason: "sync.RWMutex.RLock", Where: AtLock})
	mutex := at(Place{Reason: "sync.Mutex.Lock", Where: AtLock})
	p1, w1, w2, r1, r2, run := NewWho(Producer, 1), NewWho(Worker, 1), NewWho(Worker, 2), NewWho(Reader, 1), NewWho(Reader, 2), NewWho(Runner, 1)
	full := func(v *View) { v.Queue = make([]Queued, v.Capacity) }
	type crew map[Who]Goroutine
	for _, c := range []struct {
		crew  crew
		who   Who
		view  func(*View)
		want  string
		word  string
		class Class
	}{
		{crew{p1: {Kind: Submitting, Event: 9, Place: sel}}, p1, full,
			"blocked sending to a full buffer: wakes when a worker receives, or on Stop", "waiting", ClassWait},
		{crew{p1: {Kind: Submitting, Event: 9, Place: held}}, p1, nil,
			"held by Pause, about to send event 9: goes on at Resume or Step", "submitting", ClassRun},
		{crew{p1: {Kind: Resting, Due: 112 * time.Millisecond, Place: work}}, p1, nil, "rests: next event in 12 ms", "resting", ClassIdle},
		{crew{p1: {Kind: Left, Refused: TurnedAway}}, p1, nil, "turned away: the intake is closed", "done", ClassIdle},
		{crew{p1: {Kind: Left}}, p1, nil, "ended: there are fewer producers now", "done", ClassIdle},
		{crew{w1: {Kind: Idle, Place: sel}}, w1, nil, "idle in select: wakes when an event arrives, or on cancel", "idle", ClassIdle},
		{crew{w1: {Kind: Working, Event: 402, Due: 160 * time.Millisecond, Place: work}}, w1, nil,
			"in Inc: 60 ms of simulated work left", "event 402", ClassRun},
		{crew{w1: {Kind: Working, Event: 402, Due: 50 * time.Millisecond, Place: work}}, w1, nil,
			"in Inc: 0 ms of simulated work left", "event 402", ClassRun},
		{crew{w1: {Kind: Exited}}, w1, nil, "exited: receives no more", "exited", ClassIdle},
		{crew{w1: {Kind: AtDoor, Event: 401, Place: lock}, r1: {Kind: Inside}}, w1, nil,
			"sync.RWMutex.Lock: wakes when reader 1 leaves", "event 401", ClassWait},
		{crew{w1: {Kind: AtDoor, Event: 401, Place: lock}, r1: {Kind: Inside}, r2: {Kind: Inside}}, w1, nil,
			"sync.RWMutex.Lock: wakes when readers 1 and 2 leave", "event 401", ClassWait},
		{crew{r1: {Kind: AtDoor, Place: rlock}, w2: {Kind: Inside}}, r1, nil,
			"sync.RWMutex.RLock: wakes when worker 2 leaves", "waiting", ClassWait},
		{crew{r2: {Kind: AtDoor, Place: rlock}, r1: {Kind: Inside}, w1: {Kind: AtDoor, Place: lock}}, r2, nil,
			"sync.RWMutex.RLock: wakes when worker 1, which waits ahead, has had the lock", "waiting", ClassWait},
		{crew{w2: {Kind: AtDoor, Event: 5, Place: mutex}, r1: {Kind: Inside}, w1: {Kind: AtDoor, Place: lock}}, w2, nil,
			"sync.Mutex.Lock: wakes when worker 1, which waits ahead, has had the lock", "event 5", ClassWait},
		{crew{r1: {Kind: Inside, Due: 130 * time.Millisecond}}, r1, nil, "in Get, holds the read lock: 30 ms left", "reading", ClassRun},
		{crew{r1: {Kind: Pausing, Due: 220 * time.Millisecond}}, r1, nil, "rests: polls again in 120 ms", "resting", ClassIdle},
		{crew{run: {Kind: Running, Place: sel}}, run, nil, "select: waits for the context to be cancelled, or for Kill", "waiting", ClassIdle},
		{crew{run: {Kind: Closed, Place: wg}, w1: {Kind: Exited}}, run, nil,
			"sync.WaitGroup.Wait: wakes when all workers exit; 3 left", "waiting", ClassDrain},
		{crew{run: {Kind: Returned}}, run, nil, "returned nil: no event was abandoned", "returned", ClassIdle},
		{crew{run: {Kind: Returned}}, run, func(v *View) { v.Abandoned = 3 }, "returned core: events abandoned, 3", "returned", ClassIdle},
	} {
		v := NewView(Default())
		for w, g := range c.crew {
			g.Who = w
			*v.Find(w) = g
		}
		if c.view != nil {
			c.view(&v)
		}
		g := v.Find(c.who)
		if got := tr.Why(&v, g, 100*time.Millisecond); got != c.want {
			t.Errorf("%v: %q, want %q", c.who, got, c.want)
		}
		if word, class := g.StateWord(&v); word != c.word || class != c.class {
			t.Errorf("%v: %q %v, want %q %v", c.who, word, class, c.word, c.class)
		}
	}
}

// At any instant of any run each goroutine has a word and a sentence, and the
// page has one.
func TestEveryInstantHasWords(t *testing.T) {
	for _, tr := range []*Trace{
		busyTrace(t, overload(), ringSize, 128, 150, Stop{}),
		busyTrace(t, slow(), ringSize, 128, 100, Kill{}),
	} {
		v := NewView(tr.Scenario)
		heads := map[string]bool{}
		for n := tr.First(); n <= tr.Last(); n++ {
			tr.Seek(&v, n)
			for i := range v.Crew {
				g := &v.Crew[i]
				word, _ := g.StateWord(&v)
				if why := tr.Why(&v, g, v.At); why == "" || word == "" || strings.Contains(why, "?") {
					t.Fatalf("step %d: %v %v: %q, %q", n, g.Who, g.Kind, word, why)
				}
			}
			head, text := Sentence(&v, false)
			heads[head] = true
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "1 events") || strings.Contains(text, "1 workers") && !strings.Contains(text, "11 workers") {
				t.Fatalf("step %d: %q", n, text)
			}
		}
		if !heads["Idle"] || !heads["Running"] || !heads["Draining"] && !heads["Killed"] {
			t.Errorf("headings %v", heads)
		}
	}
}

func TestSentence(t *testing.T) {
	say := func(v *View) string {
		head, text := Sentence(v, false)
		return head + ". " + text
	}
	tr := busyTrace(t, overload(), ringSize, 128, 100, nil)
	v := tr.Now().Clone()
	if got := say(&v); !strings.HasPrefix(got, "Running. Backpressure: the buffer is full, so producers 1, 2 and 3 wait") {
		t.Error(got)
	}
	v.Apply(Step{At: v.At, Kind: Cancelled})
	v.Apply(Step{At: v.At, Who: NewWho(Runner, 1), Kind: Closed})
	v.Apply(Step{At: v.At, Who: NewWho(Producer, 2), Kind: Rejected, Value: TurnedAway})
	if got, want := say(&v), "Draining. The context is cancelled and the intake is closed; 16 buffered events are still being processed by 4 workers. Producer 2 was turned away: core: collector stopped."; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	stopped := busyTrace(t, overload(), ringSize, 128, 100, Stop{}).Now()
	if got := say(stopped); !strings.HasPrefix(got, "Stopped. Run has returned. All ") || !strings.Contains(got, "none was lost") {
		t.Error(got)
	}
	killed := busyTrace(t, overload(), ringSize, 128, 100, Kill{}).Now()
	if got := say(killed); !strings.HasPrefix(got, "Killed. ") || !strings.Contains(got, "16 were abandoned") {
		t.Error(got)
	}
}
