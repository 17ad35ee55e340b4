package core_test

import (
	"fmt"
	"strings"
	"testing"
)

// The shutdown protocol of collector.go as a state machine, one transition for
// each atomic operation or channel operation, in the order of that file. Every
// interleaving of a few callers is visited, so what holds here holds by proof
// for that size. What is left out: the store's time (a step may be delayed for
// ever anyway), the order of the buffer, and counters that no decision reads.
//
// A change of the protocol in collector.go has to be made here too.

type protocol int

const (
	sluice      protocol = iota
	leaveAtDone          // workers return on ctx.Done()
	untilEmpty           // workers drain until the channel looks empty
	noGate               // the channel is closed on cancel, after a check in Submit
)

type size struct {
	submitters, workers, capacity int
	cancel, kill, giveUp          bool // what may happen, at any time
}

// Program counters. Each names the operation that comes next.
const (
	pDone = iota
	// Submit
	sLoad
	sSwap
	sTry
	sSelect
	sUnclaim
	// closeIfSettled, by whoever calls it
	xClaims
	xDiscarded
	xTally
	xClose
	// work and process
	wErr
	wKilled
	wTry
	wSelect
	wDrainKilled
	wDrain
	wInHand
	wStopped
	wLate
	wInc
	// Run, Kill and closeIntake
	rWait
	kKilled
	cOnce
	cClaims
	cStopped
	cStopping
	cReturn
	rJoin
	rRange
	rDiscard
)

// A proc is one goroutine.
type proc struct {
	pc, back uint8 // back: where closeIfSettled or closeIntake returns to
	claims   uint8 // registers
	closed   bool
	sum, i   uint8
	event    uint8
	draining bool
	late     bool // took its event after Kill had returned
}

const most = 3 // of each kind, in arrays that make a state comparable

type state struct {
	claims                             uint8
	closed, stopped, stopping          bool
	jobsClosed, killed, cancelled      bool
	once                               uint8 // 0 free, 1 held, 2 done
	queued, discarded, dropped         uint8 // dropped: by workers
	buffer                             [2]uint8
	tally                              [most]uint8
	accepted, stored                   uint8 // sets of events; submitter i makes event i
	sub, work                          [most]proc
	run, kill                          proc
	panicked, twice, lateInc, runEarly bool
}

type move struct {
	label string
	next  state
}

type model struct {
	protocol
	size
	seen  map[state]int // its index in order
	order []state
	from  []int // the index of the state before
	by    []string
}

func (m *model) start() state {
	var s state
	for i := range m.submitters {
		s.sub[i] = proc{pc: sLoad, event: uint8(i)}
	}
	for i := range m.workers {
		s.work[i].pc = wErr
	}
	s.run = proc{pc: rWait}
	if m.kill {
		s.kill = proc{pc: kKilled}
	}
	return s
}

// moves lists all that can happen next.
func (m *model) moves(s state) (all []move) {
	add := func(next state, who string, i int, what string) {
		all = append(all, move{fmt.Sprintf("%s %d: %s", who, i+1, what), next})
	}
	if m.cancel && !s.cancelled {
		next := s
		next.cancelled = true
		add(next, "context", 0, "is cancelled")
	}
	for i := range m.submitters {
		m.submitter(s, i, add)
	}
	for i := range m.workers {
		m.worker(s, i, add)
	}
	m.runner(s, add)
	if p := s.kill; p.pc == kKilled {
		next := s
		next.killed = true
		next.kill.pc, next.kill.back = cOnce, pDone
		add(next, "Kill", 0, "killed is set")
	} else if p.pc != pDone {
		m.shutdown(s, func(s *state) *proc { return &s.kill }, "Kill", 0, add)
	}
	return all
}

type adder func(next state, who string, i int, what string)

// at gives the proc in question, of a copy of a state.
type at func(*state) *proc

func (m *model) submitter(s state, i int, add adder) {
	me := func(s *state) *proc { return &s.sub[i] }
	p := s.sub[i]
	next := s
	q := &next.sub[i]
	done := func(accepted bool) {
		*q = proc{event: p.event}
		if accepted {
			next.accepted |= 1 << p.event
		}
	}
	// send adds every way in which a send that can go on goes on.
	send := func() (can bool) {
		switch {
		case s.jobsClosed:
			next.panicked = true
			add(next, "Submit", i, "sends on the closed channel")
			return true
		case int(s.queued) == m.capacity:
			return false
		}
		keep := next
		for w := range m.workers { // a waiting worker may be given it directly
			if pc := s.work[w].pc; s.queued == 0 && (pc == wSelect || pc == wDrain) {
				next.take(w, p.event, pc == wDrain)
				done(true)
				add(next, "Submit", i, fmt.Sprintf("hands its event to worker %d", w+1))
				next = keep
			}
		}
		next.buffer[s.queued] = p.event
		next.queued++
		done(true)
		add(next, "Submit", i, "puts its event into the buffer")
		next = keep
		return true
	}
	switch p.pc {
	case sLoad:
		refuse := s.closed
		if m.protocol != sluice {
			refuse = s.cancelled
		}
		if refuse {
			done(false)
			add(next, "Submit", i, "finds the intake closed")
			return
		}
		q.claims, q.pc = s.claims, sSwap
		if m.protocol != sluice {
			q.pc = sTry
		}
		add(next, "Submit", i, "finds the intake open")
	case sSwap:
		if s.closed || s.claims != p.claims {
			q.claims, q.pc = 0, sLoad
			add(next, "Submit", i, "has to try its claim again")
			return
		}
		next.claims++
		q.claims, q.pc = 0, sTry
		add(next, "Submit", i, "claims its place")
	case sTry:
		if !send() {
			q.pc = sSelect
			add(next, "Submit", i, "finds the buffer full")
		}
	case sSelect:
		send()
		over := s.stopping
		if m.protocol != sluice {
			over = s.cancelled
		}
		if over || m.giveUp {
			if q.pc = sUnclaim; m.protocol != sluice {
				done(false)
			}
			add(next, "Submit", i, "gives up waiting")
		}
	case sUnclaim:
		next.claims--
		if s.closed {
			q.pc, q.back = xClaims, pDone
		} else {
			done(false)
		}
		add(next, "Submit", i, "gives its claim back")
	default:
		m.closeIfSettled(s, me, "Submit", i, add)
	}
}

// take gives event to worker w.
func (s *state) take(w int, event uint8, draining bool) {
	s.work[w] = proc{pc: wInHand, event: event, draining: draining, late: s.killed && s.kill.pc == pDone}
}

// pop takes the oldest event out of the buffer.
func (s *state) pop() (event uint8) {
	event = s.buffer[0]
	s.buffer[0], s.buffer[1] = s.buffer[1], 0
	s.queued--
	return event
}

func (m *model) worker(s state, i int, add adder) {
	me := func(s *state) *proc { return &s.work[i] }
	p := s.work[i]
	next := s
	q := &next.work[i]
	goTo := func(pc uint8, what string) {
		next = s
		*q = proc{pc: pc}
		add(next, "worker", i, what)
	}
	receive := func(draining bool) {
		next = s
		next.take(i, next.pop(), draining)
		add(next, "worker", i, fmt.Sprintf("receives event %d", next.work[i].event+1))
	}
	leave := wDrainKilled
	if m.protocol == leaveAtDone {
		leave = pDone
	}
	switch p.pc {
	case wErr:
		if s.cancelled {
			goTo(uint8(leave), "sees the cancel")
		} else {
			goTo(wKilled, "sees no cancel")
		}
		if m.protocol == sluice { // without an observer
			goTo(wKilled, "does not look for a cancel")
		}
	case wKilled:
		if s.killed {
			goTo(pDone, "is killed")
		} else {
			goTo(wTry, "is not killed")
		}
	case wTry:
		switch {
		case s.queued > 0:
			receive(false)
		case s.jobsClosed:
			goTo(wDrainKilled, "finds the channel closed")
		default:
			goTo(wSelect, "finds the buffer empty and waits")
		}
	case wSelect:
		if s.queued > 0 {
			receive(false)
		}
		if s.queued == 0 && s.jobsClosed {
			goTo(wDrainKilled, "finds the channel closed")
		}
		if s.cancelled {
			goTo(uint8(leave), "wakes by the cancel")
		}
	case wDrainKilled:
		if s.killed {
			goTo(pDone, "is killed")
		} else {
			goTo(wDrain, "drains")
		}
	case wDrain:
		switch {
		case s.queued > 0:
			receive(true)
		case s.jobsClosed || m.protocol == untilEmpty:
			goTo(pDone, "finds nothing left and exits")
		}
	case wInHand:
		next.tally[i]++
		q.pc = wStopped
		add(next, "worker", i, "tallies")
	case wStopped:
		if q.pc = wInc; s.stopped {
			q.pc, q.back = xClaims, wLate
		}
		add(next, "worker", i, fmt.Sprint("stopped: ", s.stopped))
	case wLate:
		if q.pc = wInc; s.killed {
			next.dropped++
			*q = proc{}
		}
		add(next, "worker", i, fmt.Sprint("killed: ", s.killed))
	case wInc:
		next.twice = next.twice || s.stored&(1<<p.event) != 0
		next.lateInc = next.lateInc || p.late
		next.stored |= 1 << p.event
		next.runEarly = next.runEarly || s.run.pc == pDone
		if *q = (proc{pc: wErr}); p.draining {
			q.pc = wDrainKilled
		}
		add(next, "worker", i, fmt.Sprintf("counts event %d", p.event+1))
	default:
		m.closeIfSettled(s, me, "worker", i, add)
	}
}

func (m *model) runner(s state, add adder) {
	me := func(s *state) *proc { return &s.run }
	next := s
	switch s.run.pc {
	case pDone:
	case rWait:
		if s.cancelled || s.stopping {
			next.run.pc, next.run.back = cOnce, rJoin
			switch m.protocol {
			case leaveAtDone, untilEmpty:
				next.run = proc{pc: rJoin}
			case noGate:
				next.jobsClosed = true
				next.run = proc{pc: rJoin}
			}
			add(next, "Run", 0, "begins the shutdown")
		}
	case rJoin:
		for i := range m.workers {
			if s.work[i].pc != pDone {
				return
			}
		}
		if next.run.pc = rRange; m.protocol != sluice {
			next.run.pc = pDone
		}
		add(next, "Run", 0, "sees every worker exited")
	case rRange:
		if s.queued > 0 {
			next.pop()
			next.run.pc = rDiscard
			add(next, "Run", 0, "takes out an event")
		} else if s.jobsClosed {
			next.run.pc = pDone
			add(next, "Run", 0, "returns")
		}
	case rDiscard:
		next.discarded++
		next.run.pc, next.run.back = xClaims, rRange
		add(next, "Run", 0, "discards it")
	default:
		m.shutdown(s, me, "Run", 0, add)
	}
}

// shutdown is closeIntake.
func (m *model) shutdown(s state, me at, who string, i int, add adder) {
	next := s
	q := me(&next)
	switch me(&s).pc {
	case cOnce: // sync.Once: who comes second waits for the first
		switch s.once {
		case 0:
			next.once = 1
			q.pc = cClaims
			add(next, who, i, "is the first to close the intake")
		case 2:
			*q = proc{pc: q.back}
			add(next, who, i, "finds that done")
		}
	case cClaims:
		next.closed = true
		q.pc = cStopped
		add(next, who, i, "forbids claims")
	case cStopped:
		next.stopped = true
		q.pc = cStopping
		add(next, who, i, "sets stopped")
	case cStopping:
		next.stopping = true
		q.pc = xClaims
		q.event = q.back // keep where closeIntake returns to
		q.back = cReturn
		add(next, who, i, "closes stopping")
	case cReturn:
		next.once = 2
		*q = proc{pc: q.event}
		add(next, who, i, "has closed the intake")
	default:
		m.closeIfSettled(s, me, who, i, add)
	}
}

func (m *model) closeIfSettled(s state, me at, who string, i int, add adder) {
	next := s
	q := me(&next)
	back := func() { *q = proc{pc: q.back, event: q.event, draining: q.draining, late: q.late} }
	switch q.pc {
	case xClaims:
		q.claims, q.closed, q.pc = s.claims, s.closed, xDiscarded
		add(next, who, i, fmt.Sprintf("reads %d claims", s.claims))
	case xDiscarded:
		q.sum, q.pc = s.discarded, xTally
		add(next, who, i, fmt.Sprintf("reads %d discarded", s.discarded))
	case xTally:
		q.sum += s.tally[q.i]
		if q.i++; int(q.i) == m.workers {
			if q.i = 0; q.closed && q.sum == q.claims {
				q.pc = xClose
			} else {
				back()
			}
		}
		add(next, who, i, "reads a tally")
	case xClose:
		next.jobsClosed = true
		back()
		add(next, who, i, "closes the channel")
	}
}

// wrong says what a state breaks, if anything. last: nothing can happen any more.
func (m *model) wrong(s state, last bool) string {
	switch {
	case s.panicked:
		return "a send on the closed channel"
	case s.twice:
		return "an event is counted twice"
	case s.lateInc:
		return "an event was begun after Kill had returned"
	case s.runEarly:
		return "a worker outlives Run"
	case !last:
		return ""
	}
	for i := range most {
		if s.sub[i].pc != pDone || s.work[i].pc != pDone {
			return "deadlock"
		}
	}
	if s.run.pc != pDone || s.kill.pc != pDone {
		return "deadlock"
	}
	ones := func(set uint8) (n int) {
		for ; set > 0; set &= set - 1 {
			n++
		}
		return n
	}
	switch {
	case s.stored&^s.accepted != 0:
		return "an event is counted that was not accepted"
	case ones(s.accepted) != ones(s.stored)+int(s.discarded+s.dropped):
		return "an accepted event is lost"
	case s.discarded+s.dropped > 0 && !m.kill:
		return "an event is abandoned without Kill"
	}
	return ""
}

// check visits every state, nearest first, and returns how many there are or the
// shortest way to a wrong one.
func (m *model) check() (states int, fault string, trace []string) {
	m.seen = make(map[state]int)
	visit := func(s state, from int, by string) {
		if _, ok := m.seen[s]; !ok {
			m.seen[s] = len(m.order)
			m.order, m.from, m.by = append(m.order, s), append(m.from, from), append(m.by, by)
		}
	}
	visit(m.start(), -1, "")
	for i := 0; i < len(m.order); i++ {
		all := m.moves(m.order[i])
		if fault := m.wrong(m.order[i], len(all) == 0); fault != "" {
			for ; i > 0; i = m.from[i] {
				trace = append([]string{m.by[i]}, trace...)
			}
			return len(m.order), fault, trace
		}
		for _, mv := range all {
			visit(mv.next, i, mv.label)
		}
	}
	return len(m.order), "", nil
}

func TestModelNothingIsLost(t *testing.T) {
	if race {
		t.Skip("one goroutine: no race to be found, and ten times slower")
	}
	for _, z := range []size{
		{2, 1, 1, true, false, false},
		{2, 1, 1, false, true, false},
		{2, 1, 1, true, true, true},
		{2, 2, 1, true, false, false},
		{2, 2, 1, false, true, false},
		{2, 2, 2, true, false, true},
		{3, 1, 1, true, false, false},
		{3, 1, 2, false, true, false},
	} {
		t.Run(fmt.Sprintf("%+v", z), func(t *testing.T) {
			m := &model{protocol: sluice, size: z}
			states, fault, trace := m.check()
			t.Logf("%d states", states)
			if fault != "" {
				t.Errorf("%s:\n  %s", fault, strings.Join(trace, "\n  "))
			}
		})
	}
}

// What textbooks do, in the same model: each loses something, and the shortest
// way there is worth reading (go test -v -run Textbooks).
func TestModelTextbooksFail(t *testing.T) {
	for _, c := range []struct {
		name string
		protocol
		want string
	}{
		{"leave at ctx.Done()", leaveAtDone, "an accepted event is lost"},
		{"drain until the channel looks empty", untilEmpty, "an accepted event is lost"},
		{"close after a check", noGate, "a send on the closed channel"},
	} {
		for capacity := 1; capacity <= 2; capacity++ {
			t.Run(fmt.Sprintf("%s, capacity %d", c.name, capacity), func(t *testing.T) {
				m := &model{protocol: c.protocol, size: size{submitters: 1, workers: 1, capacity: capacity, cancel: true}}
				_, fault, trace := m.check()
				if fault != c.want {
					t.Fatalf("the model finds %q, want %q", fault, c.want)
				}
				t.Logf("%s:\n  %s", fault, strings.Join(trace, "\n  "))
			})
		}
	}
}
