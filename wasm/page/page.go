// Package page holds the components of the page.
package page

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// New returns the root component, served at the route /.
func New() app.Composer { return &root{} }

type root struct{ app.Compo }

func (*root) Render() app.UI {
	return app.Main().Body(app.H1().Text("Sluice"))
}
