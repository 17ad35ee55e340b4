//go:build browser

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// ready is the first script of each page. It reports when the page can be used,
// in milliseconds since the navigation: Start can be pressed, or the empty page
// says that it is empty. Then it reports that the service worker has its copies.
const ready = `"use strict";
const report = (what, t) => fetch("/bench/" + what, { method: "POST", body: String(t) });
const observer = new MutationObserver(() => {
	const start = document.getElementById("b-start");
	if (!document.body || (start ? start.disabled : !document.body.textContent.includes("empty"))) return;
	observer.disconnect();
	const t = performance.now();
	report("ready", t)
		.then(() => navigator.serviceWorker.ready)
		.then(() => report("kept", t));
});
observer.observe(document, { subtree: true, childList: true, attributeFilter: ["disabled"] });
`

// A watched site has its pages report. They do so to the server, since a
// debugger that is attached to a page delays it.
type watched struct {
	http.Handler
	reports chan report
}

type report struct {
	what string
	at   float64
}

func (s *watched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/bench.js":
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, ready)
	case strings.HasPrefix(r.URL.Path, "/bench/"):
		body, _ := io.ReadAll(r.Body)
		at, _ := strconv.ParseFloat(string(body), 64)
		s.reports <- report{strings.TrimPrefix(r.URL.Path, "/bench/"), at}
	case r.URL.Path == "/":
		r.Header.Del("Accept-Encoding")
		r.Header.Del("If-None-Match")
		rec := httptest.NewRecorder()
		s.Handler.ServeHTTP(rec, r)
		page := bytes.Replace(rec.Body.Bytes(), []byte("<head>"), []byte(`<head><script src="/bench.js"></script>`), 1)
		for key, values := range rec.Header() {
			w.Header()[key] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
		w.WriteHeader(rec.Code)
		w.Write(page)
	default:
		s.Handler.ServeHTTP(w, r)
	}
}

// visits are how a page is come to.
var visits = []string{"cold", "service worker, second visit", "service worker, third visit"}

func start(ctx context.Context, o options, stdout io.Writer) error {
	rounds := o.rounds
	if rounds == 0 {
		rounds = 7
	}
	program, err := emptyProgram(ctx)
	if err != nil {
		return err
	}
	empty, err := emptySite(o.sites[0].files, program)
	if err != nil {
		return err
	}
	stock, err := stockSite(o.sites[0].files, program)
	if err != nil {
		return err
	}
	sites := []*site{{name: "empty, by go-app", serve: stock}, {name: "empty, with our loader", files: empty}}
	for _, s := range o.sites {
		files, err := recompressed(s.files)
		if err != nil {
			return err
		}
		sites = append(sites, &site{name: s.name, files: files})
	}
	for _, s := range sites {
		s.watch = &watched{reports: make(chan report, 8)}
	}
	stop, err := serve(sites)
	if err != nil {
		return err
	}
	defer stop()
	got := make([][][]float64, len(visits))
	for v := range visits {
		got[v] = make([][]float64, len(sites))
	}
	for range rounds {
		for i, s := range sites { // in turns
			list, err := visit(ctx, s)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			for v := range visits {
				got[v][i] = append(got[v][i], list[v])
			}
		}
	}
	fmt.Fprintf(stdout, "\nFrom the navigation until the page can be used, medians of %d times\n\n", rounds)
	fmt.Fprintln(stdout, "| visit | site | ready ms | of go-app's empty page | of the empty page with our loader |")
	fmt.Fprintln(stdout, "| --- | --- | ---: | ---: | ---: |")
	for v, name := range visits {
		for i, s := range sites {
			usable := median(got[v][i])
			fmt.Fprintf(stdout, "| %s | %s | %.0f | %.2f | %.2f |\n", name, s.name,
				usable, usable/median(got[v][0]), usable/median(got[v][1]))
		}
	}
	return nil
}

// visit comes to a page with an empty profile, and twice more when its service
// worker has its copies.
func visit(ctx context.Context, s *site) ([]float64, error) {
	tab, stop, err := browse(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	browser := cdp.WithExecutor(tab, chromedp.FromContext(tab).Browser)
	var list []float64
	for range visits {
		id, err := target.CreateTarget(s.root).Do(browser)
		if err != nil {
			return nil, err
		}
		for kept := false; !kept; {
			select {
			case r := <-s.watch.reports:
				if kept = r.what == "kept"; kept {
					list = append(list, r.at)
				}
			case <-time.After(time.Minute):
				return nil, errors.New("the page does not get ready")
			}
		}
		time.Sleep(time.Second) // what the browser keeps for the next visit, it keeps now
		if err := target.CloseTarget(id).Do(browser); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var (
	program = regexp.MustCompile(`app\.[0-9a-f]{12}\.wasm`)
	sized   = regexp.MustCompile(`data-wasm-size="\d+"`)
	styles  = regexp.MustCompile(`sluice\.[0-9a-f]{12}\.css`)
	own     = regexp.MustCompile(`shell\.[0-9a-f]{12}\.css`)
	root    = regexp.MustCompile(`(?s)<body>.*<aside id="app-wasm-loader"`)
)

// emptyProgram is the least that a go-app page can be.
func emptyProgram(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "app.wasm")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./web/build/empty")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("compiling the empty page: %w", err)
	}
	return os.ReadFile(out)
}

// stockSite is the empty program as go-app serves it, with its own script, styles
// and service worker. The program comes compressed, and the icon from here: go-app's
// own is at another origin.
func stockSite(of fs.FS, program []byte) (http.Handler, error) {
	files, err := recompressed(fstest.MapFS{"app.wasm": {Data: program}})
	if err != nil {
		return nil, err
	}
	body, err := fs.ReadFile(files, "app.wasm.br")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(of, "icon.*.svg")
	if err != nil || len(names) != 1 {
		return nil, errors.New("the site has no icon.svg")
	}
	icon, err := fs.ReadFile(of, names[0])
	if err != nil {
		return nil, err
	}
	app.Route("/", func() app.Composer { return &loading{} })
	mux := http.NewServeMux()
	mux.Handle("/", &app.Handler{
		Name:              "bench",
		Icon:              app.Icon{Default: "/web/icon.svg", Large: "/web/icon.svg", SVG: "/web/icon.svg", Maskable: "/web/icon.svg"},
		WasmContentLength: strconv.Itoa(len(program)),
	})
	mux.HandleFunc("/web/app.wasm", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		w.Header().Set("Content-Encoding", "br")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
	mux.HandleFunc("/web/icon.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Write(icon)
	})
	return mux, nil
}

// loading is what go-app's server shows of the empty page before its program has
// arrived.
type loading struct{ app.Compo }

func (*loading) Render() app.UI { return app.Text("loading") }

// emptySite is the site with the empty program in place of the page's, and
// without what only the page has. The loader, the service worker and the server
// are the same.
func emptySite(of fs.FS, body []byte) (fs.FS, error) {
	sum := sha256.Sum256(body)
	name := "app." + hex.EncodeToString(sum[:6]) + ".wasm"
	files, err := copied(of, func(old string) bool {
		return !program.MatchString(old) && !strings.HasPrefix(old, "code/")
	})
	if err != nil {
		return nil, err
	}
	files[name] = &fstest.MapFile{Data: body}
	page, worker := files["index.html"], files["sw.js"]
	if page == nil || worker == nil {
		return nil, errors.New("the site has no index.html or no sw.js")
	}
	for file := range files {
		if own.MatchString(file) { // all that an empty page needs of the styles
			page.Data = styles.ReplaceAll(page.Data, []byte(file))
		}
	}
	page.Data = root.ReplaceAll(page.Data, []byte(`<body><div></div><aside id="app-wasm-loader"`))
	page.Data = program.ReplaceAll(page.Data, []byte(name))
	page.Data = sized.ReplaceAll(page.Data, []byte(`data-wasm-size="`+strconv.Itoa(len(body))+`"`))
	worker.Data = program.ReplaceAll(worker.Data, []byte(name))
	worker.Data = regexp.MustCompile(`"code/[^"]*",`).ReplaceAll(worker.Data, nil)
	return recompressed(files)
}

// recompressed is a site with all its programs compressed alike, however it
// was built, and the rest not at all.
func recompressed(of fs.FS) (fs.FS, error) {
	files, err := copied(of, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	for name, f := range files {
		if !strings.HasSuffix(name, ".wasm") {
			continue
		}
		var out bytes.Buffer
		w := brotli.NewWriterLevel(&out, 5)
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		files[name+".br"] = &fstest.MapFile{Data: out.Bytes()}
	}
	return files, nil
}

// copied has the uncompressed files of fsys that keep likes.
func copied(fsys fs.FS, keep func(name string) bool) (fstest.MapFS, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") || !keep(name) {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		files[name] = &fstest.MapFile{Data: body}
		return err
	})
	return files, err
}
