package main

import (
	"expvar"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"

	vm "github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/puzpuzpuz/xsync/v4"
	gometrics "github.com/rcrowley/go-metrics"

	"sluice/core"
)

// A store is a way to count by key. registry: of the kind that the Go ecosystem
// uses for counters, which is what MemoryStore is measured against.
type store struct {
	name     string
	registry bool
	make     func() core.MetricStore
}

func stores() []store {
	return []store{
		{name: "MemoryStore", make: func() core.MetricStore { return core.NewMemoryStore() }},
		{name: "floor: map, atomic add", make: func() core.MetricStore { return bareCells{} }},
		{name: "floor: with RLock", make: func() core.MetricStore { return &lockedCells{cells: bareCells{}} }},
		{name: "Lock, m[k]++", make: func() core.MetricStore { return &exclusive{counts: make(map[string]int)} }},
		{name: "VictoriaMetrics", registry: true, make: func() core.MetricStore { return victoria{vm.NewSet()} }},
		{name: "Prometheus", registry: true, make: func() core.MetricStore {
			return prom{prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c"}, []string{"key"})}
		}},
		{name: "go-metrics", registry: true, make: func() core.MetricStore { return rcrowley{gometrics.NewRegistry()} }},
		{name: "expvar.Map", make: func() core.MetricStore { return expvarMap{new(expvar.Map).Init()} }},
		{name: "sync.Map", make: func() core.MetricStore { return new(syncMap) }},
		{name: "xsync.Map, atomic", make: func() core.MetricStore { return xsyncMap{xsync.NewMap[string, *atomic.Int64]()} }},
		{name: "xsync.Map, Counter", make: func() core.MetricStore { return xsyncCounter{xsync.NewMap[string, *xsync.Counter]()} }},
	}
}

// bareCells is safe only while no key is added: the workloads touch all first.
type bareCells map[string]*atomic.Int64

func (s bareCells) Inc(key string) {
	if n := s[key]; n != nil {
		n.Add(1)
		return
	}
	s[key] = new(atomic.Int64)
	s[key].Add(1)
}

func (s bareCells) Get(key string) int { return int(s[key].Load()) }

type lockedCells struct {
	mu    sync.RWMutex
	cells bareCells
}

func (s *lockedCells) Inc(key string) {
	s.mu.RLock()
	s.cells.Inc(key)
	s.mu.RUnlock()
}

func (s *lockedCells) Get(key string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cells.Get(key)
}

type exclusive struct {
	mu     sync.RWMutex
	counts map[string]int
}

func (s *exclusive) Inc(key string) {
	s.mu.Lock()
	s.counts[key]++
	s.mu.Unlock()
}

func (s *exclusive) Get(key string) int {
	s.mu.RLock()
	n := s.counts[key]
	s.mu.RUnlock()
	return n
}

type victoria struct{ set *vm.Set }

func (s victoria) Inc(key string)     { s.set.GetOrCreateCounter(key).Inc() }
func (s victoria) Get(key string) int { return int(s.set.GetOrCreateCounter(key).Get()) }

type prom struct{ vec *prometheus.CounterVec }

func (s prom) Inc(key string) { s.vec.WithLabelValues(key).Inc() }

// Get goes through Write: a Prometheus counter offers no cheaper way to read it.
func (s prom) Get(key string) int {
	var m dto.Metric
	must(s.vec.WithLabelValues(key).Write(&m))
	return int(m.Counter.GetValue())
}

type rcrowley struct{ r gometrics.Registry }

func (s rcrowley) Inc(key string)     { gometrics.GetOrRegisterCounter(key, s.r).Inc(1) }
func (s rcrowley) Get(key string) int { return int(gometrics.GetOrRegisterCounter(key, s.r).Count()) }

type expvarMap struct{ m *expvar.Map }

func (s expvarMap) Inc(key string)     { s.m.Add(key, 1) }
func (s expvarMap) Get(key string) int { return int(s.m.Get(key).(*expvar.Int).Value()) }

type syncMap struct{ m sync.Map }

func (s *syncMap) cell(key string) *atomic.Int64 {
	v, ok := s.m.Load(key)
	if !ok {
		v, _ = s.m.LoadOrStore(key, new(atomic.Int64))
	}
	return v.(*atomic.Int64)
}

func (s *syncMap) Inc(key string)     { s.cell(key).Add(1) }
func (s *syncMap) Get(key string) int { return int(s.cell(key).Load()) }

type xsyncMap struct {
	m *xsync.Map[string, *atomic.Int64]
}

func (s xsyncMap) cell(key string) *atomic.Int64 {
	n, ok := s.m.Load(key)
	if !ok {
		n, _ = s.m.LoadOrStore(key, new(atomic.Int64))
	}
	return n
}

func (s xsyncMap) Inc(key string)     { s.cell(key).Add(1) }
func (s xsyncMap) Get(key string) int { return int(s.cell(key).Load()) }

type xsyncCounter struct {
	m *xsync.Map[string, *xsync.Counter]
}

func (s xsyncCounter) cell(key string) *xsync.Counter {
	n, ok := s.m.Load(key)
	if !ok {
		n, _ = s.m.LoadOrStore(key, xsync.NewCounter())
	}
	return n
}

func (s xsyncCounter) Inc(key string)     { s.cell(key).Inc() }
func (s xsyncCounter) Get(key string) int { return int(s.cell(key).Value()) }

// A workload is which keys are used, how often they are read instead of counted,
// and by how many goroutines at once.
type workload struct {
	name string
	keys func(random *rand.Rand) string
	gets int // in a hundred
	cpus int // 0: one goroutine only, else that many goroutines on that many CPUs
}

func workloads() (all []workload) {
	names := make([]string, 10_000)
	for i := range names {
		names[i] = "service_" + strconv.Itoa(i)
	}
	type source struct {
		name string
		make func(*rand.Rand) string
	}
	zipf := func(r *rand.Rand) string { return names[rand.NewZipf(r, 1.1, 1, 63).Uint64()] }
	for _, cpus := range []int{0, 1, 2} {
		for _, src := range []source{
			{"one hot key", func(*rand.Rand) string { return names[0] }},
			{"64 keys, Zipf", zipf},
			{"10,000 keys", func(r *rand.Rand) string { return names[r.IntN(len(names))] }},
		} {
			for _, gets := range []int{0, 10, 90} {
				all = append(all, workload{src.name, src.make, gets, cpus})
			}
		}
	}
	return all
}

// ops is what one goroutine does: made before the clock starts.
type op struct {
	key string
	get bool
}

const opCount = 1 << 14

func (w workload) ops(seed uint64) []op {
	random := rand.New(rand.NewPCG(seed, 7))
	ops := make([]op, opCount)
	for i := range ops {
		ops[i] = op{w.keys(random), random.IntN(100) < w.gets}
	}
	return ops
}

// do runs the operations times over.
func do(s core.MetricStore, ops []op, times int) (sum int) {
	for range times {
		for i := range ops {
			if ops[i].get {
				sum += s.Get(ops[i].key)
			} else {
				s.Inc(ops[i].key)
			}
		}
	}
	return sum
}
