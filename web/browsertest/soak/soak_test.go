//go:build browser && long

// Package soak runs the page for half an hour of lab time.
package soak

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/chromedp"

	"sluice/web"
	"sluice/web/browsertest/chrome"
)

func TestMain(m *testing.M) { chrome.Main(m) }

// memoryOf notes the program's memory, which nothing else can see.
const memoryOf = `(() => {
	const instantiate = WebAssembly.instantiate;
	WebAssembly.instantiate = async (...args) => {
		const made = await instantiate(...args);
		window.programMemory = (made.instance || made).exports.mem;
		return made;
	};
})()`

// cycles promises how it went to Start and Stop for so many seconds of lab time.
const cycles = `(async () => {
	const id = (name) => document.getElementById(name), main = document.querySelector("main");
	const frame = () => new Promise(requestAnimationFrame);
	const until = async (is) => {
		for (let n = 0; !is(); n++) {
			if (n > 3000) throw new Error("state " + main.dataset.state + ", " + id("clock").textContent + ": " + is);
			await frame();
		}
	};
	const clock = () => {
		const [m, s] = id("clock").textContent.split(":");
		return 60 * m + Number(s);
	};
	const figure = (name) => Number(document.querySelector("[data-ledger=" + name + "]").textContent);
	const wrong = [];
	let lab = 0, runs = 0;
	for (; lab < 180; runs++) {
		id("b-start").click();
		await until(() => main.dataset.state === "running");
		const length = 4 + runs % 5;
		await until(() => clock() >= length);
		if (runs % 3 === 0) id("b-burst").click();
		id(runs % 4 === 3 ? "b-kill" : "b-stop").click();
		await until(() => main.dataset.state === "stopped");
		for (let n = 0; n < 10; n++) await frame(); // what is shown less often is shown too
		const balanced = figure("submitted") === figure("accepted") + figure("rejected") + figure("waiting") &&
			figure("accepted") === figure("stored") + figure("in-flight") + figure("buffered") + figure("abandoned");
		const over = figure("waiting") + figure("in-flight") + figure("buffered") === 0 && figure("accepted") > 0;
		if (!balanced || !over || id("balance").textContent !== "balanced" || !id("notice").hidden) {
			wrong.push(id("balance").textContent + " " + id("notice").textContent + " " + document.querySelector(".ledger").innerText);
		}
		lab += clock();
	}
	return { Lab: lab, Runs: runs, Wrong: wrong, Wasm: window.programMemory.buffer.byteLength };
})()`

type leg struct {
	Lab, Runs float64
	Wrong     []string
	Wasm      int64
}

// Half an hour of lab time at speed 20, with Stop or Kill and Start every few
// seconds, leaves nothing over in the browser either.
func TestSoak(t *testing.T) {
	site, err := web.Load(web.Dist(), "/")
	if err != nil {
		t.Fatal(err)
	}
	root := chrome.Serve(t, site).URL + "/"
	tab := chrome.OpenFor(t, 10*time.Minute)
	tab.Before(memoryOf)
	tab.Run(chromedp.EmulateViewport(1280, 800),
		chromedp.Navigate(root+"?rate=60&workers=8&producers=4&buffer=32&cost=80ms&speed=20"))
	tab.Wait(`document.querySelector("[data-line]") !== null`)
	seen := map[string][]int64{}
	lab, runs := 0.0, 0.0
	for range 10 {
		var l leg
		tab.Get(cycles, &l)
		lab, runs = lab+l.Lab, runs+l.Runs
		if len(l.Wrong) > 0 {
			t.Fatalf("after %v runs: %s", runs, strings.Join(l.Wrong, "\n"))
		}
		tab.Run(chromedp.ActionFunc(func(ctx context.Context) error {
			if err := heapprofiler.CollectGarbage().Do(ctx); err != nil {
				return err
			}
			_, nodes, listeners, err := memory.GetDOMCounters().Do(ctx)
			seen["nodes"] = append(seen["nodes"], nodes)
			seen["listeners"] = append(seen["listeners"], listeners)
			return err
		}))
		var heap int64
		tab.Get(`performance.memory.usedJSHeapSize`, &heap)
		seen["JavaScript's heap"] = append(seen["JavaScript's heap"], heap)
		seen["the program's memory"] = append(seen["the program's memory"], l.Wasm)
	}
	t.Logf("%.0f runs, %.0f s of lab time", runs, lab)
	for what, list := range seen {
		t.Logf("%s: %d", what, list)
		half := len(list) / 2
		before, after := slices.Max(list[:half]), slices.Max(list[half:])
		if after > before+before/10 {
			t.Errorf("%s grows: %d", what, list)
		}
	}
	tab.Clean(root)
}
