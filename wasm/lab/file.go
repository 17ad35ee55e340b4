package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"time"
)

// A trace file is the line "sluice trace 1", then numbers as variable-length
// integers (package encoding/binary) in the order of codec.trace, then the
// CRC-32 (IEEE) of all before it, little-endian.
const (
	fileMagic   = "sluice trace "
	fileVersion = "1"
)

// Bounds of what a file may say. They are far above what a lab writes.
const (
	MaxFile   = 64 << 20
	maxTime   = 1000 * time.Hour
	maxQueue  = 1 << 12
	maxPlaces = 1<<15 + 1
	maxText   = 256
	maxCount  = 1 << 53
)

// Encode writes the retained trace as a file that Decode reads.
func (t *Trace) Encode() []byte {
	c := codec{buf: make([]byte, 0, 1024+14*int(t.Last()-t.First()))}
	c.buf = append(c.buf, fileMagic+fileVersion+"\n"...)
	c.trace(t)
	return binary.LittleEndian.AppendUint32(c.buf, crc32.ChecksumIEEE(c.buf))
}

// Decode reads a file that Encode has written. The error says, to the person,
// why it cannot.
func Decode(data []byte) (*Trace, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("this file has %d MB: a trace has at most %d", len(data)>>20, MaxFile>>20)
	}
	rest, ok := bytes.CutPrefix(data, []byte(fileMagic))
	if !ok {
		return nil, errors.New("this is not a trace that Sluice has written")
	}
	version, _, ok := bytes.Cut(rest[:min(len(rest), 20)], []byte("\n"))
	if !ok {
		return nil, errors.New("this trace is broken: it does not say its version")
	}
	if string(version) != fileVersion {
		return nil, fmt.Errorf("this trace has version %s of the format: only version %s can be read", clip(string(version)), fileVersion)
	}
	body := rest[len(version)+1:]
	if len(body) < 4 {
		return nil, errors.New("this trace is broken: it ends too early")
	}
	end := len(data) - 4
	if crc32.ChecksumIEEE(data[:end]) != binary.LittleEndian.Uint32(data[end:]) {
		return nil, errors.New("this trace is broken: its checksum is wrong")
	}
	c := codec{buf: body[:len(body)-4], reading: true}
	t := &Trace{}
	c.trace(t)
	if c.err == nil && len(c.buf) > 0 {
		c.fail("more follows after its end")
	}
	if c.err != nil {
		return nil, fmt.Errorf("this trace is broken: %w", c.err)
	}
	return t, nil
}

// A codec reads or writes: each of its methods describes one thing for both
// directions. After an error it reads zeros.
type codec struct {
	buf     []byte // what is left to read, or what has been written
	reading bool
	err     error
}

func (c *codec) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// number is a number from 0 to most.
func (c *codec) number(v, most uint64) uint64 {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, v)
		return v
	}
	v, n := binary.Uvarint(c.buf)
	switch {
	case c.err != nil:
		return 0
	case n <= 0:
		c.fail("it ends too early")
		return 0
	case v > most:
		c.fail("it has %d where at most %d makes sense", v, most)
		return 0
	}
	c.buf = c.buf[n:]
	return v
}

func num[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int](c *codec, p *T, most uint64) {
	*p = T(c.number(uint64(*p), most))
}

// duration is a lab time, or -1 for never.
func (c *codec) duration(p *time.Duration) {
	*p = time.Duration(c.number(uint64(*p+1), uint64(maxTime))) - 1
}

func (c *codec) bool(p *bool) {
	v := uint8(0)
	if *p {
		v = 1
	}
	num(c, &v, 1)
	*p = v == 1
}

func (c *codec) float(p *float64) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, math.Float64bits(*p))
		return
	}
	if len(c.buf) < 8 {
		c.fail("it ends too early")
		return
	}
	*p = math.Float64frombits(binary.LittleEndian.Uint64(c.buf))
	c.buf = c.buf[8:]
}

func (c *codec) string(p *string) {
	n := c.count(len(*p), maxText)
	if !c.reading {
		c.buf = append(c.buf, (*p)[:n]...)
		return
	}
	*p = strings.ToValidUTF8(string(c.buf[:n]), "?")
	c.buf = c.buf[n:]
}

// count is the length of something whose parts take at least a byte each, so
// that no more is made than the file can fill.
func (c *codec) count(n int, most int) int {
	if !c.reading {
		n = min(n, most)
	}
	num(c, &n, uint64(most))
	if c.reading && n > len(c.buf) {
		c.fail("it ends too early")
		return 0
	}
	return n
}

// list is a slice; each describes one element.
func list[T any](c *codec, p *[]T, most int, each func(*T)) {
	n := c.count(len(*p), most)
	if c.reading {
		*p = make([]T, n)
	}
	for i := range n {
		if c.err != nil {
			return
		}
		each(&(*p)[i])
	}
}

func (c *codec) trace(t *Trace) {
	sc := t.Scenario
	c.scenario(&sc)
	if c.err != nil {
		return
	}
	if c.reading {
		*t = *NewTrace(sc)
	}
	c.bool(&t.Parallel)
	places := t.places
	list(c, &places, maxPlaces, c.place)
	if c.err == nil && (len(places) == 0 || places[0] != Place{}) {
		c.fail("its list of places cannot be")
	}
	if c.err != nil {
		return
	}
	start := &t.marks[0]
	c.view(start, len(places), sc)
	if c.err != nil {
		return
	}
	if c.reading {
		t.places, t.base = places, start.Step
		for i, p := range places {
			t.index[p] = uint16(i)
		}
		t.now = start.Clone()
		t.lanes.begin(start)
	}
	c.history(t)
	c.steps(t, len(places))

	// What cannot be derived at the end, and a check on what is.
	end := t.series.end
	c.duration(&end)
	first := time.Duration(-1)
	if len(t.series.points) > 0 {
		first = t.series.points[0].At
	}
	c.duration(&first)
	l := t.now.Ledger()
	sums := [...]uint64{l.Submitted, l.Accepted, l.Rejected, l.Waiting, l.Stored, l.InFlight, l.Buffered, l.Abandoned}
	said := sums
	for i := range said {
		num(c, &said[i], math.MaxUint64)
	}
	if !c.reading || c.err != nil {
		return
	}
	if said != sums {
		c.fail("its steps do not lead to its ledger")
		return
	}
	t.series.finish(end, first, len(t.now.Queue))
}

func (c *codec) scenario(s *Scenario) {
	num(c, &s.Producers, 255)
	c.float(&s.Rate)
	num(c, &s.Workers, 255)
	num(c, &s.Buffer, 1<<16)
	c.duration(&s.Cost)
	num(c, &s.Readers, 255)
	c.float(&s.Speed)
	num(c, &s.Seed, math.MaxUint64)
	c.bool(&s.SlowLock)
	if c.reading && c.err == nil {
		for _, d := range Dials() {
			if _, err := d.Set(*s, d.Get(*s)); err != nil {
				c.fail("%w", err)
			}
		}
	}
}

func (c *codec) place(p *Place) {
	c.string(&p.File)
	num(c, &p.Line, 1<<31-1)
	c.string(&p.Func)
	c.string(&p.Reason)
	num(c, &p.Where, uint64(AtLock))
}

// who is a goroutine, or nobody if it may be.
func (c *codec) who(p *Who, nobody bool) {
	v := uint64(p.N())<<3 | uint64(p.Role())
	v = c.number(v, 255<<3|7)
	*p = NewWho(Role(v&7), int(v>>3))
	if c.reading && c.err == nil {
		control := p.Role() == Control
		if p.Role() > Runner || control != (p.N() == 0) || control && !nobody {
			c.fail("it names a goroutine that cannot be")
		}
	}
}

// view is the oldest instant that a trace retains.
func (c *codec) view(v *View, places int, sc Scenario) {
	num(c, &v.Step, maxCount)
	c.duration(&v.At)
	c.who(&v.Last.Who, true)
	c.step(&v.Last, places)
	num(c, &v.Phase, uint64(Stopped))
	list(c, &v.Crew, 4*255, func(g *Goroutine) {
		c.who(&g.Who, false)
		num(c, &g.Kind, uint64(numKinds-1))
		num(c, &g.Key, NumKeys-1)
		num(c, &g.Place, uint64(places-1))
		num(c, &g.Event, math.MaxUint32)
		c.duration(&g.Since)
		c.duration(&g.Due)
		c.duration(&g.From)
		num(c, &g.Done, maxCount)
		num(c, &g.step, v.Step)
		num(c, &g.Refused, GaveUp)
		c.bool(&g.taken)
		num(c, &g.latest, v.Step)
	})
	list(c, &v.Queue, maxQueue, func(q *Queued) {
		num(c, &q.Event, math.MaxUint32)
		num(c, &q.Key, NumKeys-1)
		c.duration(&q.From)
		c.duration(&q.Since)
		num(c, &q.call, math.MaxUint32)
	})
	for _, p := range []*uint64{&v.Submitted, &v.Accepted, &v.Rejected, &v.Stored, &v.Abandoned, &v.Polls} {
		num(c, p, maxCount)
	}
	for k := range v.Counts {
		num(c, &v.Counts[k], math.MaxUint32)
		num(c, &v.Polled[k], math.MaxUint32)
	}
	for _, p := range []*time.Duration{&v.PolledAt, &v.CancelAt, &v.CloseAt, &v.KillAt, &v.ReturnAt} {
		c.duration(p)
	}
	if !c.reading || c.err != nil {
		return
	}
	v.Capacity, v.SlowLock = sc.Buffer, sc.SlowLock
	v.Last.At = max(v.At, 0)
	if v.At < 0 || !slices.IsSortedFunc(v.Crew, func(a, b Goroutine) int {
		if a.Who < b.Who {
			return -1
		}
		return 1 // neither out of order nor twice
	}) {
		c.fail("its oldest instant cannot be")
	}
}

// history is what was derived from steps that are no longer retained.
func (c *codec) history(t *Trace) {
	first, start := t.First(), t.Start()
	var marks []Mark
	for _, m := range t.lanes.marks {
		if m.Step <= first {
			marks = append(marks, m)
		}
	}
	list(c, &marks, 1<<16, func(m *Mark) {
		c.duration(&m.At)
		num(c, &m.Kind, uint64(numKinds-1))
		num(c, &m.Step, first)
	})
	var points []Point
	if first > 0 {
		// The figures a second look back a second.
		for _, p := range t.series.points {
			if p.At <= start+time.Second+Bucket {
				points = append(points, p)
			}
		}
	}
	list(c, &points, 4*seriesSize, func(p *Point) {
		c.duration(&p.At)
		for _, f := range []*float64{&p.In, &p.Out, &p.Queue, &p.P50, &p.P95} {
			c.float(f)
		}
	})
	if !c.reading || c.err != nil {
		return
	}
	t.lanes.marks = marks
	for i, p := range points {
		if p.At <= 0 || p.At%Bucket != 0 || i > 0 && p.At != points[i-1].At+Bucket {
			c.fail("its charts have a gap")
			return
		}
	}
	t.series.begin(points, start)
}

// steps are the retained steps, oldest first.
func (c *codec) steps(t *Trace, places int) {
	first := t.First()
	n := c.count(int(t.Last()-first), int(t.size))
	at := t.Start()
	for i := range n {
		if c.err != nil {
			return
		}
		var s Step
		if !c.reading {
			s = *t.at(first + 1 + uint64(i))
		}
		c.who(&s.Who, true)
		since := s.At - at
		c.duration(&since)
		s.At = at + since
		at = s.At
		c.step(&s, places)
		if !c.reading || c.err != nil {
			continue
		}
		if since < 0 || at > maxTime {
			c.fail("time goes back in it")
			return
		}
		t.add(s)
		if len(t.now.Queue) > maxQueue {
			c.fail("more is buffered in it than can be")
			return
		}
	}
}

// step is a step, but for whose it is and when.
func (c *codec) step(s *Step, places int) {
	kind := uint8(s.Kind)<<1 | s.flags&settled
	num(c, &kind, uint64(numKinds-1)<<1|settled)
	s.Kind, s.flags = Kind(kind>>1), kind&settled
	num(c, &s.Event, math.MaxUint32)
	num(c, &s.Value, math.MaxUint32)
	num(c, &s.Place, uint64(places-1))
	num(c, &s.Key, NumKeys-1)
}
