package lab

import (
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// Perfetto writes the retained trace as JSON in the Trace Event Format, which
// ui.perfetto.dev and chrome://tracing open: a thread for each goroutine with
// its states as slices, a flow for each event from Submit to stored, the
// buffer's length as a counter, and what concerns all as instants. Times are
// lab time in microseconds.
//
// The format is described in "Trace Event Format" (Google, 2016).
func (t *Trace) Perfetto(w io.Writer) error {
	p := perfetto{t: t, w: w, buf: make([]byte, 0, 40<<10)}
	p.raw(`{"displayTimeUnit":"ms","otherData":{"program":"Sluice","scenario":`)
	p.text(t.Scenario.Query())
	p.raw(`,"parallel":`)
	p.text(strconv.FormatBool(t.Parallel))
	p.raw(`,"dropped steps":`)
	p.text(strconv.FormatUint(t.Dropped(), 10))
	p.raw(`},"traceEvents":[`)
	p.threads()
	p.slices()
	p.flows()
	p.instants()
	p.raw("\n]}\n")
	p.flush()
	return p.err
}

type perfetto struct {
	t    *Trace
	w    io.Writer
	buf  []byte
	err  error
	next bool // an event has been written
}

func (p *perfetto) raw(s string) { p.buf = append(p.buf, s...) }

// text writes a JSON string.
func (p *perfetto) text(s string) {
	const hex = "0123456789abcdef"
	p.buf = append(p.buf, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			p.buf = append(p.buf, '\\', byte(r))
		case r < ' ':
			p.buf = append(p.buf, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default: // a byte that is not UTF-8 has become U+FFFD
			p.buf = utf8.AppendRune(p.buf, r)
		}
	}
	p.buf = append(p.buf, '"')
}

// micros writes a time or duration.
func (p *perfetto) micros(d time.Duration) {
	p.buf = strconv.AppendInt(p.buf, int64(d/time.Microsecond), 10)
	if ns := int64(d % time.Microsecond); ns != 0 {
		p.buf = append(p.buf, '.', byte('0'+ns/100), byte('0'+ns/10%10), byte('0'+ns%10))
	}
}

// event begins an event: its name, type, time and thread. The caller closes it.
func (p *perfetto) event(name, ph string, at time.Duration, tid int) {
	if len(p.buf) > 32<<10 {
		p.flush()
	}
	if p.next {
		p.buf = append(p.buf, ',')
	}
	p.next = true
	p.raw("\n" + `{"name":`)
	p.text(name)
	p.raw(`,"ph":"` + ph + `","pid":1,"tid":`)
	p.buf = strconv.AppendInt(p.buf, int64(tid), 10)
	p.raw(`,"ts":`)
	p.micros(at)
}

func (p *perfetto) flush() {
	if p.err == nil {
		_, p.err = p.w.Write(p.buf)
	}
	p.buf = p.buf[:0]
}

func (p *perfetto) threads() {
	p.event("process_name", "M", 0, 0)
	p.raw(`,"args":{"name":`)
	if p.t.Parallel {
		p.text("Sluice, in parallel on several cores")
	} else {
		p.text("Sluice, concurrently on one thread")
	}
	p.raw("}}")
	for i, w := range p.t.Lanes() {
		p.event("thread_name", "M", 0, int(w))
		p.raw(`,"args":{"name":`)
		p.text(w.String())
		p.raw("}}")
		p.event("thread_sort_index", "M", 0, int(w))
		p.raw(`,"args":{"sort_index":` + strconv.Itoa(i) + "}}")
	}
}

func (p *perfetto) slices() {
	t := p.t
	keys := Keys()
	for _, w := range t.Lanes() {
		for _, b := range t.Bars(w, t.Start(), t.End()) {
			to := b.To
			if to < 0 {
				to = t.End()
			}
			p.event(b.Name(), "X", b.From, int(w))
			p.raw(`,"cat":"state","dur":`)
			p.micros(to - b.From)
			p.raw(`,"args":{"state":`)
			p.text(b.Kind.String())
			if b.Event != 0 {
				p.raw(`,"event":` + strconv.FormatUint(uint64(b.Event), 10) + `,"key":`)
				p.text(keys[b.Key%NumKeys])
			}
			if at := t.Place(t.placeOf(b)); at.Reason != "" {
				p.raw(`,"wait reason":`)
				p.text(at.Reason)
				if at.File != "" {
					p.raw(`,"line":`)
					p.text(at.File + ":" + strconv.Itoa(at.Line))
				}
			}
			p.raw("}}")
		}
	}
}

// placeOf is where the goroutine was at rest after the step that began the bar.
func (t *Trace) placeOf(b Bar) uint16 {
	n := t.Last()&^(1<<32-1) | uint64(b.Step)
	if n > t.Last() && n >= 1<<32 {
		n -= 1 << 32
	}
	if n <= t.First() || n > t.Last() {
		return 0
	}
	return t.at(n).Place
}

// Name says what the goroutine did meanwhile.
func (b Bar) Name() string {
	switch b.Kind {
	case Submitting:
		if b.To < 0 || b.To > b.From {
			return "waits to send " + eventName(b.Event)
		}
		return "submits " + eventName(b.Event)
	case Accepted, Rejected:
		return eventName(b.Event) + " " + b.Kind.String()
	case Received, Working, Stored:
		return eventName(b.Event)
	case AtDoor:
		return "waits for the lock"
	case Inside:
		if b.Event != 0 {
			return eventName(b.Event) + ", holds the lock"
		}
		return "reads, holds the read lock"
	case Running:
		return "Run: waits for cancel"
	case Closed:
		return "Run: waits for the workers"
	}
	return b.Kind.String()
}

// flows ties the slices of each stored event together, and follows the buffer.
func (p *perfetto) flows() {
	type span struct {
		producer, worker Who
		sent, received   time.Duration
	}
	t := p.t
	open := map[uint32]span{}
	v := t.marks[0].Clone()
	length := -1
	count := func() {
		if len(v.Queue) != length {
			length = len(v.Queue)
			p.event("buffer", "C", v.At, 0)
			p.raw(`,"args":{"length":` + strconv.Itoa(length) + "}}")
		}
	}
	flow := func(ph string, at time.Duration, w Who, event uint32) {
		p.event(eventName(event), ph, at, int(w))
		p.raw(`,"cat":"event","id":` + strconv.FormatUint(uint64(event), 10))
		if ph == "f" {
			p.raw(`,"bp":"e"`)
		}
		p.raw("}")
	}
	for n := t.First() + 1; n <= t.Last(); n++ {
		s := *t.at(n)
		if s.At > v.At {
			count() // what it was for a time, not on the way
		}
		v.Apply(s)
		switch e := open[s.Event]; s.Kind {
		case Submitting:
			open[s.Event] = span{producer: s.Who, sent: s.At}
		case Received:
			e.worker, e.received = s.Who, s.At
			open[s.Event] = e
		case Rejected:
			delete(open, s.Event)
		case Stored:
			if e.producer != 0 && e.worker != 0 {
				flow("s", e.sent, e.producer, s.Event)
				flow("t", e.received, e.worker, s.Event)
				// Just before the end of the slice in which it was processed.
				flow("f", max(e.received, s.At-1), e.worker, s.Event)
			}
			delete(open, s.Event)
		}
	}
	count()
}

func (p *perfetto) instants() {
	for _, m := range p.t.Marks() {
		name := m.Kind.String()
		switch m.Kind {
		case Cancelled:
			name = "cancel"
		case Killed:
			name = "kill"
		case Returned:
			name = "Run has returned"
		}
		p.event(name, "i", m.At, 0)
		p.raw(`,"s":"g"}`)
	}
}
