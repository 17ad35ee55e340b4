package lab

import (
	"strconv"
	"strings"
	"time"

	"sluice/core"
)

// Class is the family of a state, for which there is one colour and pattern.
type Class uint8

const (
	ClassIdle  Class = iota // rests, or has nothing to do
	ClassRun                // gets on with an event or a read
	ClassWait               // cannot go on until another goroutine lets it
	ClassDrain              // shuts down
)

// String is the name of the class's colour.
func (c Class) String() string { return [...]string{"idle", "run", "wait", "drain"}[c&3] }

// StateWord says in a word or two what g does in v, and of which family that is.
func (g *Goroutine) StateWord(v *View) (string, Class) {
	switch g.Kind {
	case NoKind:
		return "not started", ClassIdle
	case Running:
		return "waiting", ClassIdle
	case Closed:
		return "waiting", ClassDrain
	case Returned:
		return "returned", ClassIdle
	case Resting, Pausing:
		return "resting", ClassIdle
	case Submitting:
		if g.Waiting() && v.full() {
			return "waiting", ClassWait
		}
		return "submitting", ClassRun
	case Accepted:
		return "accepted", ClassRun
	case Rejected:
		return "rejected", ClassWait
	case Left:
		return "done", ClassIdle
	case Idle:
		return "idle", ClassIdle
	case Draining:
		return "draining", ClassDrain
	case Exited:
		return "exited", ClassIdle
	case AtDoor:
		if g.Who.Role() == Worker {
			return eventName(g.Event), ClassWait
		}
		return "waiting", ClassWait
	case Received, Working, Inside, Stored, Polling:
		if g.Who.Role() == Worker {
			return eventName(g.Event), ClassRun
		}
		return "reading", ClassRun
	}
	return g.Kind.String(), ClassIdle
}

// Why says in one sentence why g, a goroutine of v, is not getting on at lab
// time now, and who can wake it.
func (t *Trace) Why(v *View, g *Goroutine, now time.Duration) string {
	p := t.Place(g.Place)
	if p.Where == Held {
		return "held by Pause" + heldBefore(g) + ": goes on at Resume or Step"
	}
	left := span(g.Due - now)
	switch g.Kind {
	case NoKind:
		return "not started yet"

	case Running:
		return reason(p, "waits for the context to be cancelled, or for Kill")
	case Closed:
		if n := v.working(); n > 0 {
			return reason(p, "wakes when all workers exit; "+strconv.Itoa(n)+" left")
		}
		return "all workers have exited: about to return"
	case Returned:
		if v.Abandoned > 0 {
			return "returned " + core.ErrAbandoned.Error() + ", " + strconv.FormatUint(v.Abandoned, 10)
		}
		return "returned nil: no event was abandoned"

	case Resting:
		return "rests: next event in " + left
	case Submitting:
		switch {
		case g.taken:
			return "a worker has its event: Submit is about to return"
		case v.full():
			return "blocked sending to a full buffer: wakes when a worker receives, or on Stop"
		}
		return "in Submit: there is room in the buffer"
	case Accepted:
		return "Submit returned nil: its event is accepted"
	case Rejected:
		if g.Refused == TurnedAway {
			return "turned away: " + core.ErrStopped.Error()
		}
		return "gave up its wait at the full buffer"
	case Left:
		return whyLeft(v, g)

	case Idle:
		return "idle" + in(p) + ": wakes when an event arrives, or on cancel"
	case Draining:
		if v.CloseAt < 0 {
			return "draining" + in(p) + ": takes what is left, exits when the intake is closed"
		}
		return "draining: takes what is left in the buffer, exits when it is empty"
	case Exited:
		return "exited: receives no more"
	case Received:
		return "has received " + eventName(g.Event)
	case Stored:
		return "the store has counted " + eventName(g.Event)
	case Working:
		return "in Inc: " + left + " of simulated work left"

	case AtDoor:
		return t.atDoor(v, g, p)
	case Inside:
		if g.Who.Role() == Worker {
			return "in Inc, holds the lock: " + left + " of simulated work left"
		}
		return "in Get, holds the read lock: " + left + " left"

	case Polling:
		return "calls Get for one key after the other"
	case Pausing:
		return "rests: polls again in " + left
	}
	return ""
}

// heldBefore says what a goroutine that is held is about to do.
func heldBefore(g *Goroutine) string {
	switch g.Kind {
	case Submitting:
		return ", about to send " + eventName(g.Event)
	case Accepted:
		return ", after Submit returned nil"
	case Rejected:
		return ", after Submit returned an error"
	case Idle:
		return ", about to look for an event"
	case Draining:
		return ", about to take what is left"
	case Received:
		return ", about to call Inc"
	case AtDoor:
		return ", about to ask for the lock"
	case Polling:
		return ", about to call Get"
	case Exited:
		return ", about to end"
	}
	return ""
}

// atDoor says for whom g waits at the store's lock.
func (t *Trace) atDoor(v *View, g *Goroutine, p Place) string {
	// The runtime tells apart the writer that waits for readers to leave (it is
	// in RWMutex.Lock) from one that waits for another writer (in Mutex.Lock).
	var inside, writers []Who
	for i := range v.Crew {
		o := &v.Crew[i]
		switch {
		case o == g:
		case o.Kind == Inside:
			inside = append(inside, o.Who)
		case o.Kind == AtDoor && o.Who.Role() == Worker && t.Place(o.Place).Reason == "sync.RWMutex.Lock":
			writers = append(writers, o.Who)
		}
	}
	writerInside := len(inside) > 0 && inside[0].Role() == Worker
	switch {
	case len(inside) > 0 && (writerInside || g.Who.Role() == Worker && p.Reason != "sync.Mutex.Lock"):
		return reason(p, "wakes when "+names(inside)+leave(inside))
	case len(writers) > 0: // readers are inside, but a writer that waits goes first
		return reason(p, "wakes when "+names(writers)+", which "+plural(len(writers), "waits", "wait")+" ahead, has had the lock")
	case len(inside) > 0:
		return reason(p, "wakes when "+names(inside)+leave(inside))
	}
	return reason(p, "asks for the lock")
}

func whyLeft(v *View, g *Goroutine) string {
	switch {
	case g.Refused == TurnedAway:
		return "turned away: the intake is closed"
	case g.Refused == GaveUp:
		return "ended: it was called back while the buffer was full"
	case g.Who.Role() == Reader && v.Phase == Stopped:
		return "ended: it has read the final counts"
	}
	return "ended: there are fewer " + roleName(g.Who.Role(), 2) + " now"
}

// Sentence says what is going on in v: a word to head it, and one to three
// sentences.
func Sentence(v *View, paused bool) (heading, text string) {
	l := v.Ledger()
	var turned, waiting []Who
	producers, workers, busy := 0, 0, 0
	for i := range v.Crew {
		g := &v.Crew[i]
		switch g.Who.Role() {
		case Producer:
			if g.Kind != Left {
				producers++
			}
			if g.Refused == TurnedAway {
				turned = append(turned, g.Who)
			}
			if g.Waiting() {
				waiting = append(waiting, g.Who)
			}
		case Worker:
			if g.Kind != Exited {
				workers++
			}
			if g.InHand() {
				busy++
			}
		}
	}
	var say []string
	switch v.Phase {
	case Unstarted:
		heading = "Idle"
		say = append(say, "Press Start: "+count(producers, "producer")+" will submit events to a buffer of "+
			strconv.Itoa(v.Capacity)+", and "+count(workers, "worker")+" will count them in the store.")
	case Live:
		heading = "Running"
		switch {
		case len(waiting) > 0 && v.full():
			say = append(say, "Backpressure: the buffer is full, so "+names(waiting)+plural(len(waiting), " waits", " wait")+
				" in Submit until a worker receives.")
		case v.full():
			say = append(say, "The buffer is full: the next producer to submit will wait.")
		case busy == 0:
			say = append(say, "All "+count(workers, "worker")+" are idle and wait for an event.")
			if workers == 1 {
				say[0] = "The worker is idle and waits for an event."
			}
		case busy < workers:
			say = append(say, strconv.Itoa(busy)+" of "+count(workers, "worker")+plural(busy, " has", " have")+" an event in hand; the others are idle.")
		default:
			say = append(say, "Every worker has an event in hand; "+strconv.Itoa(len(v.Queue))+" of "+strconv.Itoa(v.Capacity)+
				plural(v.Capacity, " slot", " slots")+" of the buffer "+plural(len(v.Queue), "is", "are")+" taken.")
		}
	case Drained:
		heading = "Draining"
		switch intake := either(v.CloseAt >= 0, "the intake is closed", "the intake is about to close"); {
		case v.KillAt >= 0:
			heading = "Killed"
			say = append(say, capital(intake)+"; "+count(busy, "worker")+plural(busy, " finishes the event in its hands", " finish the event in their hands")+
				", and "+count(len(v.Queue), "buffered event")+" will be abandoned.")
		case len(v.Queue) > 0:
			say = append(say, "The context is cancelled and "+intake+"; "+count(len(v.Queue), "buffered event")+
				plural(len(v.Queue), " is", " are")+" still being processed by "+count(workers, "worker")+".")
		case busy > 0:
			say = append(say, "The context is cancelled and "+intake+"; the buffer is empty, and "+count(busy, "worker")+
				plural(busy, " finishes the event in its hands.", " finish the event in their hands."))
		default:
			say = append(say, "The context is cancelled and "+intake+"; nothing is left to process.")
		}
	case Stopped:
		heading = "Stopped"
		lost := int64(l.Accepted) - int64(l.Stored) - int64(l.Abandoned)
		switch {
		case lost != 0:
			say = append(say, "This pool broke its promise: of "+count(int(l.Accepted), "accepted event")+" "+
				strconv.FormatUint(l.Stored, 10)+plural(int(l.Stored), " is", " are")+" stored.")
		case v.KillAt >= 0 && l.Abandoned > 0:
			heading = "Killed"
			say = append(say, strconv.FormatUint(l.Stored, 10)+" of "+count(int(l.Accepted), "accepted event")+
				plural(int(l.Accepted), " is", " are")+" stored; "+strconv.FormatUint(l.Abandoned, 10)+plural(int(l.Abandoned), " was", " were")+" abandoned.")
		case l.Accepted == 0:
			say = append(say, "Run has returned. No event had been accepted.")
		default:
			say = append(say, "Run has returned. "+either(l.Accepted == 1, "The one accepted event is stored", "All "+count(int(l.Accepted), "accepted event")+" are stored")+", none was lost.")
		}
	}
	if len(turned) > 0 {
		say = append(say, capital(names(turned))+plural(len(turned), " was", " were")+" turned away: "+core.ErrStopped.Error()+".")
	}
	if paused && v.Phase != Unstarted {
		say = append(say, "Time is held: Step lets one goroutine go on.")
	}
	return heading, strings.Join(say, " ")
}

func (v *View) full() bool { return len(v.Queue) >= v.Capacity }

// working counts the workers that have not exited.
func (v *View) working() int {
	n := 0
	for i := range v.Crew {
		if g := &v.Crew[i]; g.Who.Role() == Worker && g.Kind != Exited {
			n++
		}
	}
	return n
}

// reason puts the runtime's wait reason, where it was seen, before what follows
// from it.
func reason(p Place, text string) string {
	if p.Reason == "" || p.Where == AtWork {
		return text
	}
	return p.Reason + ": " + text
}

func in(p Place) string {
	if p.Reason == "" {
		return ""
	}
	return " in " + p.Reason
}

func eventName(n uint32) string { return "event " + strconv.FormatUint(uint64(n), 10) }

// span writes how long something still takes.
func span(d time.Duration) string { return duration(max(float64(d), 0) / 1e6) }

func roleName(r Role, n int) string {
	return plural(n, strings.TrimSuffix(NewWho(r, 1).String(), " 1"), strings.TrimSuffix(NewWho(r, 1).String(), " 1")+"s")
}

// names lists goroutines: "worker 1", "readers 1 and 2", "worker 1 and reader 2".
func names(all []Who) string {
	same := true
	for _, w := range all {
		same = same && w.Role() == all[0].Role()
	}
	if len(all) > 4 && same {
		return strconv.Itoa(len(all)) + " " + roleName(all[0].Role(), len(all))
	}
	var b strings.Builder
	for i, w := range all {
		switch {
		case i == 0:
		case i == len(all)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		switch {
		case !same || len(all) == 1:
			b.WriteString(w.String())
		case i == 0:
			b.WriteString(roleName(w.Role(), 2) + " " + strconv.Itoa(w.N()))
		default:
			b.WriteString(strconv.Itoa(w.N()))
		}
	}
	return b.String()
}

func leave(all []Who) string { return plural(len(all), " leaves", " leave") }

func count(n int, what string) string { return strconv.Itoa(n) + " " + plural(n, what, what+"s") }

func plural(n int, one, more string) string { return either(n == 1, one, more) }

func either(one bool, a, b string) string {
	if one {
		return a
	}
	return b
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
