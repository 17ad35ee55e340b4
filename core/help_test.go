package core_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"sluice/core"
)

func TestMain(m *testing.M) {
	// Under js/wasm the runtime keeps a goroutine for the browser's events.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent"))
}

// A probe is a store that remembers every Inc, in order. If hold is set, each
// Inc calls it before it counts, with the key.
type probe struct {
	hold func(key string)

	mu     sync.Mutex
	order  []string
	counts map[string]int
}

func (p *probe) Inc(key string) {
	if p.hold != nil {
		p.hold(key)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts == nil {
		p.counts = make(map[string]int)
	}
	p.counts[key]++
	p.order = append(p.order, key)
}

func (p *probe) Get(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[key]
}

func (p *probe) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.order)
}

// A log collects the steps of all workers.
type stepLog struct {
	mu    sync.Mutex
	steps []core.Step
}

func (l *stepLog) add(s core.Step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, s)
}

func (l *stepLog) states(worker int) (states []core.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.steps {
		if s.Worker == worker {
			states = append(states, s.State)
		}
	}
	return states
}

func newCollector(t testing.TB, store core.MetricStore, cfg core.Config) *core.AsyncCollector {
	t.Helper()
	c, err := core.NewAsyncCollector(store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start calls Run on a goroutine of its own; the channel delivers what it returns.
func start(ctx context.Context, c *core.AsyncCollector) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return done
}

func event(i int) core.LogEvent {
	return core.LogEvent{ID: uint64(i), Key: fmt.Sprint("e", i)}
}

// submit has c accept the events first to last, for which there must be room.
func submit(t testing.TB, c *core.AsyncCollector, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		if err := c.TrySubmit(event(i)); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
}

// sameKeys fails the test unless got and want hold the same keys, each as often.
func sameKeys(t testing.TB, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if slices.Equal(got, want) {
		return
	}
	n := make(map[string]int)
	for _, k := range want {
		n[k]++
	}
	for _, k := range got {
		n[k]--
	}
	for k, d := range n {
		if d > 0 {
			t.Errorf("%s was accepted and is not stored", k)
		} else if d < 0 {
			t.Errorf("%s is stored %d times too often", k, -d)
		}
	}
}
