package core_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"sluice/core"
)

func TestMemoryStore(t *testing.T) {
	for _, c := range []struct {
		name string
		incs []string
		want map[string]int
	}{
		{"empty", nil, map[string]int{}},
		{"one", []string{"a"}, map[string]int{"a": 1}},
		{"again", []string{"a", "a", "a"}, map[string]int{"a": 3}},
		{"two keys", []string{"a", "b", "a"}, map[string]int{"a": 2, "b": 1}},
		{"the empty key is a key", []string{"", "a", ""}, map[string]int{"": 2, "a": 1}},
		{"not text", []string{"\x00", "\xff\xfe", "\x00"}, map[string]int{"\x00": 2, "\xff\xfe": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := core.NewMemoryStore()
			for _, key := range c.incs {
				s.Inc(key)
			}
			if got := s.Get("never"); got != 0 {
				t.Errorf("a key never counted: %d", got)
			}
			got := s.Snapshot()
			if len(got) != len(c.want) { // and Get has added none
				t.Errorf("Snapshot: %v, want %v", got, c.want)
			}
			for key, n := range c.want {
				if s.Get(key) != n || got[key] != n {
					t.Errorf("%q: Get %d, Snapshot %d, want %d", key, s.Get(key), got[key], n)
				}
			}
			got["a"] += 100
			if s.Get("a") != c.want["a"] {
				t.Error("Snapshot is not a copy")
			}
		})
	}
}

// A Snapshot is taken at one instant: with each goroutine counting a before b,
// it never shows more of b than of a.
func TestSnapshotIsOneInstant(t *testing.T) {
	s := core.NewMemoryStore()
	for i := range 1000 { // a copy that takes a while
		s.Inc(fmt.Sprint(i))
	}
	s.Inc("a")
	s.Inc("b")
	var stop atomic.Bool
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for !stop.Load() {
				s.Inc("a")
				s.Inc("b")
				runtime.Gosched()
			}
		})
	}
	last := 0
	for range 300 {
		all := s.Snapshot()
		if all["b"] > all["a"] || all["a"] < last {
			t.Errorf("%v after a = %d", all, last)
			break
		}
		last = all["a"]
		runtime.Gosched()
	}
	stop.Store(true)
	writers.Wait()
}

// The model of one key: Inc adds one, Get returns what was added.
type storeInput struct {
	get bool
	key string
}

var storeModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := make(map[string][]porcupine.Operation)
		for _, op := range history {
			key := op.Input.(storeInput).key
			byKey[key] = append(byKey[key], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		if input.(storeInput).get {
			return output.(int) == state.(int), state
		}
		return true, state.(int) + 1
	},
}

func TestStoreIsLinearizable(t *testing.T) {
	for round := range 30 {
		s := core.NewMemoryStore()
		const clients = 4
		histories := make([][]porcupine.Operation, clients)
		begin := time.Now()
		var wg sync.WaitGroup
		for id := range clients {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(round), uint64(id)))
				for range 40 {
					in := storeInput{random.IntN(2) == 0, fmt.Sprint("key", random.IntN(3))}
					op := porcupine.Operation{ClientId: id, Input: in, Call: int64(time.Since(begin))}
					if in.get {
						op.Output = s.Get(in.key)
					} else {
						s.Inc(in.key)
					}
					op.Return = int64(time.Since(begin))
					histories[id] = append(histories[id], op)
					if random.IntN(4) == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		wg.Wait()
		var all []porcupine.Operation
		for _, h := range histories {
			all = append(all, h...)
		}
		if got := porcupine.CheckOperationsTimeout(storeModel, all, 20*time.Second); got != porcupine.Ok {
			t.Fatalf("round %d: %v", round, got)
		}
	}
}

// Many find the same key missing at once: while a Snapshot is being taken they
// gather at the lock, and it lets all of them look before any may add.
func TestStoreAddsAKeyOnce(t *testing.T) {
	s := core.NewMemoryStore()
	for i := range 20_000 {
		s.Inc(fmt.Sprint("old", i))
	}
	const rounds, writers = 20, 8
	for round := range rounds {
		var wg sync.WaitGroup
		wg.Go(func() { s.Snapshot() })
		for range writers {
			wg.Go(func() { s.Inc(fmt.Sprint("new", round)) })
		}
		wg.Wait()
		if n := s.Get(fmt.Sprint("new", round)); n != writers {
			t.Fatalf("round %d: counted %d of %d", round, n, writers)
		}
	}
}

// Nothing is lost when many add the same new keys at once.
func TestStoreCountsEverything(t *testing.T) {
	s := core.NewMemoryStore()
	const writers, keys, times = 8, 50, 40
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := range keys * times {
				s.Inc(fmt.Sprint(i % keys))
			}
		})
	}
	wg.Wait()
	for key, n := range s.Snapshot() {
		if n != writers*times || s.Get(key) != n {
			t.Errorf("%s: %d and %d, want %d", key, n, s.Get(key), writers*times)
		}
	}
	if n := len(s.Snapshot()); n != keys {
		t.Errorf("%d keys, want %d", n, keys)
	}
}
