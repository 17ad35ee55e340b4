package scene

import (
	"math"
	"strconv"
	"time"

	"sluice/wasm/lab"
)

// pen appends operations to a drawing.
type pen struct {
	ops     []Op
	regions []Region
	s       float32 // factor on type and on what is as large as type
	words   *words
}

// What follows is called from a hundred places: inlined, it would make the page
// 60 KB larger.

//go:noinline
func (p *pen) op(o Op) { p.ops = append(p.ops, o) }

func (p *pen) region(r Region) { p.regions = append(p.regions, r) }

//go:noinline
func (p *pen) rect(a area, r float32, fill, line Ink, width float32) {
	p.op(Op{Do: Rect, X: a.x, Y: a.y, W: a.w, H: a.h, R: r, Fill: fill, Line: line, Width: width})
}

//go:noinline
func (p *pen) line(x, y, w, h float32, ink Ink, width float32) {
	p.op(Op{Do: Line, X: x, Y: y, W: w, H: h, Line: ink, Width: width})
}

//go:noinline
func (p *pen) text(x, y float32, f Font, ink Ink, a Align, s string) {
	p.op(Op{Do: Text, X: x, Y: y, R: p.s, Font: f, Fill: ink, Align: a, Text: s})
}

// wide is about how wide s is.
func (p *pen) wide(f Font, s string) float32 { return textWidth(f, s) * p.s }

// fits is text, or nothing at all where it would not fit in w.
func (p *pen) fits(x, y, w float32, f Font, ink Ink, a Align, s string) bool {
	if p.wide(f, s) > w {
		return false
	}
	p.text(x, y, f, ink, a, s)
	return true
}

// wrap breaks s into lines at most w wide and returns the baseline after them.
func (p *pen) wrap(x, y, w float32, f Font, ink Ink, s string) float32 {
	size := size(f) * p.s
	for len(s) > 0 {
		cut, at := len(s), float32(0)
		space := -1
		for i := 0; i < len(s); i++ {
			if s[i] == ' ' {
				space = i
			}
			at += charWidth(f, s[i]) * size
			if at > w && space > 0 {
				cut = space
				break
			}
		}
		p.text(x, y, f, ink, Left, s[:cut])
		y += size * 1.33
		s = s[cut:]
		for len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
	}
	return y
}

type area struct{ x, y, w, h float32 }

func (a area) right() float32  { return a.x + a.w }
func (a area) bottom() float32 { return a.y + a.h }
func (a area) midX() float32   { return a.x + a.w/2 }
func (a area) midY() float32   { return a.y + a.h/2 }

func (a area) inset(d float32) area { return area{a.x + d, a.y + d, a.w - 2*d, a.h - 2*d} }

func (a area) region() Region { return Region{X: a.x, Y: a.y, W: a.w, H: a.h} }

// size is a font's size in CSS pixels at scale 1.
func size(f Font) float32 {
	switch f {
	case SansBold:
		return 13
	case SansSmall:
		return 11
	case Mono:
		return 10.5
	case MonoSmall:
		return 8.5
	}
	return 12
}

func textWidth(f Font, s string) float32 {
	w := float32(0)
	for i := 0; i < len(s); i++ {
		w += charWidth(f, s[i])
	}
	return w * size(f)
}

// charWidth is about how wide a character is, in ems, after Helvetica, which
// the fonts of the page do not exceed by much.
func charWidth(f Font, c byte) float32 {
	switch {
	case c >= 0x80 && c < 0xc0:
		return 0 // counted with the first byte of its character
	case f >= Mono:
		return 0.602
	}
	w := float32(0.56)
	switch c {
	case 'i', 'j', 'l', '\'', '|':
		w = 0.23
	case ' ', '.', ',', ':', ';', '!', '/', 'f', 't', 'I':
		w = 0.28
	case 'r', '(', ')', '-':
		w = 0.33
	case 'c', 'k', 's', 'v', 'x', 'y', 'z', 'J':
		w = 0.5
	case 'm', 'M':
		w = 0.83
	case 'w':
		w = 0.72
	case 'W', '%':
		w = 0.92
	default:
		if c >= 'A' && c <= 'Z' {
			w = 0.7
		}
	}
	if f == SansBold {
		w *= 1.08
	}
	return w
}

// grid is how many columns n cells take in w by h so that they are largest,
// where a cell is aspect times as wide as it is high. Full rows are worth some
// of the size.
func grid(n int, w, h, aspect float32) (cols, rows int) {
	best := float32(-1)
	for c := 1; c <= n; c++ {
		r := (n + c - 1) / c
		side := min(w/float32(c), h/float32(r)*aspect)
		if r*c == n {
			side *= 1.25
		}
		if side > best {
			best, cols, rows = side, c, r
		}
	}
	return max(cols, 1), max(rows, 1)
}

// words remembers the texts that it made, since a frame needs the same ones as
// the frame before.
type words struct{ made map[wordKey]string }

type wordKey struct {
	sort wordSort
	n    uint32
}

type wordSort uint8

const (
	wordNumber wordSort = iota
	wordThousands
	wordEvent
	wordEventHeld
	wordWho
	wordShort
	wordRests
	wordAgo
	wordOf
	wordFull
	wordMore
	wordBusy
	wordLocked
)

func (w *words) get(sort wordSort, n uint32) string {
	k := wordKey{sort, n}
	if s, ok := w.made[k]; ok {
		return s
	}
	if w.made == nil || len(w.made) > 1<<13 {
		w.made = make(map[wordKey]string, 1<<10)
	}
	s := k.String()
	w.made[k] = s
	return s
}

func (k wordKey) String() string {
	n := int(k.n)
	switch k.sort {
	case wordThousands:
		return thousands(n)
	case wordEvent:
		return "event " + strconv.Itoa(n)
	case wordEventHeld:
		return "event " + strconv.Itoa(n) + ", held"
	case wordWho:
		return lab.Who(n).String()
	case wordShort:
		return short(lab.Who(n))
	case wordRests:
		return "rests " + brief(n)
	case wordAgo:
		if n == 0 {
			return "polled by Get just now"
		}
		return "polled by Get " + brief(n) + " ago"
	case wordOf:
		return strconv.Itoa(n>>16) + " of " + strconv.Itoa(n&0xffff)
	case wordFull:
		return strconv.Itoa(n>>16) + " of " + strconv.Itoa(n&0xffff) + ", full"
	case wordMore:
		return "+" + strconv.Itoa(n)
	case wordLocked:
		return strconv.Itoa(n>>16) + " busy, " + strconv.Itoa(n&0xffff) + " at the lock"
	case wordBusy:
		return strconv.Itoa(n>>16) + " busy, " + strconv.Itoa(n&0xffff) + " idle"
	}
	return strconv.Itoa(n)
}

// brief writes milliseconds, which time has rounded.
func brief(ms int) string {
	if ms >= 1000 {
		return decimal(time.Duration(ms)*time.Millisecond, time.Second, 1) + " s"
	}
	return strconv.Itoa(ms) + " ms"
}

// short names a goroutine in two or three characters, such as "w2".
func short(w lab.Who) string {
	if w.Role() == lab.Runner {
		return "Run"
	}
	return w.String()[:1] + strconv.Itoa(w.N())
}

func (w *words) number(n uint32) string           { return w.get(wordNumber, n) }
func (w *words) who(n lab.Who) string             { return w.get(wordWho, uint32(n)) }
func (w *words) short(n lab.Who) string           { return w.get(wordShort, uint32(n)) }
func (w *words) event(n uint32) string            { return w.get(wordEvent, n) }
func (w *words) more(n int) string                { return w.get(wordMore, uint32(n)) }
func (w *words) thousands(n int) string           { return w.get(wordThousands, uint32(n)) }
func (w *words) pair(s wordSort, a, b int) string { return w.get(s, uint32(a)<<16|uint32(b)) }

// time is a word about a stretch, rounded so that it does not flicker.
func (w *words) time(s wordSort, d time.Duration) string {
	ms := int64(math.Ceil(float64(d) / 1e6))
	switch {
	case ms < 0:
		ms = 0
	case ms > 1000:
		ms = (ms + 50) / 100 * 100
	case ms > 100:
		ms = (ms + 5) / 10 * 10
	}
	return w.get(s, uint32(ms))
}
