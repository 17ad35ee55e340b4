package lab

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/core"
)

// wrongPool is a pool as textbooks have it, with one thing wrong at a time. It
// reports honestly what it counts.
type wrongPool struct {
	store core.MetricStore
	cfg   core.Config
	jobs  chan core.LogEvent

	leave    bool          // workers leave on ctx.Done, whatever is buffered
	gap      chan struct{} // if set, a Submit that has passed its check waits for it
	drop     bool          // every tenth event is accepted and thrown away
	twice    bool          // every tenth event is counted twice
	sneak    bool          // every tenth event is refused and stored all the same
	deny     bool          // Stats forgets every tenth event processed
	outlives bool          // Run returns while the workers are still at work

	stopped             atomic.Bool
	accepted, processed atomic.Uint64
}

func (p *wrongPool) Run(ctx context.Context) error {
	var group sync.WaitGroup
	for id := 1; id <= p.cfg.Workers; id++ {
		group.Go(func() { p.work(ctx, id) })
	}
	if p.outlives {
		<-ctx.Done()
		p.stopped.Store(true)
		return nil
	}
	group.Wait()
	return nil
}

func (p *wrongPool) work(ctx context.Context, id int) {
	note := func(s core.State, e core.LogEvent) { p.cfg.Observe(core.Step{Worker: id, State: s, Event: e}) }
	defer note(core.Exited, core.LogEvent{})
	process := func(e core.LogEvent) {
		note(core.Processing, e)
		p.store.Inc(e.Key)
		if p.twice && e.ID%10 == 0 {
			p.store.Inc(e.Key)
		}
		if !p.deny || e.ID%10 != 0 {
			p.processed.Add(1)
		}
	}
	for ctx.Err() == nil {
		note(core.Idle, core.LogEvent{})
		select {
		case e := <-p.jobs:
			process(e)
		case <-ctx.Done():
		}
	}
	p.stopped.Store(true)
	note(core.Draining, core.LogEvent{})
	for !p.leave {
		select {
		case e := <-p.jobs:
			process(e)
		default:
			return // it looks empty
		}
	}
}

func (p *wrongPool) Submit(ctx context.Context, e core.LogEvent) error {
	if p.stopped.Load() {
		return core.ErrStopped
	}
	if p.gap != nil && e.ID%10 == 0 {
		<-p.gap
	}
	if p.drop && e.ID%10 == 0 {
		p.accepted.Add(1)
		return nil
	}
	select {
	case p.jobs <- e:
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.sneak && e.ID%10 == 0 {
		return core.ErrFull
	}
	p.accepted.Add(1)
	return nil
}

func (p *wrongPool) Kill() {}

func (p *wrongPool) Stats() core.Stats {
	return core.Stats{
		Accepted: p.accepted.Load(), Processed: p.processed.Load(),
		Queued: len(p.jobs), Capacity: p.cfg.Buffer, Workers: p.cfg.Workers,
	}
}

// What the page promises above all: if a pool lies, it says so.
func TestWrongPoolsAreFound(t *testing.T) {
	gap := func() chan struct{} { return make(chan struct{}) }
	for name, c := range map[string]struct {
		pool   *wrongPool
		honest bool
	}{
		"none":                       {&wrongPool{}, true}, // without a gap, and with no bad luck, nothing is lost
		"leaves on Done":             {&wrongPool{leave: true}, false},
		"drains till it looks empty": {&wrongPool{gap: gap()}, false},
		"drops":                      {&wrongPool{drop: true}, false},
		"counts twice":               {&wrongPool{twice: true}, false},
		"stores what it refused":     {&wrongPool{sneak: true}, false},
		"forgets in Stats":           {&wrongPool{deny: true}, false},
		"Run returns too early":      {&wrongPool{outlives: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := Default()
				sc.Rate, sc.Buffer = 60, 8
				pool := c.pool
				if pool.gap != nil {
					pool.gap = gap() // one of this bubble
				}
				l := New(sc, Options{Settle: synctest.Wait, NewPool: func(s core.MetricStore, cfg core.Config) (Pool, error) {
					pool.store, pool.cfg, pool.jobs = s, cfg, make(chan core.LogEvent, cfg.Buffer)
					return pool, nil
				}})
				do(t, l, Start{})
				for range 100 {
					l.Tick(20*time.Millisecond, nil)
				}
				do(t, l, Stop{})
				for range 200 {
					l.Tick(20*time.Millisecond, nil)
				}
				if pool.gap != nil {
					if l.Phase() != Stopped {
						t.Fatal("the pool did not stop while a Submit was in its gap")
					}
					close(pool.gap)
					synctest.Wait()
					for range 10 {
						l.Tick(20*time.Millisecond, nil)
					}
				}
				if (l.Fault() == nil) != c.honest {
					t.Errorf("fault: %v; ledger %+v", l.Fault(), l.Trace().Now().Ledger())
				}
				l.Close()
			})
		})
	}
}
