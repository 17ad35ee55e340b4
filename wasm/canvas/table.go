//go:build js && wasm

package canvas

import (
	"strconv"

	"sluice/wasm/desk"
)

// table is the list of goroutines, and the lanes' names for scripts and screen
// readers, who do not see the canvas.
type table struct {
	page *page
	ids  string // of the rows there are
	rows []row
}

type row struct{ tr, dot, state, reason, why, line, lane *node }

func newTable(p *page) *table { return &table{page: p} }

func (t *table) show(s *desk.Screen) {
	ids := ""
	for i := range s.Rows {
		ids += s.Rows[i].ID + " "
	}
	if ids != t.ids {
		t.build(s.Rows)
		t.ids = ids
	}
	for i := range s.Rows {
		r, e := &s.Rows[i], &t.rows[i]
		e.dot.prop("className", "dot "+r.Class)
		e.state.text(r.State)
		e.reason.text(r.Reason)
		e.why.text(r.Why)
		e.line.text(r.At())
		e.tr.attr("aria-selected", strconv.FormatBool(r.Chosen))
		e.tr.attr("data-lit", strconv.FormatBool(r.Lit))
		e.lane.text(r.Name + ": " + r.State)
	}
}

func (t *table) build(rows []desk.Row) {
	d := t.page.dom
	body, lanes := d.node("crew-rows").el, d.node("lane-list").el
	focused := ""
	if el := call(body, "querySelector", "tr:focus-within"); !el.IsNull() {
		focused = attribute(el, "data-goroutine")
		d.node("crew-box").focus() // should the row be gone
	}
	call(body, "replaceChildren")
	call(lanes, "replaceChildren")
	t.rows = t.rows[:0]
	for i := range rows {
		r := &rows[i]
		tr := d.create(body, "tr", "")
		tr.attr("role", "row")
		tr.attr("data-goroutine", r.ID)
		cell := func(tag, class, role string) *node {
			n := d.create(tr.el, tag, class)
			n.attr("role", role)
			return n
		}
		name := cell("th", "", "rowheader")
		name.attr("scope", "row")
		choose := d.create(name.el, "button", "link")
		choose.attr("type", "button")
		choose.text(r.Name)
		if r.ID == focused {
			choose.focus()
		}
		state := cell("td", "state", "cell")
		state.attr("data-cell", "state")
		e := row{tr: tr, dot: d.create(state.el, "span", "dot"), state: d.create(state.el, "span", "")}
		e.reason = cell("td", "reason", "cell")
		e.reason.attr("data-cell", "reason")
		e.line = cell("td", "place", "cell")
		e.line.attr("data-cell", "line")
		e.why = cell("td", "why", "cell")
		e.why.attr("data-cell", "why")
		e.lane = d.create(lanes, "span", "")
		e.lane.attr("data-lane", r.ID)
		t.rows = append(t.rows, e)
	}
}
