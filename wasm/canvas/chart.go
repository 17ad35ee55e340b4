//go:build js && wasm

package canvas

import (
	"math"
	"strconv"
	"time"

	"github.com/hack-pad/safejs"

	"sluice/wasm/desk"
	"sluice/wasm/lab"
)

// charts are the page's three uPlot charts. They show what the trace's points
// say and a cursor at the instant that is shown.
type charts struct {
	dom     *dom
	all     []*chart
	colours []string
}

type chart struct {
	id     string
	series []line2
	box    *node
	plot   safejs.Value // undefined until there is room for it
	marks  []*node
	xs     []float64
	ys     [][]float64
}

type line2 struct {
	name string
	ink  int // in scene's order
	dash bool
	of   func(p lab.Point) float64
}

func newCharts(d *dom) *charts {
	c := &charts{dom: d}
	for _, k := range []*chart{
		{id: "rate", series: []line2{
			{"in", 8, false, func(p lab.Point) float64 { return p.In }},
			{"out", 10, true, func(p lab.Point) float64 { return p.Out }},
		}},
		{id: "queue", series: []line2{
			{"buffered", 8, false, func(p lab.Point) float64 { return p.Queue }},
		}},
		{id: "span", series: []line2{
			{"median", 8, false, func(p lab.Point) float64 { return p.P50 }},
			{"95th percentile", 7, true, func(p lab.Point) float64 { return p.P95 }},
		}},
	} {
		k.box = d.node("c-" + k.id)
		k.ys = make([][]float64, len(k.series))
		k.plot = safejs.Undefined()
		c.all = append(c.all, k)
	}
	c.rebuild()
	return c
}

// rebuild makes the charts anew, in the theme's colours.
func (c *charts) rebuild() {
	list := must(global("sluiceColours").Invoke())
	c.colours = c.colours[:0]
	for i := range must(list.Length()) {
		c.colours = append(c.colours, must(must(list.Index(i)).String()))
	}
	for _, k := range c.all {
		if !k.plot.IsUndefined() {
			call(k.plot, "destroy")
			k.plot = safejs.Undefined()
		}
		k.marks = nil
		call(k.box.el, "replaceChildren")
	}
	c.resize()
}

func (c *charts) resize() {
	library := global("uPlot")
	if library.IsUndefined() {
		return // it has yet to come
	}
	for _, k := range c.all {
		r := call(k.box.el, "getBoundingClientRect")
		w, h := number(r, "width"), number(r, "height")
		if w < 40 || h < 30 {
			continue
		}
		if k.plot.IsUndefined() {
			if call(call(c.dom.doc, "createElement", "canvas"), "getContext", "2d").IsNull() {
				return // uPlot does not expect that; the page says so
			}
			k.plot = must(library.New(c.options(k, w, h), must(safejs.ValueOf([]any{[]any{}})), k.box.el))
			continue
		}
		call(k.plot, "setSize", map[string]any{"width": w, "height": h})
	}
}

// options are uPlot's, for a chart of these lines.
func (c *charts) options(k *chart, w, h float64) safejs.Value {
	const ink2, hair = 7, 4
	lines := "{}"
	for _, s := range k.series {
		dash := ""
		if s.dash {
			dash = "4,3"
		}
		lines += `,{"label":"` + s.name + `","stroke":"` + c.colours[s.ink] + `","width":1.6,"dash":[` + dash +
			`],"spanGaps":true,"points":{"show":false}}`
	}
	return call(global("JSON"), "parse", `{
		"width": `+strconv.Itoa(int(w))+`, "height": `+strconv.Itoa(int(h))+`, "series": [`+lines+`],
		"padding": [6, 2, 7, 0], "legend": {"show": false}, "cursor": {"show": false},
		"scales": {"x": {"time": false, "auto": false}},
		"axes": [{"show": false}, {
			"stroke": "`+c.colours[ink2]+`", "size": 34, "gap": 3, "space": 26, "ticks": {"show": false},
			"font": "10px ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, monospace",
			"grid": {"stroke": "`+c.colours[hair]+`", "width": 1}
		}]
	}`)
}

// show draws the stretch that the timeline shows, or ten seconds at least.
func (c *charts) show(d *desk.Desk, hidden bool) {
	if hidden {
		return
	}
	w := d.Window()
	if w.To-w.From < 10*time.Second {
		w.From = max(w.To-10*time.Second, 0)
		w.To = max(w.To, w.From+10*time.Second)
	}
	points := d.Trace().Points()
	i, j := 0, len(points)
	for i < j && points[i].At < w.From {
		i++
	}
	for j > i && points[j-1].At > w.To {
		j--
	}
	points = points[i:j]
	// More points than pixels are not seen.
	stride := max(1, len(points)/400)
	for _, k := range c.all {
		if k.plot.IsUndefined() {
			continue
		}
		k.xs = k.xs[:0]
		for s := range k.ys {
			k.ys[s] = k.ys[s][:0]
		}
		top := 1.0
		for n := 0; n < len(points); n += stride {
			k.xs = append(k.xs, points[n].At.Seconds())
			for s := range k.series {
				y := k.series[s].of(points[n])
				k.ys[s] = append(k.ys[s], y)
				if y > top {
					top = y
				}
			}
		}
		data := make([]any, 0, 1+len(k.ys))
		data = append(data, numbers(k.xs))
		for s := range k.ys {
			data = append(data, numbers(k.ys[s]))
		}
		x := map[string]any{"min": w.From.Seconds(), "max": w.To.Seconds()}
		call(k.plot, "setData", must(safejs.ValueOf(data)), false)
		if k.id == "queue" {
			top = float64(d.View().Capacity)
		}
		call(k.plot, "setScale", "x", x)
		call(k.plot, "setScale", "y", map[string]any{"min": 0, "max": nice(top)})
		k.mark(c.dom, d, w.From, w.To)
	}
}

// nice is the least round number at or above v, so that the scale rests.
func nice(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if v <= m*unit {
			return m * unit
		}
	}
	return v
}

// numbers is what becomes a JavaScript array; what is not a number is a gap.
func numbers(v []float64) []any {
	list := make([]any, len(v))
	for i, y := range v {
		if !math.IsNaN(y) {
			list[i] = y
		}
	}
	return list
}

// mark puts vertical lines at cancel, kill and the instant shown.
func (k *chart) mark(d *dom, desk *desk.Desk, from, to time.Duration) {
	v := desk.Trace().Now()
	at := []time.Duration{v.CancelAt, v.KillAt, -1}
	if desk.Past() {
		at[2] = desk.At()
	}
	over := call(k.box.el, "querySelector", ".u-over")
	if over.IsNull() {
		return
	}
	if k.marks == nil {
		for _, class := range []string{"mark", "mark", "mark now"} {
			k.marks = append(k.marks, d.create(over, "div", class))
		}
	}
	for i, m := range k.marks {
		seen := at[i] >= from && at[i] <= to
		m.flag("hidden", !seen)
		if seen {
			share := float64(at[i]-from) / float64(to-from)
			m.style("left", strconv.FormatFloat(100*share, 'f', 2, 64)+"%")
		}
	}
}
