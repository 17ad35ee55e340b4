//go:build browser

// Package chrome drives one headless browser for the tests of a package.
package chrome

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// One browser for all tests; each has a profile of its own in it.
var browser context.Context

// Main runs the tests of a package with a browser.
func Main(m *testing.M) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-quic", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	var stop context.CancelFunc
	browser, stop = chromedp.NewContext(allocator, chromedp.WithErrorf(func(format string, args ...any) {
		if !strings.HasPrefix(format, "unhandled ") { // events of a browser newer than chromedp
			log.Printf(format, args...)
		}
	}))
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

// A Server is one whose handler can be exchanged, and that can be cut off.
type Server struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]
}

// Serve serves on loopback until the test ends.
func Serve(t *testing.T, h http.Handler) *Server {
	s := &Server{}
	s.Use(h)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.handler.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// Use has h answer from now on.
func (s *Server) Use(h http.Handler) { s.handler.Store(&h) }

// Cut hangs up on every request, as a network that is gone would.
func (s *Server) Cut() {
	s.Use(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	s.CloseClientConnections()
}

// A Tab records what must not happen in it.
type Tab struct {
	context.Context
	T       *testing.T
	Profile cdp.BrowserContextID

	mu       sync.Mutex
	requests []string
	problems []string
}

// Open opens a window with an empty profile, for two minutes at most.
func Open(t *testing.T) *Tab {
	t.Helper()
	return OpenFor(t, 2*time.Minute)
}

// OpenFor opens a window with an empty profile, for a time.
func OpenFor(t *testing.T, most time.Duration) *Tab {
	t.Helper()
	tb := &Tab{T: t}
	// A new profile needs a window of its own, which chromedp does not ask for.
	var id target.ID
	err := chromedp.Run(browser, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		ctx = cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		tb.Profile, err = target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx)
		if err != nil {
			return err
		}
		id, err = target.CreateTarget("about:blank").WithBrowserContextID(tb.Profile).WithNewWindow(true).Do(ctx)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	tb.Context, cancel = context.WithTimeout(ctx, most)
	t.Cleanup(cancel)
	chromedp.ListenTarget(tb, func(event any) {
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

// Run fails the test if an action fails.
func (tb *Tab) Run(actions ...chromedp.Action) {
	tb.T.Helper()
	if err := chromedp.Run(tb, actions...); err != nil {
		tb.T.Fatal(err)
	}
}

// Before runs a script in every document before the page's own.
func (tb *Tab) Before(script string) {
	tb.T.Helper()
	tb.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	}))
}

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// Wait until a JavaScript expression, or what it promises, is true. A reload
// may come in between.
func (tb *Tab) Wait(expression string) {
	tb.T.Helper()
	ctx, cancel := context.WithTimeout(tb, 30*time.Second)
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
			tb.T.Fatalf("not true: %s (%v); the page reads:\n%s", expression, err, tb.Text())
		}
	}
}

// Text is how what the page reads begins.
func (tb *Tab) Text() string {
	var text string
	chromedp.Run(tb, chromedp.Evaluate(`document.documentElement.innerText.slice(0, 2000)`, &text))
	return text
}

// Eval returns the text that an expression, or what it promises, is.
func (tb *Tab) Eval(expression string) string {
	tb.T.Helper()
	var s string
	tb.Get(expression, &s)
	return s
}

// Get stores what an expression, or what it promises, is.
func (tb *Tab) Get(expression string, into any) {
	tb.T.Helper()
	tb.Run(chromedp.Evaluate(expression, into, awaited))
}

// Clean fails if the page complained, or asked for anything that is not below
// root.
func (tb *Tab) Clean(root string) {
	tb.T.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, p := range tb.problems {
		tb.T.Errorf("console: %s", p)
	}
	for _, r := range tb.requests {
		if !strings.HasPrefix(r, root) && !strings.HasPrefix(r, "blob:"+root) && !strings.HasPrefix(r, "data:") {
			tb.T.Errorf("request for %s", r)
		}
	}
}
