//go:build browser

// Package page tests the page in a browser as a person uses it: by the roles
// and names that it promises, watching what it says.
package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"sluice/web"
	"sluice/web/browsertest/chrome"
)

func TestMain(m *testing.M) { chrome.Main(m) }

// A page is a tab with the page in it.
type page struct {
	*chrome.Tab
	root string
}

// blank is a tab that has yet to go to the page. When the test is over the page
// must have complained of nothing and asked nobody else.
func blank(t *testing.T) *page {
	t.Helper()
	t.Parallel()
	site, err := web.Load(web.Dist(), "/")
	if err != nil {
		t.Fatal(err)
	}
	return at(t, chrome.Serve(t, site).URL+"/")
}

func at(t *testing.T, root string) *page {
	t.Helper()
	p := &page{Tab: chrome.Open(t), root: root}
	t.Cleanup(func() { p.Clean(p.root) })
	return p
}

func visit(t *testing.T, query string) *page {
	t.Helper()
	p := blank(t)
	p.visit(query)
	return p
}

// visit waits until the page is the program's and shows its source.
func (p *page) visit(query string) {
	p.T.Helper()
	p.Run(chromedp.Navigate(p.root + query))
	p.Wait(`!document.querySelector("#b-open").disabled && document.querySelector("[data-line]") !== null`)
}

// element is one that assistive technology knows by role and name.
type element struct {
	p          *page
	role, name string
	id         runtime.RemoteObjectID
}

func (e element) String() string { return e.role + " " + e.name }

func (p *page) button(name string) element   { p.T.Helper(); return p.find("button", name) }
func (p *page) slider(name string) element   { p.T.Helper(); return p.find("slider", name) }
func (p *page) checkbox(name string) element { p.T.Helper(); return p.find("checkbox", name) }

// find waits for the only element of that role and name.
func (p *page) find(role, name string) element {
	p.T.Helper()
	e := element{p: p, role: role, name: name}
	p.until(e.String(), func() (err error) {
		nodes, err := p.query(role, name)
		if err == nil && len(nodes) != 1 {
			err = fmt.Errorf("there are %d", len(nodes))
		}
		if err == nil {
			e.id = nodes[0]
		}
		return err
	})
	return e
}

// query asks the accessibility tree.
func (p *page) query(role, name string) (found []runtime.RemoteObjectID, err error) {
	err = chromedp.Run(p, chromedp.ActionFunc(func(ctx context.Context) error {
		document, _, err := runtime.Evaluate("document").Do(ctx)
		if err != nil {
			return err
		}
		nodes, err := accessibility.QueryAXTree().WithObjectID(document.ObjectID).WithRole(role).WithAccessibleName(name).Do(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n.Ignored {
				continue
			}
			object, err := resolve(ctx, n.BackendDOMNodeID)
			if err != nil {
				return err
			}
			found = append(found, object)
		}
		return nil
	}))
	return found, err
}

// until tries until it works.
func (p *page) until(what string, try func() error) {
	p.T.Helper()
	end := time.Now().Add(30 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) || p.Err() != nil {
			p.T.Fatalf("%s: %v; the page says %s", what, err, p.Eval(`document.querySelector("#say").innerText + " " + document.querySelector("#notice").innerText`))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// call calls a JavaScript function with the element as this.
func (e element) call(function string, into any) error {
	return chromedp.Run(e.p, chromedp.CallFunctionOn(function, into, func(c *runtime.CallFunctionOnParams) *runtime.CallFunctionOnParams {
		return c.WithObjectID(e.id).WithAwaitPromise(true)
	}))
}

func (e element) get(function string, into any) {
	e.p.T.Helper()
	if err := e.call(function, into); err != nil {
		e.p.T.Fatalf("%v: %v", e, err)
	}
}

func (e element) text(function string) (s string) {
	e.p.T.Helper()
	e.get(function, &s)
	return s
}

func (e element) enabled() (on bool) {
	e.p.T.Helper()
	e.get(`function() { return !this.disabled }`, &on)
	return on
}

// press clicks with the mouse, when the element can be clicked: enabled, in
// sight, at rest, and not behind another.
func (e element) press() {
	e.p.T.Helper()
	var xy []float64
	e.p.until("press "+e.String(), func() error {
		err := e.call(`async function() {
			if (this.disabled) return [];
			const was = this.getBoundingClientRect();
			this.scrollIntoView({ block: "nearest" });
			await `+frames(1)+`;
			const r = this.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
			if (r.x !== was.x || r.y !== was.y) return [];
			const top = document.elementFromPoint(x, y);
			return top && (this.contains(top) || top.contains(this) && top.tagName === "LABEL") ? [x, y] : [];
		}`, &xy)
		if err == nil && len(xy) != 2 {
			err = errors.New("it cannot be clicked")
		}
		return err
	})
	e.p.Run(chromedp.MouseClickXY(xy[0], xy[1]))
}

// focus puts the focus there, as Tab would.
func (e element) focus() {
	e.p.T.Helper()
	e.get(`function() { this.focus() }`, nil)
}

// move moves a slider to one of its positions.
func (e element) move(pos int) {
	e.p.T.Helper()
	e.get(fmt.Sprintf(`function() { this.value = %d; this.dispatchEvent(new Event("input", { bubbles: true })) }`, pos), nil)
}

// recent is the button of the event submitted last; time must be held.
func (p *page) recent() element {
	p.T.Helper()
	p.look()
	return p.button(p.Eval(`document.querySelector("[data-event]").textContent`))
}

func (p *page) press(names ...string) {
	p.T.Helper()
	for _, name := range names {
		p.button(name).press()
	}
}

// keys presses keys on whatever has the focus.
func (p *page) keys(keys string) {
	p.T.Helper()
	p.Run(chromedp.KeyEvent(keys))
}

const (
	arrowLeft  = kb.ArrowLeft
	arrowRight = kb.ArrowRight
)

// view is all that the page says about one instant.
type view struct {
	State        string
	Paused, Past bool
	Step         int
	Clock        string
	Ledger       map[string]int
	Balance      string
	Counts       map[string]int
	Rows         []row
	Markers      []marker
	Lanes        []string
}

type row struct{ ID, State, Reason, Line, Why string }

type marker struct {
	ID, Line, Text, Reason string
	Blocked                bool
}

func (v view) row(id string) row {
	for _, r := range v.Rows {
		if r.ID == id {
			return r
		}
	}
	return row{}
}

func (v view) sum() (n int) {
	for _, c := range v.Counts {
		n += c
	}
	return n
}

const look = `(() => {
	const main = document.querySelector("main"), all = (s, f) => [...document.querySelectorAll(s)].map(f);
	const pairs = (name) => Object.fromEntries(all("[data-" + name + "]", (el) => [el.dataset[name], Number(el.textContent)]));
	const cell = (tr, name) => tr.querySelector("[data-cell=" + name + "]").textContent;
	return {
		State: main.dataset.state, Paused: main.dataset.paused === "true", Past: main.dataset.past === "true",
		Step: Number(main.dataset.step), Clock: document.querySelector("#clock").textContent,
		Ledger: pairs("ledger"), Counts: pairs("count"), Balance: document.querySelector("#balance").textContent,
		Rows: all("[data-goroutine]", (tr) => ({
			ID: tr.dataset.goroutine, State: cell(tr, "state"), Reason: cell(tr, "reason"), Line: cell(tr, "line"), Why: cell(tr, "why"),
		})),
		Markers: all("[data-at]", (m) => {
			const line = m.closest("[data-line]");
			return {
				ID: m.dataset.at, Line: line.dataset.line, Text: line.querySelector("code").textContent,
				Reason: m.dataset.reason, Blocked: m.dataset.blocked === "true",
			};
		}).sort((a, b) => a.ID < b.ID ? -1 : 1),
		Lanes: all("[data-lane]", (el) => el.textContent),
	};
})()`

// frames promises that n frames have been drawn.
func frames(n int) string {
	return fmt.Sprintf(`new Promise((done) => {
		let n = %d;
		const next = () => n-- > 0 ? requestAnimationFrame(next) : done(true);
		next();
	})`, n)
}

// look is what the page says once everything done so far shows: with the next
// frame, whose callback the page has asked for before this.
func (p *page) look() (v view) {
	p.T.Helper()
	p.Get(frames(1)+`.then(() => `+look+`)`, &v)
	return v
}

// see waits for a view that f likes, and checks the ledger of each one on the way.
func (p *page) see(what string, f func(v view) bool) (v view) {
	p.T.Helper()
	p.until(what, func() error {
		v = p.look()
		p.balanced(v)
		if !f(v) {
			return fmt.Errorf("%s", v)
		}
		return nil
	})
	return v
}

func (p *page) balanced(v view) {
	p.T.Helper()
	l := v.Ledger
	if len(l) != 8 {
		p.T.Fatalf("the ledger has %v", l)
	}
	if l["submitted"] != l["accepted"]+l["rejected"]+l["waiting"] ||
		l["accepted"] != l["stored"]+l["in-flight"]+l["buffered"]+l["abandoned"] || v.Balance != "balanced" {
		p.T.Fatalf("out of balance: %s", v)
	}
}

func (v view) String() string {
	b, _ := json.Marshal(v)
	return string(b)
}

func is(state string) func(view) bool { return func(v view) bool { return v.State == state } }

func (p *page) says(selector, want string) {
	p.T.Helper()
	p.until(selector+" says "+want, func() error {
		got := p.Eval(`document.querySelector(` + "`" + selector + "`" + `).innerText`)
		if !strings.Contains(got, want) {
			return fmt.Errorf("it says %q", got)
		}
		return nil
	})
}
