//go:build !(js && wasm)

package page

import (
	"regexp"
	"strings"
	"testing"

	"sluice/wasm/lab"
)

// What the page shows before the program has arrived must be what it shows
// when it has.
func TestSkeletonKnowsTheLab(t *testing.T) {
	for _, d := range lab.Dials() {
		for _, want := range []string{
			`<output id="o-` + d.Query + `" for="d-` + d.Query + `">` + d.Text(d.Default) + `</output>`,
			`data-dial="` + d.Query + `"`,
			`aria-label="` + d.Name + `"`,
		} {
			if !strings.Contains(source, want) {
				t.Errorf("the skeleton has no %s", want)
			}
		}
	}
	for _, key := range lab.Keys() {
		if !strings.Contains(source, `data-count="`+key+`"`) {
			t.Errorf("the skeleton has no count for %s", key)
		}
	}
}

func TestSkeletonNamesEachElementOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(source, -1) {
		if seen[m[1]] {
			t.Errorf("id %q twice", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` (?:for|aria-controls|aria-describedby|aria-labelledby)="([^"]*)"`).FindAllStringSubmatch(source, -1) {
		if !seen[m[1]] {
			t.Errorf("nothing has the id %q that is pointed to", m[1])
		}
	}
}
