package scene

import (
	"fmt"
	"testing"
	"time"

	"sluice/wasm/lab"
)

// box is the area that an operation takes, for text by its estimated width.
func (o *Op) box() area {
	half := o.Width / 2
	switch o.Do {
	case Disc, Arc:
		return area{o.X, o.Y, 0, 0}.inset(-o.R - half)
	case Glyph:
		return area{o.X, o.Y, 0, 0}.inset(-o.R * 1.2)
	case Line:
		return area{min(o.X, o.X+o.W), min(o.Y, o.Y+o.H), max(o.W, -o.W), max(o.H, -o.H)}
	case Text:
		factor := max(o.R, 0)
		if factor == 0 {
			factor = 1
		}
		w, h := textWidth(o.Font, o.Text)*factor, size(o.Font)*factor
		return area{o.X - w*float32(o.Align)/2, o.Y - h*0.72, w, h * 0.92}
	}
	if o.Line == None {
		half = 0
	}
	return area{o.X, o.Y, o.W, o.H}.inset(-half)
}

func (a area) meets(b area) bool {
	return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom()
}

// checkWithin fails if anything lies outside the drawing.
func checkWithin(t *testing.T, d Drawing, w float32) {
	t.Helper()
	all := area{0, 0, w, d.Height}.inset(-0.6)
	out := func(a area) bool {
		return a.x < all.x || a.y < all.y || a.right() > all.right() || a.bottom() > all.bottom()
	}
	clips := 0
	for i := range d.Ops {
		o := &d.Ops[i]
		switch o.Do {
		case Clip:
			clips++
		case Unclip:
			clips--
			continue
		}
		if a := o.box(); clips == 0 && out(a) {
			t.Errorf("op %d %q at %v is outside %v", i, o.Text, a, all)
		}
		if o.W < 0 && o.Do != Line || o.R < 0 {
			t.Errorf("op %d has a negative size: %+v", i, *o)
		}
	}
	if clips != 0 {
		t.Errorf("%d clips are not ended", clips)
	}
	for _, r := range d.Regions {
		if out(area{r.X, r.Y, r.W, r.H}.inset(2)) {
			t.Errorf("region %+v is outside %v", r, all)
		}
		if r.Title() == "" {
			t.Errorf("region %+v has no title", r)
		}
	}
}

// checkTexts fails if two texts lie over each other.
func checkTexts(t *testing.T, d Drawing) {
	t.Helper()
	var texts []*Op
	for i := range d.Ops {
		if d.Ops[i].Do == Text {
			texts = append(texts, &d.Ops[i])
		}
	}
	for i, a := range texts {
		for _, b := range texts[:i] {
			if a.box().meets(b.box()) {
				t.Errorf("%q at %v lies over %q at %v", a.Text, a.box(), b.Text, b.box())
			}
		}
	}
}

func TestStage(t *testing.T) {
	for _, m := range moments(t) {
		for _, p := range places() {
			t.Run(m.name+"/"+p.name, func(t *testing.T) {
				o := p.on(m)
				d := Stage(&m.v, m.t, o, nil)
				checkWithin(t, d, o.W)
				checkTexts(t, d)
				checkSlots(t, &m.v, d)
				checkEvents(t, &m.v, d)
				checkCrew(t, &m.v, d)
				if d.Moving {
					t.Error("a stage without a past moves")
				}
				if len(d.Ops) > 1500 {
					t.Errorf("%d operations", len(d.Ops))
				}
			})
		}
	}
}

// checkSlots fails unless every slot of the buffer is drawn, each by itself,
// with the event that it has.
func checkSlots(t *testing.T, v *lab.View, d Drawing) {
	t.Helper()
	var slots []Region
	for _, r := range d.Regions {
		if r.Part == Slot {
			slots = append(slots, r)
		}
	}
	if len(slots) != v.Capacity {
		t.Fatalf("%d slots of %d", len(slots), v.Capacity)
	}
	for i, s := range slots {
		// With one ring for all that has ever been accepted, an event's slot
		// follows from how many were accepted before it.
		want := uint32(0)
		for n, q := range v.Queue {
			if (v.Accepted-uint64(len(v.Queue))+uint64(n))%uint64(v.Capacity) == uint64(i) {
				want = q.Event
			}
		}
		if s.N != i+1 || s.Of != v.Capacity || s.Event != want {
			t.Errorf("slot %d: %+v, want event %d", i+1, s, want)
		}
		a, fill := area{s.X, s.Y, s.W, s.H}, None
		for _, o := range d.Ops {
			if o.Do == Rect && o.X == a.x && o.Y == a.y && o.W == a.w && o.H == a.h {
				fill = o.Fill
			}
		}
		if want := map[bool]Ink{true: Sheet, false: Sunk}[want != 0]; fill != want {
			t.Errorf("slot %d is filled with %s, want %s", i+1, fill.Property(), want.Property())
		}
		for _, b := range slots[:i] {
			if a.meets(area{b.X, b.Y, b.W, b.H}) {
				t.Fatalf("slots %d and %d overlap", b.N, s.N)
			}
		}
	}
}

// checkEvents fails unless each event in the view is drawn once, with its key's
// shape and colour, where a person can point at it.
func checkEvents(t *testing.T, v *lab.View, d Drawing) {
	t.Helper()
	keys := map[uint32]uint8{}
	for _, q := range v.Queue {
		keys[q.Event] = q.Key
	}
	for i := range v.Crew {
		if g := &v.Crew[i]; g.InHand() || g.Kind == lab.Submitting && g.Waiting() {
			keys[g.Event] = g.Key
		}
	}
	for e, k := range keys {
		found := 0
		for _, r := range d.Regions {
			if r.Event != e || r.Part != Slot && r.Part != InHand {
				continue
			}
			for _, o := range d.Ops {
				inside := o.X > r.X && o.X < r.X+r.W && o.Y > r.Y && o.Y < r.Y+r.H
				if o.Do == Glyph && inside {
					found++
					if o.Shape != k || o.Fill != Key0+Ink(k) {
						t.Errorf("event %d has key %d and is drawn as %d in %s", e, k, o.Shape, o.Fill.Property())
					}
				}
			}
		}
		if found != 1 {
			t.Errorf("event %d is drawn %d times", e, found)
		}
	}
	counts := [lab.NumKeys]bool{}
	for _, r := range d.Regions {
		if r.Part == Count && r.N == v.Counts[r.Key] && r.Of == v.Polled[r.Key] {
			counts[r.Key] = true
		}
	}
	if counts != [lab.NumKeys]bool{true, true, true, true, true} {
		t.Errorf("counts of keys: %v", counts)
	}
}

func checkCrew(t *testing.T, v *lab.View, d Drawing) {
	t.Helper()
	for i := range v.Crew {
		g := &v.Crew[i]
		if g.Who.Role() == lab.Runner {
			continue // Run is in the timeline and the table
		}
		ok := false
		for _, r := range d.Regions {
			ok = ok || r.Part == Figure && r.Who == g.Who && r.Kind == g.Kind
		}
		if !ok {
			t.Errorf("%v cannot be pointed at", g.Who)
		}
	}
}

// says lists the texts of a drawing.
func says(d Drawing) map[string]bool {
	all := map[string]bool{}
	for _, o := range d.Ops {
		if o.Do == Text {
			all[o.Text] = true
		}
	}
	return all
}

func TestWords(t *testing.T) {
	want := map[string][]string{
		"unstarted":    {"0 of 16", "not started"},
		"calm":         {"intake open", "idle: select"},
		"busy":         {"16 of 16, full", "waiting:", "buffer full", "4 busy, 0 idle"},
		"draining":     {"intake closed", "draining what was accepted", "ErrStopped"},
		"stopped":      {"intake closed", "exited", "Run has returned", "ErrStopped"},
		"killed":       {"to be abandoned", "finish what is in hand"},
		"abandoned":    {"16 abandoned"},
		"held":         {"Time is held: every goroutine stands still until Resume or Step."},
		"slow":         {"waits for lock", "inside: ", "at the door: "},
		"slow-readers": {"inside: "},
		"many":         {"resting"},
	}
	never := map[string][]string{
		"calm":     {"intake closed", "waiting:"},
		"draining": {"intake open", "idle: select"},
		"busy":     {"waits for lock"},
		"stopped":  {"draining"},
	}
	for _, m := range moments(t) {
		d := Stage(&m.v, m.t, places()[0].on(m), nil)
		said := says(d)
		for _, w := range want[m.name] {
			if !said[w] {
				t.Errorf("%s does not say %q", m.name, w)
			}
		}
		for _, w := range never[m.name] {
			if said[w] {
				t.Errorf("%s says %q", m.name, w)
			}
		}
	}
}

// script is a view after steps that are written down here.
func script(sc lab.Scenario, steps ...lab.Step) (*lab.View, *lab.Trace) {
	v := lab.NewView(sc)
	for _, s := range steps {
		v.Apply(s)
	}
	return &v, lab.NewTrace(sc)
}

func worker(n int) lab.Who { return lab.NewWho(lab.Worker, n) }
func reader(n int) lab.Who { return lab.NewWho(lab.Reader, n) }

// TestRoom checks who stands where at a sync.RWMutex.
func TestRoom(t *testing.T) {
	step := func(at int, w lab.Who, k lab.Kind) lab.Step {
		return lab.Step{At: time.Duration(at) * ms, Who: w, Kind: k}
	}
	sc := lab.Default()
	sc.SlowLock, sc.Readers = true, 3
	tests := []struct {
		name                 string
		steps                []lab.Step
		inside, door, behind string
		shut                 bool
	}{
		{"nobody", nil, "", "", "", false},
		{"readers together", []lab.Step{step(1, reader(1), lab.Inside), step(2, reader(2), lab.Inside)}, "r1 r2", "", "", false},
		{"a writer waits for readers, and readers behind it", []lab.Step{
			step(1, reader(1), lab.Inside), step(3, worker(2), lab.AtDoor), step(4, worker(1), lab.AtDoor), step(5, reader(2), lab.AtDoor),
		}, "r1", "w2", "w1 r2", true},
		{"a writer alone: readers that wait go next", []lab.Step{
			step(1, worker(3), lab.Inside), step(2, worker(1), lab.AtDoor), step(3, reader(2), lab.AtDoor), step(4, reader(1), lab.AtDoor),
		}, "w3", "r1 r2", "w1", true},
		{"a writer alone, writers wait", []lab.Step{
			step(1, worker(3), lab.Inside), step(2, worker(4), lab.AtDoor), step(3, worker(1), lab.AtDoor),
		}, "w3", "w4", "w1", true},
	}
	names := func(gs []*lab.Goroutine) string {
		s := ""
		for _, g := range gs {
			s += " " + short(g.Who)
		}
		if s != "" {
			s = s[1:]
		}
		return s
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, tr := script(sc, tt.steps...)
			s := stage{v: v, t: tr}
			var r room
			s.occupy(&r)
			got := fmt.Sprint(names(r.inside[:r.nIn]), "|", names(r.door[:r.nDoor]), "|", names(r.behind[:r.nBehind]), "|", r.shut)
			want := fmt.Sprint(tt.inside, "|", tt.door, "|", tt.behind, "|", tt.shut)
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestMotion follows one event from a producer to a slot and back in time.
func TestMotion(t *testing.T) {
	sc := lab.Default()
	sc.Workers, sc.Producers = 1, 1
	inLab(t, sc, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{}, lab.Burst{})
		tr := l.Trace()
		// The first step that takes an event from the buffer to the worker; nothing
		// else happens in it, such as an event that leaves the worker's hands.
		var v lab.View
		var seen, kept, n uint64
		var e, first uint32
		for turns := 0; turns < 3000 && kept == 0; turns++ {
			run(10 * time.Millisecond)
			for ; n < tr.Last() && kept == 0; n++ {
				tr.Seek(&v, n)
				if g := v.Find(worker(1)); first != 0 && g.Event == first {
					e, seen, kept = first, n-1, n
				}
				first = 0
				if len(v.Queue) > 0 {
					first = v.Queue[0].Event
				}
			}
		}
		if kept == 0 {
			t.Fatal("no event came to a worker")
		}
		where := func(d Drawing) area {
			for _, r := range d.Regions {
				if r.Event == e && (r.Part == Slot || r.Part == InHand) {
					return area{r.X, r.Y, r.W, r.H}
				}
			}
			t.Fatal("the event is nowhere")
			return area{}
		}
		within := func(d Drawing, a area) bool {
			for _, o := range d.Ops {
				if o.Do == Glyph && o.X > a.x && o.X < a.right() && o.Y > a.y && o.Y < a.bottom() {
					return true
				}
			}
			return false
		}
		for _, reduced := range []bool{false, true} {
			var m Motion
			o := StageOptions{W: 704, H: 300, ReducedMotion: reduced, Clock: 10}
			draw := func(n uint64, clock float64) Drawing {
				tr.Seek(&v, n)
				o.Clock = clock
				return Stage(&v, tr, o, &m)
			}
			d := draw(seen, 10)
			if !within(d, where(d)) || d.Moving {
				t.Error("the first frame must be at rest")
			}
			d = draw(kept, 10.016)
			if got := within(d, where(d)); got != reduced || d.Moving == reduced {
				t.Errorf("reduced %t: at once at its place %t, moving %t", reduced, got, d.Moving)
			}
			if !says(d)[fmt.Sprint("event ", e)] {
				t.Error("the words waited for the glyph")
			}
			checkSlots(t, &v, d)
			d = draw(kept, 10.05)
			if got := within(d, where(d)); got != reduced || d.Moving == reduced {
				t.Errorf("reduced %t: some frames later at its place %t, moving %t", reduced, got, d.Moving)
			}
			d = draw(kept, 10.3)
			if !within(d, where(d)) || d.Moving {
				t.Error("after its time the glyph must rest")
			}
			d = draw(seen, 10.316)
			if !within(d, where(d)) || d.Moving {
				t.Error("going back must not travel")
			}
			o.Rate = FastRate + 1
			if d = draw(kept, 10.4); !within(d, where(d)) || d.Moving {
				t.Error("at a high rate nothing travels")
			}
		}
	})
}

func TestAt(t *testing.T) {
	d := Drawing{Regions: []Region{{X: 0, Y: 0, W: 10, H: 10, N: 1}, {X: 5, Y: 5, W: 10, H: 10, N: 2}}}
	for _, tt := range []struct {
		x, y float32
		n    int
	}{{1, 1, 1}, {6, 6, 2}, {12, 12, 2}, {20, 1, 0}, {10, 1, 0}} {
		if r, ok := d.At(tt.x, tt.y); r.N != tt.n || ok != (tt.n > 0) {
			t.Errorf("at %g %g: %d", tt.x, tt.y, r.N)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 µs", 83 * time.Microsecond: "83 µs", 1500 * time.Microsecond: "1.50 ms", 152 * time.Millisecond: "152 ms",
		9999 * time.Microsecond: "10 ms", 1200 * time.Millisecond: "1.20 s", 62 * time.Second: "62.0 s", -time.Second: "-1.00 s",
	} {
		if got := span(d); got != want {
			t.Errorf("%d: %q, want %q", d, got, want)
		}
	}
	if got := thousands(1234567); got != "1,234,567" {
		t.Error(got)
	}
}

// TestHandedOver is the instant at which a worker has received an event and
// Submit has not yet returned: the event is in one hand, not in two.
func TestHandedOver(t *testing.T) {
	p1 := lab.NewWho(lab.Producer, 1)
	v, tr := script(small(),
		lab.Step{Who: worker(1), Kind: lab.Idle},
		lab.Step{At: ms, Who: p1, Kind: lab.Submitting, Event: 1, Key: 3},
		lab.Step{At: ms, Who: worker(1), Kind: lab.Received, Event: 1, Key: 3},
	)
	d := Stage(v, tr, StageOptions{W: 704, H: 300, Now: ms}, nil)
	checkEvents(t, v, d)
	if s := says(d); !s["accepted"] || s["submits"] {
		t.Error("the producer's event is not said to be accepted")
	}
}
