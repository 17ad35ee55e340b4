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
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"
)

// ready is set up before a page. It notes, in milliseconds since the
// navigation, when the program has been compiled, and when the page can be
// used: Start can be pressed, or the empty page says that it is empty.
const ready = `(() => {
	const t = window.times = {};
	const compile = WebAssembly.compileStreaming;
	WebAssembly.compileStreaming = async (response) => {
		const module = await compile(response);
		t.Compiled = performance.now();
		return module;
	};
	const look = () => {
		if (t.Ready || !document.body) return;
		const start = document.getElementById("b-start");
		if (start ? !start.disabled : document.body.textContent.includes("empty")) t.Ready = performance.now();
	};
	new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
})()`

type times struct{ Compiled, Ready float64 }

// visits are how a page is come to.
var visits = []string{"cold", "service worker, second visit", "service worker, third visit"}

func start(ctx context.Context, o options, stdout io.Writer) error {
	rounds := o.rounds
	if rounds == 0 {
		rounds = 7
	}
	empty, err := emptySite(ctx, o.sites[0].files)
	if err != nil {
		return err
	}
	sites := []*site{{name: "empty", files: empty}}
	for _, s := range o.sites {
		files, err := recompressed(s.files)
		if err != nil {
			return err
		}
		sites = append(sites, &site{name: s.name, files: files})
	}
	stop, err := serve(sites)
	if err != nil {
		return err
	}
	defer stop()
	got := make([][][]times, len(visits))
	for v := range visits {
		got[v] = make([][]times, len(sites))
	}
	for range rounds {
		for i, s := range sites { // in turns
			list, err := visit(ctx, s.root)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			for v := range visits {
				got[v][i] = append(got[v][i], list[v])
			}
		}
	}
	fmt.Fprintf(stdout, "\nFrom the navigation until the page can be used, medians of %d times\n\n", rounds)
	fmt.Fprintln(stdout, "| visit | site | compiled ms | ready ms | ready, of the empty page |")
	fmt.Fprintln(stdout, "| --- | --- | ---: | ---: | ---: |")
	for v, name := range visits {
		mid := func(i int, f func(t times) float64) float64 {
			var list []float64
			for _, t := range got[v][i] {
				list = append(list, f(t))
			}
			return median(list)
		}
		usable := func(t times) float64 { return t.Ready }
		for i, s := range sites {
			fmt.Fprintf(stdout, "| %s | %s | %.0f | %.0f | %.2f |\n", name, s.name,
				mid(i, func(t times) float64 { return t.Compiled }), mid(i, usable), mid(i, usable)/mid(0, usable))
		}
	}
	return nil
}

// visit comes to a page with an empty profile, and twice more when its service
// worker has its copies.
func visit(ctx context.Context, root string) ([]times, error) {
	browser, stop, err := browse(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := chromedp.Run(browser, before(ready)); err != nil {
		return nil, err
	}
	var list []times
	for range visits {
		var t times
		err := chromedp.Run(browser,
			chromedp.Navigate("about:blank"),
			chromedp.Navigate(root),
			until(`window.times !== undefined && window.times.Ready > 0`),
			get(`window.times`, &t),
			get(`navigator.serviceWorker.ready.then(() => true)`, nil),
			chromedp.Sleep(time.Second)) // what the browser keeps for the next visit, it keeps now
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

var (
	program = regexp.MustCompile(`app\.[0-9a-f]{12}\.wasm`)
	sized   = regexp.MustCompile(`data-wasm-size="\d+"`)
	ours    = regexp.MustCompile(`<(link rel="stylesheet"|script defer) [^>]*"(sluice|uplot|paint|page)\.[^>]*>(</script>)?\n`)
	root    = regexp.MustCompile(`(?s)<body>.*<aside id="app-wasm-loader"`)
)

// emptySite is the site with the empty program in place of the page's, and
// without what only the page has. The loader, the service worker and the server
// are the same.
func emptySite(ctx context.Context, of fs.FS) (fs.FS, error) {
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
	body, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
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
	page.Data = ours.ReplaceAll(page.Data, nil)
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
