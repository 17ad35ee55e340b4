package scene

import (
	"runtime"
	"testing"
	"time"

	"sluice/wasm/lab"
)

func TestTimeline(t *testing.T) {
	for _, m := range moments(t) {
		for _, o := range []TimelineOptions{
			{W: 660, H: 140}, {W: 340, H: 200}, {W: 1060, H: 230, Scale: 1.5}, {W: 660, H: 20},
		} {
			for _, w := range []Window{
				{0, m.now + 1},
				Window{0, m.now + 1}.Zoom(m.now/2, 0.01),
				Window{0, m.now + 1}.Zoom(m.now, 20),
			} {
				o.From, o.To, o.Now, o.Cursor = w.From, w.To, m.now, m.now/2
				d := Timeline(m.t, o)
				checkWithin(t, d, o.W)
				checkTexts(t, d)
				checkBars(t, m, o, d)
				if t.Failed() {
					t.Fatalf("%s %+v", m.name, o)
				}
			}
		}
	}
}

// checkBars fails unless each bar of each lane is drawn, by itself or within a
// merged one, at least minBar wide and in its lane.
func checkBars(t *testing.T, m shown, o TimelineOptions, d Drawing) {
	t.Helper()
	lanes := map[lab.Who]Region{}
	drawn := map[lab.Who]int{}
	for _, r := range d.Regions {
		switch r.Part {
		case Lane:
			lanes[r.Who] = r
			if r.H < minLane {
				t.Errorf("the lane of %v is %g high", r.Who, r.H)
			}
		case Bar, Bars:
			l := lanes[r.Who]
			if r.W < minBar || r.Y < l.Y-0.01 || r.Y+r.H > l.Y+l.H+0.01 {
				t.Errorf("bar %+v is not in its lane %+v", r, l)
			}
			drawn[r.Who] += max(r.N, 1)
		}
	}
	for _, w := range m.t.Lanes() {
		if _, ok := lanes[w]; !ok {
			t.Errorf("%v has no lane", w)
		}
		want, most := 0, 0
		for _, b := range m.t.Bars(w, o.From, min(o.To, o.Now)) {
			most++
			if classOf(&b) != nothing {
				want++
			}
		}
		if drawn[w] < want || drawn[w] > most {
			t.Errorf("%v: %d bars drawn of %d to %d", w, drawn[w], want, most)
		}
	}
}

// TestClasses checks that states differ by more than their colour.
func TestClasses(t *testing.T) {
	sc := lab.Default()
	sc.Workers, sc.Producers, sc.Rate = 2, 1, 4
	inLab(t, sc, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{})
		run(time.Second)
		do(lab.Burst{})
		run(600 * time.Millisecond)
		do(lab.Stop{})
		run(6 * time.Second)
		o := TimelineOptions{W: 3000, H: 200, To: l.Now(), Now: l.Now()}
		d := Timeline(l.Trace(), o)
		type look struct {
			fill, line Ink
			hatch      Hatch
		}
		want := map[lab.Kind]look{
			lab.Idle:       {None, Rest, Plain},
			lab.Working:    {Run, None, Plain},
			lab.Submitting: {Wait, None, Stripes},
			lab.Closed:     {Drain, None, Dots},
			lab.Running:    {None, Rest, Plain},
			lab.Polling:    {Accent, None, Plain},
		}
		seen := map[lab.Kind]bool{}
		for _, r := range d.Regions {
			w, ok := want[r.Kind]
			if r.Part != Bar || !ok || r.W < 8 && r.Kind != lab.Polling {
				continue
			}
			for _, op := range d.Ops {
				if op.Do == Rect && op.X == r.X+1 && op.Y >= r.Y && op.Y < r.Y+r.H && op.W == r.W-2 {
					seen[r.Kind] = true
					if got := (look{op.Fill, op.Line, op.Hatch}); got != w {
						t.Errorf("%v is drawn %v, want %v", r.Kind, got, w)
					}
				}
			}
		}
		for k := range want {
			if !seen[k] {
				t.Errorf("%v is not drawn", k)
			}
		}
		for _, w := range []string{"burst", "cancel, intake closed", "returned"} {
			if !says(d)[w] {
				t.Errorf("no mark says %q", w)
			}
		}
		o.Followed = 2
		lit := 0
		for _, op := range Timeline(l.Trace(), o).Ops {
			if op.Do == Rect && op.Line == Accent {
				lit++
			}
		}
		if lit == 0 {
			t.Error("the followed event is not lit")
		}
	})
}

// long is a trace whose ring is full, at 1,000 events a second.
func long(t testing.TB, workers, buffer int) *lab.Lab {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	sc := lab.Default()
	sc.Workers, sc.Buffer, sc.Producers, sc.Readers = workers, buffer, 8, 8
	sc.Rate, sc.Cost = 1000, time.Duration(workers)*time.Millisecond
	var l *lab.Lab
	l = lab.New(sc, lab.Options{Settle: func() {
		for range 12 {
			runtime.Gosched() // on one thread, so that all others run until they block
		}
		l.Now() // as in inLab
	}})
	t.Cleanup(l.Close)
	if err := l.Do(lab.Start{}); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		if l.Tick(100*time.Millisecond, nil); l.Trace().Dropped() > 0 {
			return l
		}
	}
	t.Fatal("the ring does not fill")
	return nil
}

func TestTimelineOfLongTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a trace")
	}
	l := long(t, 8, 64)
	tr, now := l.Trace(), l.Now()
	o := TimelineOptions{W: 660, H: 200, To: now, Now: now, Cursor: now}
	d := Timeline(tr, o)
	t.Logf("%d steps, %d lanes: %d operations, %d regions", tr.Last()-tr.First(), len(tr.Lanes()), len(d.Ops), len(d.Regions))
	if most := len(tr.Lanes())*660/merging + 500; len(d.Ops) > most {
		t.Errorf("%d operations, more than %d", len(d.Ops), most)
	}
	checkWithin(t, d, o.W)
	checkTexts(t, d)
	gone, merged := false, false
	for _, r := range d.Regions {
		gone = gone || r.Part == Gone && r.N == int(tr.Dropped())
		merged = merged || r.Part == Bars && r.N > 10
	}
	if !gone || !merged {
		t.Errorf("what was dropped is marked: %t; bars are merged: %t", gone, merged)
	}
	look(t, "long", o.W, d)
}

func TestWindow(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name      string
		got, want Window
	}{
		{"closer about the middle", Window{0, 10 * s}.Zoom(5*s, 0.5), Window{2500 * time.Millisecond, 7500 * time.Millisecond}},
		{"farther about the start", Window{2 * s, 4 * s}.Zoom(2*s, 2), Window{2 * s, 6 * s}},
		{"by nothing", Window{2 * s, 4 * s}.Zoom(2*s, 0), Window{2 * s, 4 * s}},
		{"as close as can be", Window{0, 20 * time.Microsecond}.Zoom(0, 1e-9), Window{0, least}},
		{"pan", Window{0, 2 * s}.Pan(s), Window{s, 3 * s}},
		{"clamped at the start", Window{-s, s}.Clamp(0, 10*s), Window{0, 2 * s}},
		{"clamped at the end", Window{9 * s, 12 * s}.Clamp(0, 10*s), Window{7 * s, 10 * s}},
		{"longer than all", Window{-9 * s, 12 * s}.Clamp(s, 10*s), Window{s, 10 * s}},
		{"of an empty trace", Window{0, s}.Clamp(0, 0), Window{0, least}},
		{"fit", Fit(s, 10*s), Window{s, 10 * s}},
		{"fit nothing", Fit(s, s), Window{s, s + least}},
		{"follow", Window{0, 2 * s}.Follow(0, 9*s), Window{7 * s, 9 * s}},
		{"follow from the start", Window{0, 5 * s}.Follow(0, 2*s), Window{0, 5 * s}},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	o := TimelineOptions{W: 660, From: 2 * s, To: 4 * s}
	for _, at := range []time.Duration{2 * s, 3 * s, 4 * s} {
		if got := o.Time(o.X(at)); (got - at).Abs() > time.Millisecond {
			t.Errorf("the time at the place of %v is %v", at, got)
		}
	}
}

func TestStrip(t *testing.T) {
	sc := lab.Default()
	sc.Rate = 80
	inLab(t, sc, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{}, lab.Burst{})
		run(2 * time.Second)
		drawn := 0
		for _, e := range l.Trace().Recent(l.Trace().Last(), 60) {
			life, ok := l.Trace().Life(e, l.Trace().Last())
			if !ok {
				continue
			}
			drawn++
			for _, o := range []StripOptions{{W: 660}, {W: 358}, {W: 1000, Scale: 1.5}} {
				o.Now = l.Now()
				d := Strip(life, o)
				checkWithin(t, d, o.W)
				checkTexts(t, d)
				var sum time.Duration
				names := 0
				for _, r := range d.Regions {
					if r.Y < 10 {
						sum += r.To - r.From
						names++
					}
				}
				end := life.To
				if life.Outcome == lab.OnTheWay {
					end = l.Now()
				}
				if sum != end-life.From || names != len(life.Stages) {
					t.Errorf("event %d: %d stages of %d, in all %v of %v", e, names, len(life.Stages), sum, end-life.From)
				}
			}
		}
		if drawn < 20 {
			t.Errorf("only %d lives", drawn)
		}
	})
}
