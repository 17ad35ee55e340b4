//go:build !(js && wasm)

// Package canvas is the page's only way to JavaScript: it paints drawings,
// drives the charts, fills the page's elements and hands what the person does
// to the desk. Outside a browser there is nothing to drive.
package canvas

// Start does nothing outside a browser.
func Start(query string) (stop func()) { return func() {} }
