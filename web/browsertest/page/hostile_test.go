//go:build browser

package page

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sluice/wasm/lab"
	"sluice/web"
	"sluice/web/browsertest/chrome"
)

// runs shows that the page is alive.
func (p *page) runs() {
	p.T.Helper()
	p.button("Start").press()
	p.see("a run", func(v view) bool { return v.State == "running" && v.sum() > 0 && len(v.Markers) > 0 })
	p.press("Stop")
	p.see("the end", func(v view) bool { return v.State == "stopped" && v.Ledger["stored"] == v.Ledger["accepted"] })
}

// A value that is wrong is named, and the default is used. The page works.
func TestQueries(t *testing.T) {
	defaults := map[string]string{}
	for _, d := range lab.Dials() {
		defaults[d.Query] = d.Text(d.Default)
	}
	all := func(value string) (query string, says []string) {
		var parts []string
		for _, d := range lab.Dials() {
			parts = append(parts, d.Query+"="+url.QueryEscape(value))
			says = append(says, d.Query+"="+value+": ")
		}
		return "?" + strings.Join(parts, "&"), says
	}
	type asked struct {
		name, query string
		says        []string
		set         map[string]string
	}
	cases := []asked{
		{"wrong", "?producers=0&rate=fast&workers=1000&buffer=2.5&cost=5&readers=9&speed=21&seed=x&store=disk&autostart=yes", []string{
			"producers=0: producers must be between 1 and 8; 2 is used",
			"rate=fast: rate must be a number; ", "workers=1000: ", "buffer=2.5: buffer must be a whole number; ", "cost=5: cost must be a Go duration",
			"readers=9: ", "speed=21: ", "seed=x: ", "store=disk: store must be memory or slow; ", "autostart=yes: ",
		}, nil},
		{"repeated", "?workers=2&workers=3&rate=30", []string{"workers is given 2 times: the first is used."}, map[string]string{"workers": "2", "rate": "30 /s"}},
		{"percent-broken", "?workers=%zz&rate=30&%=%", []string{"Part of the address could not be read"}, map[string]string{"rate": "30 /s"}},
		{"markup", "?workers=" + url.QueryEscape(`<img src=x onerror=alert(1)>`), []string{"workers=<img src=x onerror=alert(1)>: "}, nil},
		{"unknown", "?utm_source=1&__proto__=2&constructor=3", nil, nil},
		{"a million characters", "?workers=" + strings.Repeat("9", 1e6), []string{"The address is too long to read a scenario from it: the defaults are used."}, nil},
		{"a million behind the hash", "?workers=3#" + strings.Repeat("x", 1e6), nil, map[string]string{"workers": "3"}},
	}
	for _, value := range []string{"", "1e300", "-1", "NaN", "Inf", "0x", "\x00\xff", "99999999999999999999h"} {
		query, says := all(value)
		if value == "" || value == "\x00\xff" {
			says = []string{"workers=", "cost=", "speed="}
		}
		cases = append(cases, asked{"all " + strconv.Quote(value), query, says, nil})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := visit(t, c.query)
			notice := p.Eval(`document.querySelector("#notice:not([hidden])")?.innerText ?? ""`)
			if notice == "" && c.says != nil || notice != "" && c.says == nil {
				t.Errorf("it says %q", notice)
			}
			for _, want := range c.says {
				if !strings.Contains(notice, want) {
					t.Errorf("it does not say %q in %q", want, notice)
				}
			}
			if len(notice) > 2000 {
				t.Errorf("it says %d characters", len(notice))
			}
			for query, want := range defaults {
				if set := c.set[query]; set != "" {
					want = set
				}
				if got := p.Eval(`document.querySelector("#o-` + query + `").textContent`); got != want {
					t.Errorf("%s shows %q, want %q", query, got, want)
				}
			}
			p.runs()
		})
	}
}

func TestQuerySets(t *testing.T) {
	p := visit(t, "?producers=3&rate=100&workers=2&buffer=5&cost=20ms&readers=1&speed=2&seed=9&store=slow&autostart=1")
	v := p.see("it starts by itself", func(v view) bool { return v.State == "running" && v.sum() > 0 })
	var ids []string
	for _, r := range v.Rows {
		ids = append(ids, r.ID)
	}
	if want := strings.Fields("producer-1 producer-2 producer-3 worker-1 worker-2 reader-1 run"); !reflect.DeepEqual(ids, want) {
		t.Errorf("there are %v", ids)
	}
	p.says("#v-queue", " of 5")
	if on := p.Eval(`String(document.querySelector("#slow").checked)`); on != "true" {
		t.Errorf("the slow store is %s", on)
	}
}

func TestStorage(t *testing.T) {
	for name, stub := range map[string]string{
		"denied": `Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError") } })`,
		"full":   `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError") }`,
	} {
		t.Run(name, func(t *testing.T) {
			p := blank(t)
			p.Before(stub)
			p.visit("")
			was := p.Eval(`getComputedStyle(document.body).backgroundColor`)
			p.press("Theme")
			p.Wait(`getComputedStyle(document.body).backgroundColor !== "` + was + `"`)
			p.runs()
		})
	}
}

// Without a canvas there is still everything that is said in words.
func TestNoCanvas(t *testing.T) {
	p := blank(t)
	p.Before(`HTMLCanvasElement.prototype.getContext = () => null;
		window.OffscreenCanvas = class { getContext() { return null } }`)
	p.visit("?rate=40&cost=50ms")
	p.says("#notice", "The picture cannot be drawn")
	p.held()
	p.press("Step", "Step back")
	p.recent().press()
	p.Wait(`!document.querySelector("#strip-part").hidden`)
	p.press("Live", "Resume", "Theme", "Reset")
	p.runs()
}

// When the tab has been away for an hour, or the clock jumps, lab time does not
// race after it, and the page lives.
func TestAway(t *testing.T) {
	p := blank(t)
	p.Before(`{
		window.jump = 0;
		window.drawn = 0;
		const real = requestAnimationFrame;
		let parked = null; // a hidden tab gets no frames
		window.requestAnimationFrame = (f) => parked ? parked.push(f) : real((at) => {
			if (parked) { parked.push(f); return }
			drawn++;
			f(at + jump);
		});
		const change = (hidden) => {
			Object.defineProperty(document, "visibilityState", { configurable: true, value: hidden ? "hidden" : "visible" });
			Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
			document.dispatchEvent(new Event("visibilitychange"));
		};
		window.hide = () => { parked = []; change(true) };
		window.show = () => { const all = parked; parked = null; change(false); all.forEach(requestAnimationFrame) };
	}`)
	p.visit("?rate=40&cost=50ms")
	p.press("Start")
	p.see("a run", func(v view) bool { return v.sum() > 0 })
	// now is the lab time, and how many frames there have been.
	now := func() (ms, count float64) {
		var at []float64
		p.Get(frames(2)+`.then(() => {
			const [m, s] = document.querySelector("#clock").textContent.split(":");
			return [60000 * m + 1000 * s, drawn];
		})`, &at)
		return at[0], at[1]
	}
	const hour = 3600 * 1000
	for _, jump := range []int{hour, 6 * hour, 2 * hour, 0} {
		before, drawn := now()
		if jump == hour { // away meanwhile
			p.Get(`hide()`, nil)
		}
		p.Get(fmt.Sprintf(`jump = %d`, jump), new(int))
		if jump == hour {
			p.Get(`show()`, nil)
		}
		after, more := now()
		// No frame makes up for more than a few of its kind.
		if after-before > 60*(more-drawn+2) {
			t.Errorf("by a jump to %d ms it went from %v to %v in %v frames", jump, before, after, more-drawn)
		}
		v := p.look()
		p.see("it goes on, and the table with it", func(w view) bool {
			return w.Ledger["stored"] > v.Ledger["stored"]+5 && !reflect.DeepEqual(w.Rows, v.Rows)
		})
	}
	p.press("Stop")
	p.see("the end", is("stopped"))
}

// The static site, at some path of a server that knows nothing of it.
func TestStaticSite(t *testing.T) {
	t.Parallel()
	const base = "/course/sluice/"
	site, err := web.Load(web.Dist(), base)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, _, err := site.Write(dir + base); err != nil {
		t.Fatal(err)
	}
	s := chrome.Serve(t, http.FileServer(http.Dir(dir)))
	p := at(t, s.URL+base)
	p.visit(slowQuery)
	life := func() {
		t.Helper()
		p.press("Start", "Burst")
		p.see("a full buffer and a producer waiting", full)
		p.press("Pause", "Step", "Step back", "Live", "Resume", "Stop")
		p.hurry()
		if v := p.ended(); v.Ledger["stored"] != v.Ledger["accepted"] || v.Ledger["abandoned"] != 0 {
			t.Errorf("in the end: %s", v)
		}
	}
	life()
	want := p.look()
	data := p.download("For this page", "trace.sluice")
	p.open(data)
	p.see("the file", func(v view) bool { return v.Step == want.Step })
	p.Wait(`navigator.serviceWorker.controller?.state === "activated"`)

	s.Cut()
	p.visit(slowQuery)
	life()
	if got := p.Eval(`document.querySelector("[data-line^='store.go:']")?.dataset.line ?? ""`); !regexp.MustCompile(`^store\.go:\d+$`).MatchString(got) {
		t.Errorf("without a network it has no source: %q", got)
	}
	p.Run(chromedp.Navigate(s.URL + base + "index.html"))
	p.Wait(`!document.querySelector("#b-open").disabled`)
}
