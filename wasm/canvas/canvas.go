//go:build js && wasm

// Package canvas is the page's only way to JavaScript: it paints drawings,
// drives the charts, fills the page's elements and hands what the person does
// to the desk.
package canvas
