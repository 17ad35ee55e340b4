package lab

import (
	"context"
	"testing"
	"time"

	"sluice/core"
)

func TestRecord(t *testing.T) {
	for name, change := range map[string]func(*Scenario){
		"fast":  func(s *Scenario) { s.Rate, s.Cost, s.Workers, s.Producers = 5000, 0, 8, 4 },
		"full":  func(s *Scenario) { s.Rate, s.Cost, s.Producers = 2000, 5*time.Millisecond, 8 },
		"lock":  func(s *Scenario) { s.Rate, s.Cost, s.SlowLock, s.Readers = 500, time.Millisecond, true, 4 },
		"quiet": func(s *Scenario) { s.Rate, s.Readers = 1, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			sc := Default()
			sc.Speed = 2
			change(&sc)
			tr, err := Record(t.Context(), sc, 150*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			v := tr.Now()
			l := v.Ledger()
			if !tr.Parallel || v.Phase != Stopped || l.Stored != l.Accepted || l.Abandoned != 0 || !l.Balanced() {
				t.Errorf("parallel %v, %v, %+v", tr.Parallel, v.Phase, l)
			}
			for i := range v.Crew {
				if g := &v.Crew[i]; g.Kind != Left && g.Kind != Exited && g.Kind != Returned {
					t.Errorf("%v is still %v", g.Who, g.Kind)
				}
			}
			if sc.Readers > 0 && v.Polled != v.Counts {
				t.Errorf("last poll %v, store %v", v.Polled, v.Counts)
			}
			// Every instant must make sense, though steps of different
			// goroutines come in the order in which the machine wrote them.
			w := NewView(sc)
			for n := tr.First() + 1; n <= tr.Last(); n++ {
				s := tr.Step(n)
				if s.At < w.At {
					t.Fatalf("step %d goes back in time", n)
				}
				w.Apply(s)
				if l := w.Ledger(); !l.Balanced() && w.Phase != Stopped {
					t.Fatalf("after step %d (%+v): %+v", n, s, l)
				}
			}
			again, err := Decode(tr.Encode())
			if err != nil {
				t.Fatal(err)
			}
			sameTrace(t, tr, again)
		})
	}
}

func TestRecordEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr, err := Record(ctx, Default(), time.Hour)
	if err != nil || tr.Now().Phase != Stopped {
		t.Fatal(err)
	}
}

func TestRecordFindsALiar(t *testing.T) {
	sc := Default()
	sc.Rate, sc.Cost = 2000, 0
	_, err := record(t.Context(), sc, 50*time.Millisecond, func(store core.MetricStore, cfg core.Config) (Pool, error) {
		p, err := core.NewAsyncCollector(store, cfg)
		return forgetful{p}, err
	})
	if err == nil {
		t.Error("a pool that forgets to count an event went unnoticed")
	}
}

// forgetful counts one event less than it has accepted.
type forgetful struct{ *core.AsyncCollector }

func (f forgetful) Stats() core.Stats {
	s := f.AsyncCollector.Stats()
	s.Accepted--
	return s
}
