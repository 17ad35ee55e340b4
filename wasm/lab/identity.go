package lab

import (
	"bytes"
	"runtime"
	"sync"
)

// identity tells which of the run's goroutines is running. A MetricStore is
// not told who calls it, and must not be; an experiment has to know.
type identity struct {
	mu    sync.RWMutex
	byGo  map[uint64]Who // by the runtime's number of the goroutine
	known map[Who]bool
	// running is the goroutine that came last through the lab. Under js/wasm
	// that is the one running: there is one thread, and it preempts nobody.
	running Who
}

// oneThread is true where the runtime never switches between goroutines that
// do not block. There the lab is spared asking for a goroutine's number, which
// takes the runtime some 20 microseconds under WebAssembly.
const oneThread = runtime.GOARCH == "wasm"

// enter says that the calling goroutine is w.
func (d *identity) enter(w Who) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = w
	if !d.known[w] {
		if d.known == nil {
			d.byGo, d.known = map[uint64]Who{}, map[Who]bool{}
		}
		d.known[w] = true
		d.byGo[goroutineNumber()] = w
	}
}

// leave says that w has ended: another goroutine may take its name.
func (d *identity) leave(w Who) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, w)
	for n, who := range d.byGo {
		if who == w {
			delete(d.byGo, n)
		}
	}
}

// named returns the goroutine that has the runtime's number n.
func (d *identity) named(n uint64) (Who, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	w, ok := d.byGo[n]
	return w, ok
}

// current returns the calling goroutine, which must have entered.
func (d *identity) current() Who {
	if oneThread {
		return d.running
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byGo[goroutineNumber()]
}

// goroutineNumber is the number in the first line of the goroutine's own stack.
func goroutineNumber() uint64 {
	var buf [64]byte
	n, _ := goroutineHeader(buf[:runtime.Stack(buf[:], false)])
	return n
}

// goroutineHeader reads "goroutine 7 [chan send, 2 minutes]:".
func goroutineHeader(line []byte) (n uint64, reason []byte) {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok {
		return 0, nil
	}
	num, rest, _ := bytes.Cut(rest, []byte(" "))
	if n, ok = number(num); !ok {
		return 0, nil
	}
	if _, rest, ok = bytes.Cut(rest, []byte("[")); ok {
		rest, _, _ = bytes.Cut(rest, []byte("]"))
		rest, _, _ = bytes.Cut(rest, []byte(","))
		rest, _, _ = bytes.Cut(rest, []byte(" (")) // such as "(durable)"
		reason = rest
	}
	return n, reason
}

// number reads a decimal number.
func number(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<60 {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, len(b) > 0
}
