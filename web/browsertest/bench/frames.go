//go:build browser

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/profiler"
	"github.com/chromedp/chromedp"
)

// A load is what the page is asked to do while its frames are measured.
type load struct{ rate, workers int }

func (l load) String() string { return fmt.Sprintf("%dx%d", l.rate, l.workers) }

// query is the scenario: processing takes 0.8 of what the workers have time for.
func (l load) query() string {
	cost := time.Duration(0.8 * float64(l.workers) / float64(l.rate) * float64(time.Second))
	return "?" + url.Values{
		"producers": {"4"}, "rate": {fmt.Sprint(l.rate)}, "workers": {fmt.Sprint(l.workers)}, "buffer": {"64"},
		"cost": {cost.String()}, "readers": {"4"}, "autostart": {"1"},
	}.Encode()
}

func loads(only string) (list []load) {
	for _, rate := range []int{100, 1000, 10000} {
		for _, workers := range []int{1, 8, 64} {
			l := load{rate, workers}
			if only == "" || slices.Contains(strings.Split(only, ","), l.String()) {
				list = append(list, l)
			}
		}
	}
	return list
}

// A smoothness is how the page ran under a load. Times are in milliseconds.
type smoothness struct {
	Frames []float64 // from one frame to the next
	Script []float64 // what the page's callback took of each frame
	Long   []float64 // the browser's tasks above 50 ms
	Wall   float64
	JS     float64 // bytes of JavaScript's heap that are in use
	Wasm   float64 // bytes of the program's memory
	Nodes  float64
	Clock  []string // lab time at the beginning and at the end
	State  string
	Says   string
}

// gauge is set up before the page. It times the page's frame callback.
const gauge = `(() => {
	const g = window.gauge = { script: [], long: [] };
	const instantiate = WebAssembly.instantiate;
	WebAssembly.instantiate = async (...args) => {
		const made = await instantiate(...args);
		g.memory = (made.instance || made).exports.mem;
		return made;
	};
	const ask = window.requestAnimationFrame.bind(window);
	g.ask = ask;
	window.requestAnimationFrame = (f) => ask((at) => {
		const began = performance.now();
		f(at);
		if (g.on) g.script.push(performance.now() - began);
	});
	new PerformanceObserver((list) => {
		if (g.on) for (const e of list.getEntries()) g.long.push(e.duration);
	}).observe({ type: "longtask" });
})()`

// watch promises a smoothness of the next seconds.
const watch = `new Promise((done) => {
	const g = window.gauge, at = [], text = (id) => document.getElementById(id).textContent;
	const clock = [text("clock")], began = performance.now();
	g.script = [], g.long = [], g.on = true;
	const next = (now) => {
		at.push(now);
		if (performance.now() - began < %d) return g.ask(next);
		g.on = false;
		clock.push(text("clock"));
		done({
			Frames: at.slice(1).map((t, i) => t - at[i]), Script: g.script, Long: g.long, Wall: performance.now() - began,
			JS: performance.memory.usedJSHeapSize, Wasm: g.memory.buffer.byteLength,
			Nodes: document.querySelectorAll("*").length, Clock: clock,
			State: document.querySelector("main").dataset.state, Says: text("balance") + " " + text("notice"),
		});
	};
	g.ask(next);
})`

func frames(ctx context.Context, o options, stdout io.Writer) error {
	stop, err := serve(o.sites)
	if err != nil {
		return err
	}
	defer stop()
	rounds := o.rounds
	if rounds == 0 {
		rounds = 3
	}
	fmt.Fprintf(stdout, "\nFrames, everything open, 1280x800, medians of %d times %d s; of all their tasks the longest\n\n", rounds, o.seconds)
	fmt.Fprintln(stdout, "| events/s | workers | site | frames/s | frame p99 ms | script p50 ms | script p99 ms | longest task ms | JS heap MB | wasm memory MB | elements | pace |")
	fmt.Fprintln(stdout, "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, l := range loads(o.only) {
		got := make([][]smoothness, len(o.sites))
		for range rounds {
			for i, s := range o.sites { // in turns
				m, err := run1(ctx, o, s.root+l.query())
				if err != nil {
					return fmt.Errorf("%v, %s: %w", l, s.name, err)
				}
				got[i] = append(got[i], m)
			}
		}
		for i, s := range o.sites {
			row(stdout, l, s.name, got[i])
		}
	}
	return nil
}

func row(stdout io.Writer, l load, name string, got []smoothness) {
	mid := func(f func(m smoothness) float64) float64 {
		var v []float64
		for _, m := range got {
			v = append(v, f(m))
		}
		return median(v)
	}
	long := "below 50"
	var tasks []float64
	for _, m := range got {
		tasks = append(tasks, m.Long...)
	}
	if len(tasks) > 0 { // of all the times: it is a limit, not an average
		long = fmt.Sprintf("%.0f", slices.Max(tasks))
	}
	fmt.Fprintf(stdout, "| %d | %d | %s | %.1f | %.1f | %.1f | %.1f | %s | %.1f | %.1f | %.0f | %.2f |\n", l.rate, l.workers, name,
		mid(func(m smoothness) float64 { return 1000 * float64(len(m.Frames)) / m.Wall }),
		mid(func(m smoothness) float64 { return percentile(m.Frames, 0.99) }),
		mid(func(m smoothness) float64 { return median(m.Script) }),
		mid(func(m smoothness) float64 { return percentile(m.Script, 0.99) }),
		long,
		mid(func(m smoothness) float64 { return m.JS / 1e6 }),
		mid(func(m smoothness) float64 { return m.Wasm / 1e6 }),
		mid(func(m smoothness) float64 { return m.Nodes }),
		mid(func(m smoothness) float64 { return (lab(m.Clock[1]) - lab(m.Clock[0])) / m.Wall }))
}

// lab is the milliseconds that the page's clock shows, as in 01:02.345.
func lab(clock string) float64 {
	var m, s, ms float64
	fmt.Sscanf(clock, "%f:%f.%f", &m, &s, &ms)
	return 60000*m + 1000*s + ms
}

// run1 opens the page in a browser of its own and watches it.
func run1(ctx context.Context, o options, address string) (m smoothness, err error) {
	browser, stop, err := browse(ctx)
	if err != nil {
		return m, err
	}
	defer stop()
	err = chromedp.Run(browser,
		chromedp.EmulateViewport(1280, 800),
		before(gauge),
		chromedp.Navigate(address),
		// An event is followed, and what is compiled in the background has been.
		until(`document.querySelector("[data-event]") !== null`),
		chromedp.Sleep(2*time.Second),
		get(`document.querySelector("[data-event]").click()`, nil),
		// What chromedp listens to delays the page at every change of its elements.
		dom.Disable(), css.Disable(), network.Disable(),
		chromedp.Sleep(2*time.Second))
	if err != nil {
		return m, err
	}
	if o.profile != "" {
		if err := chromedp.Run(browser, profiler.Enable(), profiler.SetSamplingInterval(200), profiler.Start()); err != nil {
			return m, err
		}
	}
	if err := chromedp.Run(browser, get(fmt.Sprintf(watch, 1000*o.seconds), &m)); err != nil {
		return m, err
	}
	if o.profile != "" {
		if err := profile(browser, o.profile); err != nil {
			return m, err
		}
	}
	if m.State != "running" || strings.TrimSpace(m.Says) != "balanced" {
		return m, fmt.Errorf("the page is %s and says %s", m.State, m.Says)
	}
	return m, nil
}

// profile writes what the profiler has seen, for the browser's own tools.
func profile(browser context.Context, file string) error {
	return chromedp.Run(browser, chromedp.ActionFunc(func(ctx context.Context) error {
		p, err := profiler.Stop().Do(ctx)
		if err != nil {
			return err
		}
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		return os.WriteFile(file, data, 0o666)
	}))
}
