package lab

import (
	"bytes"
	"runtime"
	"strconv"
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
func goroutineHeader(line []byte) (n uint64, reason string) {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok {
		return 0, ""
	}
	num, rest, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseUint(string(num), 10, 64)
	if err != nil {
		return 0, ""
	}
	if _, rest, ok = bytes.Cut(rest, []byte("[")); ok {
		rest, _, _ = bytes.Cut(rest, []byte("]"))
		rest, _, _ = bytes.Cut(rest, []byte(","))
		rest, _, _ = bytes.Cut(rest, []byte(" (")) // such as "(durable)"
		reason = string(rest)
	}
	return n, reason
}
