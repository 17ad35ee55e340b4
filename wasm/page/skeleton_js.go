//go:build js && wasm

package page

// skeleton is nothing: the document has the server's already, and a person may be
// at work in it. go-app puts what it renders in place of the body's first element,
// which is there for that and as empty as this.
func skeleton() string { return "<div hidden></div>" }
