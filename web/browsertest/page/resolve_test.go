//go:build browser

package page

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

func resolve(ctx context.Context, id cdp.BackendNodeID) (runtime.RemoteObjectID, error) {
	object, err := dom.ResolveNode().WithBackendNodeID(id).Do(ctx)
	if err != nil {
		return "", err
	}
	return object.ObjectID, nil
}
