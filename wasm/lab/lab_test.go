package lab

import (
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f with a lab in a synctest bubble and ends what it started.
func bubble(t *testing.T, sc Scenario, f func(l *Lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := New(sc, Options{Settle: synctest.Wait})
		defer l.Close()
		f(l)
		if err := l.Fault(); err != nil {
			t.Error(err)
		}
	})
}

func do(t *testing.T, l *Lab, ms ...Message) {
	t.Helper()
	for _, m := range ms {
		if err := l.Do(m); err != nil {
			t.Fatalf("%T: %v", m, err)
		}
	}
}

func TestRunAndDrain(t *testing.T) {
	sc := Default()
	sc.Rate = 100
	bubble(t, sc, func(l *Lab) {
		do(t, l, Start{})
		for range 100 {
			l.Tick(50*time.Millisecond, nil)
		}
		g := l.Trace().Now().Ledger()
		t.Logf("%+v last %d", g, l.Trace().Last())
		if g.Stored < 50 || g.Waiting == 0 || g.Buffered != uint64(sc.Buffer) {
			t.Errorf("an overloaded pool: %+v", g)
		}
		do(t, l, Stop{})
		for l.Phase() != Stopped {
			l.Tick(50*time.Millisecond, nil)
		}
		l.Tick(5*time.Second, nil)
		g = l.Trace().Now().Ledger()
		t.Logf("%+v", g)
		if g.Abandoned != 0 || g.Stored != g.Accepted || g.Rejected != uint64(sc.Producers) {
			t.Errorf("after the drain: %+v", g)
		}
		v := l.Trace().Now()
		if v.Polled != v.Counts {
			t.Errorf("last poll %v, store %v", v.Polled, v.Counts)
		}
		for i := range v.Crew {
			if g := &v.Crew[i]; g.Kind != Left && g.Kind != Exited && g.Kind != Returned {
				t.Errorf("%v is still %v", g.Who, g.Kind)
			}
		}
		for n, p := range l.Trace().places {
			t.Log(n, p)
		}
	})
}
