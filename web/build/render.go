package main

import (
	"bytes"
	"errors"
	"fmt"
	stdhtml "html"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/maxence-charriere/go-app/v10/pkg/app"
	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// prerender returns the HTML of the root component as go-app's own handler
// renders it. The document that go-app puts around it is left behind: its
// loader hides the page, and its head names the site's domain.
func prerender(root func() app.Composer) (string, error) {
	app.Route("/", root)
	answer := httptest.NewRecorder()
	new(app.Handler).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	if answer.Code != http.StatusOK {
		return "", fmt.Errorf("rendering the page: status %d", answer.Code)
	}
	document, err := html.Parse(answer.Body)
	if err != nil {
		return "", err
	}
	for n := range document.Descendants() {
		if n.DataAtom != atom.Body {
			continue
		}
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode {
				mend(c)
				var out strings.Builder
				err := html.Render(&out, c)
				return out.String(), err
			}
		}
	}
	return "", errors.New("rendering the page: its body is empty")
}

// mend gives attributes a fixed order, which go-app does not, so that the same
// page makes the same bytes, and the value "true", which go-app drops, back to
// those for which its absence means something else.
func mend(n *html.Node) {
	for i, a := range n.Attr {
		if a.Val == "" && strings.HasPrefix(a.Key, "aria-") {
			n.Attr[i].Val = "true"
		}
	}
	slices.SortFunc(n.Attr, func(a, b html.Attribute) int { return strings.Compare(a.Key, b.Key) })
	for c := range n.ChildNodes() {
		mend(c)
	}
}

// obeysPolicy reports markup that the Content-Security-Policy would block.
func obeysPolicy(page []byte) error {
	document, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return err
	}
	for n := range document.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.DataAtom == atom.Style || n.DataAtom == atom.Script && n.FirstChild != nil {
			return fmt.Errorf("an inline <%s> is against the Content-Security-Policy", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				return fmt.Errorf("<%s %s=%q> is against the Content-Security-Policy", n.Data, a.Key, a.Val)
			}
		}
	}
	return nil
}

// highlight returns one element with the source's lines as its children, each
// with its number and its tokens marked with chroma's short class names.
func highlight(name, source string) ([]byte, error) {
	tokens, err := chroma.Coalesce(lexers.Get("go")).Tokenise(nil, source)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "<div class=\"code\" data-file=%q>", name)
	for i, line := range chroma.SplitTokensIntoLines(tokens.Tokens()) {
		fmt.Fprintf(&out, "<div class=\"line\" data-line=\"%s:%d\"><span class=\"ln\">%d</span><code>", name, i+1, i+1)
		for _, token := range line {
			text := stdhtml.EscapeString(strings.TrimSuffix(token.Value, "\n"))
			if class := chroma.StandardTypes[token.Type]; class != "" && text != "" {
				fmt.Fprintf(&out, "<span class=%q>%s</span>", class, text)
			} else {
				out.WriteString(text)
			}
		}
		out.WriteString("</code></div>")
	}
	out.WriteString("</div>")
	return out.Bytes(), nil
}

// rasterize draws an SVG as a square PNG of size pixels.
func rasterize(svg []byte, size int) ([]byte, error) {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return nil, err
	}
	icon.SetTarget(0, 0, float64(size), float64(size))
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	scanner := rasterx.NewScannerGV(size, size, picture, picture.Bounds())
	icon.Draw(rasterx.NewDasher(size, size, scanner), 1)
	var out bytes.Buffer
	err = png.Encode(&out, picture)
	return out.Bytes(), err
}

// square takes the round corners off the icon's ground: the system cuts a
// maskable icon as it likes.
func square(svg []byte) []byte {
	return bytes.Replace(svg, []byte(` rx="96" ry="96"`), nil, 1)
}
