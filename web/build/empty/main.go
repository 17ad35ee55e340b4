//go:build js && wasm

// Command empty is the least that a go-app page can be: what the page's
// program weighs is measured against it.
package main

import "github.com/maxence-charriere/go-app/v10/pkg/app"

type root struct{ app.Compo }

func (*root) Render() app.UI { return app.Text("empty") }

func main() {
	app.Route("/", func() app.Composer { return &root{} })
	app.RunWhenOnBrowser()
}
