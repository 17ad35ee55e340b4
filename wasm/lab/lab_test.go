package lab

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f with a lab in a synctest bubble, which fails if a goroutine is
// left when f has returned and the lab is closed.
func bubble(t *testing.T, sc Scenario, f func(l *Lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := New(sc, Options{Settle: synctest.Wait})
		defer l.Close()
		f(l)
		if err := l.Fault(); err != nil {
			t.Error(err)
		}
	})
}

// stackSettle waits until the runtime shows every other goroutine blocked. It
// serves where goroutines wait for a lock, of which synctest cannot tell whether
// it will ever be let go.
func stackSettle() {
	buf := make([]byte, 1<<20)
	for {
		runtime.Gosched()
		busy := false
		_, others, _ := bytes.Cut(buf[:runtime.Stack(buf, true)], []byte("\n\n"))
		for block := range bytes.SplitSeq(others, []byte("\n\n")) {
			_, reason := goroutineHeader(block)
			switch string(reason) {
			case "chan receive", "chan send", "select", "select (no cases)", "sync.WaitGroup.Wait",
				"sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "finalizer wait", "cleanup wait", "IO wait", "sleep":
			default: // runs, can run, or waits for the garbage collector
				busy = true
			}
		}
		if !busy {
			return
		}
	}
}

// withLock is bubble for scenarios whose goroutines wait for a lock.
func withLock(t *testing.T, sc Scenario, f func(l *Lab)) {
	t.Helper()
	before := runtime.NumGoroutine()
	l := New(sc, Options{Settle: stackSettle})
	f(l)
	l.Close()
	if err := l.Fault(); err != nil {
		t.Error(err)
	}
	stackSettle()
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left behind", n-before)
	}
}

func do(t *testing.T, l *Lab, ms ...Message) {
	t.Helper()
	for _, m := range ms {
		if err := l.Do(m); err != nil {
			t.Fatalf("%T: %v", m, err)
		}
	}
}

func ticks(l *Lab, n int) {
	for range n {
		l.Tick(20*time.Millisecond, nil)
	}
}

func untilStopped(t *testing.T, l *Lab) {
	t.Helper()
	for range 10_000 {
		if l.Phase() == Stopped {
			l.Tick(20*time.Second, nil) // readers and producers end too
			return
		}
		ticks(l, 1)
	}
	t.Fatal("it does not stop")
}

// told is what happened to each event and what each producer and reader did, and
// when: the trace without where goroutines were seen at rest, without which of
// the idle workers took an event, and without the order of what different
// goroutines did at one instant. On several cores these are anybody's.
func told(tr *Trace) map[string][]Step {
	m := map[string][]Step{}
	for n := tr.First() + 1; n <= tr.Last(); n++ {
		s := tr.Step(n)
		if s.Kind == Waits || s.Kind == Closed {
			continue
		}
		if s.Kind == Accepted {
			s.Value = 0
		}
		s.Place, s.flags = 0, 0
		who := s.Who.String()
		if s.Who.Role() == Worker {
			if s.Event == 0 {
				continue
			}
			who, s.Who = eventName(s.Event), 0
		}
		m[who] = append(m[who], s)
	}
	return m
}

func TestRunAndDrain(t *testing.T) {
	sc := overload()
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 250)
		g := l.Trace().Now().Ledger()
		if g.Stored < 50 || g.Waiting == 0 || g.Buffered != uint64(sc.Buffer) {
			t.Errorf("an overloaded pool: %+v", g)
		}
		do(t, l, Stop{})
		untilStopped(t, l)
		v := l.Trace().Now()
		g = v.Ledger()
		if g.Abandoned != 0 || g.Stored != g.Accepted || g.Rejected != uint64(sc.Producers) {
			t.Errorf("after the drain: %+v", g)
		}
		if v.Polled != v.Counts {
			t.Errorf("last poll %v, store %v", v.Polled, v.Counts)
		}
		for i := range v.Crew {
			if g := &v.Crew[i]; g.Kind != Left && g.Kind != Exited && g.Kind != Returned {
				t.Errorf("%v is still %v", g.Who, g.Kind)
			}
		}
	})
}

func TestPlacesAreTheRuntimes(t *testing.T) {
	bubble(t, overload(), func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 250)
		seen := func(w Who) Place { return l.Trace().Place(l.Trace().Now().Find(w).Place) }
		for w, want := range map[Who]Place{
			NewWho(Runner, 1): {File: "collector.go", Func: "(*AsyncCollector).Run", Reason: "select"},
			NewWho(Worker, 1): {File: "collector.go", Func: "(*AsyncCollector).process", Reason: "chan receive", Where: AtWork},
			NewWho(Reader, 1): {Reason: "chan receive", Where: AtWork},
		} {
			got := seen(w)
			if want.File != "" && got.Line == 0 {
				t.Errorf("%v is at no line", w)
			}
			if got.Line = 0; got != want {
				t.Errorf("%v is at %+v, want %+v", w, got, want)
			}
		}
		blocked := 0
		v := l.Trace().Now()
		for i := range v.Crew {
			if g := &v.Crew[i]; g.Waiting() {
				blocked++
				if p := seen(g.Who); p.Func != "(*AsyncCollector).Submit" || p.Reason != "select" || p.Where != InPool {
					t.Errorf("%v waits at %+v", g.Who, p)
				}
			}
		}
		if blocked == 0 {
			t.Error("nobody waits at the full buffer")
		}
		do(t, l, Stop{})
		if p := seen(NewWho(Runner, 1)); p.Reason != "sync.WaitGroup.Wait" {
			t.Errorf("Run drains at %+v", p)
		}
	})
}

func TestPauseHoldsEverything(t *testing.T) {
	bubble(t, overload(), func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 100)
		do(t, l, Pause{}, Pause{})
		a, p, b, q := l.Stats()
		before, view, now := l.Trace().Last(), l.Trace().Now().Clone(), l.Now()
		time.Sleep(time.Hour) // the bubble's, which is the goroutines' own
		ticks(l, 1000)
		if a2, p2, b2, q2 := l.Stats(); a != a2 || p != p2 || b != b2 || q != q2 {
			t.Error("Stats have changed")
		}
		if l.Trace().Last() != before || !sameView(&view, l.Trace().Now()) || l.Now() != now {
			t.Errorf("%d steps were added", l.Trace().Last()-before)
		}
	})
}

func TestResumeGoesOnExactly(t *testing.T) {
	script := func(pauses bool) map[string][]Step {
		var m map[string][]Step
		bubble(t, overload(), func(l *Lab) {
			do(t, l, Start{})
			for i := range 200 {
				if pauses && i%7 == 0 {
					do(t, l, Pause{})
					ticks(l, 3)
					do(t, l, Resume{}, Resume{})
				}
				if i == 100 {
					do(t, l, Turn{"cost", 40})
				}
				ticks(l, 1)
			}
			do(t, l, Stop{})
			if pauses {
				do(t, l, Pause{}, Resume{})
			}
			untilStopped(t, l)
			m = told(l.Trace())
		})
		return m
	}
	plain, paused := script(false), script(true)
	for w := range plain {
		if !slices.Equal(plain[w], paused[w]) {
			t.Errorf("%v did something else in the run that was paused", w)
		}
	}
	if len(plain) < 100 || len(plain) != len(paused) {
		t.Errorf("%d lives in one run, %d in the other", len(plain), len(paused))
	}
}

func TestSameSeedSameTrace(t *testing.T) {
	run := func(seed uint64) map[string][]Step {
		var m map[string][]Step
		sc := overload()
		sc.Seed = seed
		bubble(t, sc, func(l *Lab) {
			do(t, l, Start{})
			ticks(l, 200)
			do(t, l, Burst{})
			ticks(l, 200)
			m = told(l.Trace())
		})
		return m
	}
	one := run(1)
	if two := run(1); !reflect.DeepEqual(one, two) {
		t.Error("the same seed gave another trace")
	}
	if reflect.DeepEqual(one, run(2)) {
		t.Error("another seed gave the same trace")
	}
}

func TestBurstIsSubmittedAtOnce(t *testing.T) {
	sc := Default()
	sc.Rate, sc.Cost = 1, 5*time.Second
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 1)
		before := l.Trace().Now().Submitted
		do(t, l, Burst{})
		ticks(l, 1)
		g := l.Trace().Now().Ledger()
		// Four workers take one each, the buffer is full, and a producer waits.
		if g.InFlight != 4 || g.Buffered != 16 || g.Waiting == 0 {
			t.Errorf("one tick after the burst: %+v", g)
		}
		ticks(l, 3000)
		if n := l.Trace().Now().Submitted - before; n < 32 {
			t.Errorf("the burst had %d events", n)
		}
	})
}

// pausedBusy pauses a lab at a moment when several goroutines are held.
func pausedBusy(t *testing.T, l *Lab) {
	do(t, l, Start{})
	ticks(l, 60)
	do(t, l, Pause{}, Burst{})
}

func TestReleaseOrderIsArrivalOrder(t *testing.T) {
	bubble(t, overload(), func(l *Lab) {
		pausedBusy(t, l)
		// Whoever comes to be held goes behind those who are held already.
		var line []Who
		for range 60 {
			var held []Who
			v := l.Trace().Now()
			for i := range v.Crew {
				if l.Trace().Place(v.Crew[i].Place).Where == Held {
					held = append(held, v.Crew[i].Who)
				}
			}
			line = slices.DeleteFunc(line, func(w Who) bool { return !slices.Contains(held, w) })
			came := 0
			for _, w := range held {
				if !slices.Contains(line, w) {
					line = append(line, w)
					came++
				}
			}
			next := l.Next()
			if len(line) > came && next != line[0] {
				t.Fatalf("next is %v, but %v has been held longer", next, line[0])
			}
			if came > 1 { // at once: the order among them is not seen from here
				line = line[:len(line)-came]
			}
			last := l.Trace().Last()
			do(t, l, Release{})
			if l.Trace().Last() == last {
				t.Fatal("a release added no step")
			}
			// Natively one that it has woken may tell of it sooner.
			moved := false
			for n := last + 1; n <= l.Trace().Last(); n++ {
				s := l.Trace().Step(n)
				moved = moved || s.Who == next || s.Kind == Closed
			}
			if !moved {
				t.Fatalf("released %v, which did not move", next)
			}
			line = slices.DeleteFunc(line, func(w Who) bool { return w == next })
		}
	})
}

func TestStepperQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newStepper()
		sit := func(f func(Who), w Who) {
			go f(w)
			synctest.Wait()
		}
		c.hold(true)
		pass := func(w Who) { c.pass(w) }
		at := func(d time.Duration) func(Who) { return func(w Who) { c.sleep(w, d) } }
		sit(at(2), 1)
		sit(at(1), 2)
		for _, w := range []Who{5, 3, 9, 4, 8} {
			sit(pass, w)
		}
		sit(at(1), 6)
		sit(at(0), 7) // held, though it is due
		c.wake(1)
		for _, want := range []Who{1, 5, 3, 9, 4, 8, 7} { // 1 is due now, and was first
			if w, _ := c.releaseOne(0); w != want || c.now() != 0 {
				t.Errorf("released %d at %v, want %d", w, c.now(), want)
			}
		}
		if _, ok := c.releaseOne(5); ok {
			t.Error("released one that is not there")
		}
		c.moveTo(time.Hour)
		if c.now() != 1 {
			t.Errorf("time went past one that is due, to %v", c.now())
		}
		if c.next(0) {
			t.Error("released one that is not due")
		}
		if w, ok := c.releaseOne(6); !ok || w != 6 {
			t.Error("did not release the chosen one")
		}
		c.abort()
		c.sleep(1, time.Hour) // returns
		c.pass(1)
	})
}

func TestReleaseOneThatIsChosen(t *testing.T) {
	bubble(t, overload(), func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 60)
		if err := l.Do(Release{}); err == nil || !strings.Contains(err.Error(), "Pause first") {
			t.Errorf("released while time runs: %v", err)
		}
		do(t, l, Pause{})
		for _, w := range []Who{NewWho(Worker, 3), NewWho(Worker, 1), NewWho(Reader, 2)} {
			last := l.Trace().Last()
			do(t, l, Release{w})
			if s := l.Trace().Step(last + 1); s.Who != w {
				t.Errorf("chose %v, and %v moved", w, s.Who)
			}
		}
		if err := l.Do(Release{NewWho(Runner, 1)}); err == nil || !strings.Contains(err.Error(), "another goroutine must wake it") {
			t.Errorf("released Run, which waits for the cancel: %v", err)
		}
		do(t, l, Resume{}, Stop{})
		untilStopped(t, l)
		do(t, l, Pause{})
		if err := l.Do(Release{NewWho(Worker, 1)}); err == nil || err.Error() != "worker 1 has ended" {
			t.Errorf("released one that has ended: %v", err)
		}
		if err := l.Do(Release{}); err == nil || err.Error() != "no goroutine waits to be released" {
			t.Errorf("released nobody: %v", err)
		}
		if err := l.Do(Release{NewWho(Worker, 9)}); err == nil || err.Error() != "there is no worker 9" {
			t.Errorf("released nobody: %v", err)
		}
	})
}

func TestReleasedIntoAFullBufferIsShownBlocked(t *testing.T) {
	sc := overload()
	sc.Cost = 5 * time.Second
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{}, Pause{})
		me := NewWho(Producer, 1)
		for range 200 {
			v := l.Trace().Now()
			g := v.Find(me)
			if g.Waiting() && len(v.Queue) == v.Capacity && l.Trace().Place(g.Place).Where == Held {
				break
			}
			do(t, l, Release{})
		}
		do(t, l, Release{me})
		v := l.Trace().Now()
		g := v.Find(me)
		p := l.Trace().Place(g.Place)
		if p.Func != "(*AsyncCollector).Submit" || p.Where != InPool || p.Reason != "select" {
			t.Errorf("it is at %+v", p)
		}
		if why := l.Trace().Why(v, g, l.Now()); why != "blocked sending to a full buffer: wakes when a worker receives, or on Stop" {
			t.Error(why)
		}
		if err := l.Do(Release{me}); err == nil {
			t.Error("it was released though it is blocked")
		}
	})
}

// The buffer is drawn in the order in which its events will be received, also
// if the learner lets the producers go in another order than they came.
func TestBufferOrderIsTheChannels(t *testing.T) {
	sc := overload()
	sc.Cost, sc.Workers, sc.Producers = 5*time.Second, 1, 3
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{}, Pause{})
		one, two, three, worker := NewWho(Producer, 1), NewWho(Producer, 2), NewWho(Producer, 3), NewWho(Worker, 1)
		until := func(w Who, k Kind) {
			t.Helper()
			for range 10 {
				if l.Trace().Now().Find(w).Kind == k {
					return
				}
				do(t, l, Release{w})
			}
			t.Fatalf("%v is not %v", w, k)
		}
		for l.Trace().Now().Find(worker).Kind != Received {
			do(t, l, Release{three}) // until the worker has its hands full
		}
		until(one, Submitting)
		first := l.Trace().Now().Find(one).Event
		until(two, Submitting)
		second := l.Trace().Now().Find(two).Event
		until(two, Accepted)
		until(one, Accepted)
		var drawn []uint32
		for _, q := range l.Trace().Now().Queue {
			drawn = append(drawn, q.Event)
		}
		if want := []uint32{second, first}; !slices.Equal(drawn, want) {
			t.Errorf("the buffer is drawn as %v, and holds %v", drawn, want)
		}
	})
}

func TestReleasedIntoALockIsShownBlocked(t *testing.T) {
	withLock(t, slow(), func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 30)
		do(t, l, Pause{})
		seen := map[string]bool{}
		for range 400 {
			do(t, l, Release{})
			v := l.Trace().Now()
			for i := range v.Crew {
				g := &v.Crew[i]
				p := l.Trace().Place(g.Place)
				if g.Kind != AtDoor || p.Where != AtLock {
					continue
				}
				why := l.Trace().Why(v, g, l.Now())
				seen[p.Reason] = true
				if !strings.HasPrefix(why, p.Reason+": wakes when ") {
					t.Fatalf("%v at %+v: %s", g.Who, p, why)
				}
				if err := l.Do(Release{g.Who}); err == nil {
					t.Fatalf("%v was released though it waits for the lock", g.Who)
				}
			}
		}
		for _, r := range []string{"sync.RWMutex.Lock", "sync.RWMutex.RLock"} {
			if !seen[r] {
				t.Errorf("nobody was seen in %s, only in %v", r, seen)
			}
		}
		do(t, l, Resume{}, Stop{})
		untilStopped(t, l)
	})
}

// inside checks what a lock promises, from the trace alone.
func TestTheLockIsALock(t *testing.T) {
	withLock(t, slow(), func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 300)
		tr := l.Trace()
		v := NewView(tr.Scenario)
		together := 0
		for n := uint64(1); n <= tr.Last(); n++ {
			v.Apply(tr.Step(n))
			var readers, writers int
			for i := range v.Crew {
				if g := &v.Crew[i]; g.Kind == Inside && g.Who.Role() == Worker {
					writers++
				} else if g.Kind == Inside && g.Due > v.At {
					readers++
				}
			}
			if writers > 1 || writers > 0 && readers > 0 {
				t.Fatalf("after step %d %d writers and %d readers are inside", n, writers, readers)
			}
			together = max(together, readers)
		}
		if together < 2 {
			t.Error("readers are never inside together")
		}
	})
}

func TestAHundredStepsBackAndForth(t *testing.T) {
	bubble(t, overload(), func(l *Lab) {
		pausedBusy(t, l)
		tr := l.Trace()
		var views []View
		var at []uint64
		for range 100 {
			views, at = append(views, tr.Now().Clone()), append(at, tr.Last())
			do(t, l, Release{})
		}
		end := tr.Now().Clone()
		var v View
		n := tr.Last()
		for i := len(views) - 1; i >= 0; i-- {
			if n = tr.Before(n); n != at[i] {
				t.Fatalf("back from release %d leads to step %d, want %d", i+1, n, at[i])
			}
			if tr.Seek(&v, n); !sameView(&v, &views[i]) {
				t.Fatalf("before release %d it was\n%+v, and is shown as\n%+v", i+1, views[i], v)
			}
		}
		for range 100 {
			n = tr.After(n)
		}
		if tr.Seek(&v, n); n != tr.Last() || !sameView(&v, &end) {
			t.Error("forth again does not lead to the end")
		}
	})
}

func TestSeekIsAFold(t *testing.T) {
	tr := busyTrace(t, overload(), ringSize, 64, 300, Stop{})
	w := NewView(tr.Scenario)
	var v View
	for n := tr.First(); n <= tr.Last(); n++ {
		if n > 0 {
			w.Apply(tr.Step(n))
		}
		if tr.Seek(&v, n); !sameView(&v, &w) {
			t.Fatalf("after step %d: %+v, want %+v", n, v, w)
		}
		if f := tr.Find(w.At); f < n || tr.timeOf(f) != w.At {
			t.Fatalf("step %d at %v is found as %d", n, w.At, f)
		}
	}
	for _, n := range []uint64{tr.Last() + 1, 1 << 60} {
		if tr.Seek(&v, n); v.Step != tr.Last() {
			t.Errorf("beyond the end it shows step %d", v.Step)
		}
	}
}

func TestRingForgets(t *testing.T) {
	const size, every = 1024, 128
	sc := overload()
	sc.Rate, sc.Cost = 1000, 5*time.Millisecond
	oneRun := func(ticks int) *Trace { return busyTrace(t, sc, size, every, ticks, nil) }
	short, long := oneRun(100), oneRun(1500)
	if short.First() == 0 || long.First() <= short.First() || long.Dropped() != long.First() {
		t.Fatalf("the oldest step is %d, and later %d", short.First(), long.First())
	}
	if kept := long.Last() - long.First(); kept > size || kept < size-2*every {
		t.Errorf("%d steps are kept", kept)
	}
	if a, b := short.Bytes(), long.Bytes(); b > a*3/2+len(long.Points())*48 {
		t.Errorf("it grows from %d to %d bytes", a, b)
	}
	v, w := long.marks[0].Clone(), long.marks[0].Clone()
	for n := long.First() + 1; n <= long.Last(); n++ {
		w.Apply(long.Step(n))
		if long.Seek(&v, n); !sameView(&v, &w) {
			t.Fatalf("the view after step %d is wrong", n)
		}
	}
	if long.Seek(&v, 1); v.Step != long.First() {
		t.Errorf("before the oldest step it shows %d", v.Step)
	}
	if n := long.Before(long.First()); n != long.First() {
		t.Errorf("back from the start leads to %d", n)
	}
}

// In each phase each message does what it says, or says why not; and a lab that
// is closed in any of them leaves no goroutine.
func TestMessagesInEachPhase(t *testing.T) {
	phases := map[string]func(l *Lab){
		"idle":     func(l *Lab) {},
		"running":  func(l *Lab) { do(t, l, Start{}); ticks(l, 60) },
		"draining": func(l *Lab) { do(t, l, Start{}); ticks(l, 60); do(t, l, Stop{}) },
		"stopped":  func(l *Lab) { do(t, l, Start{}); ticks(l, 60); do(t, l, Stop{}); untilStopped(t, l) },
	}
	refused := map[string][]string{ // by message, the phases that refuse it
		"Start":    {"running", "draining"},
		"Stop":     {"idle", "draining", "stopped"},
		"Kill":     {"idle", "stopped"},
		"Burst":    {"idle", "draining", "stopped"},
		"Pause":    {"idle"},
		"Resume":   {"idle"},
		"Release":  {"idle"},
		"UseStore": {"running", "draining"},
		"Use":      {"running", "draining"},
	}
	for phase, reach := range phases {
		for _, m := range []Message{Start{}, Stop{}, Kill{}, Reset{}, Burst{}, Pause{}, Resume{}, Release{}, UseStore{true}, Use{overload()}} {
			for _, paused := range []bool{false, true} {
				what := strings.TrimPrefix(fmt.Sprintf("%T", m), "lab.")
				t.Run(fmt.Sprintf("%s/%s/paused=%v", phase, what, paused), func(t *testing.T) {
					bubble(t, overload(), func(l *Lab) {
						reach(l)
						if paused && phase != "idle" {
							do(t, l, Pause{})
						}
						err := l.Do(m)
						want := slices.Contains(refused[what], phase) || what == "Release" && !(paused && phase != "stopped")
						if (err != nil) != want {
							t.Fatalf("error %v, want one: %v", err, want)
						}
						if err != nil {
							if l.Phase().String() != phase {
								t.Errorf("refused, and yet the phase is %v", l.Phase())
							}
							return
						}
						after := phase
						switch what {
						case "Start":
							after = "running"
						case "Stop", "Kill":
							after = "draining"
						case "Reset":
							after = "idle"
						}
						if got := l.Phase().String(); got != after {
							t.Errorf("the phase is %s, want %s", got, after)
						}
						if what == "Kill" || what == "Stop" {
							if l.Paused() {
								do(t, l, Resume{})
							}
							untilStopped(t, l)
							g := l.Trace().Now().Ledger()
							if lost := what == "Kill"; (g.Abandoned > 0) != lost || g.Stored+g.Abandoned != g.Accepted {
								t.Errorf("%+v", g)
							}
						}
					})
				})
			}
		}
	}
}

func TestTurn(t *testing.T) {
	bubble(t, overload(), func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 50)
		crew := func(r Role) int {
			n := 0
			v := l.Trace().Now()
			for i := range v.Crew {
				if g := &v.Crew[i]; g.Who.Role() == r && g.Kind != Left && g.Kind != NoKind {
					n++
				}
			}
			return n
		}
		rate := func() uint64 {
			before := l.Trace().Now().Stored
			ticks(l, 250)
			return l.Trace().Now().Stored - before
		}
		for _, n := range []float64{1, 8, 2} {
			do(t, l, Turn{"producers", n}, Turn{"readers", n})
			ticks(l, 250)
			if p, r := crew(Producer), crew(Reader); p != int(n) || r != int(n) {
				t.Errorf("turned to %v: %d producers, %d readers", n, p, r)
			}
		}
		// There and back at once, also while nobody can leave.
		for _, paused := range []bool{false, true} {
			if paused {
				do(t, l, Pause{})
			}
			do(t, l, Turn{"producers", 1}, Turn{"readers", 0}, Turn{"producers", 3}, Turn{"readers", 2})
			if paused {
				do(t, l, Resume{})
			}
			ticks(l, 250)
			if p, r := crew(Producer), crew(Reader); p != 3 || r != 2 {
				t.Errorf("there and back: %d producers, %d readers", p, r)
			}
		}
		do(t, l, Turn{"cost", 150})
		slow := rate()
		do(t, l, Turn{"cost", 15}, Turn{"rate", 1000})
		if fast := rate(); fast < 8*slow {
			t.Errorf("a tenth of the processing time stores %d in place of %d", fast, slow)
		}
		do(t, l, Turn{"rate", 5})
		ticks(l, 20)
		if n := rate(); n < 10 || n > 45 {
			t.Errorf("5 s at 5 events a second stored %d", n)
		}
		now := l.Now()
		do(t, l, Turn{"speed", 20})
		if ticks(l, 50); l.Now()-now != 20*time.Second {
			t.Errorf("at 20 times a second takes %v", l.Now()-now)
		}
		for _, m := range []Turn{{"workers", 5}, {"buffer", 17}, {"rate", 0}, {"rate", 1e9}, {"readers", 1.5}, {"cost", -1}, {"colour", 1}} {
			if err := l.Do(m); err == nil {
				t.Errorf("%v was taken", m)
			}
		}
		turns := 0
		for n := uint64(1); n <= l.Trace().Last(); n++ {
			if s := l.Trace().Step(n); s.Kind == Turned {
				turns++
			}
		}
		if turns < 10 {
			t.Errorf("the trace tells of %d turns", turns)
		}
	})
}

// A producer or reader that comes back under an old name is a new goroutine:
// where it is must be its own place.
func TestPlaceOfOneThatCameBack(t *testing.T) {
	sc := overload()
	sc.Cost = 5 * time.Second
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{}, Turn{"producers", 1})
		ticks(l, 100)
		do(t, l, Turn{"producers", 3})
		ticks(l, 100)
		g := l.Trace().Now().Find(NewWho(Producer, 3))
		if p := l.Trace().Place(g.Place); !g.Waiting() || p.Func != "(*AsyncCollector).Submit" {
			t.Errorf("%v, at %+v", g.Kind, p)
		}
	})
}

func TestTickGivesUpWhatItHasNoTimeFor(t *testing.T) {
	sc := overload()
	sc.Rate, sc.Cost = 10_000, 0
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{})
		n := 0
		l.Tick(time.Hour, func() bool { n++; return n < 100 })
		if n > 200 || l.Now() > time.Second {
			t.Errorf("%d releases, lab time %v", n, l.Now())
		}
		for range 100 {
			l.Tick(time.Second, func() bool { return false })
		}
		if l.Pace() > 0.1 {
			t.Errorf("the pace is said to be %v", l.Pace())
		}
	})
}

func TestChartsAddUp(t *testing.T) {
	sc := Default()
	sc.Rate = 20
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{})
		ticks(l, 500)
		points := l.Trace().Points()
		if len(points) != 100 {
			t.Fatalf("%d points in 10 s", len(points))
		}
		in, out := 0.0, 0.0
		for i := 9; i < len(points); i += 10 { // each says what came in the second before it
			in += points[i].In
			out += points[i].Out
		}
		g := l.Trace().Now().Ledger()
		if in != float64(g.Accepted) || out != float64(g.Stored) {
			t.Errorf("in %v and out %v, ledger %+v", in, out, g)
		}
	})
}

func TestLife(t *testing.T) {
	for name, tr := range map[string]*Trace{
		"drained": busyTrace(t, overload(), ringSize, 128, 200, Stop{}),
		"killed":  busyTrace(t, overload(), ringSize, 128, 200, Kill{}),
		"lock":    busyTrace(t, slow(), ringSize, 128, 100, Stop{}),
		"dropped": busyTrace(t, overload(), 512, 64, 300, nil),
	} {
		t.Run(name, func(t *testing.T) {
			outcomes := map[Outcome]uint64{}
			onTheWay := uint64(0)
			for _, e := range tr.Recent(tr.Last(), 1<<20) {
				l, ok := tr.Life(e, tr.Last())
				if !ok {
					t.Fatalf("event %d has no life", e)
				}
				outcomes[l.Outcome]++
				if l.Outcome == OnTheWay {
					onTheWay++
				}
				sum := time.Duration(0)
				for i, s := range l.Stages {
					sum += s.To - s.From
					if s.To < s.From || i > 0 && s.From != l.Stages[i-1].To {
						t.Fatalf("event %d: stages %+v", e, l.Stages)
					}
				}
				if sum != l.To-l.From {
					t.Errorf("event %d: its stages make %v, its life %v", e, sum, l.To-l.From)
				}
				// At each earlier instant the life is the beginning of this one.
				for _, s := range l.Stages {
					part, ok := tr.Life(e, s.Step)
					if !ok || part.Stages[len(part.Stages)-1].Step != s.Step || part.To != s.From {
						t.Fatalf("event %d as of step %d: %+v", e, s.Step, part)
					}
				}
			}
			g := tr.Now().Ledger()
			if name == "dropped" {
				return
			}
			if outcomes[WasStored] != g.Stored || outcomes[WasRejected] != g.Rejected || outcomes[WasAbandoned] != g.Abandoned || onTheWay != 0 {
				t.Errorf("%v, ledger %+v", outcomes, g)
			}
		})
	}
	if _, ok := NewTrace(Default()).Life(1, 0); ok {
		t.Error("an event has a life before it was submitted")
	}
}

func TestLifeOfWhatCameBeforeTheTrace(t *testing.T) {
	tr := busyTrace(t, overload(), 256, 32, 400, nil)
	start := &tr.marks[0]
	if tr.First() == 0 || len(start.Queue) == 0 {
		t.Fatal("nothing has been dropped")
	}
	q := start.Queue[0]
	l, ok := tr.Life(q.Event, tr.Last())
	if !ok || l.From != q.From || l.Stages[0].Step != 0 || l.Stages[1].From != q.Since {
		t.Errorf("%+v", l)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := NoKind; k < numKinds; k++ {
		if k.String() == "?" || k.String() == "" {
			t.Errorf("kind %d is called %q", k, k)
		}
		seen[k.String()] = true
	}
	if numKinds.String() != "?" || len(seen) < int(numKinds)-1 { // producers and readers both rest
		t.Errorf("%d names for %d kinds", len(seen), numKinds)
	}
}

// On several cores a worker may have received an event before the runtime tells
// its producer that it was accepted.
func TestReceivedBeforeSubmitReturns(t *testing.T) {
	tr := NewTrace(Default())
	p, w := NewWho(Producer, 1), NewWho(Worker, 1)
	for i, s := range []Step{
		{Who: p, Kind: Submitting}, {Who: w, Kind: Received}, {Who: w, Kind: Working, Value: 5},
		{Who: p, Kind: Accepted, Value: 1}, {Who: w, Kind: Stored},
	} {
		s.At, s.Event = time.Duration(i)*time.Microsecond, 1
		tr.add(s)
		if g := tr.Now().Ledger(); !g.Balanced() || g.Buffered > 0 || g.Accepted != min(uint64(i), 1) {
			t.Errorf("after %v: %+v", s.Kind, g)
		}
	}
	l, _ := tr.Life(1, tr.Last())
	var names []string
	for _, s := range l.Stages {
		names = append(names, s.Name)
	}
	if got, want := strings.Join(names, ", "), "waited at the full buffer, received by worker 1, processed, stored"; got != want {
		t.Errorf("its life: %s, want %s", got, want)
	}
}

func TestDraws(t *testing.T) {
	const n = 100_000
	var counts [NumKeys]float64
	least, most, sum := time.Hour, time.Duration(0), time.Duration(0)
	for e := range uint32(n) {
		counts[keyOf(7, e)]++
		c := costOf(7, e, time.Second)
		least, most, sum = min(least, c), max(most, c), sum+c
	}
	for k := range counts {
		if ratio := counts[0] / counts[k] / float64(k+1); ratio < 0.9 || ratio > 1.1 {
			t.Errorf("key %d has %v events, key 0 %v", k, counts[k], counts[0])
		}
	}
	if least < 500*time.Millisecond || most > 1500*time.Millisecond || sum/n < 990*time.Millisecond || sum/n > 1010*time.Millisecond {
		t.Errorf("costs from %v to %v, mean %v", least, most, sum/n)
	}
}

// Two Submits that waited may be told of it in another order than their events
// are in the channel.
func TestAcceptedOutOfOrder(t *testing.T) {
	v := NewView(Default())
	for i, call := range []uint32{1, 3, 2} {
		p := NewWho(Producer, i+1)
		v.Apply(Step{Who: p, Kind: Submitting, Event: call})
		v.Apply(Step{Who: p, Kind: Accepted, Event: call, Value: call})
	}
	for i, q := range v.Queue {
		if q.Event != uint32(i+1) {
			t.Errorf("place %d of the buffer has event %d", i, q.Event)
		}
	}
}
