// Package page holds the page's one component: its skeleton. The build renders
// it, to be read before the program has arrived, and in the browser package
// canvas fills it from what the desk shows.
package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"sluice/wasm/canvas"
)

// New returns the root component, served at the route /.
func New() app.Composer { return &root{} }

type root struct {
	app.Compo
	stop func()
}

func (r *root) OnMount(ctx app.Context) { r.stop = canvas.Start(ctx.Page().URL().RawQuery) }

func (r *root) OnDismount() { r.stop() }

// Render returns the skeleton. It is HTML and not a tree of go-app's elements,
// each sort of which adds its hundred methods to the program that a browser
// downloads.
func (r *root) Render() app.UI { return app.Raw(skeleton()) }
