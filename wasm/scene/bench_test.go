package scene

import (
	"fmt"
	"testing"
)

func BenchmarkStage(b *testing.B) {
	for _, c := range []struct{ workers, buffer int }{{8, 64}, {8, 256}, {64, 256}} {
		for _, rate := range []float64{100, 1000} {
			b.Run(fmt.Sprintf("workers=%d/slots=%d/rate=%.0f", c.workers, c.buffer, rate), func(b *testing.B) {
				l := long(b, c.workers, c.buffer)
				tr := l.Trace()
				v := tr.Now().Clone()
				var m Motion
				o := StageOptions{W: 704, H: 300, Rate: rate, Now: l.Now()}
				first, n := tr.Last()-20000, uint64(0)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					n++
					tr.Seek(&v, first+n%10000*2) // as frames follow each other
					o.Now = v.At
					o.Clock = float64(n) / 60
					b.StartTimer()
					Stage(&v, tr, o, &m)
				}
			})
		}
	}
}

func BenchmarkTimeline(b *testing.B) {
	for _, workers := range []int{8, 64} {
		l := long(b, workers, 64)
		for _, share := range []float64{1, 0.01} {
			b.Run(fmt.Sprintf("workers=%d/share=%g", workers, share), func(b *testing.B) {
				w := Fit(l.Trace().Start(), l.Now()).Zoom(l.Now(), share)
				o := TimelineOptions{W: 660, H: 140, From: w.From, To: w.To, Now: l.Now(), Cursor: l.Now(), Live: true}
				b.ReportAllocs()
				for b.Loop() {
					o.Reuse = Timeline(l.Trace(), o)
				}
				b.ReportMetric(float64(len(o.Reuse.Ops)), "ops")
			})
		}
	}
}
