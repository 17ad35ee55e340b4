// Package web holds the site: a set of files, made and compressed by
// sluice/web/build and embedded in the program, that is either served or
// written out for another web server.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Policy is the site's Content-Security-Policy: nothing from elsewhere,
// nothing inline. Framing stays allowed, since teachers embed the page.
const Policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
	"img-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'"

// BaseMark stands in 404.html, which is answered at any depth and so cannot
// use relative URLs, where the site's base path goes.
const BaseMark = "/~base~/"

// NotFound is the name of the page for names that do not exist.
const NotFound = "404.html"

//go:embed all:dist
var dist embed.FS

// Dist returns the files that the build made.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is valid
	}
	return sub
}

// ErrNotBuilt says that the build has not run.
var ErrNotBuilt = errors.New("no app.wasm in this binary: run 'make build'")

// A Site is the files of the page under one base path. It does not change
// once loaded, so all its methods may be called concurrently.
type Site struct {
	base  string
	files map[string]*file // by name, without the base
}

type file struct {
	name      string
	mime      string
	immutable bool
	plain     variant
	br, gzip  *variant // nil where compression gains nothing
}

// A variant is one representation of a file. Its tag is a strong ETag: it
// differs between the encodings of a file.
type variant struct {
	body     []byte
	encoding string
	tag      string
}

func newVariant(body []byte, encoding string) variant {
	sum := sha256.Sum256(body)
	return variant{body: body, encoding: encoding, tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// Load reads the files in fsys, as written by the build, for a site at base.
// Base is an absolute URL path such as / or /sluice/.
func Load(fsys fs.FS, base string) (*Site, error) {
	base, err := cleanBase(base)
	if err != nil {
		return nil, err
	}
	s := &Site{base: base, files: make(map[string]*file)}
	compressed := make(map[string][]byte)
	built := false
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "README" {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		ext := path.Ext(name)
		if ext == ".br" || ext == ".gz" {
			compressed[name] = body
			return nil
		}
		mime, ok := mimeTypes[ext]
		if !ok {
			return fmt.Errorf("%s: no content type is known for %q", name, ext)
		}
		if name == NotFound {
			body = bytes.ReplaceAll(body, []byte(BaseMark), []byte(base))
		}
		built = built || ext == ".wasm"
		s.files[name] = &file{name: name, mime: mime, immutable: versioned.MatchString(name), plain: newVariant(body, "")}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !built {
		return nil, ErrNotBuilt
	}
	for _, name := range []string{"index.html", NotFound} {
		if s.files[name] == nil {
			return nil, fmt.Errorf("no %s in this binary: run 'make build'", name)
		}
	}
	for name, body := range compressed {
		ext := path.Ext(name)
		f := s.files[strings.TrimSuffix(name, ext)]
		if f == nil {
			return nil, fmt.Errorf("%s: the file it compresses is missing", name)
		}
		if ext == ".br" {
			v := newVariant(body, "br")
			f.br = &v
		} else {
			v := newVariant(body, "gzip")
			f.gzip = &v
		}
	}
	return s, nil
}

// Base returns the path under which the site is, with a slash at both ends.
func (s *Site) Base() string { return s.base }

// Write writes the site into dir, which is made if it does not exist, with
// the compressed files beside the plain ones. Other files there are left alone.
func (s *Site) Write(dir string) (files int, size int64, err error) {
	write := func(name string, body []byte) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		files++
		size += int64(len(body))
		return os.WriteFile(to, body, 0o644)
	}
	for name, f := range s.files {
		if err := write(name, f.plain.body); err != nil {
			return files, size, err
		}
		if f.br != nil {
			if err := write(name+".br", f.br.body); err != nil {
				return files, size, err
			}
		}
		if f.gzip != nil {
			if err := write(name+".gz", f.gzip.body); err != nil {
				return files, size, err
			}
		}
	}
	return files, size, nil
}

// versioned matches the names that the build derives from the content.
var versioned = regexp.MustCompile(`\.[0-9a-f]{12}\.[a-z]+$`)

// The system's own table differs between machines.
var mimeTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
}

var basePath = regexp.MustCompile(`^/([A-Za-z0-9._~-]+/)*$`)

func cleanBase(base string) (string, error) {
	b := base
	if !strings.HasSuffix(b, "/") {
		b += "/"
	}
	if !basePath.MatchString(b) || path.Clean(b)+"/" != b && b != "/" {
		return "", fmt.Errorf("base path %q: want an absolute URL path such as /sluice/", base)
	}
	return b, nil
}
