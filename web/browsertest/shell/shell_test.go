//go:build browser

// Package shell tests, in a browser, what stands around the page: loading,
// failing, being offline, being replaced by a new version. It knows nothing of
// what the page shows.
package shell

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp"

	"sluice/web"
	"sluice/web/browsertest/chrome"
)

const base = "/some/where/"

func TestMain(m *testing.M) { chrome.Main(m) }

func built(t *testing.T) fstest.MapFS {
	t.Helper()
	files := make(fstest.MapFS)
	err := fs.WalkDir(web.Dist(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(web.Dist(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func load(t *testing.T, files fs.FS) *web.Site {
	t.Helper()
	site, err := web.Load(files, base)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

const (
	running = `document.getElementById("app-wasm-loader")?.hidden === true && document.querySelector("main") !== null`
	label   = `document.getElementById("app-wasm-loader-label").textContent`
	failed  = `document.getElementById("app-wasm-loader")?.dataset.state === "failed"`
	kept    = `navigator.serviceWorker.controller?.state === "activated"`
)

func TestStart(t *testing.T) {
	s := chrome.Serve(t, load(t, web.Dist()))
	for _, path := range []string{"", "index.html", "?workers=3&x=%zz"} {
		tb := chrome.Open(t)
		tb.Run(chromedp.Navigate(s.URL + base + path))
		tb.Wait(running)
		tb.Wait(kept)
		tb.Clean(s.URL + base)
	}
}

// The static site, from a server that knows no headers and no compression.
func TestStatic(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := load(t, web.Dist()).Write(dir + base); err != nil {
		t.Fatal(err)
	}
	s := chrome.Serve(t, http.FileServer(http.Dir(dir)))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base))
	tb.Wait(running)
	tb.Wait(kept)
	tb.Clean(s.URL + base)
	// Its policy is in force.
	tb.Run(chromedp.Evaluate(`{
		const script = document.createElement("script");
		script.textContent = "window.inline = true";
		document.head.append(script);
		document.head.append(Object.assign(document.createElement("style"), {textContent: "html { --inline: yes }"}));
	}`, nil))
	if got := tb.Eval(`String(window.inline) + getComputedStyle(document.documentElement).getPropertyValue("--inline")`); got != "undefined" {
		t.Errorf("inline script and style: %q", got)
	}
}

func TestNotFound(t *testing.T) {
	s := chrome.Serve(t, load(t, web.Dist()))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base + "no/such/page"))
	tb.Wait(`document.querySelector("main.missing h1") !== null`)
	if got := tb.Eval(`document.querySelector("main a").href`); got != s.URL+base {
		t.Errorf("it leads to %s", got)
	}
	if got := tb.Eval(`getComputedStyle(document.querySelector("main")).maxWidth`); got == "none" {
		t.Error("it has no style")
	}
}

func TestTheme(t *testing.T) {
	s := chrome.Serve(t, load(t, web.Dist()))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base))
	for _, theme := range []string{"dark", "light", "<odd>"} {
		tb.Run(chromedp.Evaluate(`localStorage.setItem("sluice-theme", "`+theme+`")`, nil), chromedp.Reload())
		want := strings.Trim(theme, "<>")
		if want == "odd" {
			want = ""
		}
		if got := tb.Eval(`document.documentElement.dataset.theme ?? ""`); got != want {
			t.Errorf("stored %q: theme %q", theme, got)
		}
	}
	tb.Wait(running)
}

// wasm answers requests for app.wasm by f, and others as the site does.
func wasm(site *web.Site, f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".wasm") {
			f(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
}

func program(t *testing.T) []byte {
	files := built(t)
	for name, file := range files {
		if strings.HasSuffix(name, ".wasm") {
			return file.Data
		}
	}
	t.Fatal("the site is not built")
	return nil
}

// While the program comes, the page is there and says how much has come.
func TestProgress(t *testing.T) {
	site := load(t, web.Dist())
	body := program(t)
	more := make(chan struct{})
	s := chrome.Serve(t, wasm(site, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		<-more
		w.Write(body[len(body)/2:])
	}))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base))
	tb.Wait(`/^Loading the Go program: (4\d|50)% of \d+\.\d MB$/.test(` + label + `)`)
	tb.Wait(`Math.abs(document.getElementById("loader-progress").value - .5) < .1`)
	if got := tb.Eval(`document.querySelector("h1")?.innerText ?? ""`); got == "" {
		t.Error("there is nothing to read yet")
	}
	tb.Eval(`String(document.getElementById("b-share").focus())`)
	close(more)
	tb.Wait(running)
	// Who was at work in the page stays where they were.
	if got := tb.Eval(`document.activeElement.id`); got != "b-share" {
		t.Errorf("the focus went to %q when the program came", got)
	}
	tb.Clean(s.URL + base)
}

func TestFailures(t *testing.T) {
	site := load(t, web.Dist())
	body := program(t)
	bare := regexp.MustCompile(` 'wasm-unsafe-eval'`)
	for _, c := range []struct {
		name    string
		handler http.Handler
		before  string // script that runs before the page's
		want    string
	}{
		{"no WebAssembly", site, `delete window.WebAssembly`, "This browser has no WebAssembly, or it is switched off."},
		{"not found", wasm(site, http.NotFound), "", "could not be downloaded: the server answered 404 Not Found."},
		{"no answer", wasm(site, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "", "could not be downloaded: no answer"},
		{"broken off", wasm(site, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/wasm")
			w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}), "", "The download of the Go program broke off after "},
		{"cut short", wasm(site, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/wasm")
			w.Write(body[:len(body)/2])
		}), "", "The download of the Go program broke off after "},
		{"something else", wasm(site, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/wasm")
			w.Write(make([]byte, len(body)))
		}), "", "is not the Go program, or this browser is too old"},
		{"forbidden", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			site.ServeHTTP(rec, r)
			for key, values := range rec.Header() {
				w.Header()[key] = values
			}
			w.Header().Set("Content-Security-Policy", bare.ReplaceAllString(web.Policy, ""))
			w.WriteHeader(rec.Code)
			w.Write(rec.Body.Bytes())
		}), "", "WebAssembly is forbidden here"},
		{"no memory", site, `WebAssembly.instantiate = async () => { throw new RangeError("could not allocate memory") }`, "There is not enough memory to start the Go program: could not allocate memory"},
		{"not a streaming browser", site, `delete WebAssembly.compileStreaming`, ""},
		{"wrong type", wasm(site, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write(body)
		}), "", ""},
		{"no service worker", site, `delete Navigator.prototype.serviceWorker`, ""},
		{"no storage", site, `Object.defineProperty(window, "localStorage", { configurable: true, get() { throw new DOMException("denied", "SecurityError") } })`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := chrome.Serve(t, c.handler)
			tb := chrome.Open(t)
			tb.Before(c.before)
			tb.Run(chromedp.Navigate(s.URL + base))
			if c.want == "" {
				tb.Wait(running)
				return
			}
			tb.Wait(failed)
			if got := tb.Eval(label); !strings.Contains(got, c.want) {
				t.Errorf("it says %q, want %q", got, c.want)
			}
			if tb.Eval(`document.querySelector("h1").innerText`) == "" {
				t.Error("the page is no longer readable")
			}
			// The way out.
			s.Use(site)
			if c.before == "" {
				tb.Run(chromedp.Click("#loader-retry"))
				tb.Wait(running)
			}
		})
	}
}

// Without the charts' library all but the charts works, and the page says so.
func TestNoCharts(t *testing.T) {
	site := load(t, web.Dist())
	s := chrome.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "uplot.") {
			http.NotFound(w, r)
			return
		}
		site.ServeHTTP(w, r)
	}))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base + "?autostart=1"))
	tb.Wait(`document.getElementById("notice").textContent.includes("the charts' library could not be downloaded")`)
	tb.Wait(`document.querySelector("[data-ledger=stored]").textContent > 0`)
}

// After one visit the page starts without a network.
func TestOffline(t *testing.T) {
	s := chrome.Serve(t, load(t, web.Dist()))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base))
	tb.Wait(running)
	tb.Wait(kept)
	s.Cut()
	for _, path := range []string{"", "?workers=2", "index.html"} {
		tb.Run(chromedp.Navigate(s.URL + base + path))
		tb.Wait(running)
	}
	tb.Wait(`Promise.all(["code/collector.go.txt", "code/store.go.html"].map((name) => fetch(goappGetenv(name)))).then((all) => all.every((r) => r.ok))`)
}

// A new version shows at the first reload, and is the one kept offline.
func TestNewVersion(t *testing.T) {
	s := chrome.Serve(t, load(t, web.Dist()))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base))
	tb.Wait(running)
	tb.Wait(kept)

	files := built(t)
	for _, name := range []string{"index.html", "sw.js"} {
		delete(files, name+".br")
		delete(files, name+".gz")
	}
	var old string
	for name := range files {
		if strings.HasPrefix(name, "sluice.") && strings.HasSuffix(name, ".js") {
			old = name
		}
	}
	for _, ext := range []string{"", ".br", ".gz"} {
		files["sluice.ffffffffffff.js"+ext] = files[old+ext]
		delete(files, old+ext)
	}
	change := func(name, from, to string) {
		data := strings.ReplaceAll(string(files[name].Data), from, to)
		if data == string(files[name].Data) {
			t.Fatalf("%s has no %s", name, from)
		}
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
	change("index.html", old, "sluice.ffffffffffff.js")
	change("index.html", "<title>", "<title>New ")
	change("sw.js", old, "sluice.ffffffffffff.js")
	change("sw.js", `const version = "`, `const version = "new`)
	s.Use(load(t, files))

	tb.Run(chromedp.Reload())
	tb.Wait(`document.title.startsWith("New ")`)
	tb.Wait(running)
	// Its copy is complete, and the only one.
	tb.Wait(`caches.keys().then((names) => names.length === 1 && names[0].includes(" new"))`)
	s.Cut()
	tb.Run(chromedp.Reload())
	tb.Wait(`document.title.startsWith("New ")`)
	tb.Wait(running)
}

// A server that does not answer must not keep away the copy that is there.
func TestUnresponsiveServer(t *testing.T) {
	s := chrome.Serve(t, load(t, web.Dist()))
	tb := chrome.Open(t)
	tb.Run(chromedp.Navigate(s.URL + base))
	tb.Wait(running)
	tb.Wait(kept)
	release := make(chan struct{})
	s.Use(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) })
	tb.Run(chromedp.Reload())
	tb.Wait(running)
}
