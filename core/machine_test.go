package core_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"sluice/core"
)

// A machine drives a collector, one call at a time, and knows what must be true
// once everything has come to rest. Its store holds each Inc until it is let go,
// so that every place an event can be in is visited.
type machine struct {
	workers, buffer int
	c               *core.AsyncCollector
	store           *probe
	gate            chan struct{}
	run             <-chan error
	results         chan result

	// The reference: how many events are where.
	next             int            // number of the next event
	waiting          map[int]func() // blocked calls of Submit, with what cancels each
	queued, held     int
	processed        int
	accepted         map[string]bool
	started, stopped bool
	killed, returned bool
	abandoned        int
}

type result struct {
	event int
	err   error
}

// settle moves what can move: workers take events, waiting callers fill the room.
func (m *machine) settle() (letIn int) {
	running := m.started && !m.returned
	for {
		switch {
		case running && !m.killed && m.held < m.workers && m.queued > 0:
			m.queued--
			m.held++
		case !m.stopped && letIn < len(m.waiting) && m.queued < m.buffer:
			m.queued++
			letIn++
		default:
			return letIn
		}
	}
}

// rest waits until nothing moves and compares the collector with the reference.
// refused says how the calls that wait end if they are not let in.
func (m *machine) rest(t *rapid.T) {
	letIn := m.settle()
	synctest.Wait()
	for len(m.results) > 0 {
		r := <-m.results
		if m.waiting[r.event] == nil {
			t.Fatalf("event %d: nobody waited, and yet: %v", r.event, r.err)
		}
		delete(m.waiting, r.event)
		switch {
		case r.err == nil && letIn > 0:
			letIn--
			m.accepted[event(r.event).Key] = true
		case m.stopped && errors.Is(r.err, core.ErrStopped):
		default:
			t.Fatalf("event %d, waiting: %v (stopped: %v)", r.event, r.err, m.stopped)
		}
	}
	if letIn > 0 || m.stopped && len(m.waiting) > 0 {
		t.Fatalf("%d should have been let in, %d still wait, stopped: %v", letIn, len(m.waiting), m.stopped)
	}
	done := m.started && m.stopped && m.held == 0 && (m.killed || m.queued == 0)
	if done && !m.returned {
		m.abandoned, m.queued = m.queued, 0
		m.returned = true
		select {
		case err := <-m.run:
			if errors.Is(err, core.ErrAbandoned) != (m.abandoned > 0) || m.abandoned == 0 && err != nil {
				t.Fatalf("Run returned %v with %d abandoned", err, m.abandoned)
			}
		default:
			t.Fatal("Run has not returned")
		}
	} else if m.started && !m.returned && len(m.run) > 0 {
		t.Fatalf("Run returned %v too early", <-m.run)
	}
	want := core.Stats{
		Accepted: uint64(len(m.accepted)), Processed: uint64(m.processed), Abandoned: uint64(m.abandoned),
		Queued: m.queued, Capacity: m.buffer, Workers: m.workers,
	}
	if got := m.c.Stats(); got != want {
		t.Fatalf("%+v\nwant %+v", got, want)
	}
	keys := m.store.keys()
	seen := make(map[string]bool)
	for _, k := range keys {
		if seen[k] || !m.accepted[k] {
			t.Fatalf("%s: stored before: %v, accepted: %v", k, seen[k], m.accepted[k])
		}
		seen[k] = true
	}
	if len(keys) != m.processed {
		t.Fatalf("stored %d, want %d", len(keys), m.processed)
	}
}

func (m *machine) submit(t *rapid.T) {
	if len(m.waiting) == 5 {
		t.Skip("enough wait")
	}
	i := m.next
	m.next++
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		err := m.c.Submit(ctx, event(i))
		m.results <- result{i, err}
	}()
	m.waiting[i] = cancel
	m.rest(t)
}

func (m *machine) trySubmit(t *rapid.T) {
	i := m.next
	m.next++
	var want error
	if m.stopped {
		want = core.ErrStopped
	} else if m.queued == m.buffer {
		want = core.ErrFull
	}
	err := m.c.TrySubmit(event(i))
	if !errors.Is(err, want) {
		t.Fatalf("TrySubmit: %v, want %v", err, want)
	}
	if err == nil {
		m.queued++
		m.accepted[event(i).Key] = true
	}
	m.rest(t)
}

func (m *machine) giveUp(t *rapid.T) {
	if len(m.waiting) == 0 {
		t.Skip("nobody waits")
	}
	i := slices.Min(slices.Collect(maps.Keys(m.waiting)))
	m.waiting[i]()
	synctest.Wait()
	if r := <-m.results; r.event != i || !errors.Is(r.err, context.Canceled) {
		t.Fatalf("event %d gave up; event %d returned %v", i, r.event, r.err)
	}
	delete(m.waiting, i)
	m.rest(t)
}

func (m *machine) begin(t *rapid.T, ctx context.Context) {
	if m.started {
		if err := m.c.Run(ctx); !errors.Is(err, core.ErrRunning) {
			t.Fatalf("Run again: %v", err)
		}
		return
	}
	m.run = start(ctx, m.c)
	m.started = true
	if ctx.Err() != nil {
		m.stopped = true
	}
	m.rest(t)
}

func (m *machine) release(t *rapid.T) {
	if m.held == 0 {
		t.Skip("no event is in hand")
	}
	m.gate <- struct{}{}
	m.held--
	m.processed++
	m.rest(t)
}

func TestMachine(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{
			workers:  rapid.IntRange(1, 3).Draw(rt, "workers"),
			buffer:   rapid.IntRange(1, 3).Draw(rt, "buffer"),
			gate:     make(chan struct{}),
			results:  make(chan result, 8),
			waiting:  make(map[int]func()),
			accepted: make(map[string]bool),
		}
		// A failure inside the bubble has to leave it before rapid may see it.
		var failure any
		synctest.Test(t, func(t *testing.T) {
			m.gate, m.results = make(chan struct{}), make(chan result, 8)
			m.store = &probe{hold: func(string) { <-m.gate }}
			m.c = newCollector(t, m.store, core.Config{Workers: m.workers, Buffer: m.buffer})
			ctx, cancel := context.WithCancel(context.Background())
			defer func() { // let everything end, whatever happened
				failure = recover()
				cancel()
				m.c.Kill()
				close(m.gate)
				if !m.started {
					m.c.Run(ctx)
				}
				synctest.Wait()
			}()
			rt.Repeat(map[string]func(*rapid.T){
				"Submit":      m.submit,
				"TrySubmit":   m.trySubmit,
				"give up":     m.giveUp,
				"release":     m.release,
				"release too": m.release,
				"Run":         func(rt *rapid.T) { m.begin(rt, ctx) },
				"cancel": func(rt *rapid.T) {
					cancel()
					m.stopped = m.stopped || m.started
					m.rest(rt)
				},
				"Kill": func(rt *rapid.T) {
					m.c.Kill()
					m.killed, m.stopped = true, true
					m.rest(rt)
				},
			})
		})
		if rt.Failed() { // else rapid takes what it gives up on for the failure
			rt.FailNow()
		}
		if failure != nil {
			panic(failure)
		}
	})
}
