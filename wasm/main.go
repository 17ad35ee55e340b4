//go:build js && wasm

// Command wasm is the page's program: it mounts the page in the browser.
package main

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"sluice/wasm/page"
)

func main() {
	app.Route("/", page.New)
	app.Route("/index.html", page.New) // as some web servers name it
	app.RunWhenOnBrowser()
}
