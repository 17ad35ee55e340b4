package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	wasmName = "app.0123456789ab.wasm"
	cssName  = "sluice.ba9876543210.css"
)

// fixture is a small site as the build would make it. Its brotli is not
// brotli: the server does not look.
func fixture() fstest.MapFS {
	random := rand.NewChaCha8([32]byte{})
	wasm := make([]byte, 1<<17)
	random.Read(wasm)
	fsys := fstest.MapFS{
		"README":     {Data: []byte("not part of the site")},
		wasmName:     {Data: wasm},
		cssName:      {Data: []byte(strings.Repeat("main { color: red }\n", 200))},
		"index.html": {Data: []byte(strings.Repeat("<p>page</p>\n", 100))},
		"404.html":   {Data: []byte(`<a href="` + BaseMark + cssName + `">no such page</a>`)},
		"sw.js":      {Data: []byte("self")},
		"icon.png":   {Data: []byte("png")},

		"code/store.go.001122334455.html": {Data: []byte("<div></div>")},
	}
	for _, name := range []string{wasmName, cssName, "index.html"} {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		w.Write(fsys[name].Data)
		w.Close()
		fsys[name+".gz"] = &fstest.MapFile{Data: zipped.Bytes()}
		fsys[name+".br"] = &fstest.MapFile{Data: append([]byte("br:"), zipped.Bytes()[3:]...)}
	}
	return fsys
}

func load(t testing.TB, fsys fs.FS, base string) *Site {
	t.Helper()
	site, err := Load(fsys, base)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func get(site *Site, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost/", nil)
	r.URL.Path = target
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLoad(t *testing.T) {
	without := func(names ...string) fs.FS {
		fsys := fixture()
		for _, name := range names {
			delete(fsys, name)
		}
		return fsys
	}
	odd := fixture()
	odd["program.exe"] = &fstest.MapFile{}
	for _, c := range []struct {
		name string
		fsys fs.FS
		base string
		want string
	}{
		{"fresh clone", fstest.MapFS{"README": {}}, "/", "no app.wasm in this binary: run 'make build'"},
		{"no page", without("index.html", "index.html.br", "index.html.gz"), "/", "no index.html"},
		{"no 404", without("404.html"), "/", "no 404.html"},
		{"orphan", without(cssName), "/", "the file it compresses is missing"},
		{"unknown type", odd, "/", `no content type is known for ".exe"`},
		{"relative base", fixture(), "sluice/", `base path "sluice/"`},
		{"empty base", fixture(), "", "<nil>"},
		{"dots", fixture(), "/a/../b/", `base path "/a/../b/"`},
		{"dot", fixture(), "/./", `base path "/./"`},
		{"double slash", fixture(), "//evil/", `base path "//evil/"`},
		{"markup", fixture(), `/"><script>/`, "base path"},
		{"query", fixture(), "/a?b/", "base path"},
		{"unended", fixture(), "/sluice", "<nil>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Load(c.fsys, c.base); !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, "/"); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("error %v, want ErrNotBuilt", err)
	}
}

func TestServe(t *testing.T) {
	site := load(t, fixture(), "/sluice/")
	fsys := fixture()
	const (
		ever   = "public, max-age=31536000, immutable"
		always = "no-cache"
	)
	for _, c := range []struct {
		path, accept string
		file         string // whose bytes are expected
		encoding     string
		mime, cache  string
	}{
		{"/sluice/", "", "index.html", "", "text/html; charset=utf-8", always},
		{"/sluice/", "gzip, deflate, br, zstd", "index.html.br", "br", "text/html; charset=utf-8", always},
		{"/sluice/index.html", "gzip", "index.html.gz", "gzip", "text/html; charset=utf-8", always},
		{"/sluice/" + wasmName, "gzip, br", wasmName + ".br", "br", "application/wasm", ever},
		{"/sluice/" + wasmName, "", wasmName, "", "application/wasm", ever},
		{"/sluice/" + cssName, "br;q=0, gzip", cssName + ".gz", "gzip", "text/css; charset=utf-8", ever},
		{"/sluice/sw.js", "br", "sw.js", "", "text/javascript; charset=utf-8", always},
		{"/sluice/icon.png", "br", "icon.png", "", "image/png", always},
		{"/sluice/code/store.go.001122334455.html", "br", "code/store.go.001122334455.html", "", "text/html; charset=utf-8", ever},
	} {
		t.Run(c.path+" "+c.accept, func(t *testing.T) {
			var header []string
			if c.accept != "" {
				header = []string{"Accept-Encoding", c.accept}
			}
			r := get(site, "GET", c.path, header...)
			want := string(fsys[c.file].Data)
			if got := body(t, r); r.StatusCode != 200 || got != want {
				t.Fatalf("status %d, %d bytes; want 200, %d bytes", r.StatusCode, len(got), len(want))
			}
			_, compressed := fsys[strings.TrimSuffix(strings.TrimSuffix(c.file, ".br"), ".gz")+".br"]
			vary := ""
			if compressed {
				vary = "Accept-Encoding"
			}
			for name, want := range map[string]string{
				"Content-Type":            c.mime,
				"Content-Encoding":        c.encoding,
				"Content-Length":          fmt.Sprint(len(want)),
				"Cache-Control":           c.cache,
				"Vary":                    vary,
				"X-Content-Type-Options":  "nosniff",
				"Referrer-Policy":         "no-referrer",
				"Content-Security-Policy": Policy,
				"X-Frame-Options":         "",
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			head := get(site, "HEAD", c.path, header...)
			if got := body(t, head); got != "" || fmt.Sprint(head.Header) != fmt.Sprint(r.Header) {
				t.Errorf("HEAD: %q with %v, want the headers of GET %v", got, head.Header, r.Header)
			}
			if r := get(site, "GET", c.path, append(header, "If-Match", `"other"`)...); r.StatusCode != 412 || body(t, r) != "" || r.Header.Get("Content-Length") != "" {
				t.Errorf("If-Match: status %d, Content-Length %q", r.StatusCode, r.Header.Get("Content-Length"))
			}
			again := get(site, "GET", c.path, append(header, "If-None-Match", r.Header.Get("Etag"))...)
			if got := body(t, again); again.StatusCode != 304 || got != "" || again.Header.Get("Etag") == "" {
				t.Errorf("with its ETag: status %d, %q", again.StatusCode, got)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	for _, bad := range []string{"unsafe-inline", "'unsafe-eval'", "frame-ancestors", "http:", "https:", "*"} {
		if strings.Contains(Policy, bad) {
			t.Errorf("the policy has %s", bad)
		}
	}
	if !strings.Contains(Policy, "'wasm-unsafe-eval'") {
		t.Error("the policy forbids WebAssembly")
	}
}

// Encodings of one file must not share an ETag, or a cache could join halves
// of two.
func TestTags(t *testing.T) {
	site := load(t, fixture(), "/")
	seen := make(map[string]string)
	for _, accept := range []string{"identity", "gzip", "br"} {
		tag := get(site, "GET", "/"+cssName, "Accept-Encoding", accept).Header.Get("Etag")
		if other, ok := seen[tag]; ok {
			t.Errorf("%s and %s have the same ETag %s", accept, other, tag)
		}
		seen[tag] = accept
	}
}

func TestNegotiate(t *testing.T) {
	site := load(t, fixture(), "/")
	long := strings.Repeat("x;q=0.1,", 100_000)
	for _, c := range []struct{ accept, want string }{
		{"", ""},
		{"br", "br"},
		{"BR", "br"},
		{" gzip ; q=1.0 , br ; q=0.5 ", "gzip"},
		{"gzip;q=0.5, br;q=0.5", "br"},
		{"*", "br"},
		{"*;q=0", ""},
		{"br;q=0, *", "gzip"},
		{"identity", ""},
		{"identity;q=1, br;q=0.5", ""},
		{"identity;q=0", ""}, // nothing else is acceptable: better the plain bytes than none
		{"br;q=2, gzip;q=-1", ""},
		{"br;q=NaN", ""},
		{"br;q=", ""},
		{"br;q=0.000", ""},
		{"br;level=3", "br"},
		{"brotli, x-gzip, deflate, zstd", ""},
		{";;;,,,=;q=,", ""},
		{"\x00\xff, gzip", "gzip"},
		{long + "br", "br"},
	} {
		if got := get(site, "GET", "/"+cssName, "Accept-Encoding", c.accept).Header.Get("Content-Encoding"); got != c.want {
			t.Errorf("%.40q: %q, want %q", c.accept, got, c.want)
		}
	}
	if got := get(site, "GET", "/"+cssName, "Accept-Encoding", "gzip;q=0.1", "Accept-Encoding", "br").Header.Get("Content-Encoding"); got != "br" {
		t.Errorf("two lines: %q, want br", got)
	}
}

func FuzzNegotiate(f *testing.F) {
	site := load(f, fixture(), "/")
	for _, seed := range []string{"", "br", "gzip;q=0", "*;q=0.3,identity;q=0.4", ";,=", "br;q=1e-400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		coding := get(site, "GET", "/"+cssName, "Accept-Encoding", accept).Header.Get("Content-Encoding")
		if coding != "" && !strings.Contains(strings.ToLower(accept), coding) && !strings.Contains(accept, "*") {
			t.Errorf("%q was answered with %s", accept, coding)
		}
	})
}

func TestRange(t *testing.T) {
	site := load(t, fixture(), "/")
	plain := string(fixture()[wasmName].Data)
	tag := get(site, "GET", "/"+wasmName).Header.Get("Etag")
	for _, c := range []struct {
		header []string
		status int
		want   string
	}{
		{[]string{"Range", "bytes=0-9"}, 206, plain[:10]},
		{[]string{"Range", "bytes=-10"}, 206, plain[len(plain)-10:]},
		{[]string{"Range", "bytes=0-9", "Accept-Encoding", "br"}, 206, plain[:10]},
		{[]string{"Range", "bytes=0-9", "If-Range", tag}, 206, plain[:10]},
		{[]string{"Range", "bytes=0-9", "If-Range", `"other"`}, 200, plain},
		{[]string{"Range", "bytes=99999999-"}, 416, "invalid range: failed to overlap\n"},
		{[]string{"Range", "bytes=9-0"}, 416, "invalid range\n"},
		{[]string{"Range", "lines=1-2"}, 416, "invalid range\n"},
		{[]string{"Range", "bytes=" + strings.Repeat("0-,", 5000)}, 200, plain}, // more than the file: not worth it
	} {
		r := get(site, "GET", "/"+wasmName, c.header...)
		if got := body(t, r); r.StatusCode != c.status || got != c.want {
			t.Errorf("%.60q: status %d, %d bytes %.40q; want %d, %d bytes", c.header, r.StatusCode, len(got), got, c.status, len(c.want))
		}
	}
}

func TestBase(t *testing.T) {
	site := load(t, fixture(), "/a/b/")
	if r := get(site, "GET", "/a/b"); r.StatusCode != 301 || r.Header.Get("Location") != "/a/b/" {
		t.Errorf("without its slash: status %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	for _, outside := range []string{"/", "/a/", "/a", "/sw.js", "/a/sw.js", "/a/bb/", "", "a/b/", "sw.js"} {
		r := get(site, "GET", outside)
		if got := body(t, r); r.StatusCode != 404 || !strings.Contains(got, `href="/a/b/`+cssName) {
			t.Errorf("%q: status %d, %q", outside, r.StatusCode, got)
		}
	}
}

// What is written for another web server is what this one serves.
func TestWrite(t *testing.T) {
	site := load(t, fixture(), "/sluice/")
	dir := filepath.Join(t.TempDir(), "a", "b")
	files, size, err := site.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found int
	var bytes int64
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found++
		bytes += int64(len(content))
		rel, _ := filepath.Rel(dir, name)
		url, accept := "/sluice/"+filepath.ToSlash(rel), "identity"
		if plain, ok := strings.CutSuffix(url, ".br"); ok {
			url, accept = plain, "br"
		} else if plain, ok := strings.CutSuffix(url, ".gz"); ok {
			url, accept = plain, "gzip"
		}
		r := get(site, "GET", url, "Accept-Encoding", accept)
		if got := body(t, r); r.StatusCode != 200 || got != string(content) {
			t.Errorf("%s: status %d, and not what was written", url, r.StatusCode)
		}
		return nil
	})
	if err != nil || found != files || bytes != size || found != len(fixture())-1 {
		t.Errorf("%d files, %d bytes, error %v; Write said %d, %d", found, bytes, err, files, size)
	}
}

// A built site must be whole: everything that the page names is there.
func TestDist(t *testing.T) {
	site, err := Load(Dist(), "/x/")
	if errors.Is(err, ErrNotBuilt) {
		t.Skip("the site is not built")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range site.files {
		for _, page := range []string{"index.html", NotFound, "sw.js", "sluice.webmanifest"} {
			if name == page && f.immutable {
				t.Errorf("%s must be revalidated", name)
			}
		}
		if !f.immutable && !strings.Contains("index.html 404.html sw.js sluice.webmanifest", name) {
			t.Errorf("%s has no hash in its name", name)
		}
		if f.immutable && f.mime != "image/png" && (f.br == nil || f.gzip == nil) && len(f.plain.body) > 200 {
			t.Errorf("%s is not compressed", name)
		}
	}
	for _, name := range []string{"index.html", NotFound} {
		page := string(site.files[name].plain.body)
		for attr := range strings.SplitSeq(page, `="`) {
			value, _, _ := strings.Cut(attr, `"`)
			value = strings.TrimPrefix(value, "/x/")
			if versioned.MatchString(value) && site.files[value] == nil {
				t.Errorf("%s names %s, which is not there", name, value)
			}
		}
		if strings.Contains(page, "//") {
			t.Errorf("%s names another origin", name)
		}
	}
}

// BenchmarkServe compares the site with http.FileServer over the same files:
// a first visit, a first visit by a client that takes no compression, and one
// that has everything and asks for the page again.
func BenchmarkServe(b *testing.B) {
	site, err := Load(Dist(), "/")
	if err != nil {
		site = load(b, fixture(), "/")
	}
	dir := b.TempDir()
	if _, _, err := site.Write(dir); err != nil {
		b.Fatal(err)
	}
	var names []string
	for name, f := range site.files {
		if f.immutable && !strings.HasPrefix(name, "code/") && f.mime != "image/png" {
			names = append(names, name)
		}
	}
	names = append(names, "")
	for _, server := range []struct {
		name    string
		handler http.Handler
	}{{"site", site}, {"FileServer", http.FileServer(http.Dir(dir))}} {
		ts := httptest.NewServer(server.handler)
		defer ts.Close()
		client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
		fetch := func(b *testing.B, name string, status int, header ...string) http.Header {
			r, _ := http.NewRequest("GET", ts.URL+"/"+name, nil)
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			a, err := client.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			defer a.Body.Close()
			if _, err := io.Copy(io.Discard, a.Body); err != nil || a.StatusCode != status {
				b.Fatal(name, a.StatusCode, err)
			}
			return a.Header
		}
		b.Run("cold/"+server.name, func(b *testing.B) {
			for b.Loop() {
				for _, name := range names {
					fetch(b, name, 200, "Accept-Encoding", "gzip, deflate, br")
				}
			}
		})
		b.Run("cold-plain/"+server.name, func(b *testing.B) {
			for b.Loop() {
				for _, name := range names {
					fetch(b, name, 200)
				}
			}
		})
		b.Run("cached/"+server.name, func(b *testing.B) {
			header := fetch(b, "", 200, "Accept-Encoding", "br")
			for b.Loop() {
				fetch(b, "", 304, "Accept-Encoding", "br", "If-None-Match", header.Get("Etag"),
					"If-Modified-Since", header.Get("Last-Modified"))
			}
		})
	}
}
