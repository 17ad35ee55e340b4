//go:build js && wasm

package canvas

import (
	"strconv"
	"strings"

	"github.com/hack-pad/safejs"

	"sluice/wasm/desk"
)

// fill shows what may change with every frame.
func (p *page) fill(s *desk.Screen, at float64) {
	d := p.dom
	main := d.node("main")
	main.attr("data-state", s.State)
	main.attr("data-paused", strconv.FormatBool(s.Paused))
	main.attr("data-past", strconv.FormatBool(s.Past))
	main.attr("data-step", strconv.FormatUint(s.Step, 10))
	for _, f := range s.Ledger {
		d.node("l-" + f.Name).text(f.Text)
	}
	balance := d.node("balance")
	balance.text(s.Balance)
	balance.attr("data-fault", strconv.FormatBool(s.Fault))
	lost := "" // the control that has just lost the focus
	for _, b := range s.Buttons {
		n := d.node("b-" + b.Act)
		if n.off(!b.On, b.Hidden) {
			lost = b.Act
		}
		class := "quiet"
		switch {
		case b.Main:
			class = "main"
		case b.Act != "export" && b.Act != "open":
			class = ""
		}
		n.prop("className", class)
	}
	d.node("b-main").prop("className", "main")
	for i, k := range s.Polled {
		d.node("k-" + strconv.Itoa(i)).text(k.Text)
		d.node("m-"+strconv.Itoa(i)).prop("value", strconv.FormatFloat(k.Share, 'f', 3, 64))
	}
	d.node("v-polled").text(s.PolledAgo)
	d.node("clock").text(s.Clock)
	d.node("steps").text(s.Steps)
	time := d.node("time")
	if time.off(s.Last == 0, false) {
		lost = "time"
	}
	time.prop("min", strconv.FormatUint(s.First, 10))
	time.prop("max", strconv.FormatUint(max(s.Last, 1), 10))
	time.set("value", strconv.FormatUint(s.Step, 10))
	if lost != "" {
		p.keepFocus(s, lost)
	}
}

// fillSlow shows what a person cannot follow at twenty times a second. It
// reports whether all of it has been said.
func (p *page) fillSlow(s *desk.Screen, at float64) bool {
	d := p.dom
	d.node("say-head").text(s.Head + ".")
	d.node("say-text").text(s.Say)
	notice := s.Notice
	if len(s.Problems) > 0 {
		notice = strings.TrimSpace(notice + " " + strings.Join(s.Problems, " "))
	}
	if p.stage.refused {
		notice = strings.TrimSpace(notice + " The picture cannot be drawn: this browser gives no canvas. The ledger, the table and the code say what it would show.")
	}
	n := d.node("notice")
	n.text(notice)
	n.flag("hidden", notice == "")
	d.node("source").text(s.Source)
	d.node("pace").text(s.Pace)
	d.node("b-main").text(strings.ToUpper(s.MainAct()[:1]) + s.MainAct()[1:])
	lost := ""
	for _, v := range s.Dials {
		in := d.node("d-" + v.Query)
		in.prop("min", strconv.Itoa(v.Least))
		in.prop("max", strconv.Itoa(v.Top))
		in.set("value", strconv.Itoa(v.Pos))
		in.attr("aria-valuetext", v.Text)
		if in.off(v.Off, false) {
			lost = v.Query
		}
		d.node("o-" + v.Query).text(v.Text)
	}
	slow := d.node("slow")
	slow.flag("checked", s.Slow)
	if slow.off(s.SlowOff, false) {
		lost = "slow"
	}
	if lost != "" {
		p.keepFocus(s, lost)
	}
	d.node("time").attr("aria-valuetext", s.TimeText)
	in, out := s.In, s.Out
	if in != "" {
		d.node("v-rate").text("in " + in + " · out " + out)
	} else {
		d.node("v-rate").text("")
	}
	d.node("v-queue").text(s.Queue)
	d.node("v-span").text(s.Spans)

	p.table.show(s)
	p.code.show(s, at)
	p.fillRecent(s)

	strip := s.StripTitle != ""
	if d.node("strip-part").flag("hidden", !strip) {
		d.node("charts").flag("hidden", strip)
		p.inbox.put(relayout{})
	}
	if strip {
		d.node("strip-title").text(s.StripTitle)
		d.node("strip-text").list(d, s.Stages)
	}
	// Politely: not more than once in two seconds, and only what is new.
	if s.Announce != p.spoken && (at == 0 || at-p.spokenAt > 2000 || s.Paused) {
		p.spokenAt = at
		p.announce(s.Announce)
	}
	return s.Announce == p.spoken
}

// fillRecent keeps the buttons of events that stay in the list: the focus may be
// on one.
func (p *page) fillRecent(s *desk.Screen) {
	d := p.dom
	box := d.node("recent")
	wanted := map[desk.Recent]bool{}
	for _, e := range s.Recent {
		wanted[e] = true
	}
	for e, n := range p.recent {
		if !wanted[e] {
			if n.focused() {
				d.node("crew-box").focus()
			}
			call(n.el, "remove")
			delete(p.recent, e)
		}
	}
	next := safejs.Null() // those that stay keep their order: new ones go in between
	for i := len(s.Recent) - 1; i >= 0; i-- {
		e := s.Recent[i]
		n := p.recent[e]
		if n == nil {
			n = wrap(call(d.doc, "createElement", "button"))
			n.prop("className", "event key key-"+strconv.Itoa(int(e.Key)))
			n.attr("type", "button")
			n.attr("data-event", strconv.FormatUint(uint64(e.Event), 10))
			n.text(e.Text)
			call(box.el, "insertBefore", n.el, next)
			p.recent[e] = n
		}
		n.attr("aria-pressed", strconv.FormatBool(e.Event == s.Follow))
		next = n.el
	}
}
