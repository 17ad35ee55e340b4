//go:build js && wasm

package canvas

import (
	"strings"

	"github.com/hack-pad/safejs"

	"sluice/wasm/scene"
)

// fields is how many numbers an operation is packed into; paint.js reads them.
const fields = 18

// surface is one canvas of the page.
type surface struct {
	box, canvas safejs.Value
	paint       safejs.Value
	w, h        float32
	numbers     []float32
	texts       strings.Builder
	buffer      safejs.Value // a Uint8Array of size bytes
	size        int
	drawing     scene.Drawing
	left, top   float64
	refused     bool // the browser gave no drawing context
}

func newSurface(doc safejs.Value, id, box string) *surface {
	return &surface{
		canvas: call(doc, "getElementById", id),
		box:    call(doc, "getElementById", box),
		paint:  global("sluicePaint"),
	}
}

// measure asks the page how large the surface is, and where.
func (s *surface) measure() {
	r := call(s.box, "getBoundingClientRect")
	s.w, s.h = float32(number(r, "width")), float32(number(r, "height"))
	r = call(s.canvas, "getBoundingClientRect")
	s.left, s.top = number(r, "left"), number(r, "top")
}

// draw paints a drawing over the whole surface.
func (s *surface) draw(d scene.Drawing) {
	s.drawing = d
	s.numbers = s.numbers[:0]
	s.texts.Reset()
	lines := 0
	for i := range d.Ops {
		o := &d.Ops[i]
		index := float32(-1)
		if o.Text != "" {
			if lines > 0 {
				s.texts.WriteByte('\n')
			}
			s.texts.WriteString(o.Text)
			index = float32(lines)
			lines++
		} else if o.Do == scene.Text {
			continue
		}
		s.numbers = append(s.numbers,
			float32(o.Do), o.X, o.Y, o.W, o.H, o.R, o.From, o.To, float32(o.Fill), float32(o.Line),
			o.Width, float32(o.Dash), float32(o.Hatch), o.Alpha, float32(o.Shape), float32(o.Font), float32(o.Align), index)
	}
	data := bytesOf(s.numbers)
	if len(data) > s.size || s.size == 0 {
		s.size = max(2*len(data), 4*fields*256)
		s.buffer = must(global("Uint8Array").New(s.size))
	}
	if len(data) > 0 {
		must(safejs.CopyBytesToJS(s.buffer, data))
	}
	h := max(d.Height, s.h)
	if s.w < 1 || h < 1 {
		return
	}
	ok := must(s.paint.Invoke(s.canvas, s.buffer, len(s.numbers)/fields, s.texts.String(), s.w, h))
	s.refused = !must(ok.Bool())
}

// at is what is drawn at a point of the window.
func (s *surface) at(x, y float64) (scene.Region, bool) {
	return s.drawing.At(float32(x-s.left), float32(y-s.top))
}
