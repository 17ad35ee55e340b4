package web

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers GET and HEAD with the site's files, and whatever else is
// asked for with an error. It reads no request body and no file system.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, s.base)
	switch {
	case !ok && r.URL.Path+"/" == s.base:
		target := s.base
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		http.Redirect(w, r, target, http.StatusMovedPermanently)
		return
	case ok && name == "":
		name = "index.html"
	}
	f := s.files[name]
	if !ok || f == nil {
		s.notFound(w, r)
		return
	}
	v := f.negotiate(r)
	h.Set("Content-Type", f.mime)
	h.Set("Etag", v.tag)
	if f.br != nil || f.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
	}
	if v.encoding != "" {
		h.Set("Content-Encoding", v.encoding)
		if r.Header.Get("If-Match") == "" { // which may be answered without a body
			h.Set("Content-Length", strconv.Itoa(len(v.body))) // ServeContent sets it only for plain bytes
		}
	}
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(v.body))
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	f := s.files[NotFound]
	h := w.Header()
	h.Set("Content-Type", f.mime)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(f.plain.body)))
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		w.Write(f.plain.body) // an error is the client's going away
	}
}

// negotiate chooses the representation that the client likes best, the
// smallest where it does not care. A range is of the plain bytes.
func (f *file) negotiate(r *http.Request) *variant {
	best := &f.plain
	accept := r.Header["Accept-Encoding"]
	if len(accept) == 0 || r.Header.Get("Range") != "" {
		return best
	}
	quality := weights(accept)
	most := quality("identity")
	for _, v := range []*variant{f.gzip, f.br} {
		if v == nil {
			continue
		}
		if q := quality(v.encoding); q > 0 && q >= most {
			best, most = v, q
		}
	}
	return best
}

// weights reads the values of Accept-Encoding (RFC 9110, section 12.5.3) and
// returns each coding's weight: 0 where it is not acceptable. A member that
// cannot be read counts for nothing. Identity is a last resort unless named.
func weights(accept []string) func(coding string) float64 {
	named := make(map[string]float64)
	for _, line := range accept {
		for member := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(member, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			q := 1.0
			if key, value, ok := strings.Cut(params, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
				var err error
				q, err = strconv.ParseFloat(strings.TrimSpace(value), 64)
				if err != nil || !(q >= 0 && q <= 1) {
					continue
				}
			}
			named[coding] = q
		}
	}
	return func(coding string) float64 {
		if q, ok := named[coding]; ok {
			return q
		}
		if coding == "identity" {
			return 0
		}
		return named["*"]
	}
}
