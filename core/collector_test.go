package core_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"sluice/core"
)

func TestNewAsyncCollector(t *testing.T) {
	store := core.NewMemoryStore()
	for _, c := range []struct {
		name  string
		store core.MetricStore
		cfg   core.Config
		want  string // in the error; empty for none
	}{
		{"least", store, core.Config{Workers: 1, Buffer: 1}, ""},
		{"no store", nil, core.Config{Workers: 1, Buffer: 1}, "store must not be nil"},
		{"zero", store, core.Config{}, "workers must be at least 1, got 0"},
		{"no worker", store, core.Config{Buffer: 1}, "workers must be at least 1, got 0"},
		{"negative workers", store, core.Config{Workers: math.MinInt, Buffer: 1}, "workers must be at least 1, got -"},
		{"no buffer", store, core.Config{Workers: 1}, "buffer must be at least 1, got 0"},
		{"negative buffer", store, core.Config{Workers: 1, Buffer: -3}, "buffer must be at least 1, got -3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := core.NewAsyncCollector(c.store, c.cfg)
			if c.want == "" {
				if err != nil || got == nil {
					t.Fatalf("got %v, %v", got, err)
				}
				return
			}
			if got != nil || !errors.Is(err, core.ErrConfig) || !strings.Contains(err.Error(), "core: "+c.want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestStateString(t *testing.T) {
	for state, want := range map[core.State]string{
		core.Idle: "idle", core.Processing: "processing", core.Draining: "draining", core.Exited: "exited", 9: "State(9)",
	} {
		if got := state.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Every figure, at each stage of a collector's life.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		c := newCollector(t, &probe{hold: func(string) { <-open }}, core.Config{Workers: 2, Buffer: 3})
		check := func(when string, accepted, processed, abandoned uint64, queued int) {
			t.Helper()
			synctest.Wait()
			want := core.Stats{Accepted: accepted, Processed: processed, Abandoned: abandoned, Queued: queued, Capacity: 3, Workers: 2}
			if got := c.Stats(); got != want {
				t.Errorf("%s: %+v, want %+v", when, got, want)
			}
		}
		check("new", 0, 0, 0, 0)
		submit(t, c, 1, 3)
		check("before Run", 3, 0, 0, 3)
		ctx, cancel := context.WithCancel(t.Context())
		done := start(ctx, c)
		check("two in hand", 3, 0, 0, 1)
		for range 3 {
			open <- struct{}{}
		}
		check("all idle again", 3, 3, 0, 0)
		submit(t, c, 4, 5)
		check("two in hand again", 5, 3, 0, 0)
		submit(t, c, 6, 8)
		if err := c.TrySubmit(event(9)); !errors.Is(err, core.ErrFull) {
			t.Errorf("TrySubmit: %v", err)
		}
		check("full", 8, 3, 0, 3)
		go c.Submit(ctx, event(10))
		check("one waits", 8, 3, 0, 3)
		open <- struct{}{}
		check("it has its place", 9, 4, 0, 3)
		cancel()
		check("draining", 9, 4, 0, 3)
		open <- struct{}{}
		check("one drained", 9, 5, 0, 2)
		c.Kill()
		check("killed, two in hand", 9, 5, 0, 2)
		open <- struct{}{}
		check("one worker has exited", 9, 6, 0, 2)
		open <- struct{}{}
		<-done
		check("after Run", 9, 7, 2, 0)
	})
}

// What an observer is told, and when: each step before what it announces ends,
// and Stats right whenever it holds a worker.
func TestObserve(t *testing.T) {
	synctest.Test(t, testObserve)
}

func testObserve(t *testing.T) {
	var c *core.AsyncCollector
	var log stepLog
	var processed []uint64
	store := new(probe)
	c = newCollector(t, store, core.Config{Workers: 1, Buffer: 2, Observe: func(s core.Step) {
		log.add(s)
		processed = append(processed, c.Stats().Processed)
		if (s.State == core.Processing) != (s.Event != core.LogEvent{}) {
			t.Errorf("%v with %+v", s.State, s.Event)
		}
		if s.State == core.Processing && store.Get(s.Event.Key) != 0 {
			t.Errorf("%s was stored before it was announced", s.Event.Key)
		}
	}})
	submit(t, c, 1, 2)
	ctx, cancel := context.WithCancel(t.Context())
	store.hold = func(key string) {
		if key == "e2" {
			cancel()
		}
	}
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	want := []core.State{core.Idle, core.Processing, core.Idle, core.Processing, core.Draining, core.Exited}
	counts := []uint64{0, 0, 1, 1, 2, 2}
	for i, s := range log.states(1) {
		if i >= len(want) || s != want[i] || processed[i] != counts[i] {
			t.Fatalf("states %v, want %v; processed %v, want %v", log.states(1), want, processed, counts)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	synctest.Test(t, testNoAllocations) // which sees at once if all are blocked
}

func testNoAllocations(t *testing.T) {
	store := core.NewMemoryStore()
	c := newCollector(t, store, core.Config{Workers: 1, Buffer: 4})
	ctx, cancel := context.WithCancel(t.Context())
	done := start(ctx, c)
	e := core.LogEvent{Key: "k"}
	store.Inc("k")
	if n := testing.AllocsPerRun(2000, func() { c.Submit(ctx, e) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
	cancel()
	<-done
}
