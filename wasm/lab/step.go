package lab

import (
	"strconv"
	"strings"
	"time"
)

// Role is what a goroutine of the experiment does.
type Role uint8

const (
	Control  Role = iota // not a goroutine: the person at the controls
	Producer             // submits events
	Worker               // a goroutine of the collector
	Reader               // polls Get
	Runner               // the goroutine that called Run
)

// Who names one goroutine: its role and its number, from 1.
type Who uint16

// NewWho names goroutine n of a role; n is at most 255.
func NewWho(r Role, n int) Who { return Who(r)<<8 | Who(n) }

func (w Who) Role() Role { return Role(w >> 8) }
func (w Who) N() int     { return int(w & 0xff) }

// String names the goroutine as a person would, such as "worker 2".
func (w Who) String() string {
	switch w.Role() {
	case Producer:
		return "producer " + strconv.Itoa(w.N())
	case Worker:
		return "worker " + strconv.Itoa(w.N())
	case Reader:
		return "reader " + strconv.Itoa(w.N())
	case Runner:
		return "Run"
	}
	return "you"
}

// ID names the goroutine as scripts do, such as "worker-2".
func (w Who) ID() string {
	return strings.ToLower(strings.ReplaceAll(w.String(), " ", "-"))
}

// Kind is what happened in a step. Most kinds are also the state in which the
// step leaves its goroutine, until that goroutine's next step.
type Kind uint8

const (
	NoKind Kind = iota

	// The person at the controls.
	Cancelled // cancelled the context given to Run
	Killed    // called Kill
	Bursting  // asked for Value events at once
	Turned    // set dial Event, its index in Dials, to Value thousandths

	// Run.
	Running  // Run has been called
	Closed   // the intake is closed
	Returned // Run has returned; Value events were abandoned

	// A producer.
	Resting    // waits for its next event, due Value microseconds later
	Submitting // calls Submit; at rest here it waits at a full buffer
	Accepted   // Submit returned nil; it was the call number Value
	Rejected   // Submit returned an error
	Left       // has ended, or a reader has

	// A worker.
	Idle     // free to receive
	Received // has an event in hand
	Working  // processes it, for Value microseconds
	Stored   // the store has counted it
	Draining // free to receive what is left
	Exited   // has ended

	// A worker or reader at the store's lock.
	AtDoor // asks for the lock
	Inside // holds it, for Value microseconds

	// A reader.
	Polling // calls Get for each key in turn
	Got     // Get returned Value
	Pausing // waits for its next poll, due Value microseconds later

	// Anyone: moved to another place in the code without a transition.
	Waits

	numKinds
)

func (k Kind) String() string {
	return [...]string{"none", "cancelled", "killed", "burst", "dial turned",
		"running", "intake closed", "returned",
		"resting", "submitting", "accepted", "rejected", "left",
		"idle", "received", "working", "stored", "draining", "exited",
		"at the lock", "holds the lock", "polling", "got", "resting", "waits", "?"}[min(k, numKinds)]
}

// Step is one observed transition.
type Step struct {
	At    time.Duration // lab time
	Event uint32        // the event concerned, from 1; 0 for none
	Value uint32        // see Kind
	Who   Who
	Place uint16 // where the runtime then saw it at rest; 0 if it was not looked at
	Kind  Kind
	Key   uint8 // of the event, or the key read
	flags uint8
}

// settled marks the last step before everything had come to rest.
const settled = 1

// Settled reports whether, after this step, every goroutine was at rest.
func (s Step) Settled() bool { return s.flags&settled != 0 }

// Until is the lab time at which what began with the step is due to end.
func (s Step) Until() time.Duration { return s.At + time.Duration(s.Value)*time.Microsecond }

// micros is d in microseconds, as a step's Value holds it.
func micros(d time.Duration) uint32 {
	return uint32(min(max(d/time.Microsecond, 0), 1<<32-1))
}
