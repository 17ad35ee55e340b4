//go:build !(js && wasm)

package page

import _ "embed"

//go:embed page.html
var source string

func skeleton() string { return source }
