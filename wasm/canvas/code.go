//go:build js && wasm

package canvas

import (
	"strconv"
	"strings"

	"github.com/hack-pad/safejs"

	"sluice/wasm/desk"
	"sluice/wasm/lab"
)

// code is the pane with the source that was compiled, and a marker for every
// goroutine at the line where it is.
type code struct {
	page    *page
	box     *node
	files   map[string]*node // by name, when they have come
	shown   string
	lines   map[string]*node // by name such as "collector.go:87": the place for markers
	markers map[string]*marker
	follow  bool   // keep the chosen goroutine's line in sight
	chosen  string // line, whose goroutines are listed
	inSight string
	moved   uint64 // the step whose goroutine was shown last

	lookedAt, touchedAt float64 // when the pane, or the person, last scrolled it
}

type marker struct {
	n    *node
	line string
}

// codeCame is sent when a file of the source has been fetched.
type codeCame struct{ name, html, err string }

func newCode(p *page) *code {
	return &code{
		page: p, box: p.dom.node("code"), shown: "collector.go",
		touchedAt: -1e9, files: map[string]*node{}, lines: map[string]*node{}, markers: map[string]*marker{},
	}
}

// fetch asks for the source.
func (c *code) fetch() {
	p := c.page
	came := p.funcs.of(func(_ safejs.Value, args []safejs.Value) any {
		p.inbox.put(codeCame{must(args[0].String()), must(args[1].String()), must(args[2].String())})
		return nil
	})
	for _, name := range []string{"collector.go", "store.go"} {
		must(global("sluiceSource").Invoke(name, came))
	}
}

func (c *code) came(m codeCame) {
	d := c.page.dom
	n := d.create(c.box.el, "div", "file")
	c.files[m.name] = n
	if m.err != "" {
		n.text(m.name + " could not be loaded: " + m.err)
	} else {
		// The build's own output, whose text is escaped.
		check(n.el.Set("innerHTML", m.html))
	}
	n.flag("hidden", m.name != c.shown)
	if m.name == c.shown {
		c.look("work(ctx context.Context")
	}
}

// look scrolls to the first line that contains s.
func (c *code) look(s string) {
	n := c.files[c.shown]
	if n == nil {
		return
	}
	lines := call(n.el, "querySelectorAll", "[data-line]")
	for i := range must(lines.Length()) {
		el := must(lines.Index(i))
		if strings.Contains(text(el, "textContent"), s) {
			c.scroll(el, 3)
			return
		}
	}
}

// reveal scrolls to a line if it is out of sight.
func (c *code) reveal(el safejs.Value) {
	top := number(el, "offsetTop") - number(c.box.el, "scrollTop")
	if room := number(c.box.el, "clientHeight"); top < 0 || top > room-2*number(el, "offsetHeight") {
		c.scroll(el, room/number(el, "offsetHeight")/2)
	}
}

// scroll brings a line into sight, with some lines before it.
func (c *code) scroll(el safejs.Value, before float64) {
	top := number(el, "offsetTop") - before*number(el, "offsetHeight")
	check(c.box.el.Set("scrollTop", max(top, 0)))
}

// open shows a file.
func (c *code) open(name string) {
	c.shown = name
	for file, n := range c.files {
		n.flag("hidden", file != name)
	}
	d := c.page.dom
	d.node("b-file-collector").attr("aria-selected", strconv.FormatBool(name == "collector.go"))
	d.node("b-file-store").attr("aria-selected", strconv.FormatBool(name == "store.go"))
}

// line returns the place for markers at the end of a line, or nil if the file
// has not come or has no such line.
func (c *code) line(name string) *node {
	if n, ok := c.lines[name]; ok {
		return n
	}
	file, _, _ := strings.Cut(name, ":")
	if c.files[file] == nil {
		return nil
	}
	el := call(c.files[file].el, "querySelector", `[data-line="`+name+`"]`)
	if el.IsNull() {
		c.lines[name] = nil
		return nil
	}
	c.lines[name] = c.page.dom.create(el, "span", "at")
	return c.lines[name]
}

// show puts every goroutine's marker at its line.
func (c *code) show(s *desk.Screen, at float64) {
	rows := s.Rows
	seen := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		at := r.At()
		place := (*node)(nil)
		if at != "" {
			place = c.line(at)
		}
		if place == nil {
			continue
		}
		seen[r.ID] = true
		m := c.markers[r.ID]
		if m == nil {
			m = &marker{n: c.page.dom.create(place.el, "button", "marker")}
			m.n.attr("type", "button")
			m.n.attr("data-at", r.ID)
			m.n.text(r.Short)
			c.markers[r.ID] = m
			m.line = ""
		}
		if m.line != at {
			focused := m.n.focused()
			call(place.el, "appendChild", m.n.el)
			if focused {
				m.n.focus()
			}
			c.lit(m.line)
			m.line = at
			c.lit(at)
		}
		class := "marker " + r.Class
		if r.Chosen || r.Lit {
			class += " lit"
		}
		m.n.prop("className", class)
		reason := r.Reason
		if !r.Blocked {
			reason = "called from here: " + reason
		}
		m.n.attr("data-reason", r.Reason)
		m.n.attr("data-blocked", strconv.FormatBool(r.Blocked))
		m.n.attr("title", r.Name+", "+r.State+" ["+reason+"]")
		m.n.attr("aria-label", r.Short+": "+r.Name+" at "+at+", "+r.State)
		if follow := r.Chosen && c.follow || s.Moved == r.Who && c.moved != s.Step; follow && c.inSight != at {
			c.inSight, c.moved = at, s.Step
			if r.File != c.shown {
				c.open(r.File)
			}
			c.reveal(get(place.el, "parentElement"))
		}
	}
	for id, m := range c.markers {
		if !seen[id] {
			if m.n.focused() {
				c.box.focus()
			}
			call(m.n.el, "remove")
			delete(c.markers, id)
			c.lit(m.line)
		}
	}
	if !c.follow {
		c.inSight = ""
	}
	c.listLine(rows)
	if s.State != "idle" && !s.Paused && at-c.lookedAt > 1500 && at-c.touchedAt > 10000 {
		c.lookedAt = at
		c.crowd(rows)
	}
}

// crowd scrolls to the line where most workers are, if nobody is in sight.
func (c *code) crowd(rows []desk.Row) {
	top := number(c.box.el, "scrollTop")
	bottom := top + number(c.box.el, "clientHeight")
	most, best := map[string]int{}, ""
	for i := range rows {
		m := c.markers[rows[i].ID]
		if m == nil || rows[i].File != c.shown {
			continue
		}
		place := c.lines[m.line]
		if y := number(get(place.el, "parentElement"), "offsetTop"); y >= top && y < bottom-10 && rows[i].Who.Role() == lab.Worker {
			return
		}
		if rows[i].Who.Role() == lab.Worker {
			if most[m.line]++; most[m.line] > most[best] {
				best = m.line
			}
		}
	}
	if best != "" {
		c.reveal(get(c.lines[best].el, "parentElement"))
	}
}

// lit marks a line where somebody is.
func (c *code) lit(at string) {
	place := c.lines[at]
	if place == nil {
		return
	}
	const most = 8 // markers that a line has room for
	n := int(number(place.el, "childElementCount"))
	here := n > 0
	if n > most {
		place.attr("data-more", strconv.Itoa(n-most))
	} else {
		call(place.el, "removeAttribute", "data-more")
		delete(place.said, "@data-more")
	}
	call(get(get(place.el, "parentElement"), "classList"), "toggle", "here", here)
}

// choose lists who is at a line.
func (c *code) choose(at string) {
	if c.chosen == at {
		at = ""
	}
	c.chosen = at
}

func (c *code) listLine(rows []desk.Row) {
	n := c.page.dom.node("line-list")
	at := c.chosen
	for i := range rows {
		if at == "" && rows[i].Chosen {
			at = rows[i].At() // by keyboard a line is chosen through who is there
		}
	}
	n.flag("hidden", at == "")
	if at == "" {
		return
	}
	var who []string
	for i := range rows {
		if rows[i].At() == at {
			who = append(who, rows[i].Name)
		}
	}
	if len(who) == 0 {
		n.text("Nobody is at " + at + " now.")
		return
	}
	n.text("At " + at + ": " + strings.Join(who, ", ") + ".")
}
