package lab

import (
	"bytes"
	"runtime"
)

// stacks reads, from the Go runtime, where every goroutine is at rest.
type stacks struct {
	buf   []byte
	words map[string]string // each word that it has read, kept once
}

// word is string(b), without a new one each time.
func (s *stacks) word(b []byte) string {
	w, ok := s.words[string(b)]
	if !ok {
		if len(s.words) > 1000 || s.words == nil {
			s.words = map[string]string{}
		}
		w = string(b)
		s.words[w] = w
	}
	return w
}

// rest calls f for each goroutine of the run with the place where it rests.
func (s *stacks) rest(ids *identity, f func(Who, Place)) {
	if s.buf == nil {
		s.buf = make([]byte, 1<<16)
	}
	n := runtime.Stack(s.buf, true)
	for n == len(s.buf) && n < 1<<22 {
		s.buf = make([]byte, 2*n)
		n = runtime.Stack(s.buf, true)
	}
	for block := range bytes.SplitSeq(s.buf[:n], []byte("\n\n")) {
		header, frames, _ := bytes.Cut(block, []byte("\n"))
		id, reason := goroutineHeader(header)
		if who, ok := ids.named(id); ok {
			f(who, s.placeOf(s.word(reason), frames))
		}
	}
}

// placeOf reads the frames of one goroutine, innermost first: a line with the
// function and its arguments, then a line with a tab, the file and the line.
func (s *stacks) placeOf(reason string, frames []byte) Place {
	p := Place{Reason: reason}
	for len(frames) > 0 {
		var fn, at []byte
		fn, frames, _ = bytes.Cut(frames, []byte("\n"))
		at, frames, _ = bytes.Cut(frames, []byte("\n"))
		switch {
		case bytes.HasPrefix(fn, []byte("sluice/core.")):
			var file []byte
			file, p.Line = fileLine(at)
			p.File = s.word(file)
			name := fn[len("sluice/core."):]
			if i := bytes.LastIndexByte(name, '('); i > 0 {
				name = name[:i]
			}
			p.Func = s.word(name)
			return p
		case bytes.Contains(fn, []byte("lab.(*stepper).pass")):
			p.Where = Held
		case bytes.Contains(fn, []byte("lab.(*stepper).sleep")), bytes.Contains(fn, []byte("lab.(*wall).sleep")):
			p.Where = AtWork
		case bytes.Contains(fn, []byte("lab.(*slowStore).")) && p.Where == InPool:
			p.Where = AtLock
		}
	}
	return p
}

// fileLine reads "\tsluice/core/collector.go:87 +0x1a".
func fileLine(at []byte) (file []byte, line int) {
	at, _, _ = bytes.Cut(bytes.TrimSpace(at), []byte(" "))
	i := bytes.LastIndexByte(at, ':')
	if i < 0 {
		return nil, 0
	}
	n, _ := number(at[i+1:])
	file = at[:i]
	if j := bytes.LastIndexByte(file, '/'); j >= 0 {
		file = file[j+1:]
	}
	return file, int(n)
}
