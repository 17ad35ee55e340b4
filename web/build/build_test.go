package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"golang.org/x/net/html"
)

type root struct {
	app.Compo
	ready string
}

func (r *root) OnPreRender(app.Context) { r.ready = "ready" }

func (r *root) Render() app.UI {
	return app.Main().ID("m").Class("c").Title("t").Lang("en").Aria("busy", true).Body(
		app.P().DataSet("x", "1").ID("p").Aria("hidden", true).Text("a < b & c"),
		app.P().Text(r.ready),
	)
}

// The same page makes the same bytes, whatever the order of go-app's maps.
func TestPrerender(t *testing.T) {
	const want = `<main aria-busy="true" class="c" id="m" lang="en" title="t">` +
		`<p aria-hidden="true" data-x="1" id="p">a &lt; b &amp; c</p><p>ready</p></main>`
	for range 20 {
		got, err := prerender(func() app.Composer { return &root{} })
		if err != nil {
			t.Fatal(err)
		}
		if got = regexp.MustCompile(`>\s+<`).ReplaceAllString(got, "><"); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func TestObeysPolicy(t *testing.T) {
	for markup, want := range map[string]string{
		`<p class="a">x</p><script src="a.js"></script>`: "",
		`<p style="color: red">x</p>`:                    `<p style="color: red">`,
		`<button onclick="go()">x</button>`:              `<button onclick="go()">`,
		`<script>go()</script>`:                          "inline <script>",
		`<style>p { color: red }</style>`:                "inline <style>",
	} {
		err := obeysPolicy([]byte("<!doctype html><body>" + markup))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", markup, err, want)
		}
	}
}

// Nothing of the source is lost, and every line says its own number.
func TestHighlight(t *testing.T) {
	files, err := filepath.Glob("../../core/*.go")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	sources := map[string]string{"odd.go": "package odd\n\n/* a\n\tb < c & \"d\" */\nvar s = `\n<script>\n`\n"}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources[filepath.Base(file)] = string(b)
	}
	for name, source := range sources {
		marked, err := highlight(name, source)
		if err != nil {
			t.Fatal(err)
		}
		document, err := html.Parse(bytes.NewReader(marked))
		if err != nil {
			t.Fatal(err)
		}
		if err := obeysPolicy(marked); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var lines, numbers []string
		for n := range document.Descendants() {
			for _, a := range n.Attr {
				if a.Key == "data-line" {
					numbers = append(numbers, a.Val)
				}
			}
			if n.Data == "code" {
				var text strings.Builder
				for d := range n.Descendants() {
					if d.Type == html.TextNode {
						text.WriteString(d.Data)
					}
				}
				lines = append(lines, text.String())
			}
		}
		if got := strings.Join(lines, "\n") + "\n"; got != source {
			t.Errorf("%s: the lines are not the source", name)
		}
		want := strings.Count(source, "\n")
		if len(numbers) != want || numbers[0] != name+":1" || !strings.HasSuffix(numbers[want-1], ":"+strconv.Itoa(want)) {
			t.Errorf("%s: %d lines numbered %s to %s, want %d", name, len(numbers), numbers[0], numbers[len(numbers)-1], want)
		}
	}
}

func TestRasterize(t *testing.T) {
	svg, err := os.ReadFile("../static/icon.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, full := range []bool{false, true} {
		if full {
			svg = square(svg)
		}
		b, err := rasterize(svg, 64)
		if err != nil {
			t.Fatal(err)
		}
		icon, err := png.Decode(bytes.NewReader(b))
		if err != nil || icon.Bounds().Dx() != 64 || icon.Bounds().Dy() != 64 {
			t.Fatal(icon.Bounds(), err)
		}
		if _, _, _, alpha := icon.At(0, 0).RGBA(); (alpha > 0) != full {
			t.Errorf("square %v: the corner has alpha %d", full, alpha)
		}
	}
}
