//go:build browser

package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"sluice/wasm/lab"
)

// The stages of a life add up to what its title says.
func TestFollow(t *testing.T) {
	p := visit(t, "?cost=200ms&rate=60&workers=2&buffer=8&speed=2")
	p.press("Start", "Burst")
	p.see("a run", func(v view) bool { return v.Ledger["stored"] > 12 })
	p.press("Stop")
	p.see("everybody's end", func(v view) bool {
		return v.State == "stopped" && v.row("producer-1").State == "done" && v.row("producer-2").State == "done"
	})
	var names []string
	p.Get(`[...document.querySelectorAll("[data-event]")].map((el) => el.textContent)`, &names)
	if len(names) < 4 {
		t.Fatalf("recent events: %v", names)
	}
	duration := regexp.MustCompile(`([0-9.]+) (ms|s)\b`)
	ms := func(text string) float64 {
		m := duration.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no duration in %q", text)
		}
		v, _ := strconv.ParseFloat(m[1], 64)
		if m[2] == "s" {
			v *= 1000
		}
		return v
	}
	outcomes := map[string]bool{}
	for _, name := range names {
		p.button(name).press()
		id, _, _ := strings.Cut(name, " ")
		p.says("#strip-title", "Event "+id+" was ")
		title := p.Eval(`document.querySelector("#strip-title").textContent`)
		var stages []string
		p.Get(`[...document.querySelectorAll("#strip-text li")].map((el) => el.textContent)`, &stages)
		sum := 0.0
		for _, s := range stages {
			sum += ms(s)
		}
		// Each is rounded, the title to a hundredth of a second at worst.
		if d := math.Abs(sum - ms(title)); d > 6+0.5*float64(len(stages)) {
			t.Errorf("%q, but %q add up to %v ms", title, stages, sum)
		}
		last := stages[len(stages)-1]
		if strings.Contains(title, "was stored") {
			outcomes["stored"] = true
			for i, want := range []string{"", "buffered", "received by worker", "processed", "stored"} {
				if i >= len(stages) || !strings.HasPrefix(stages[i], want) {
					t.Errorf("stage %d of %q is not %s", i+1, stages, want)
				}
			}
		} else if outcomes["rejected"] = true; !strings.Contains(title, "rejected") || !strings.HasPrefix(last, "rejected") {
			t.Errorf("%q: %q", title, stages)
		}
		if got := p.Eval(`document.querySelector("[data-event='` + id + `']").ariaPressed`); got != "true" {
			t.Errorf("event %s pressed: %s", id, got)
		}
	}
	if !outcomes["stored"] {
		t.Errorf("outcomes %v of %v", outcomes, names)
	}
	p.press("Close")
	p.Wait(`document.querySelector("#strip-part").hidden && document.querySelector("[data-event][aria-pressed=true]") === null`)
}

// download has the browser save files, and returns what a button then saves.
func (p *page) download(button, name string) []byte {
	p.T.Helper()
	dir := p.T.TempDir()
	p.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		ctx = cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		return browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).
			WithBrowserContextID(p.Profile).WithDownloadPath(dir).Do(ctx)
	}))
	p.press("Export trace", button, "Close")
	var data []byte
	p.until("the file", func() (err error) {
		data, err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	return data
}

// open gives a file to the browser's dialog.
func (p *page) open(data []byte) {
	p.T.Helper()
	name := filepath.Join(p.T.TempDir(), "some.sluice")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		p.T.Fatal(err)
	}
	p.openFile(name)
}

func (p *page) openFile(name string) {
	p.T.Helper()
	chosen := make(chan error, 1)
	ctx, cancel := context.WithCancel(p)
	defer cancel()
	chromedp.ListenTarget(ctx, func(event any) {
		if e, ok := event.(*cdppage.EventFileChooserOpened); ok {
			go func() {
				chosen <- chromedp.Run(p, dom.SetFileInputFiles([]string{name}).WithBackendNodeID(e.BackendNodeID))
			}()
		}
	})
	p.Run(cdppage.SetInterceptFileChooserDialog(true))
	p.press("Open trace")
	select {
	case err := <-chosen:
		if err != nil {
			p.T.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		p.T.Fatal("no dialog to open a file")
	}
	p.Run(cdppage.SetInterceptFileChooserDialog(false))
}

// What is saved, opened in a page that knows nothing of it, shows the same.
func TestExportOpen(t *testing.T) {
	p := visit(t, "?rate=60&cost=80ms&workers=3&seed=7&speed=4")
	p.press("Start", "Burst")
	p.see("a run", func(v view) bool { return v.Ledger["stored"] > 30 })
	p.press("Kill")
	p.see("the end", func(v view) bool {
		return v.State == "stopped" && v.sum() == v.Ledger["stored"] && v.row("producer-1").State == "done"
	})
	p.Get(frames(30), nil)
	want := p.look()
	want.Paused = true
	data := p.download("For this page", "trace.sluice")

	var events struct {
		TraceEvents []struct {
			Ph, Name string
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(p.download("For Perfetto", "trace.json"), &events); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, e := range events.TraceEvents {
		kinds[e.Ph]++
	}
	for _, ph := range []string{"M", "X", "s", "f", "C"} {
		if kinds[ph] == 0 {
			t.Errorf("the JSON has no %q: %v", ph, kinds)
		}
	}

	p.visit("")
	if v := p.look(); v.Step != 0 {
		t.Fatalf("after the reload: %s", v)
	}
	p.open(data)
	p.says("#source", "A trace from a file, recorded in a browser on one thread")
	got := p.see("the same instant", func(v view) bool { return v.Step == want.Step })
	got.Clock = want.Clock // it ends with its last step, not with the pause
	for i := range got.Rows {
		if strings.Contains(got.Rows[i].Why, " in ") {
			got.Rows[i].Why = want.Rows[i].Why
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("saved\n%s\nopened\n%s", want, got)
	}

	// All of it works on a file.
	p.press("Step back", "Step back")
	back := p.look()
	p.balanced(back)
	if !back.Past || back.Step >= want.Step {
		t.Errorf("stepped back: %s", back)
	}
	p.press("To start")
	if v := p.look(); v.State != "idle" || v.Step != 0 {
		t.Errorf("at its start: %s", v)
	}
	p.press("Step")
	if v := p.look(); v.Step == 0 || v.State != "running" {
		t.Errorf("a step on: %s", v)
	}
	p.press("Resume")
	p.see("it plays", func(v view) bool { return v.Ledger["stored"] > 0 })
	if p.button("Start").enabled() {
		t.Error("a file can be started")
	}
	p.press("Reset")
	p.see("the program", func(v view) bool { return v.State == "idle" && v.Step == 0 })
	p.press("Start")
	p.see("it runs", func(v view) bool { return v.State == "running" && v.sum() > 0 })
}

// A file that cannot be opened is named as such, and nothing else changes.
func TestBadFiles(t *testing.T) {
	p := visit(t, "?cost=20ms&workers=2")
	p.press("Start")
	p.see("a run", func(v view) bool { return v.Ledger["stored"] > 3 })
	p.press("Pause")
	want := p.see("a pause", func(v view) bool { return v.Paused })
	good := p.download("For this page", "trace.sluice")
	with := func(at int, b byte) []byte {
		data := bytes.Clone(good)
		data[at] ^= b
		return data
	}
	large := filepath.Join(t.TempDir(), "large.sluice")
	err := os.WriteFile(large, nil, 0o600)
	if err = errors.Join(err, os.Truncate(large, 100<<20)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "this is not a trace that Sluice has written"},
		{"something else", []byte(strings.Repeat("[", 1<<20)), "this is not a trace that Sluice has written"},
		{"truncated", good[:len(good)/2], "this trace is broken"},
		{"one bit", with(len(good)/2, 1), "this trace is broken: its checksum is wrong"},
		{"another version", bytes.Replace(good, []byte("trace 1\n"), []byte("trace 2\n"), 1), "this trace has version 2 of the format: only version 1 can be read"},
		{"too large", nil, "it has 10"},
	} {
		if c.name == "too large" {
			p.openFile(large)
		} else {
			p.open(c.data)
		}
		p.says("#notice", "the file cannot be opened: "+c.says)
		if got := p.look(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: before\n%s\nand after\n%s", c.name, want, got)
		}
	}
	p.press("Resume")
	p.see("it goes on", func(v view) bool { return v.Ledger["stored"] > want.Ledger["stored"] })
	p.open(good[:10])
	p.says("#notice", "the file cannot be opened")
	now := p.look()
	p.see("it still goes on", func(v view) bool { return !v.Paused && v.Step > now.Step })
}

// A trace that was recorded natively says so.
func TestNativeTrace(t *testing.T) {
	sc := lab.Default()
	sc.Rate, sc.Cost, sc.Workers, sc.Readers = 500, time.Millisecond, 3, 1
	trace, err := lab.Record(t.Context(), sc, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	p := visit(t, "?workers=2")
	p.open(trace.Encode())
	p.says("#source", "recorded natively: goroutines in parallel on several cores")
	l := trace.Now().Ledger()
	v := p.see("its end", is("stopped"))
	p.balanced(v)
	if v.Ledger["stored"] != int(l.Stored) || v.Step != int(trace.Last()) || v.row("worker-3").State != "exited" || len(v.Lanes) != len(v.Rows) {
		t.Errorf("%+v shows as %s", l, v)
	}
	p.press("Step back")
	if got := p.look(); got.Step != v.Step-1 {
		t.Errorf("each step is an instant, but %d became %d", v.Step, got.Step)
	}
}

func TestHonesty(t *testing.T) {
	p := visit(t, "")
	if text := p.Text(); !strings.Contains(text, "run concurrently on one thread, not in parallel") {
		t.Error("the page does not say that it has one thread")
	}
	p.press("What that hides")
	dialog := p.find("dialog", "What one thread hides")
	if text := dialog.text(`function() { return this.innerText }`); !strings.Contains(text, "data races") || !strings.Contains(text, "What is staged") {
		t.Errorf("it says %q", text)
	}
	p.press("Close")
	p.Wait(`document.querySelector("dialog[open]") === null && document.activeElement.textContent === "What that hides"`)
}
