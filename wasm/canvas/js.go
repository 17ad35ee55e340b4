//go:build js && wasm

package canvas

import (
	"unsafe"

	"github.com/hack-pad/safejs"
)

// must returns v. An error from JavaScript here is a bug of the page, such as
// an element that the skeleton does not have; the loop shows it to the person.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func global(name string) safejs.Value { return must(safejs.Global().Get(name)) }

// These are called in hundreds of places, and to inline them in each would add
// to what a browser downloads.

//go:noinline
func get(v safejs.Value, name string) safejs.Value { return must(v.Get(name)) }

//go:noinline
func text(v safejs.Value, name string) string { return must(get(v, name).String()) }

//go:noinline
func number(v safejs.Value, name string) float64 { return must(get(v, name).Float()) }

//go:noinline
func truthy(v safejs.Value, name string) bool { return must(get(v, name).Truthy()) }

//go:noinline
func call(v safejs.Value, name string, args ...any) safejs.Value {
	return must(v.Call(name, args...))
}

// bytesOf views numbers as the bytes they are stored in. Both WebAssembly and
// JavaScript's typed arrays keep them in the machine's order.
func bytesOf(f []float32) []byte {
	if len(f) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&f[0])), 4*len(f))
}

// funcs keeps the callbacks given to JavaScript, to be released at the end.
type funcs struct{ all []safejs.Func }

func (f *funcs) of(fn func(this safejs.Value, args []safejs.Value) any) safejs.Value {
	c := must(safejs.FuncOf(fn))
	f.all = append(f.all, c)
	return c.Value()
}

func (f *funcs) release() {
	for _, c := range f.all {
		c.Release()
	}
}
