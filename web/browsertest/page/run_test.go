//go:build browser

package page

import (
	"reflect"
	"strings"
	"testing"
)

// What readers get from the store is on the page, and rises.
func TestCountsRise(t *testing.T) {
	p := visit(t, "")
	if v := p.look(); v.State != "idle" || v.sum() != 0 {
		t.Errorf("before Start: %s", v)
	}
	p.press("Start")
	first := p.see("something is polled", func(v view) bool { return v.State == "running" && v.sum() > 0 })
	p.see("the counts rise", func(v view) bool { return v.sum() > first.sum()+5 && v.Ledger["stored"] >= v.sum() })
	p.press("Stop")
	v := p.see("the last poll", func(v view) bool { return v.State == "stopped" && v.sum() == v.Ledger["stored"] })
	if v.Ledger["stored"] != v.Ledger["accepted"] || v.row("run").State != "returned" {
		t.Errorf("after Stop: %s", v)
	}
	// When everybody has ended, time stands, and what there is to see stays in sight.
	v = p.see("everybody's end", func(v view) bool {
		return v.row("producer-1").State+v.row("producer-2").State+v.row("reader-1").State+v.row("reader-2").State == "donedonedonedone"
	})
	p.Get(frames(30), nil)
	if now := p.look(); now.Clock != v.Clock {
		t.Errorf("over at %s, then it is %s", v.Clock, now.Clock)
	}
	p.press("Reset")
	if v := p.see("idle again", is("idle")); v.Ledger["submitted"] != 0 || v.Step != 0 {
		t.Errorf("after Reset: %s", v)
	}
}

// A slow store, in a tenth of the time: a full buffer stays full long enough
// for any machine to see it.
const slowQuery = "?producers=2&rate=1&workers=2&buffer=8&cost=500ms&speed=0.1"

func (p *page) hurry() { p.slider("Speed").move(1000) }

func full(v view) bool { return v.Ledger["buffered"] == 8 && v.Ledger["waiting"] > 0 }

func TestBurstFillsTheBuffer(t *testing.T) {
	p := visit(t, slowQuery)
	p.press("Start", "Burst")
	p.see("a full buffer and a producer waiting", full)
	p.says("#say", "Backpressure")
	// The table changes less often than the ledger, but not while time is held.
	p.press("Pause")
	v := p.see("the same, held", func(v view) bool { return v.Paused && full(v) })
	p.says("#v-queue", "8 of 8")
	blocked := 0
	for _, r := range v.Rows {
		if strings.HasPrefix(r.Why, "blocked sending to a full buffer: wakes when a worker receives, or on Stop") && r.Reason == "select" {
			blocked++
		}
	}
	if blocked != v.Ledger["waiting"] {
		t.Errorf("%d say that they are blocked: %s", blocked, v)
	}
	p.press("Resume")
	p.hurry()
	p.see("an empty buffer", func(v view) bool { return v.Ledger["waiting"] == 0 && v.Ledger["buffered"] == 0 })
}

// watchStates lists each state that <main> goes through.
const watchStates = `(() => {
	const main = document.querySelector("main");
	window.states = [main.dataset.state];
	new MutationObserver(() => states.at(-1) === main.dataset.state || states.push(main.dataset.state))
		.observe(main, { attributeFilter: ["data-state"] });
})()`

func (p *page) states() (s []string) {
	p.T.Helper()
	p.Get("window.states", &s)
	return s
}

// ended waits until Run has returned, readers have polled a last time, and each
// of the two producers has been turned away.
func (p *page) ended() view {
	p.T.Helper()
	return p.see("the end", func(v view) bool {
		return v.State == "stopped" && v.sum() == v.Ledger["stored"] && v.Ledger["rejected"] == 2 &&
			v.row("run").State == "returned" && v.row("producer-1").State == "done" && v.row("producer-2").State == "done"
	})
}

func TestStopInABurst(t *testing.T) {
	p := visit(t, slowQuery)
	p.Get(watchStates, nil)
	p.press("Start", "Burst")
	p.see("a full buffer and a producer waiting", full)
	p.press("Stop")
	v := p.see("the drain", is("draining"))
	if v.Ledger["rejected"] == 0 || v.Ledger["waiting"] != 0 || v.Ledger["buffered"]+v.Ledger["in-flight"] == 0 {
		t.Errorf("while it drains: %s", v)
	}
	p.says("#say", "The context is cancelled and the intake is closed")
	p.hurry()
	v = p.ended()
	l := v.Ledger
	if l["accepted"] != l["stored"] || l["abandoned"] != 0 || l["rejected"] != 2 || l["in-flight"]+l["buffered"]+l["waiting"] != 0 || l["stored"] < 10 {
		t.Errorf("in the end: %s", v)
	}
	if got := p.states(); !reflect.DeepEqual(got, []string{"idle", "running", "draining", "stopped"}) {
		t.Errorf("it went through %v", got)
	}
	p.says("#say", "none was lost")
	for _, r := range v.Rows {
		if strings.HasPrefix(r.ID, "worker") && r.State != "exited" || strings.HasPrefix(r.ID, "producer") && !strings.Contains(r.Why, "turned away") {
			t.Errorf("in the end %+v", r)
		}
	}
}

func TestKill(t *testing.T) {
	for _, before := range []string{"", "Stop"} {
		t.Run("after "+before, func(t *testing.T) {
			p := visit(t, slowQuery)
			p.press("Start", "Burst")
			p.see("a full buffer and a producer waiting", full)
			if before != "" {
				p.press(before)
				p.see("the drain", is("draining"))
			}
			p.press("Kill")
			p.hurry()
			v := p.ended()
			l := v.Ledger
			if l["abandoned"] == 0 || l["accepted"] != l["stored"]+l["abandoned"] || l["in-flight"]+l["buffered"]+l["waiting"] != 0 || l["rejected"] != 2 {
				t.Errorf("in the end: %s", v)
			}
			p.says("#say", "abandoned")
			if why := v.row("run").Why; !strings.Contains(why, "abandoned") {
				t.Errorf("Run: %s", why)
			}
		})
	}
}
