package lab

import (
	"context"
	"fmt"
	"time"
)

// Record runs the scenario on all cores, with the machine's clock, and returns
// its trace. It stops the pool after d, or sooner if ctx is cancelled, and waits
// for the drain. The error says how the ledger, the collector's own counters
// and the store disagree, if they do.
//
// Nothing is ever held still in such a run, so its trace does not know where
// goroutines were at rest, and each of its steps is an instant of its own.
func Record(ctx context.Context, sc Scenario, d time.Duration) (*Trace, error) {
	return record(ctx, sc, d, Collector)
}

func record(ctx context.Context, sc Scenario, d time.Duration, newPool NewPool) (*Trace, error) {
	t := NewTrace(sc)
	t.Parallel = true
	r, err := start(sc, newPool, newWall(sc.Speed), t)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	r.stop()
	<-r.over
	r.dismiss()
	r.group.Wait()
	if err := t.now.Check(r.pool.Stats(), r.store.sum()); err != nil {
		return nil, fmt.Errorf("the run did not add up: %w", err)
	}
	return t, nil
}

// dismiss lets the producers go that would still come and be turned away.
func (r *run) dismiss() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w, p := range r.producers {
		p.leaving = true
		p.leave()
		r.clock.wake(w)
	}
}
