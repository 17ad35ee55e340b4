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

func TestGetWaitsForANewKey(t *testing.T) {
	s := NewMemoryStore()
	for _, crowd := range []bool{false, true} {
		s.crowd.Store(crowd)
		s.mu.Lock() // as an Inc that puts a new key into the map
		done := make(chan struct{})
		go func() {
			s.Get("a")
			close(done)
		}()
		for range 1000 { // nothing shows that Get waits; without the lock one turn is enough
			runtime.Gosched()
		}
		select {
		case <-done:
			t.Errorf("crowd %v: Get did not wait", crowd)
		default:
		}
		s.mu.Unlock()
		<-done
	}
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
	for i := range maxTurns - 1 { // the first Inc, of a new key, was a turn
		if !s.crowd.Load() {
			t.Fatalf("no turns are taken after %d calls", i)
		}
		if want := lookEvery + i/2; i%2 == 1 {
			s.Inc("a")
		} else if n := s.Get("a"); n != want {
			t.Fatalf("after %d calls Get returns %d, want %d", i, n, want)
		}
	}
	if s.crowd.Load() {
		t.Errorf("turns are taken after %d calls", s.turns)
	}
}
