package lab

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// sameView reports whether two views are equal in every field.
func sameView(a, b *View) bool {
	x, y := *a, *b
	if len(x.Queue) == 0 && len(y.Queue) == 0 {
		x.Queue, y.Queue = nil, nil
	}
	return reflect.DeepEqual(x, y)
}

func samePoint(a, b Point) bool {
	same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
	return a.At == b.At && same(a.In, b.In) && same(a.Out, b.Out) && same(a.Queue, b.Queue) && same(a.P50, b.P50) && same(a.P95, b.P95)
}

// sameTrace fails the test unless everything that b shows is what a shows.
func sameTrace(t *testing.T, a, b *Trace) {
	t.Helper()
	x, y := a.Scenario, b.Scenario
	x.Autostart, y.Autostart = false, false // of the page, not of the run
	if x != y || a.Parallel != b.Parallel {
		t.Errorf("scenario %+v parallel %v, want %+v %v", y, b.Parallel, x, a.Parallel)
	}
	if a.First() != b.First() || a.Last() != b.Last() || a.Start() != b.Start() || a.End() != b.End() {
		t.Fatalf("from %d to %d, want %d to %d", b.First(), b.Last(), a.First(), a.Last())
	}
	if a.Now().Ledger() != b.Now().Ledger() {
		t.Errorf("ledger %+v, want %+v", b.Now().Ledger(), a.Now().Ledger())
	}
	va, vb := a.Now().Clone(), b.Now().Clone()
	for n := a.First(); n <= a.Last(); n++ {
		if n > a.First() {
			sa, sb := a.Step(n), b.Step(n)
			if sa != sb || a.Place(sa.Place) != b.Place(sb.Place) {
				t.Fatalf("step %d is %+v, want %+v", n, sb, sa)
			}
		}
		if n%97 == 0 || n == a.First() || n == a.Last() {
			a.Seek(&va, n)
			b.Seek(&vb, n)
			if !sameView(&va, &vb) {
				t.Fatalf("the view after step %d is\n%+v, want\n%+v", n, vb, va)
			}
		}
	}
	if !slices.Equal(a.Lanes(), b.Lanes()) {
		t.Errorf("lanes %v, want %v", b.Lanes(), a.Lanes())
	}
	if !slices.Equal(a.Marks(), b.Marks()) {
		t.Errorf("marks %v, want %v", b.Marks(), a.Marks())
	}
	for _, w := range a.Lanes() {
		if x, y := a.Bars(w, a.Start()+1, a.End()), b.Bars(w, a.Start()+1, a.End()); !slices.Equal(x, y) {
			t.Errorf("%v has bars\n%v, want\n%v", w, y, x)
		}
	}
	if !slices.EqualFunc(a.Points(), b.Points(), samePoint) || a.series.end != b.series.end {
		t.Errorf("points\n%v, want\n%v", b.Points(), a.Points())
	}
}

// busyTrace is the trace of a run that was overloaded, turned, and stopped or
// killed, with a ring of the given size.
func busyTrace(t testing.TB, sc Scenario, size, every uint64, ticks int, end Message) *Trace {
	defer oneProcessor()()
	l := New(sc, Options{Settle: yield})
	defer l.Close()
	l.size, l.every = size, every
	ok := func(m Message) {
		if err := l.Do(m); err != nil {
			t.Fatalf("%T: %v", m, err)
		}
	}
	ok(Start{})
	for i := range ticks {
		switch i {
		case ticks / 4:
			ok(Burst{})
		case ticks / 3:
			ok(Turn{"readers", 1})
			ok(Turn{"rate", 50})
		case ticks / 2:
			ok(Pause{})
			for range 10 {
				ok(Release{})
			}
			ok(Resume{})
		}
		l.Tick(20*time.Millisecond, nil)
	}
	if end != nil {
		ok(end)
		for l.Phase() != Stopped {
			l.Tick(20*time.Millisecond, nil)
		}
	}
	if err := l.Fault(); err != nil {
		t.Fatal(err)
	}
	return l.Trace()
}

func TestFileKeepsEverything(t *testing.T) {
	for name, c := range map[string]struct {
		sc    Scenario
		size  uint64
		ticks int
		end   Message
	}{
		"empty":   {Default(), ringSize, 0, nil},
		"running": {Default(), ringSize, 200, nil},
		"stopped": {Default(), ringSize, 200, Stop{}},
		"killed":  {overload(), ringSize, 200, Kill{}},
		"dropped": {overload(), 1024, 400, Stop{}},
		"lock":    {slow(), ringSize, 200, Stop{}},
	} {
		t.Run(name, func(t *testing.T) {
			a := busyTrace(t, c.sc, c.size, 128, max(c.ticks, 1), c.end)
			if (name == "dropped") != (a.First() > 0) {
				t.Fatalf("the trace begins at %d", a.First())
			}
			a.Parallel = name == "stopped"
			data := a.Encode()
			b, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			sameTrace(t, a, b)
			if again := b.Encode(); name != "dropped" && !bytes.Equal(data, again) {
				t.Error("written again it is another file")
			}
			t.Logf("%d steps in %d bytes", a.Last()-a.First(), len(data))
		})
	}
}

func overload() Scenario {
	sc := Default()
	sc.Rate, sc.Producers = 100, 3
	return sc
}

func slow() Scenario {
	sc := overload()
	sc.SlowLock, sc.Readers = true, 3
	return sc
}

func TestFileIsRefused(t *testing.T) {
	good := busyTrace(t, Default(), ringSize, 128, 20, nil).Encode()
	sealed := func(data []byte) []byte {
		return binary.LittleEndian.AppendUint32(slices.Clip(data), crc32.ChecksumIEEE(data))
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)/2] ^= 4
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":        {nil, "not a trace"},
		"other":        {[]byte(`{"traceEvents":[]}`), "not a trace"},
		"version":      {[]byte("sluice trace 2\nabc"), "version 2 of the format: only version 1"},
		"no version":   {[]byte("sluice trace " + strings.Repeat("9", 100)), "does not say its version"},
		"header only":  {[]byte("sluice trace 1\n"), "ends too early"},
		"cut":          {good[:len(good)/2], "checksum"},
		"flipped":      {flipped, "checksum"},
		"cut, sealed":  {sealed(good[:len(good)/2]), "ends too early"},
		"more, sealed": {sealed(good[: len(good)-4 : len(good)-4]), ""},
		"too long":     {sealed(append(good[:len(good)-4:len(good)-4], 0)), "more follows"},
		"huge":         {make([]byte, MaxFile+1), "at most 64"},
	} {
		_, err := Decode(c.data)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzDecode changes the inside of files with a right checksum, so that the
// fuzzer gets past it. What is read must be shown without a panic, and be
// written and read again without a change.
func FuzzDecode(f *testing.F) {
	sc := overload()
	for _, tr := range []*Trace{
		busyTrace(f, sc, 1024, 128, 60, Kill{}),
		busyTrace(f, slow(), ringSize, 128, 20, Stop{}),
		NewTrace(sc),
	} {
		f.Add(tr.Encode()[len(fileMagic)+2:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		data := append([]byte(fileMagic+fileVersion+"\n"), body[:max(len(body)-4, 0)]...)
		a, err := Decode(binary.LittleEndian.AppendUint32(data, crc32.ChecksumIEEE(data)))
		if err != nil {
			return
		}
		v := a.Now().Clone()
		a.Seek(&v, (a.First()+a.Last())/2)
		for i := range v.Crew {
			a.Why(&v, &v.Crew[i], v.At)
			v.Crew[i].StateWord(&v)
		}
		Sentence(&v, true)
		for _, e := range a.Recent(a.Last(), 5) {
			l, ok := a.Life(e, a.Last())
			if ok {
				_ = l.Text()
			}
		}
		b, err := Decode(a.Encode())
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if a.First() != b.First() || !sameView(a.Now(), b.Now()) {
			t.Fatal("what was read changes when it is written and read")
		}
	})
}
