package core_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/core"
)

// A hundred producers against a hundred cancels: what the callers were told was
// accepted is what is in the store.
func TestHundredProducersHundredCancels(t *testing.T) {
	for _, c := range []struct {
		name string
		hold func(string)
	}{
		{"fast", nil},
		{"slow", func(string) {
			for range 20 {
				runtime.Gosched()
			}
		}},
		{"parking", func(string) { time.Sleep(time.Microsecond) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for round := range 100 {
				stress(t, round, c.hold, round%4 == 3)
			}
		})
	}
}

func stress(t *testing.T, round int, hold func(string), kill bool) {
	store := &probe{hold: hold}
	c := newCollector(t, store, core.Config{Workers: 1 + round%8, Buffer: 1 + round%5*4})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := start(ctx, c)
	const producers = 100
	accepted := make([][]string, producers)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			own, stop := context.WithCancel(context.Background())
			defer stop()
			for i := 0; ; i++ {
				e := core.LogEvent{Key: fmt.Sprint(p, "/", i)}
				var err error
				if (p+i)%3 == 0 {
					err = c.TrySubmit(e)
				} else {
					err = c.Submit(own, e)
				}
				switch {
				case err == nil:
					accepted[p] = append(accepted[p], e.Key)
				case errors.Is(err, core.ErrFull):
					runtime.Gosched()
				case errors.Is(err, core.ErrStopped):
					return
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	for c.Stats().Accepted < uint64(round) {
		runtime.Gosched()
	}
	if kill {
		c.Kill()
	} else {
		cancel()
	}
	err := <-done
	wg.Wait()
	var all []string
	for _, keys := range accepted {
		all = append(all, keys...)
	}
	s := c.Stats()
	if s.Accepted != uint64(len(all)) || s.Accepted != s.Processed+s.Abandoned {
		t.Fatalf("round %d: %d calls returned nil: %+v", round, len(all), s)
	}
	if kill {
		if stored := store.keys(); len(stored) != int(s.Processed) {
			t.Fatalf("round %d: stored %d: %+v", round, len(stored), s)
		} else {
			subset(t, stored, all)
		}
		return
	}
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	sameKeys(t, store.keys(), all)
}

// subset fails the test unless part holds keys of all only, each once.
func subset(t testing.TB, part, all []string) {
	left := make(map[string]bool, len(all))
	for _, k := range all {
		left[k] = true
	}
	for _, k := range part {
		if !left[k] {
			t.Fatalf("%s is stored, and was not accepted or stored before", k)
		}
		delete(left, k)
	}
}

// FuzzCalls makes the calls that its input spells, each on a goroutine of its
// own unless it must be waited for, then ends and takes stock.
func FuzzCalls(f *testing.F) {
	for _, s := range []string{"", "r", "sssrc", "rsc", "crs", "krs", "ssskr", "rssTTwck", "rswswswc", "sgrsgc", "rrcc", "TTTTkkrr"} {
		f.Add(uint8(1), uint8(2), s)
	}
	f.Fuzz(func(t *testing.T, workers, buffer uint8, calls string) {
		if len(calls) > 200 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			store := &probe{hold: func(string) { time.Sleep(time.Second) }}
			c := newCollector(t, store, core.Config{Workers: 1 + int(workers%8), Buffer: 1 + int(buffer%8)})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var mu sync.Mutex
			var accepted []string
			var wg sync.WaitGroup
			runs := 0
			run := func() {
				if err := c.Run(ctx); !errors.Is(err, core.ErrRunning) {
					mu.Lock()
					runs++
					mu.Unlock()
				}
			}
			for i, call := range []byte(calls) {
				switch call {
				case 's', 'g', 'T':
					wg.Go(func() {
						own, stop := context.WithTimeout(t.Context(), time.Hour)
						defer stop()
						var err error
						if call == 'g' {
							stop()
						}
						if call == 'T' {
							err = c.TrySubmit(event(i))
						} else {
							err = c.Submit(own, event(i))
						}
						if err == nil {
							mu.Lock()
							accepted = append(accepted, event(i).Key)
							mu.Unlock()
						}
					})
				case 'r':
					wg.Go(run)
				case 'c':
					wg.Go(cancel)
				case 'k':
					wg.Go(c.Kill)
				case 'w':
					time.Sleep(time.Second)
				}
			}
			time.Sleep(2 * time.Hour) // whoever gives up has done so
			cancel()
			run() // if nobody has yet
			wg.Wait()
			s := c.Stats()
			if runs != 1 || s.Accepted != uint64(len(accepted)) || s.Accepted != s.Processed+s.Abandoned || s.Queued != 0 {
				t.Fatalf("%d runs, %d accepted: %+v", runs, len(accepted), s)
			}
			stored := store.keys()
			if len(stored) != int(s.Processed) {
				t.Fatalf("stored %d: %+v", len(stored), s)
			}
			subset(t, stored, accepted)
		})
	})
}

// FuzzStore counts the words of its input and compares with a plain map.
func FuzzStore(f *testing.F) {
	f.Add("a b a")
	f.Add("\x00 \xff  ")
	f.Fuzz(func(t *testing.T, text string) {
		s, want := core.NewMemoryStore(), make(map[string]int)
		for i := range len(text) {
			key := text[i/2 : i]
			s.Inc(key)
			want[key]++
		}
		got := s.Snapshot()
		if len(got) != len(want) {
			t.Errorf("%d keys, want %d", len(got), len(want))
		}
		for key, n := range want {
			if got[key] != n || s.Get(key) != n {
				t.Errorf("%q: Get %d, Snapshot %d, want %d", key, s.Get(key), got[key], n)
			}
		}
	})
}
