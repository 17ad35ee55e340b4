package lab

import (
	"sort"
	"time"
)

// Life is what happened to one event. Its stages follow each other without a
// gap, so their durations add up to the time from Submit to the outcome.
type Life struct {
	Event    uint32
	Key      uint8
	Producer Who // 0 if the trace has dropped its Submit
	Worker   Who // 0 if no worker has received it
	Stages   []Stage
	From, To time.Duration // To is the lab time of the outcome, or of the last step
	Outcome  Outcome
}

// Stage is one stretch of a life. Its length may be 0.
type Stage struct {
	Name     string // such as "received by worker 2"
	Who      Who    // whose doing it is
	Kind     Kind   // the step that began it
	From, To time.Duration
	Step     uint64 // number of that step; 0 if it has been dropped
	Place    uint16 // in Trace.Place: where that goroutine was at rest
}

// Outcome is how far an event has come.
type Outcome uint8

const (
	OnTheWay Outcome = iota
	WasStored
	WasRejected
	WasAbandoned
)

func (o Outcome) String() string {
	return [...]string{"on the way", "stored", "rejected", "abandoned"}[o&3]
}

// followed remembers which steps concern the event asked for last, so that to
// ask again costs only what has been added since.
type followed struct {
	event uint32
	steps []uint64 // numbers, ascending
	upTo  uint64   // scanned so far
}

// stepsOf returns the numbers of the retained steps that concern the event, and
// of the step with which Run returned.
func (t *Trace) stepsOf(event uint32) []uint64 {
	f := &t.followed
	if f.event != event {
		*f = followed{event: event, steps: f.steps[:0]}
	}
	for f.upTo = max(f.upTo, t.First()); f.upTo < t.Last(); {
		f.upTo++
		s := t.at(f.upTo)
		if s.Event == event && s.Who.Role() != Control || s.Kind == Returned {
			f.steps = append(f.steps, f.upTo)
		}
	}
	i := sort.Search(len(f.steps), func(i int) bool { return f.steps[i] > t.First() })
	f.steps = f.steps[i:]
	return f.steps
}

// Life returns the life of an event as far as step upTo. It reports false if
// the trace retains nothing of it until then.
func (t *Trace) Life(event uint32, upTo uint64) (Life, bool) {
	l := Life{Event: event}
	if event == 0 {
		return l, false
	}
	upTo = min(max(upTo, t.First()), t.Last())
	received := false
	t.lifeBefore(&l, &received)
	for _, n := range t.stepsOf(event) {
		if n > upTo {
			break
		}
		s := *t.at(n)
		switch s.Kind {
		case Submitting:
			l.Producer, l.Key, l.From = s.Who, s.Key, s.At
			l.begin("submitted", s, n)
		case Accepted:
			// The runtime may tell the producer after a worker has received it.
			if !received {
				l.begin("buffered", s, n)
			}
		case Rejected:
			l.finish(WasRejected, "rejected", s, n)
		case Received:
			received = true
			l.Worker, l.Key = s.Who, s.Key
			l.begin("received by "+s.Who.String(), s, n)
		case AtDoor:
			l.begin("waited for the lock", s, n)
		case Working:
			l.begin("processed", s, n)
		case Inside:
			l.begin("processed, holding the lock", s, n)
		case Stored:
			l.finish(WasStored, "stored", s, n)
		case Returned:
			if len(l.Stages) > 0 && !received && l.Outcome == OnTheWay && s.Value > 0 {
				l.finish(WasAbandoned, "abandoned", s, n)
			}
		case Waits:
			if k := len(l.Stages); k > 0 && l.Stages[k-1].Who == s.Who && l.Outcome == OnTheWay {
				l.Stages[k-1].Place = s.Place
			}
		}
	}
	if len(l.Stages) == 0 {
		return l, false
	}
	if l.Outcome == OnTheWay {
		l.To = max(t.timeOf(upTo), l.Stages[len(l.Stages)-1].From)
		l.Stages[len(l.Stages)-1].To = l.To
	}
	for i := range l.Stages {
		if s := &l.Stages[i]; s.Kind == Submitting && s.To > s.From {
			switch {
			case t.Place(s.Place).Where == Held:
				s.Name = "submitted, and held by Pause"
			case t.Parallel: // it may also have waited for a core
				s.Name = "in Submit"
			default:
				s.Name = "waited at the full buffer"
			}
		}
	}
	return l, true
}

// lifeBefore tells what the oldest retained instant knows of the event.
func (t *Trace) lifeBefore(l *Life, received *bool) {
	v := &t.marks[0]
	for _, q := range v.Queue {
		if q.Event == l.Event {
			l.Key, l.From = q.Key, q.From
			l.begin("submitted", Step{At: q.From, Kind: Submitting}, 0)
			l.begin("buffered", Step{At: q.Since, Kind: Accepted}, 0)
			return
		}
	}
	for i := range v.Crew {
		g := &v.Crew[i]
		if g.Event != l.Event {
			continue
		}
		s := Step{At: g.Since, Who: g.Who, Kind: g.Kind, Place: g.Place}
		switch {
		case g.InHand():
			l.Worker, l.Key, l.From, *received = g.Who, g.Key, g.From, true
			l.begin("submitted and buffered", Step{At: g.From, Kind: Accepted}, 0)
			l.begin("received by "+g.Who.String(), s, 0)
			return
		case g.Waiting():
			l.Producer, l.Key, l.From = g.Who, g.Key, g.From
			l.begin("submitted", s, 0)
		}
	}
}

// timeOf is the lab time of the instant after step n.
func (t *Trace) timeOf(n uint64) time.Duration {
	if n <= t.First() {
		return t.Start()
	}
	return t.at(n).At
}

func (l *Life) begin(name string, s Step, n uint64) {
	if l.Outcome != OnTheWay {
		return
	}
	if k := len(l.Stages); k > 0 {
		l.Stages[k-1].To = s.At
	}
	l.Stages = append(l.Stages, Stage{Name: name, Who: s.Who, Kind: s.Kind, From: s.At, To: s.At, Step: n, Place: s.Place})
}

func (l *Life) finish(o Outcome, name string, s Step, n uint64) {
	l.begin(name, s, n)
	if l.Outcome == OnTheWay {
		l.Outcome, l.To = o, s.At
	}
}

// Text says in one sentence where the event stands.
func (l *Life) Text() string {
	name := capital(eventName(l.Event))
	took := duration(float64(l.To-l.From) / 1e6)
	switch l.Outcome {
	case WasStored:
		return name + " was stored by " + l.Worker.String() + ", " + took + " after Submit."
	case WasRejected:
		return name + " was rejected, " + took + " after Submit: it will never be stored."
	case WasAbandoned:
		return name + " was abandoned, " + took + " after Submit: Kill left it in the buffer."
	}
	last := l.Stages[len(l.Stages)-1].Name
	return name + ", " + took + " after Submit, stands at: " + last + "."
}

// Recent returns the events submitted last until step upTo, newest first, at
// most n of them.
func (t *Trace) Recent(upTo uint64, n int) []uint32 {
	var events []uint32
	for upTo = min(upTo, t.Last()); upTo > t.First() && len(events) < n; upTo-- {
		if s := t.at(upTo); s.Kind == Submitting {
			events = append(events, s.Event)
		}
	}
	return events
}
