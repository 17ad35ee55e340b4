package lab

import (
	"math"
	"sort"
	"time"
)

// Bucket is the length of lab time that one point of the charts stands for.
const Bucket = 100 * time.Millisecond

// seriesSize is the least number of points retained, ten minutes of lab time;
// it is at most twice that.
const seriesSize = 6000

// Point is what happened in one Bucket of lab time.
type Point struct {
	At       time.Duration // the bucket's end
	In, Out  float64       // events accepted and stored a second, over the last second
	Queue    float64       // events in the buffer at the end
	P50, P95 float64       // milliseconds from Submit to stored; NaN if none was stored
}

// series folds steps into points.
type series struct {
	points  []Point
	end     time.Duration // of the bucket that is filling
	in, out [10]int       // events in the last ten buckets, the last one filling
	spans   []float64     // of the events stored in the bucket
	given   []Point       // see begin
}

// add counts step s, which is about to be folded into v.
func (r *series) add(v *View, s Step) {
	r.advance(s.At, len(v.Queue))
	switch s.Kind {
	case Accepted:
		r.in[9]++
	case Stored:
		r.out[9]++
		if g := v.Find(s.Who); g != nil {
			r.spans = append(r.spans, float64(s.At-g.From)/1e6)
		}
	}
}

// advance closes the buckets that end at or before at.
func (r *series) advance(at time.Duration, queue int) {
	if r.end == 0 {
		r.end = (at/Bucket + 1) * Bucket
	}
	if gap := (at - r.end) / Bucket; gap > 3*seriesSize {
		// Nothing happened for so long that no point from before is retained.
		r.points, r.spans = r.points[:0], r.spans[:0]
		r.in, r.out = [10]int{}, [10]int{}
		r.end += (gap - 2*seriesSize) * Bucket
	}
	for r.end <= at {
		p := Point{At: r.end, Queue: float64(queue), P50: math.NaN(), P95: math.NaN()}
		for i := range r.in {
			p.In += float64(r.in[i])
			p.Out += float64(r.out[i])
		}
		if len(r.spans) > 0 {
			sort.Float64s(r.spans)
			p.P50, p.P95 = percentile(r.spans, 0.5), percentile(r.spans, 0.95)
			r.spans = r.spans[:0]
		}
		r.points = append(r.points, p)
		// When to forget depends on lab time alone, so that a trace read from a
		// file has the points of the one written.
		if r.end/Bucket%seriesSize == 0 && len(r.points) > seriesSize {
			r.points = append(r.points[:0], r.points[len(r.points)-seriesSize:]...)
		}
		copy(r.in[:], r.in[1:])
		copy(r.out[:], r.out[1:])
		r.in[9], r.out[9] = 0, 0
		r.end += Bucket
	}
}

// begin has points that were derived from steps before start and just after it.
func (r *series) begin(points []Point, start time.Duration) {
	i := 0
	for i < len(points) && points[i].At <= start {
		i++
	}
	r.points, r.given = points[:i:i], points[i:]
	if len(points) > 0 {
		r.end = (start/Bucket + 1) * Bucket
	}
}

// finish closes the buckets before the one that ends at end, puts in what was
// given to begin, and forgets the points before first.
func (r *series) finish(end, first time.Duration, queue int) {
	if end > 0 {
		r.advance(end-Bucket, queue)
	}
	for _, p := range r.given {
		i := sort.Search(len(r.points), func(i int) bool { return r.points[i].At >= p.At })
		if i < len(r.points) && r.points[i].At == p.At {
			r.points[i] = p
		}
	}
	r.given = nil
	i := 0
	for i < len(r.points) && r.points[i].At < first {
		i++
	}
	r.points = r.points[i:]
}

// percentile returns the nearest-rank percentile of sorted values: the least
// value that a share p of them does not exceed.
func percentile(sorted []float64, p float64) float64 {
	return sorted[max(int(math.Ceil(p*float64(len(sorted))))-1, 0)]
}

func (r *series) bytes() int { return cap(r.points)*48 + cap(r.spans)*8 }

// Points returns the points of the charts, oldest first. It is not a copy.
func (t *Trace) Points() []Point { return t.series.points }

// PointAt returns the point of the last bucket that had ended at lab time at.
func (t *Trace) PointAt(at time.Duration) (Point, bool) {
	points := t.series.points
	i := sort.Search(len(points), func(i int) bool { return points[i].At > at })
	if i == 0 {
		return Point{}, false
	}
	return points[i-1], true
}
