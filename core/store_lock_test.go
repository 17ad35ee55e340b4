package core

import (
	"runtime"
	"testing"
)

// These look inside, since from outside only chance would show the fault.

func TestSnapshotWaitsForIncs(t *testing.T) {
	s := NewMemoryStore()
	s.Inc("a")
	s.mu.RLock() // as an Inc that is under way
	done := make(chan struct{})
	go func() {
		s.Snapshot()
		close(done)
	}()
	for s.mu.TryRLock() { // until a writer waits
		s.mu.RUnlock()
		select {
		case <-done:
			t.Fatal("Snapshot did not wait for an Inc under way")
		default:
			runtime.Gosched()
		}
	}
	s.mu.RUnlock()
	<-done
}

func TestNewKeyIsLookedForAgain(t *testing.T) {
	s := NewMemoryStore()
	s.Inc("a")
	s.add("a") // as a second Inc that also found no key
	if n := s.Get("a"); n != 2 {
		t.Errorf("counted twice, Get returns %d", n)
	}
}

func TestCrowdTakesTurnsForAWhile(t *testing.T) {
	s := NewMemoryStore()
	for range lookEvery - 1 {
		s.Inc("a")
	}
	s.mu.RLock() // as somebody who is at the lock when Inc looks
	s.Inc("a")
	s.mu.RUnlock()
	if s.crowd.Load() == 0 {
		t.Fatal("Inc did not see that it was not alone")
	}
	for range takeTurns * lookEvery {
		s.Inc("a")
	}
	if left := s.crowd.Load(); left != 0 {
		t.Errorf("%d looks left to take turns for", left)
	}
	if n := s.Get("a"); n != (1+takeTurns)*lookEvery {
		t.Errorf("counted %d of %d", n, (1+takeTurns)*lookEvery)
	}
}
