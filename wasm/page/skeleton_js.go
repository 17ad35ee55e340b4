//go:build js && wasm

package page

import "sluice/wasm/canvas"

// skeleton is what the server has rendered: the browser has it already.
func skeleton() string { return canvas.Rendered("app") }
