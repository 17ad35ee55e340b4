// Package core counts log events by key with a fixed pool of workers.
//
// Producers hand events to an [AsyncCollector], which holds them in a bounded
// buffer until one of its workers counts them in a [MetricStore]. Cancelling
// the context given to [AsyncCollector.Run] starts a graceful shutdown: the
// intake closes, and every event that had been accepted is still counted.
package core

import (
	"sync"
	"sync/atomic"
)

// A MetricStore counts by key. It knows nothing of the pool that feeds it.
// Both methods may be called from any number of goroutines at once.
type MetricStore interface {
	// Inc adds one to the count of key.
	Inc(key string)
	// Get returns the count of key, which is 0 for a key never counted.
	Get(key string) int
}

// MemoryStore is a MetricStore in memory: a map guarded by a read-write lock.
// Make one with [NewMemoryStore]. All its methods may be called concurrently;
// each blocks only while another goroutine holds the lock for writing, or, if it takes
// it for writing itself, while any other holds it.
type MemoryStore struct {
	crowd atomic.Bool // processors crowd at the lock: all calls take turns
	_     cacheLine   // crowd is read at every call, what follows is written

	mu     sync.RWMutex
	turns  uint // taken so far
	counts map[string]*atomic.Int64
}

const (
	lookEvery = 32      // increments of a counter, from one look at the lock to the next
	maxTurns  = 1 << 12 // calls that take turns, before it is tried without
)

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{counts: make(map[string]*atomic.Int64)}
}

// Inc adds one to the count of key.
func (s *MemoryStore) Inc(key string) {
	if s.crowd.Load() {
		s.add(key)
		return
	}
	// A key that is known needs no change to the map, only to its counter, so
	// increments run side by side under the lock for reading.
	s.mu.RLock()
	n := s.counts[key]
	if n == nil {
		s.mu.RUnlock()
		s.add(key)
		return
	}
	count := n.Add(1)
	s.mu.RUnlock()
	if count%lookEvery == 0 {
		s.look()
	}
}

// look finds out whether others are at the lock. Side by side, processors spend
// most of the time on passing each other the lock's memory; if they take turns,
// one runs on while the others wait, and together they are faster.
func (s *MemoryStore) look() {
	if s.mu.TryLock() {
		s.mu.Unlock() // nobody
		return
	}
	s.crowd.Store(true)
}

// takeTurn takes the lock for writing, alone among all calls. After a number of
// turns it is tried without: the crowd may have gone.
func (s *MemoryStore) takeTurn() {
	s.mu.Lock()
	if s.turns++; s.turns%maxTurns == 0 {
		s.crowd.Store(false)
	}
}

// add counts a key, which may be new, under the lock for writing.
func (s *MemoryStore) add(key string) {
	s.takeTurn()
	defer s.mu.Unlock()
	n := s.counts[key] // another goroutine may have come first
	if n == nil {
		n = new(atomic.Int64)
		s.counts[key] = n
	}
	n.Add(1)
}

// Get returns the count of key.
func (s *MemoryStore) Get(key string) int {
	var n *atomic.Int64
	if s.crowd.Load() {
		s.takeTurn()
		n = s.counts[key]
		s.mu.Unlock()
	} else {
		s.mu.RLock()
		n = s.counts[key]
		s.mu.RUnlock()
	}
	if n == nil {
		return 0
	}
	return int(n.Load())
}

// Snapshot returns a copy of all counts, taken while no Inc is under way.
func (s *MemoryStore) Snapshot() map[string]int {
	s.mu.Lock() // for writing: Inc changes counters under the lock for reading
	defer s.mu.Unlock()
	all := make(map[string]int, len(s.counts))
	for key, n := range s.counts {
		all[key] = int(n.Load())
	}
	return all
}
