// Package scene turns a view of the lab at one instant into a list of drawing
// operations. It paints nothing and keeps no state of the experiment: the same
// view, size and time give the same list, but for glyphs on their way.
package scene

// Op is one drawing operation. Coordinates are CSS pixels from the top left.
type Op struct {
	Do    Do
	X, Y  float32 // top left of a Rect; centre of a Disc, Arc or Glyph; start of a Line; anchor of a Text on its baseline
	W, H  float32 // size of a Rect; end minus start of a Line
	R     float32 // corner radius of a Rect; radius of a Disc, Arc or Glyph; factor on a Text's size, where 0 is 1
	From  float32 // of an Arc: turns clockwise from the top
	To    float32
	Fill  Ink     // None: not filled; colour of a Text
	Line  Ink     // None: no outline; of a Text, a halo
	Width float32 // of the outline
	Dash  Dash
	Hatch Hatch   // over the fill, in the colour of Fill
	Alpha float32 // 0 is taken as 1
	Shape uint8   // of a Glyph: the event's key
	Font  Font
	Align Align
	Text  string
}

// Do is the sort of an operation.
type Do uint8

const (
	Rect Do = iota
	Disc
	Arc
	Glyph // the shape of an event's key: circle, square, triangle, diamond, hexagon
	Line
	Text
	Clip   // to the rectangle X Y W H, until Unclip
	Unclip // ends the last Clip
)

// Ink is a colour by its role. Each theme has its own value for it: the CSS
// custom property of the same name.
type Ink uint8

const (
	None Ink = iota
	Paper
	Sheet
	Sunk
	Hair   // --line
	Strong // --line-strong
	Ink1   // --ink
	Ink2   // --ink-2
	Accent
	AccentInk
	Run  // --run
	Rest // --idle
	Wait // --wait
	Drain
	Key0
	Key1
	Key2
	Key3
	Key4
	NumInks
)

// Property is the CSS custom property that holds the ink's colour.
func (i Ink) Property() string {
	return [...]string{"", "--paper", "--sheet", "--sunk", "--line", "--line-strong", "--ink", "--ink-2",
		"--accent", "--accent-ink", "--run", "--idle", "--wait", "--drain",
		"--k0", "--k1", "--k2", "--k3", "--k4"}[i]
}

// Dash is the pattern of an outline.
type Dash uint8

const (
	Solid  Dash = iota
	Dashed      // 3 3
	Dotted      // 2 4
)

// Hatch is a pattern over a fill, so that states differ without colour too.
type Hatch uint8

const (
	Plain   Hatch = iota
	Stripes       // diagonal, on a quarter of the colour
	Dots          // on a third of the colour
)

// Font is a style of text. Sizes are CSS pixels at scale 1.
type Font uint8

const (
	Sans      Font = iota // 12
	SansBold              // 13
	SansSmall             // 11
	Mono                  // 10.5
	MonoSmall             // 8.5
	MonoBig               // 12
)

// Align is where a text's anchor is.
type Align uint8

const (
	Left Align = iota
	Center
	Right
)
