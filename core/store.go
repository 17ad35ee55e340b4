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
// each blocks only while another goroutine holds the lock for writing.
type MemoryStore struct {
	mu     sync.RWMutex
	counts map[string]*atomic.Int64
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{counts: make(map[string]*atomic.Int64)}
}

// Inc adds one to the count of key.
func (s *MemoryStore) Inc(key string) {
	// A key that is known needs no change to the map, only to its counter,
	// so increments run side by side under the lock for reading.
	s.mu.RLock()
	n := s.counts[key]
	if n != nil {
		n.Add(1)
	}
	s.mu.RUnlock()
	if n == nil {
		s.add(key)
	}
}

// add counts a key that was not in the map when Inc looked.
func (s *MemoryStore) add(key string) {
	s.mu.Lock()
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
	s.mu.RLock()
	n := s.counts[key]
	s.mu.RUnlock()
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
