//go:build browser

package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browse starts a browser with an empty profile of its own.
func browse(ctx context.Context) (browser context.Context, stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.WindowSize(1280, 800))
	allocator, end := chromedp.NewExecAllocator(ctx, options...)
	browser, _ = chromedp.NewContext(allocator, quiet)
	stop = func() {
		chromedp.Cancel(browser) // waits for the browser's end
		end()
	}
	if err := chromedp.Run(browser); err != nil {
		stop()
		return nil, nil, err
	}
	return browser, stop, nil
}

// quiet leaves out the events of a browser newer than chromedp.
var quiet = chromedp.WithErrorf(func(format string, args ...any) {
	if !strings.HasPrefix(format, "unhandled ") {
		log.Printf(format, args...)
	}
})

// before runs a script in every document before the page's own.
func before(script string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(script).Do(ctx)
		return err
	})
}

// get stores what an expression, or what it promises, is.
func get(expression string, into any) chromedp.Action {
	return chromedp.Evaluate(expression, into, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	})
}

// until waits until an expression is true. The page may be replaced meanwhile.
func until(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		for {
			var is bool
			err := get(expression, &is).Do(ctx)
			if is {
				return nil
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("not true: %s (%v)", expression, err)
			}
		}
	})
}
