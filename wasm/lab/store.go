package lab

import (
	"sync"
	"time"

	"sluice/core"
)

// countingStore is a store of which the lab can ask the sum of all counts
// without waiting for a lock that a goroutine at rest may hold.
type countingStore interface {
	core.MetricStore
	sum() int
}

// timedStore is the processing time: a MetricStore that takes its time and then
// delegates to the real one.
type timedStore struct {
	r     *run
	inner *core.MemoryStore
}

func (s *timedStore) Inc(key string) {
	w := s.r.ids.current()
	e := s.r.hands[w.N()]
	if d := s.r.cost(e.Event); d > 0 {
		at := s.r.note(Step{Who: w, Kind: Working, Event: e.Event, Key: e.Key, Value: micros(d)})
		s.r.sleep(w, at+d)
	}
	s.inner.Inc(key)
	// No hold here: the collector has yet to count the event as processed.
	s.r.note(Step{Who: w, Kind: Stored, Event: e.Event, Key: e.Key})
}

func (s *timedStore) Get(key string) int { return s.inner.Get(key) }

func (s *timedStore) sum() int {
	n := 0
	for _, v := range s.inner.Snapshot() {
		n += v
	}
	return n
}

// slowStore takes its time while it holds its lock, as a store does that
// writes to a disk inside its critical section. It shows what a lock is: readers
// stay in it together, a writer alone, and whoever waits stands at the door.
type slowStore struct {
	r      *run
	mu     sync.RWMutex
	counts map[string]int

	totalMu sync.Mutex // so that sum does not wait at mu
	total   int
}

func (s *slowStore) Inc(key string) {
	w := s.r.ids.current()
	e := s.r.hands[w.N()]
	d := s.r.cost(e.Event)
	s.r.transition(Step{Who: w, Kind: AtDoor, Event: e.Event, Key: e.Key})
	s.mu.Lock()
	s.r.ids.enter(w)
	at := s.r.note(Step{Who: w, Kind: Inside, Event: e.Event, Key: e.Key, Value: micros(d)})
	s.r.sleep(w, at+d)
	s.counts[key]++
	s.totalMu.Lock()
	s.total++
	s.totalMu.Unlock()
	s.r.note(Step{Who: w, Kind: Stored, Event: e.Event, Key: e.Key})
	s.mu.Unlock()
}

// Get takes a quarter of the time that an Inc takes.
func (s *slowStore) Get(key string) int {
	w := s.r.ids.current()
	k := s.r.keyIndex(key)
	d := s.r.readCost()
	s.r.transition(Step{Who: w, Kind: AtDoor, Key: k})
	s.mu.RLock()
	s.r.ids.enter(w)
	at := s.r.note(Step{Who: w, Kind: Inside, Key: k, Value: micros(d)})
	s.r.sleep(w, at+d)
	n := s.counts[key]
	s.mu.RUnlock()
	return n
}

func (s *slowStore) sum() int {
	s.totalMu.Lock()
	defer s.totalMu.Unlock()
	return s.total
}

func (r *run) cost(event uint32) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return costOf(r.sc.Seed, event, r.sc.Cost)
}

func (r *run) readCost() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sc.Cost / 4
}

func (r *run) keyIndex(key string) uint8 {
	for k, name := range r.keys {
		if name == key {
			return uint8(k)
		}
	}
	return 0
}
