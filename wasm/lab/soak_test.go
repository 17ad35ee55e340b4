//go:build long

package lab

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// frame is what a browser's frame is at speed 20.
const frame = time.Second / 60

// inUse is the memory in use when all that is not has been collected.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// ours is the number of goroutines that run this module's code. The runtime has
// its own, which come and go.
func ours() (n int) {
	buf := make([]byte, 1<<20)
	for block := range bytes.SplitSeq(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
		if bytes.Contains(block, []byte("sluice/")) {
			n++
		}
	}
	return n
}

// flat fails if the later samples lie above the earlier ones by more than a
// twentieth and 64 kB.
func flat(t *testing.T, what string, samples []uint64) {
	t.Helper()
	t.Logf("%s: %d", what, samples)
	n := len(samples) / 2
	before, after := slices.Max(samples[:n]), slices.Max(samples[n:])
	if after > before+before/20+1<<16 {
		t.Errorf("%s grows from %d to %d: %d", what, before, after, samples)
	}
}

// Half an hour of lab time at speed 20, with Stop or Kill and Start every few
// seconds: nothing is left over from one run to the next.
func TestSoakOfRuns(t *testing.T) {
	sc := Default()
	sc.Rate, sc.Workers, sc.Buffer, sc.Producers, sc.Cost, sc.Speed = 100, 8, 32, 4, 60*time.Millisecond, 20
	bubble(t, sc, func(l *Lab) {
		synctest.Wait()
		alone := ours()
		var heaps, traces []uint64
		runs, total := 0, time.Duration(0)
		do := func(m Message) {
			t.Helper()
			if err := l.Do(m); err != nil {
				t.Fatalf("run %d: %v", runs, err)
			}
		}
		for ; total < 30*time.Minute; runs++ {
			sc.Seed, sc.SlowLock = uint64(runs), runs%5 == 4
			if sc.SlowLock {
				sc.Readers = 0 // synctest cannot see a wait for a lock
				sc.Workers = 1
			} else {
				sc.Readers, sc.Workers = 2, 8
			}
			do(Use{sc})
			do(Start{})
			for end := time.Duration(3+runs%4) * time.Second; l.Now() < end; {
				l.Tick(frame, nil)
			}
			if runs%3 == 1 {
				do(Burst{})
			}
			if runs%4 == 3 {
				do(Kill{})
			} else {
				do(Stop{})
			}
			for !l.over() {
				l.Tick(frame, nil)
			}
			total += l.Now()
			synctest.Wait()
			v := l.Trace().Now()
			if led := v.Ledger(); !led.Balanced() || led.Waiting+led.InFlight+led.Buffered > 0 || led.Accepted == 0 {
				t.Fatalf("run %d: %+v", runs, led)
			}
			if err := l.Fault(); err != nil {
				t.Fatalf("run %d: %v", runs, err)
			}
			if n := ours(); n != alone {
				t.Fatalf("run %d: %d goroutines are left, %d at first", runs, n, alone)
			}
			if runs%20 == 19 {
				heaps = append(heaps, inUse())
				traces = append(traces, uint64(l.Trace().Bytes()))
			}
		}
		t.Logf("%d runs, %v of lab time", runs, total)
		flat(t, "heap", heaps)
		flat(t, "trace", traces)
	})
}

// One run that fills the ring of the trace, and goes on for three times as long.
func TestSoakOfOneRun(t *testing.T) {
	sc := Default()
	sc.Rate, sc.Workers, sc.Buffer, sc.Producers, sc.Cost, sc.Speed = 2000, 8, 64, 4, 3*time.Millisecond, 20
	bubble(t, sc, func(l *Lab) {
		if err := l.Do(Start{}); err != nil {
			t.Fatal(err)
		}
		var heaps, traces []uint64
		for next := uint64(ringSize + ringSize/4); next <= 4*ringSize; next += ringSize / 4 {
			for l.Trace().Last() < next {
				l.Tick(frame, nil)
			}
			if err := l.Fault(); err != nil {
				t.Fatal(err)
			}
			heaps = append(heaps, inUse())
			traces = append(traces, uint64(l.Trace().Bytes()))
		}
		if kept := l.Trace().Last() - l.Trace().Dropped(); kept < ringSize/2 || l.Trace().Dropped() == 0 {
			t.Errorf("%d steps are kept of %d", kept, l.Trace().Last())
		}
		t.Logf("%d steps, %v of lab time, %.1f bytes a step", l.Trace().Last(), l.Now(), float64(l.Trace().Bytes())/ringSize)
		flat(t, "heap", heaps)
		flat(t, "trace", traces)
	})
}
