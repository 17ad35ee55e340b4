//go:build browser

// Package shell tests, in a browser, what stands around the page: loading,
// failing, being offline, being replaced by a new version. It knows nothing of
// what the page shows.
package shell

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"sluice/web"
)

const base = "/some/where/"

// One browser for all tests; each has a profile of its own in it.
var browser context.Context

func TestMain(m *testing.M) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-quic", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	var stop context.CancelFunc
	browser, stop = chromedp.NewContext(allocator)
	code := 1
	if err := chromedp.Run(browser); err != nil {
		os.Stderr.WriteString("no browser: " + err.Error() + "\n")
	} else {
		code = m.Run()
	}
	stop()
	cancel()
	os.Exit(code)
}

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

// A server whose handler can be exchanged, and that can be cut off.
type server struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]
}

func serve(t *testing.T, h http.Handler) *server {
	s := &server{}
	s.use(h)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.handler.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) use(h http.Handler) { s.handler.Store(&h) }

// cut hangs up on every request, as a network that is gone would.
func (s *server) cut() {
	s.use(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	s.CloseClientConnections()
}

// A tab records what must not happen in it.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	requests []string
	problems []string
}

func open(t *testing.T) *tab {
	t.Helper()
	// A new profile needs a window of its own, which chromedp does not ask for.
	var id target.ID
	err := chromedp.Run(browser, chromedp.ActionFunc(func(ctx context.Context) error {
		ctx = cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		profile, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx)
		if err != nil {
			return err
		}
		id, err = target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(ctx)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	tb := &tab{Context: ctx, t: t}
	chromedp.ListenTarget(ctx, func(event any) {
		tb.mu.Lock()
		defer tb.mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			tb.requests = append(tb.requests, event.Request.URL)
		case *runtime.EventConsoleAPICalled:
			if event.Type == runtime.APITypeError || event.Type == runtime.APITypeWarning {
				for _, arg := range event.Args {
					tb.problems = append(tb.problems, string(arg.Value))
				}
			}
		case *runtime.EventExceptionThrown:
			tb.problems = append(tb.problems, event.ExceptionDetails.Error())
		}
	})
	return tb
}

func (tb *tab) run(actions ...chromedp.Action) {
	tb.t.Helper()
	if err := chromedp.Run(tb, actions...); err != nil {
		tb.t.Fatal(err)
	}
}

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// wait until a JavaScript expression, or what it promises, is true. A reload
// may come in between.
func (tb *tab) wait(expression string) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb, 20*time.Second)
	defer cancel()
	for {
		var is bool
		err := chromedp.Run(ctx, chromedp.Evaluate(expression, &is, awaited))
		if is {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			var text string
			chromedp.Run(tb, chromedp.Evaluate(`document.documentElement.innerText`, &text))
			tb.t.Fatalf("not true: %s (%v); the page reads:\n%s", expression, err, text)
		}
	}
}

func (tb *tab) eval(expression string) string {
	tb.t.Helper()
	var s string
	tb.run(chromedp.Evaluate(expression, &s, awaited))
	return s
}

// clean fails if the page complained or asked another origin.
func (tb *tab) clean(origin string) {
	tb.t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, p := range tb.problems {
		tb.t.Errorf("console: %s", p)
	}
	for _, r := range tb.requests {
		if !strings.HasPrefix(r, origin+base) && !strings.HasPrefix(r, "blob:"+origin) && !strings.HasPrefix(r, "data:") {
			tb.t.Errorf("request for %s", r)
		}
	}
}

const (
	running = `document.getElementById("app-wasm-loader")?.hidden === true && document.querySelector("main") !== null`
	label   = `document.getElementById("app-wasm-loader-label").textContent`
	failed  = `document.getElementById("app-wasm-loader")?.dataset.state === "failed"`
	kept    = `navigator.serviceWorker.controller?.state === "activated"`
)

func TestStart(t *testing.T) {
	s := serve(t, load(t, web.Dist()))
	for _, path := range []string{"", "index.html", "?workers=3&x=%zz"} {
		tb := open(t)
		tb.run(chromedp.Navigate(s.URL + base + path))
		tb.wait(running)
		tb.wait(kept)
		tb.clean(s.URL)
	}
}

// The static site, from a server that knows no headers and no compression.
func TestStatic(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := load(t, web.Dist()).Write(dir + base); err != nil {
		t.Fatal(err)
	}
	s := serve(t, http.FileServer(http.Dir(dir)))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base))
	tb.wait(running)
	tb.wait(kept)
	tb.clean(s.URL)
	// Its policy is in force.
	tb.run(chromedp.Evaluate(`{
		const script = document.createElement("script");
		script.textContent = "window.inline = true";
		document.head.append(script);
		document.head.append(Object.assign(document.createElement("style"), {textContent: "html { --inline: yes }"}));
	}`, nil))
	if got := tb.eval(`String(window.inline) + getComputedStyle(document.documentElement).getPropertyValue("--inline")`); got != "undefined" {
		t.Errorf("inline script and style: %q", got)
	}
}

func TestNotFound(t *testing.T) {
	s := serve(t, load(t, web.Dist()))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base + "no/such/page"))
	tb.wait(`document.querySelector("main.missing h1") !== null`)
	if got := tb.eval(`document.querySelector("main a").href`); got != s.URL+base {
		t.Errorf("it leads to %s", got)
	}
	if got := tb.eval(`getComputedStyle(document.querySelector("main")).maxWidth`); got == "none" {
		t.Error("it has no style")
	}
}

func TestTheme(t *testing.T) {
	s := serve(t, load(t, web.Dist()))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base))
	for _, theme := range []string{"dark", "light", "<odd>"} {
		tb.run(chromedp.Evaluate(`localStorage.setItem("sluice-theme", "`+theme+`")`, nil), chromedp.Reload())
		want := strings.Trim(theme, "<>")
		if want == "odd" {
			want = ""
		}
		if got := tb.eval(`document.documentElement.dataset.theme ?? ""`); got != want {
			t.Errorf("stored %q: theme %q", theme, got)
		}
	}
	tb.wait(running)
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
	s := serve(t, wasm(site, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		<-more
		w.Write(body[len(body)/2:])
	}))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base))
	tb.wait(`/^Loading the Go program: (4\d|50)% of \d+\.\d MB$/.test(` + label + `)`)
	tb.wait(`Math.abs(document.getElementById("loader-progress").value - .5) < .1`)
	if got := tb.eval(`document.querySelector("h1")?.innerText ?? ""`); got == "" {
		t.Error("there is nothing to read yet")
	}
	close(more)
	tb.wait(running)
	tb.clean(s.URL)
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
		{"no wasm_exec", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "wasm_exec") {
				http.NotFound(w, r)
				return
			}
			site.ServeHTTP(w, r)
		}), "", "The Go program cannot start: wasm_exec.js did not load."},
		{"not a streaming browser", site, `delete WebAssembly.compileStreaming`, ""},
		{"wrong type", wasm(site, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write(body)
		}), "", ""},
		{"no service worker", site, `delete Navigator.prototype.serviceWorker`, ""},
		{"no storage", site, `Object.defineProperty(window, "localStorage", { configurable: true, get() { throw new DOMException("denied", "SecurityError") } })`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.handler)
			tb := open(t)
			tb.run(chromedp.ActionFunc(func(ctx context.Context) error {
				_, err := page.AddScriptToEvaluateOnNewDocument(c.before).Do(ctx)
				return err
			}), chromedp.Navigate(s.URL+base))
			if c.want == "" {
				tb.wait(running)
				return
			}
			tb.wait(failed)
			if got := tb.eval(label); !strings.Contains(got, c.want) {
				t.Errorf("it says %q, want %q", got, c.want)
			}
			if tb.eval(`document.querySelector("h1").innerText`) == "" {
				t.Error("the page is no longer readable")
			}
			// The way out.
			s.use(site)
			if c.before == "" {
				tb.run(chromedp.Click("#loader-retry"))
				tb.wait(running)
			}
		})
	}
}

// After one visit the page starts without a network.
func TestOffline(t *testing.T) {
	s := serve(t, load(t, web.Dist()))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base))
	tb.wait(running)
	tb.wait(kept)
	s.cut()
	for _, path := range []string{"", "?workers=2", "index.html"} {
		tb.run(chromedp.Navigate(s.URL + base + path))
		tb.wait(running)
	}
	tb.wait(`Promise.all(["code/collector.go", "code/store.go.html"].map((name) => fetch(goappGetenv(name)))).then((all) => all.every((r) => r.ok))`)
}

// A new version shows at the first reload, and is the one kept offline.
func TestNewVersion(t *testing.T) {
	s := serve(t, load(t, web.Dist()))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base))
	tb.wait(running)
	tb.wait(kept)

	files := built(t)
	for _, name := range []string{"index.html", "sw.js"} {
		delete(files, name+".br")
		delete(files, name+".gz")
	}
	var old string
	for name := range files {
		if strings.HasPrefix(name, "theme.") && strings.HasSuffix(name, ".js") {
			old = name
		}
	}
	for _, ext := range []string{"", ".br", ".gz"} {
		files["theme.ffffffffffff.js"+ext] = files[old+ext]
		delete(files, old+ext)
	}
	change := func(name, from, to string) {
		data := strings.ReplaceAll(string(files[name].Data), from, to)
		if data == string(files[name].Data) {
			t.Fatalf("%s has no %s", name, from)
		}
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
	change("index.html", old, "theme.ffffffffffff.js")
	change("index.html", "<title>", "<title>New ")
	change("sw.js", old, "theme.ffffffffffff.js")
	change("sw.js", `const version = "`, `const version = "new`)
	s.use(load(t, files))

	tb.run(chromedp.Reload())
	tb.wait(`document.title.startsWith("New ")`)
	tb.wait(running)
	// Its copy is complete, and the only one.
	tb.wait(`caches.keys().then((names) => names.length === 1 && names[0].includes(" new"))`)
	s.cut()
	tb.run(chromedp.Reload())
	tb.wait(`document.title.startsWith("New ")`)
	tb.wait(running)
}

// A server that does not answer must not keep away the copy that is there.
func TestUnresponsiveServer(t *testing.T) {
	s := serve(t, load(t, web.Dist()))
	tb := open(t)
	tb.run(chromedp.Navigate(s.URL + base))
	tb.wait(running)
	tb.wait(kept)
	release := make(chan struct{})
	s.use(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) })
	tb.run(chromedp.Reload())
	tb.wait(running)
}
