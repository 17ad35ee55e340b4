package scene

import (
	"bytes"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"sluice/wasm/lab"
)

// settle returns when every goroutine but the caller's waits for another. It is
// for runs in which one waits at a mutex, which synctest does not take for blocked.
func settle() {
	buf := make([]byte, 1<<20)
	for busy := true; busy; {
		runtime.Gosched()
		_, others, _ := bytes.Cut(buf[:runtime.Stack(buf, true)], []byte("\n\n")) // the caller comes first
		busy = false
		for block := range bytes.SplitSeq(others, []byte("\n\n")) {
			busy = busy || !waits(block)
		}
	}
}

// waits reports whether a goroutine waits for what only another one can do.
func waits(stack []byte) bool {
	_, state, _ := bytes.Cut(stack, []byte(" ["))
	for _, s := range []string{"chan ", "select", "sync.RWMutex.", "sync.WaitGroup.", "syscall", "IO wait", "waiting"} { // the last one under js
		if bytes.HasPrefix(state, []byte(s)) {
			return true
		}
	}
	return bytes.HasPrefix(state, []byte("sync.Mutex.Lock")) && bytes.Contains(stack, []byte("slowStore"))
}

// inLab runs f with a lab of sc.
func inLab(t testing.TB, sc lab.Scenario, f func(l *lab.Lab, do func(...lab.Message), run func(time.Duration))) {
	t.Helper()
	with := func(l *lab.Lab) {
		defer l.Close()
		do := func(ms ...lab.Message) {
			t.Helper()
			for _, m := range ms {
				if err := l.Do(m); err != nil {
					t.Fatalf("%T: %v", m, err)
				}
			}
		}
		f(l, do, func(d time.Duration) {
			for ; d > 0; d -= 10 * time.Millisecond {
				l.Tick(10*time.Millisecond, nil)
			}
		})
	}
	if tt, ok := t.(*testing.T); ok && !sc.SlowLock {
		synctest.Test(tt, func(*testing.T) { with(lab.New(sc, lab.Options{Settle: synctest.Wait})) })
		return
	}
	var l *lab.Lab
	l = lab.New(sc, lab.Options{Settle: func() {
		settle()
		l.Now() // takes the clock's lock, as each goroutine did after its last step
	}})
	with(l)
}

// shown is a moment of a run.
type shown struct {
	name string
	v    lab.View
	t    *lab.Trace
	now  time.Duration
	held bool
	rate float64
}

// moments runs scenarios of every kind and returns moments worth a look. The
// traces have gone on since.
func moments(t *testing.T) (all []shown) {
	at := func(name string, l *lab.Lab) {
		rate := 0.0
		if p, ok := l.Trace().PointAt(l.Now()); ok {
			rate = p.In
		}
		all = append(all, shown{name: name, v: l.Trace().Now().Clone(), t: l.Trace(), now: l.Now(), held: l.Paused(), rate: rate})
	}
	sc := lab.Default()
	inLab(t, sc, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		at("unstarted", l)
		do(lab.Start{}, lab.Turn{Query: "rate", Value: 12})
		run(1500 * time.Millisecond)
		at("calm", l)
		do(lab.Turn{Query: "rate", Value: 80})
		for v := l.Trace().Now(); len(v.Queue) < v.Capacity || v.Ledger().Waiting == 0; {
			run(10 * time.Millisecond)
		}
		at("busy", l)
		do(lab.Pause{})
		for range 6 {
			do(lab.Release{})
		}
		at("held", l)
		do(lab.Resume{}, lab.Stop{})
		run(220 * time.Millisecond)
		at("draining", l)
		run(3 * time.Second)
		at("stopped", l)
	})
	inLab(t, sc, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{}, lab.Burst{})
		run(300 * time.Millisecond)
		do(lab.Kill{})
		at("killed", l)
		run(time.Second)
		at("abandoned", l)
	})
	slow := sc
	slow.SlowLock, slow.Readers, slow.Rate = true, 3, 40
	inLab(t, slow, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{})
		run(1200 * time.Millisecond)
		at("slow", l)
		for range 100 {
			run(10 * time.Millisecond)
			if g := l.Trace().Now().Find(lab.NewWho(lab.Reader, 1)); g.Kind == lab.Inside {
				break
			}
		}
		at("slow-readers", l)
	})
	many := sc
	many.Workers, many.Buffer, many.Producers, many.Readers, many.Rate, many.Cost = 64, 256, 8, 8, 600, 200*time.Millisecond
	inLab(t, many, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{})
		run(900 * time.Millisecond)
		at("many", l)
	})
	eight := sc
	eight.Workers, eight.Buffer, eight.Producers, eight.Readers, eight.Rate = 8, 64, 4, 4, 60
	inLab(t, eight, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{}, lab.Burst{})
		run(700 * time.Millisecond)
		at("eight", l)
	})
	sixteen := eight
	sixteen.Workers, sixteen.Buffer, sixteen.Producers, sixteen.SlowLock = 16, 1, 1, true
	inLab(t, sixteen, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{}, lab.Burst{})
		run(700 * time.Millisecond)
		at("sixteen", l)
	})
	return all
}

// place is somewhere where the stage is drawn.
type place struct {
	name string
	o    StageOptions
}

func places() []place {
	return []place{
		{"desk", StageOptions{W: 704, H: 300}},
		{"phone", StageOptions{W: 390, H: 500, Portrait: true}},
		{"narrow", StageOptions{W: 340, H: 500, Portrait: true}},
		{"room", StageOptions{W: 1100, H: 470, Scale: 1.5}},
		{"large type", StageOptions{W: 704, H: 300, Scale: 1.3}},
	}
}

// on fills in what depends on the moment.
func (p place) on(m shown) StageOptions {
	o := p.o
	o.Now, o.Rate, o.Paused = m.now, m.rate, m.held
	return o
}

// TestLook draws nothing that is tested; see look.
func TestLook(t *testing.T) {
	for _, m := range moments(t) {
		for _, p := range places() {
			o := p.on(m)
			if len(m.v.Queue) > 2 {
				o.Followed = m.v.Queue[1].Event
			}
			name := m.name
			ds := []Drawing{Stage(&m.v, m.t, o, nil)}
			if !o.Portrait {
				tl := TimelineOptions{W: o.W - 40, H: o.H / 2, Scale: o.Scale, To: m.now + 1, Now: m.now, Cursor: m.now, Live: true, Followed: o.Followed, Chosen: lab.NewWho(lab.Worker, 2)}
				ds = append(ds, Timeline(m.t, tl))
			}
			if p.name != "desk" {
				name += "-" + p.name
			}
			event := m.v.Queue
			if len(event) > 0 {
				for _, e := range []uint32{event[0].Event, 3} {
					if life, ok := m.t.Life(e, m.v.Step); ok {
						ds = append(ds, Strip(life, StripOptions{W: o.W, Now: m.now, Scale: o.Scale}))
					}
				}
			}
			look(t, name, o.W, ds...)
		}
	}
}
