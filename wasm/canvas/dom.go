//go:build js && wasm

package canvas

import "github.com/hack-pad/safejs"

// dom changes elements of the page, each only when what it shows changes: a
// call to JavaScript costs more than to remember what was said last.
type dom struct {
	doc   safejs.Value
	nodes map[string]*node
}

type node struct {
	el    safejs.Value
	said  map[string]string
	flags map[string]bool
}

func (d *dom) node(id string) *node {
	n := d.nodes[id]
	if n == nil {
		el := call(d.doc, "getElementById", id)
		if el.IsNull() {
			panic("the page has no element " + id)
		}
		n = wrap(el)
		d.nodes[id] = n
	}
	return n
}

func wrap(el safejs.Value) *node {
	return &node{el: el, said: map[string]string{}, flags: map[string]bool{}}
}

// create makes an element and puts it at the end of parent.
func (d *dom) create(parent safejs.Value, tag, class string) *node {
	n := wrap(call(d.doc, "createElement", tag))
	if class != "" {
		n.prop("className", class)
	}
	call(parent, "appendChild", n.el)
	return n
}

// prop sets a property that holds text, such as textContent or value.
func (n *node) prop(name, value string) {
	if was, ok := n.said[name]; ok && was == value {
		return
	}
	n.said[name] = value
	check(n.el.Set(name, value))
}

func (n *node) text(s string) { n.prop("textContent", s) }

// attr sets an attribute.
func (n *node) attr(name, value string) {
	key := "@" + name
	if was, ok := n.said[key]; ok && was == value {
		return
	}
	n.said[key] = value
	call(n.el, "setAttribute", name, value)
}

// flag sets a property that is true or false, such as disabled or hidden. It
// reports whether that was a change.
func (n *node) flag(name string, on bool) bool {
	if was, ok := n.flags[name]; ok && was == on {
		return false
	}
	n.flags[name] = on
	check(n.el.Set(name, on))
	return true
}

// off disables or hides a control, or neither. It reports whether the control
// has had the focus until now, which it loses.
func (n *node) off(disabled, hidden bool) (lost bool) {
	was := n.flags["disabled"] || n.flags["hidden"]
	lost = (disabled || hidden) && !was && n.focused()
	n.flag("disabled", disabled)
	n.flag("hidden", hidden)
	return lost
}

func (n *node) focused() bool { return must(call(n.el, "matches", ":focus").Bool()) }

// focus gives the element the focus, without scrolling to it.
func (n *node) focus() { call(n.el, "focus", map[string]any{"preventScroll": true}) }

// set sets a property that the person may change too, so that what was said
// last is not what it holds.
func (n *node) set(name, value string) {
	if was, ok := n.said[name]; ok && was == value && text(n.el, name) == value {
		return
	}
	n.said[name] = value
	check(n.el.Set(name, value))
}

// style sets a property of the element's own style.
func (n *node) style(name, value string) {
	key := "~" + name
	if n.said[key] == value {
		return
	}
	n.said[key] = value
	call(get(n.el, "style"), "setProperty", name, value)
}

// list makes the element's children list items with these texts.
func (n *node) list(d *dom, items []string) {
	joined := ""
	for _, s := range items {
		joined += s + "\n"
	}
	if n.said["list"] == joined {
		return
	}
	n.said["list"] = joined
	call(n.el, "replaceChildren")
	for _, s := range items {
		d.create(n.el, "li", "").text(s)
	}
}
