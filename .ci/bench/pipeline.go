package main

import (
	"context"
	"errors"
	"sync"

	"github.com/Jeffail/tunny"
	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"sluice/core"
)

// A shape is one configuration of the pipeline.
type shape struct{ producers, workers, buffer int }

// A pipeline counts n events in store, from the first Submit until the last is
// counted. Its producers make the events themselves, with event.
type pipeline struct {
	name  string
	peer  bool // a worker-pool library
	share int  // of the events the fast ones get, so that slow ones do not take the day
	run   func(s shape, n int, store core.MetricStore)
}

const keyCount = 64

// keys are made once; their text is what a log's source might be called.
var keys = func() (ks [keyCount]string) {
	for i := range ks {
		ks[i] = "service_" + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	return ks
}()

func event(i int) core.LogEvent {
	return core.LogEvent{ID: uint64(i), Key: keys[i%keyCount]}
}

// produce runs the producers, each calling submit for its part of n events. They
// are told its number only, to make it where it is sent from, as a program would:
// a copy on the way costs some contenders more than others.
func produce(s shape, n int, submit func(i int)) {
	var wg sync.WaitGroup
	for p := range s.producers {
		wg.Go(func() {
			for i := p; i < n; i += s.producers {
				submit(i)
			}
		})
	}
	wg.Wait()
}

var pipelines = []pipeline{
	{name: "bare channel", share: 1, run: bare},
	{name: "sluice", share: 1, run: sluice},
	{name: "pond Go", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		p := pond.NewPool(s.workers, pond.WithQueueSize(s.buffer))
		produce(s, n, func(i int) {
			e := event(i)
			must(p.Go(func() { store.Inc(e.Key) }))
		})
		p.StopAndWait()
	}},
	{name: "conc Go", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		p := pool.New().WithMaxGoroutines(s.workers)
		produce(s, n, func(i int) {
			e := event(i)
			p.Go(func() { store.Inc(e.Key) })
		})
		p.Wait()
	}},
	{name: "errgroup Go", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		var g errgroup.Group
		g.SetLimit(s.workers)
		produce(s, n, func(i int) {
			e := event(i)
			g.Go(func() error { store.Inc(e.Key); return nil })
		})
		must(g.Wait())
	}},
	{name: "ants Invoke", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		var done sync.WaitGroup
		done.Add(n)
		p, err := ants.NewPoolWithFuncGeneric(s.workers, func(e core.LogEvent) {
			store.Inc(e.Key)
			done.Done()
		})
		must(err)
		produce(s, n, func(i int) { must(p.Invoke(event(i))) })
		done.Wait()
		p.Release()
	}},
	{name: "ants Submit", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		var done sync.WaitGroup
		done.Add(n)
		p, err := ants.NewPool(s.workers)
		must(err)
		produce(s, n, func(i int) {
			e := event(i)
			must(p.Submit(func() { store.Inc(e.Key); done.Done() }))
		})
		done.Wait()
		p.Release()
	}},
	{name: "workerpool Submit", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		p := workerpool.New(s.workers)
		produce(s, n, func(i int) {
			e := event(i)
			p.Submit(func() { store.Inc(e.Key) })
		})
		p.StopWait()
	}},
	{name: "tunny Process", peer: true, share: 8, run: func(s shape, n int, store core.MetricStore) {
		p := tunny.NewFunc(s.workers, func(v any) any {
			store.Inc(v.(core.LogEvent).Key)
			return nil
		})
		produce(s, n, func(i int) { p.Process(event(i)) })
		p.Close()
	}},
	{name: "goroutine per event", share: 8, run: func(s shape, n int, store core.MetricStore) {
		var wg sync.WaitGroup
		produce(s, n, func(i int) {
			e := event(i)
			wg.Go(func() { store.Inc(e.Key) })
		})
		wg.Wait()
	}},
}

// bare is the limit: no shutdown, no cancel, no counts.
func bare(s shape, n int, store core.MetricStore) {
	jobs := make(chan core.LogEvent, s.buffer)
	var workers sync.WaitGroup
	for range s.workers {
		workers.Go(func() {
			for e := range jobs {
				store.Inc(e.Key)
			}
		})
	}
	produce(s, n, func(i int) { jobs <- event(i) })
	close(jobs)
	workers.Wait()
}

func sluice(s shape, n int, store core.MetricStore) {
	c, err := core.NewAsyncCollector(store, core.Config{Workers: s.workers, Buffer: s.buffer})
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { must(c.Run(ctx)) })
	produce(s, n, func(i int) { must(c.Submit(ctx, event(i))) })
	cancel()
	run.Wait()
	if got := c.Stats().Processed; got != uint64(n) {
		must(errors.New("sluice: lost events"))
	}
}

// must is for what cannot fail in a benchmark: going on would measure nothing.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
