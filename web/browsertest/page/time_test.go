//go:build browser

package page

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// Everything that a person can see stands still, for two seconds on the wall.
func TestPauseHolds(t *testing.T) {
	p := visit(t, "?rate=200&cost=10ms&readers=4")
	p.press("Start")
	p.see("a run", func(v view) bool { return v.sum() > 0 })
	p.press("Pause")
	before := p.see("a pause", func(v view) bool { return v.Paused })
	p.Get(`new Promise((done) => setTimeout(done, 2000)).then(() => `+frames(120)+`)`, nil)
	p.keys(kb.Escape) // has all be shown anew: not the pixels are held but the goroutines
	if after := p.look(); !reflect.DeepEqual(before, after) {
		t.Errorf("it held\n%s\nand later\n%s", before, after)
	}
	p.press("Resume")
	p.see("it goes on", func(v view) bool {
		return !v.Paused && v.Step > before.Step && v.Ledger["stored"] > before.Ledger["stored"] && v.sum() > before.sum()
	})
}

// held starts a run and holds it where some of everything goes on.
func (p *page) held() view {
	p.T.Helper()
	p.press("Start", "Burst")
	p.see("something polled", func(v view) bool { return v.sum() > 0 })
	p.press("Pause")
	return p.see("a pause", func(v view) bool { return v.Paused })
}

func TestStepsBackAndForth(t *testing.T) {
	p := visit(t, "?rate=40&cost=50ms&workers=3&buffer=4&producers=3")
	views := []view{p.held()}
	step, back := p.button("Step"), p.button("Step back")
	changes := 0
	for n := 1; n <= 100; n++ {
		step.press()
		now := p.look()
		p.balanced(now)
		was := views[n-1]
		if now.Step <= was.Step {
			t.Fatalf("step %d led from\n%s\nto\n%s", n, was, now)
		}
		if !reflect.DeepEqual(now.Rows, was.Rows) {
			changes++
		}
		p.atItsOperation(now)
		views = append(views, now)
	}
	if changes < 90 { // a producer may look at its watch and rest on
		t.Errorf("only %d of 100 steps changed the table", changes)
	}
	for n := 99; n >= 0; n-- {
		back.press()
		now := p.look()
		if !now.Past {
			t.Fatalf("back %d: not in the past", 100-n)
		}
		now.Past = false
		if !reflect.DeepEqual(now, views[n]) {
			t.Fatalf("after %d steps:\n%s\nand back there:\n%s", n, views[n], now)
		}
	}
	// Forward over what has been, and on.
	for range 10 {
		step.press()
	}
	if now := p.look(); now.Step != views[10].Step || !reflect.DeepEqual(now.Rows, views[10].Rows) {
		t.Errorf("forward again:\n%s\nwant\n%s", now, views[10])
	}
	p.press("Live")
	if now := p.look(); !reflect.DeepEqual(now, views[100]) {
		t.Errorf("back to now:\n%s\nwant\n%s", now, views[100])
	}
	step.press()
	if now := p.look(); now.Step <= views[100].Step {
		t.Errorf("it does not go on from %d", now.Step)
	}
}

// A marker stands at a line with the operation that its wait reason names.
func (p *page) atItsOperation(v view) {
	p.T.Helper()
	for _, m := range v.Markers {
		var want []string
		switch {
		case !m.Blocked: // held by the lab, or at work, in what the line calls
			want = []string{"Inc(", "Observe("}
		case m.Reason == "select":
			want = []string{"select"}
		case m.Reason == "chan receive":
			want = []string{"<-", "range"}
		case m.Reason == "sync.WaitGroup.Wait":
			want = []string{"Wait()"}
		case strings.HasPrefix(m.Reason, "sync.RWMutex."), strings.HasPrefix(m.Reason, "sync.Mutex."):
			want = []string{"Lock"}
		}
		if !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(m.Text, w) }) {
			p.T.Errorf("%s waits in %q at %s: %s", m.ID, m.Reason, m.Line, m.Text)
		}
		if r := v.row(m.ID); r.Line != m.Line || r.Reason != m.Reason {
			p.T.Errorf("the marker of %s is at %s, its row says %+v", m.ID, m.Line, r)
		}
	}
}

func TestMarkers(t *testing.T) {
	p := visit(t, "?rate=40&cost=200ms&workers=2&buffer=2&producers=2")
	seen := map[string]bool{}
	watch := func(v view) {
		p.atItsOperation(v)
		for _, m := range v.Markers {
			role, _, _ := strings.Cut(m.ID, "-")
			seen[fmt.Sprintf("%s %s %v", role, m.Reason, m.Blocked)] = true
		}
	}
	watch(p.held())
	step := p.button("Step")
	for range 40 {
		step.press()
		watch(p.look())
	}
	p.press("Stop")
	for range 20 {
		step.press()
		watch(p.look())
	}
	for _, want := range []string{
		"producer select true", "worker chan receive false", "run select true", "run sync.WaitGroup.Wait true",
	} {
		if !seen[want] {
			t.Errorf("not seen: %s, only %v", want, seen)
		}
	}
}

// The goroutine that is chosen is the one that goes on, and is shown as blocked
// when it comes to where only another can wake it.
func TestStepChosen(t *testing.T) {
	p := visit(t, "?rate=40&cost=5s&workers=1&buffer=2&producers=2")
	p.press("Start", "Pause")
	p.button("producer 2").press()
	p.look()
	if got := p.Eval(`document.querySelector("[data-goroutine=producer-2]").ariaSelected`); got != "true" {
		t.Errorf("chosen: %s", got)
	}
	v := p.look()
	for steps := 0; v.row("producer-2").State != "waiting"; steps++ {
		if steps > 40 {
			t.Fatalf("it never blocks: %s", v)
		}
		was := v
		p.press("Step")
		v = p.look()
		if got := p.Eval(`document.querySelector("#announce").textContent`); !strings.Contains(got, ": producer 2, ") &&
			!strings.Contains(got, ": worker 1, ") { // a worker takes over what it sends
			t.Errorf("it announces %q", got)
		}
		if other := v.row("producer-1"); other != was.row("producer-1") && v.Clock == was.Clock {
			t.Errorf("producer 1 went from %+v to %+v", was.row("producer-1"), other)
		}
	}
	r := v.row("producer-2")
	if r.Reason != "select" || !strings.Contains(r.Why, "wakes when a worker receives") {
		t.Errorf("blocked: %+v", r)
	}
	p.press("Step")
	p.says("#notice", "producer 2 cannot be stepped")
	if now := p.look(); now.Step != v.Step {
		t.Errorf("step %d became %d", v.Step, now.Step)
	}
	p.button("producer 2").press()
	p.press("Step")
	if now := p.look(); now.Step == v.Step {
		t.Error("with nobody chosen no one goes on")
	}
}

func TestScrub(t *testing.T) {
	p := visit(t, "?rate=100&cost=20ms&workers=2")
	p.press("Start")
	p.see("a run", func(v view) bool { return v.Step > 300 })
	time := p.slider("Time")
	time.move(250)
	v := p.look()
	if !v.Past || !v.Paused || v.Step != 250 {
		t.Fatalf("at 250: %s", v)
	}
	var last int
	time.get(`function() { return Number(this.max) }`, &last)
	accepted := -1
	for _, n := range []int{0, 1, 2, 3, 50, 99, 100, 101, 200, 299, last - 1} {
		time.move(n)
		v := p.look()
		p.balanced(v)
		if !v.Past || v.Step != n || v.Ledger["accepted"] < accepted || v.sum() > v.Ledger["stored"] || (v.State == "idle") != (n == 0) {
			t.Errorf("at %d: %s", n, v)
		}
		accepted = v.Ledger["accepted"]
		if text := time.text(`function() { return this.ariaValueText }`); n > 0 && !strings.Contains(text, fmt.Sprintf("step %d of", n)) {
			t.Errorf("at %d it says %q", n, text)
		}
	}
	p.says("#source", "The past")
	p.press("Live")
	p.see("it goes on", func(v view) bool { return !v.Past && !v.Paused && v.Step > last })

	// What was paused stays so.
	p.press("Pause")
	held := p.see("a pause", func(v view) bool { return v.Paused })
	time.move(10)
	p.see("the past", func(v view) bool { return v.Past })
	p.press("Live")
	if v := p.see("now", func(v view) bool { return !v.Past }); !v.Paused || v.Step != held.Step {
		t.Errorf("paused at %d, back at %s", held.Step, v)
	}

	// The past can be played until it has caught up.
	time.move(held.Step - 100)
	p.press("Resume")
	p.see("it has caught up", func(v view) bool { return !v.Past && !v.Paused && v.Step > held.Step })
}

func TestLanes(t *testing.T) {
	p := visit(t, "?producers=3&workers=5&readers=1")
	p.held()
	var lanes, rows []string
	p.Get(`[...document.querySelectorAll("[data-lane]")].map((el) => el.dataset.lane)`, &lanes)
	for _, r := range p.look().Rows {
		rows = append(rows, r.ID)
	}
	want := strings.Fields("producer-1 producer-2 producer-3 worker-1 worker-2 worker-3 worker-4 worker-5 reader-1 run")
	if !reflect.DeepEqual(rows, want) || !reflect.DeepEqual(lanes, want) {
		t.Errorf("rows %v, lanes %v", rows, lanes)
	}
	// A producer more is a lane more, while it runs.
	p.press("Resume")
	p.slider("Producers").move(4)
	p.Wait(`document.querySelector("[data-lane=producer-4]") && document.querySelector("[data-goroutine=producer-4]") !== null`)
}

// Who waits at the store's lock says for whom, and those do hold it.
func TestSlowStore(t *testing.T) {
	p := visit(t, "?cost=400ms&workers=4&readers=4&rate=50")
	box := p.checkbox("spent inside the store's lock")
	box.press()
	p.press("Start")
	atLock := func(v view) (who []row) {
		for _, r := range v.Rows {
			if strings.HasPrefix(r.Reason, "sync.") && strings.Contains(r.Why, "wakes when ") && r.ID != "run" {
				who = append(who, r)
			}
		}
		return who
	}
	p.see("somebody at the door", func(v view) bool { return len(atLock(v)) > 0 })
	p.press("Pause")
	v := p.look()
	if box.enabled() {
		t.Error("the store can be exchanged while it runs")
	}
	inside := 0
	for _, r := range v.Rows {
		if strings.Contains(r.Why, "holds the lock") || strings.Contains(r.Why, "holds the read lock") {
			inside++
		}
	}
	for _, r := range atLock(v) {
		if inside == 0 || !strings.Contains(r.Why, "leave") && !strings.Contains(r.Why, "ahead") {
			t.Errorf("%d inside, and %+v", inside, r)
		}
	}
}
