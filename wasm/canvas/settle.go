//go:build js && wasm

package canvas

import (
	"runtime"

	"github.com/hack-pad/safejs"
)

// settler waits until every other goroutine is blocked. The Go scheduler goes
// back to the browser only then, and the browser runs a microtask before
// anything else: the microtask's callback marks that moment.
type settler struct {
	queue, callback safejs.Value
	settled         chan struct{}
}

func newSettler(f *funcs) *settler {
	s := &settler{queue: global("queueMicrotask"), settled: make(chan struct{}, 1)}
	s.callback = f.of(func(safejs.Value, []safejs.Value) any {
		s.settled <- struct{}{}
		return nil
	})
	return s
}

func (s *settler) exact() {
	must(s.queue.Invoke(s.callback))
	<-s.settled
}

// quick gives way until the others are blocked, without the way through the
// browser. There is one thread: a goroutine that gives way goes behind all that
// can run. It does so again for those that others make runnable through the
// global queue, as the garbage collector does with one it has interrupted.
func (s *settler) quick() {
	for range 3 {
		runtime.Gosched()
	}
}
