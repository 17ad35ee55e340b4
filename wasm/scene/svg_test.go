package scene

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The themes' tokens, in the order of the inks.
func tokens(dark bool) [NumInks]string {
	if dark {
		return [...]string{"none", "oklch(20.5% .012 255)", "oklch(24% .013 255)", "oklch(18% .012 255)", "oklch(36% .014 255)", "oklch(58% .016 255)",
			"oklch(93% .006 95)", "oklch(75% .012 255)", "oklch(78% .11 215)", "oklch(20% .02 255)", "oklch(74% .12 160)", "oklch(55% .012 255)",
			"oklch(73% .14 40)", "oklch(79% .12 80)", "#56b4e9", "#e69f00", "#2fc79b", "#dd94bd", "#e5dc5a"}
	}
	return [...]string{"none", "oklch(98.6% .004 95)", "oklch(100% 0 0)", "oklch(96.2% .005 95)", "oklch(88% .006 255)", "oklch(66% .012 255)",
		"oklch(26% .02 258)", "oklch(46% .018 258)", "oklch(50% .115 222)", "oklch(99% 0 0)", "oklch(58% .12 160)", "oklch(72% .01 255)",
		"oklch(57% .16 35)", "oklch(60% .12 75)", "#0072b2", "#b3590a", "#00795a", "#a8487c", "#6b6a1c"}
}

// svg writes a drawing as a picture, to be looked at.
func svg(d Drawing, x, y, w float32, dark bool) string {
	ink := tokens(dark)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg x="%g" y="%g" width="%g" height="%g" viewBox="0 0 %g %g" overflow="hidden"><rect width="100%%" height="100%%" fill="%s"/>`, x, y, w, d.Height, w, d.Height, ink[Paper])
	for i, c := range ink {
		if i > 0 {
			fmt.Fprintf(&b, `<pattern id="s%[1]d%[3]t" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="%[2]s" opacity=".25"/><rect width="2" height="5" fill="%[2]s"/></pattern><pattern id="d%[1]d%[3]t" width="4" height="4" patternUnits="userSpaceOnUse"><rect width="4" height="4" fill="%[2]s" opacity=".3"/><circle cx="2" cy="2" r="1.1" fill="%[2]s"/></pattern>`, i, c, dark)
		}
	}
	for i, o := range d.Ops {
		style := fmt.Sprintf(`fill="%s" stroke="%s" stroke-width="%g"`, ink[o.Fill], ink[o.Line], max(o.Width, 0))
		if o.Hatch != Plain {
			style = fmt.Sprintf(`fill="url(#%c%d%t)"`, " sd"[o.Hatch], o.Fill, dark)
		}
		if o.Dash != Solid {
			style += [...]string{"", ` stroke-dasharray="3 3"`, ` stroke-dasharray="2 4"`}[o.Dash]
		}
		if o.Alpha > 0 {
			style += fmt.Sprintf(` opacity="%g"`, o.Alpha)
		}
		x, y, r := o.X, o.Y, o.R
		switch o.Do {
		case Rect:
			fmt.Fprintf(&b, `<rect x="%g" y="%g" width="%g" height="%g" rx="%g" %s/>`, x, y, o.W, o.H, r, style)
		case Disc:
			fmt.Fprintf(&b, `<circle cx="%g" cy="%g" r="%g" %s/>`, x, y, r, style)
		case Arc:
			fmt.Fprintf(&b, `<circle cx="%g" cy="%g" r="%g" pathLength="1" stroke-dasharray="%g 2" transform="rotate(%g %g %g)" %s/>`, x, y, r, o.To-o.From, o.From*360-90, x, y, style)
		case Line:
			fmt.Fprintf(&b, `<path d="M%g %gl%g %g" %s/>`, x, y, o.W, o.H, style)
		case Glyph:
			path := [...]string{
				fmt.Sprintf("M%g %ga%g %g 0 1 0 %g 0a%g %g 0 1 0 %g 0Z", x-r, y, r, r, 2*r, r, r, -2*r),
				fmt.Sprintf("M%g %gh%gv%gh%gZ", x-r*.9, y-r*.9, r*1.8, r*1.8, -r*1.8),
				fmt.Sprintf("M%g %gL%g %gH%gZ", x, y-r*1.15, x+r*1.1, y+r*.85, x-r*1.1),
				fmt.Sprintf("M%g %gL%g %gL%g %gL%g %gZ", x, y-r*1.2, x+r*1.2, y, x, y+r*1.2, x-r*1.2, y),
				fmt.Sprintf("M%g %gH%gL%g %gL%g %gH%gL%g %gZ", x-r*.55, y-r, x+r*.55, x+r, y, x+r*.55, y+r, x-r*.55, x-r, y),
			}[o.Shape%5]
			fmt.Fprintf(&b, `<path d="%s" %s/>`, path, style)
		case Text:
			face := `"Liberation Sans",sans-serif`
			if o.Font >= Mono {
				face = `"DejaVu Sans Mono",monospace`
			}
			weight := 400
			if o.Font == SansBold {
				weight = 600
			}
			factor := o.R
			if factor == 0 {
				factor = 1
			}
			fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="%s" font-size="%g" font-weight="%d" font-family='%s' fill="%s" stroke="%s" stroke-width="%g" paint-order="stroke">%s</text>`,
				x, y, [...]string{"start", "middle", "end"}[o.Align], size(o.Font)*factor, weight, face, ink[o.Fill], ink[o.Line], o.Width, html.EscapeString(o.Text))
		case Clip:
			fmt.Fprintf(&b, `<clipPath id="c%d%t%g"><rect x="%g" y="%g" width="%g" height="%g"/></clipPath><g clip-path="url(#c%d%t%g)">`, i, dark, d.Height, x, y, o.W, o.H, i, dark, d.Height)
		case Unclip:
			b.WriteString("</g>")
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// look writes drawings under each other into the directory that SCENE_LOOK
// names, in both themes side by side.
func look(t *testing.T, name string, w float32, ds ...Drawing) {
	t.Helper()
	dir := os.Getenv("SCENE_LOOK")
	if dir == "" {
		return
	}
	h := float32(0)
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(svg(d, 0, h, w, true))
		b.WriteString(svg(d, w+4, h, w, false))
		h += d.Height + 4
	}
	page := fmt.Sprintf(`<!doctype html><body style="margin:0;background:#888"><svg width="%g" height="%g">%s</svg>`, 2*w+4, h, b.String())
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s_%.0fx%.0f.html", name, 2*w+4, h)), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}
