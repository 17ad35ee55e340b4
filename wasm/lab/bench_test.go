package lab

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// yield lets every other goroutine run until it blocks. With one processor
// runtime.Gosched does that, but for the turn in 61 in which the scheduler looks
// at the queue it puts the caller in.
func yield() {
	for range 4 {
		runtime.Gosched()
	}
}

// oneProcessor makes the scheduler behave as it does under js/wasm, until the
// function it returns is called.
func oneProcessor() (restore func()) {
	n := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(n) }
}

// longTrace has n steps of a busy pool.
func longTrace(t testing.TB, n uint64) *Trace {
	defer oneProcessor()()
	sc := Default()
	sc.Rate, sc.Cost, sc.Workers, sc.Producers, sc.Buffer = 1000, 10*time.Millisecond, 8, 8, 64
	l := New(sc, Options{Settle: yield})
	defer l.Close()
	if err := l.Do(Start{}); err != nil {
		t.Fatal(err)
	}
	for l.Trace().Last() < n {
		l.Tick(16*time.Millisecond, nil)
	}
	if err := l.Fault(); err != nil {
		t.Fatal(err)
	}
	return l.Trace()
}

func BenchmarkSeek(b *testing.B) {
	tr := longTrace(b, 200_000)
	first, last := tr.First(), tr.Last()
	v := tr.Now().Clone()
	b.Run("anywhere", func(b *testing.B) {
		for i := range b.N {
			tr.Seek(&v, first+mix(1, uint64(i))%(last-first))
		}
		b.ReportMetric(float64(tr.Bytes())/float64(len(tr.ring)), "bytes/step")
	})
	b.Run("farthest", func(b *testing.B) { // from its checkpoint
		for range b.N {
			tr.Seek(&v, tr.marks[len(tr.marks)/2].Step-1)
		}
	})
	b.Run("life", func(b *testing.B) {
		for i := range b.N {
			tr.Life(uint32(1+mix(1, uint64(i))%10000), last)
		}
	})
}

func BenchmarkTick(b *testing.B) {
	for _, c := range []struct {
		rate    float64
		workers int
	}{{1000, 8}, {10_000, 8}, {10_000, 64}} {
		b.Run(fmt.Sprintf("rate=%v/workers=%d", c.rate, c.workers), func(b *testing.B) {
			defer oneProcessor()()
			sc := Default()
			sc.Rate, sc.Workers, sc.Producers, sc.Buffer = c.rate, c.workers, 8, 256
			sc.Cost = time.Duration(float64(c.workers) * 0.9 / c.rate * float64(time.Second))
			l := New(sc, Options{Settle: yield})
			defer l.Close()
			if err := l.Do(Start{}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				l.Tick(time.Second/60, nil)
			}
			b.StopTimer()
			events := float64(l.Trace().Now().Submitted)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/events, "ns/event")
			b.ReportMetric(float64(l.Trace().Last())/events, "steps/event")
			if err := l.Fault(); err != nil {
				b.Error(err)
			}
		})
	}
}

func BenchmarkLook(b *testing.B) {
	for _, workers := range []int{8, 64} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			defer oneProcessor()()
			sc := Default()
			sc.Workers = workers
			l := New(sc, Options{Settle: yield})
			defer l.Close()
			if err := l.Do(Start{}); err != nil {
				b.Fatal(err)
			}
			l.Tick(200*time.Millisecond, nil)
			b.ReportAllocs()
			for b.Loop() {
				l.rest(true)
			}
		})
	}
}

func BenchmarkFile(b *testing.B) {
	tr := longTrace(b, 200_000)
	data := tr.Encode()
	perStep := func(b *testing.B, bytes int) {
		b.ReportMetric(float64(bytes)/float64(tr.Last()-tr.First()), "bytes/step")
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			tr.Encode()
		}
		perStep(b, len(data))
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("perfetto", func(b *testing.B) {
		var n counter
		for b.Loop() {
			n = 0
			if err := tr.Perfetto(&n); err != nil {
				b.Fatal(err)
			}
		}
		perStep(b, int(n))
	})
}

// counter counts what is written to it.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
