// Command build makes the site in web/dist: it compiles the page's program,
// renders the page, copies and generates what goes with it, and compresses
// everything. It runs at the top of the repository, after npm ci.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"sluice/wasm/page"
	"sluice/web"
)

const (
	dist        = "web/dist"
	title       = "Sluice: Go concurrency, running"
	description = "A real Go worker pool in your browser: turn its dials, watch every goroutine, press Stop and see a graceful drain."
)

func main() {
	quality := flag.Int("brotli", 11, "brotli `quality`, 0 to 11; a low one is quick")
	weigh := flag.Bool("weigh", false, "only compare the page's program with an empty go-app page")
	flag.Parse()
	run := build
	if *weigh {
		run = weight
	}
	if err := run(*quality, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(quality int, stdout io.Writer) error {
	b := builder{files: make(map[string][]byte), urls: make(map[string]string)}
	for _, step := range []func() error{
		b.program, b.scripts, b.code, b.icons, // the names of these carry their hash
		b.manifest, b.pages, b.worker, // and these refer to them
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return b.write(quality, stdout)
}

// A builder collects the site's files by the name they are served under.
type builder struct {
	files    map[string][]byte
	urls     map[string]string // plain name -> name with the content's hash
	wasmSize int
}

// add adds a file whose name is to carry its hash: app.wasm becomes
// app.0123456789ab.wasm.
func (b *builder) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	b.files[hashed] = body
	b.urls[name] = hashed
}

// compile returns the stripped js/wasm program of a package of this module.
func compile(pkg string, flags ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "sluice")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "app.wasm")
	args := slices.Concat([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}, flags, []string{pkg})
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", pkg, err)
	}
	return os.ReadFile(out)
}

// small returns the flags that take inlining from packages in which the page
// spends no time: it makes them larger and the page no faster.
func small() []string {
	var flags []string
	for _, pkg := range []string{
		"crypto/...", "fmt", "github.com/...", "math/big", "reflect", "strings", "time",
		"sluice/wasm/canvas", "sluice/wasm/desk", "sluice/wasm/page",
	} {
		flags = append(flags, "-gcflags="+pkg+"=-l")
	}
	return flags
}

func (b *builder) program() error {
	body, err := compile("./wasm", small()...)
	if err != nil {
		return err
	}
	b.wasmSize = len(body)
	b.add("app.wasm", body)
	return nil
}

// scripts adds the page's JavaScript and styles, one file each: a browser asks
// for few files faster than for many, and the script begins with the download of
// the program. What the page for a wrong address needs is there by itself too.
func (b *builder) scripts() error {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	const (
		own   = "web/static"
		uplot = "node_modules/uplot/dist"
	)
	toolchain := filepath.Join(strings.TrimSpace(string(goroot)), "lib/wasm") // what is there matches the compiler
	for name, parts := range map[string][]string{
		"sluice.js":  {own + "/theme.js", own + "/loader.js", toolchain + "/wasm_exec.js", own + "/paint.js", own + "/page.js"},
		"sluice.css": {own + "/sluice.css", own + "/shell.css", uplot + "/uPlot.min.css"},
		"uplot.js":   {uplot + "/uPlot.iife.min.js"},
		"theme.js":   {own + "/theme.js"},
		"shell.css":  {own + "/shell.css"},
	} {
		var all []byte
		for _, part := range parts {
			body, err := os.ReadFile(part)
			if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(part, uplot) {
				return fmt.Errorf("%w: run 'npm ci' first", err)
			}
			if err != nil {
				return err
			}
			all = append(all, body...)
			all = append(all, '\n')
		}
		b.add(name, all)
	}
	return nil
}

// code adds the two files of the core, as they were compiled, and highlighted
// with one element a line.
func (b *builder) code() error {
	for _, name := range []string{"collector.go", "store.go"} {
		source, err := os.ReadFile(filepath.Join("core", name))
		if err != nil {
			return err
		}
		html, err := highlight(name, string(source))
		if err != nil {
			return err
		}
		b.add("code/"+name+".txt", source) // as .go it would be a package of this module
		b.add("code/"+name+".html", html)
	}
	return nil
}

func (b *builder) icons() error {
	svg, err := os.ReadFile("web/static/icon.svg")
	if err != nil {
		return err
	}
	b.add("icon.svg", svg)
	for name, size := range map[string]int{"icon-192.png": 192, "icon-512.png": 512} {
		png, err := rasterize(svg, size)
		if err != nil {
			return err
		}
		b.add(name, png)
	}
	png, err := rasterize(square(svg), 512)
	if err != nil {
		return err
	}
	b.add("icon-maskable.png", png)
	return nil
}

// manifest refers to everything relative to itself, so it holds at any base.
func (b *builder) manifest() error {
	type icon struct {
		Src     string `json:"src"`
		Type    string `json:"type"`
		Sizes   string `json:"sizes"`
		Purpose string `json:"purpose"`
	}
	body, err := json.MarshalIndent(map[string]any{
		"name":             "Sluice",
		"short_name":       "Sluice",
		"description":      description,
		"start_url":        "./",
		"scope":            "./",
		"display":          "standalone",
		"background_color": "#fbfaf8",
		"theme_color":      "#005f7a",
		"icons": []icon{
			{b.urls["icon.svg"], "image/svg+xml", "any", "any"},
			{b.urls["icon-192.png"], "image/png", "192x192", "any"},
			{b.urls["icon-512.png"], "image/png", "512x512", "any"},
			{b.urls["icon-maskable.png"], "image/png", "512x512", "maskable"},
		},
	}, "", "\t")
	b.files["sluice.webmanifest"] = body
	return err
}

func (b *builder) pages() error {
	root, err := prerender(page.New)
	if err != nil {
		return err
	}
	fetched := maps.Clone(b.urls) // what the program asks for by name
	maps.DeleteFunc(fetched, func(name, _ string) bool {
		return name != "app.wasm" && name != "uplot.js" && !strings.HasPrefix(name, "code/")
	})
	names, err := json.Marshal(fetched)
	if err != nil {
		return err
	}
	data := map[string]any{
		"Policy":      web.Policy,
		"Base":        web.BaseMark,
		"Title":       title,
		"Description": description,
		"WasmSize":    b.wasmSize,
		"Files":       string(names),
		"Root":        template.HTML(root),
	}
	for _, name := range []string{"index.html", web.NotFound} {
		t, err := template.New(name).Funcs(template.FuncMap{"url": b.url}).ParseFiles("web/build/" + name)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, data); err != nil {
			return err
		}
		if err := obeysPolicy(out.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.files[name] = out.Bytes()
	}
	return nil
}

func (b *builder) url(name string) (string, error) {
	if url, ok := b.urls[name]; ok {
		return url, nil
	}
	return "", fmt.Errorf("the site has no file %s", name)
}

// worker adds the service worker. Its version changes with any other file, so
// browsers notice; it keeps what the page needs without a network.
func (b *builder) worker() error {
	source, err := os.ReadFile("web/static/sw.js")
	if err != nil {
		return err
	}
	sum := sha256.New()
	sum.Write(source)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(b.files[name]))
		sum.Write(b.files[name])
		if name != "index.html" && name != web.NotFound { // the page is kept as ./
			names = append(names, name)
		}
	}
	list, err := json.Marshal(names)
	if err != nil {
		return err
	}
	b.files["sw.js"] = []byte(strings.NewReplacer(
		"{{.Version}}", hex.EncodeToString(sum.Sum(nil)[:6]),
		"{{.Files}}", string(list),
	).Replace(string(source)))
	return nil
}

// write replaces the site in web/dist and says what it weighs.
func (b *builder) write(quality int, stdout io.Writer) error {
	if err := b.compress(quality); err != nil {
		return err
	}
	old, err := filepath.Glob(dist + "/*")
	if err != nil {
		return err
	}
	for _, name := range old {
		if filepath.Base(name) != "README" {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	for name, body := range b.files {
		to := filepath.Join(dist, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, body, 0o644); err != nil {
			return err
		}
	}
	wasm := b.urls["app.wasm"]
	fmt.Fprintf(stdout, "%s: app.wasm %d bytes, gzip %d, brotli %d\n",
		dist, len(b.files[wasm]), len(b.files[wasm+".gz"]), len(b.files[wasm+".br"]))
	return nil
}

// compress adds the compressed form of every file that gains by it. Brotli at
// its best quality takes a while, so what did not change since the last build
// comes from a cache.
func (b *builder) compress(quality int) error {
	cache := fmt.Sprintf("build/brotli-%d", quality)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	used := make(map[string]bool)
	for name, body := range maps.Clone(b.files) {
		if path.Ext(name) == ".png" || name == web.NotFound { // not final before it knows its base
			continue
		}
		var zipped bytes.Buffer
		zw, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		if err != nil {
			return err
		}
		if err := errors.Join(second(zw.Write(body)), zw.Close()); err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		key := hex.EncodeToString(sum[:])
		used[key] = true
		pressed, err := os.ReadFile(filepath.Join(cache, key))
		if err != nil {
			if pressed, err = press(body, quality); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(cache, key), pressed, 0o644); err != nil {
				return err
			}
		}
		for ext, small := range map[string][]byte{".gz": zipped.Bytes(), ".br": pressed} {
			if len(small) < len(body) {
				b.files[name+ext] = small
			}
		}
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !used[e.Name()] {
			if err := os.Remove(filepath.Join(cache, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func press(body []byte, quality int) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, quality)
	err := errors.Join(second(w.Write(body)), w.Close())
	return out.Bytes(), err
}

// weight prints what the page's program and an empty page weigh, and fails
// where the ratio of their compressed sizes is above the limit.
func weight(quality int, stdout io.Writer) error {
	const limit = 1.15
	var raw, pressed [2]int
	for i, c := range []struct {
		pkg   string
		flags []string
	}{{"./wasm", small()}, {"./web/build/empty", nil}} {
		body, err := compile(c.pkg, c.flags...)
		if err != nil {
			return err
		}
		out, err := press(body, quality)
		if err != nil {
			return err
		}
		raw[i], pressed[i] = len(body), len(out)
		fmt.Fprintf(stdout, "%-18s %9d bytes, brotli %d: %9d\n", c.pkg, raw[i], quality, pressed[i])
	}
	ratio := float64(pressed[0]) / float64(pressed[1])
	fmt.Fprintf(stdout, "%-18s %9.3f        brotli %d: %9.3f, at most %.2f\n", "ratio", float64(raw[0])/float64(raw[1]), quality, ratio, limit)
	if ratio > limit {
		return fmt.Errorf("the page's program weighs %.3f times an empty page, above %.2f", ratio, limit)
	}
	return nil
}

func second(_ int, err error) error { return err }
