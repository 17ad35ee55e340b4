package desk

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sluice/wasm/lab"
)

// Screen is all that the page says in words and numbers at one instant.
type Screen struct {
	State     string // of the run: idle, running, draining, stopped
	Paused    bool
	Past      bool
	Step      uint64
	Head, Say string
	Notice    string   // what went wrong with the last wish
	Problems  []string // what was wrong with the address
	Source    string   // what is shown, if it is not the program in this page
	Moved     lab.Who  // who made the last step, while time is held
	Bar       string   // what the bar in focus in the timeline says
	Announce  string   // for a screen reader, when the person steps

	Ledger  []Figure
	Balance string // "balanced", or how the sources disagree
	Fault   bool

	Buttons []Button
	Dials   []DialView
	Slow    bool // the store is slow inside its lock
	SlowOff bool // and that cannot be changed now
	Pace    string

	Clock, Steps          string
	First, Last           uint64
	TimeText              string
	Rows                  []Row
	Polled                []Polled
	PolledAgo             string
	In, Out, Queue, Spans string
	Recent                []Recent
	Follow                uint32
	StripTitle            string
	Stages                []string
}

// Figure is one number of the ledger.
type Figure struct{ Name, Text string }

// Button is a button of the page.
type Button struct {
	Act    string
	On     bool // may be pressed
	Main   bool // what a person most likely wants next
	Hidden bool
}

// DialView is a slider: its position is from 0 to Top.
type DialView struct {
	Query, Text string
	Pos, Top    int
	Least       int
	Off         bool
}

// Row is a goroutine in the table.
type Row struct {
	ID, Name, State, Class string
	Reason, Why            string
	File                   string // where it is at rest; "" if no line of the pool is on its stack
	Line                   int
	Short                  string // on the marker in the code
	Blocked                bool   // in that line itself, not in what it calls
	Chosen, Lit            bool
	Who                    lab.Who
}

// At is the row's file and line as code lines are named, or "".
func (r Row) At() string {
	if r.File == "" {
		return ""
	}
	return r.File + ":" + strconv.Itoa(r.Line)
}

// Polled is what a reader last got for a key.
type Polled struct {
	Text  string
	Share float64 // of the largest
}

// Recent is an event that a person may choose to follow.
type Recent struct {
	Event uint32
	Key   uint8
	Text  string
}

// Screen describes the instant that is shown. rows tells whether to describe
// the goroutines too, which costs most of the time.
func (d *Desk) Screen(rows bool) Screen {
	t, v, at := d.Trace(), d.View(), d.At()
	sc := d.lab.Scenario()
	s := Screen{
		State: v.Phase.String(), Paused: d.Paused(), Past: d.past, Step: v.Step,
		Notice: d.notice, Problems: d.problems,
		Slow: sc.SlowLock, Follow: d.follow,
		Clock: clockText(at), First: t.First(), Last: t.Last(),
	}
	s.Head, s.Say = lab.Sentence(v, d.Paused() && !d.past)
	switch {
	case d.opened != nil && d.opened.Parallel:
		s.Source = "A trace from a file, recorded natively: goroutines in parallel on several cores"
	case d.opened != nil:
		s.Source = "A trace from a file, recorded in a browser on one thread"
	case d.past:
		s.Source = "The past of the run"
	}
	if d.past {
		s.Head += ", earlier"
	}
	if v.Step > 0 {
		s.Steps = "step " + thousands(v.Step)
		if v.Step < t.Last() {
			s.Steps += " of " + thousands(t.Last())
		}
		if n := t.Dropped(); n > 0 {
			s.Steps += ", first " + thousands(n) + " dropped"
		}
	}
	s.TimeText = s.Clock + ", " + s.Steps
	d.ledger(&s, v)
	d.buttons(&s)
	d.dials(&s, sc)
	d.polls(&s, v, at)
	d.rates(&s, t, v, at)
	if !rows {
		return s
	}
	for i := range v.Crew {
		s.Rows = append(s.Rows, d.row(t, v, &v.Crew[i], at))
	}
	if step := v.Last; d.Paused() {
		s.Moved = step.Who
		if g := v.Find(step.Who); g != nil {
			word, _ := g.StateWord(v)
			s.Announce = fmt.Sprintf("Step %d: %v, %s. %s.", v.Step, g.Who, word, t.Why(v, g, at))
		}
	} else {
		s.Announce = s.Head + ". " + s.Say
	}
	if _, title := d.Bar(); title != "" {
		s.Bar = title
		s.Announce = title
	}
	d.events(&s, t, v)
	return s
}

func (d *Desk) ledger(s *Screen, v *lab.View) {
	l := v.Ledger()
	for _, f := range []struct {
		name string
		n    uint64
	}{
		{"submitted", l.Submitted}, {"accepted", l.Accepted}, {"accepted-2", l.Accepted}, {"rejected", l.Rejected},
		{"waiting", l.Waiting}, {"stored", l.Stored}, {"in-flight", l.InFlight}, {"buffered", l.Buffered}, {"abandoned", l.Abandoned},
	} {
		s.Ledger = append(s.Ledger, Figure{f.name, strconv.FormatUint(f.n, 10)})
	}
	s.Balance = "balanced"
	switch err := d.lab.Fault(); {
	case d.opened == nil && err != nil:
		s.Balance, s.Fault = "Out of balance: "+err.Error(), true
	case !l.Balanced():
		s.Balance, s.Fault = "Out of balance", true
	}
}

func (d *Desk) buttons(s *Screen) {
	phase := d.lab.Phase()
	on := phase == lab.Live || phase == lab.Drained
	own := d.opened == nil
	some := d.Trace().Last() > 0
	paused := d.Paused()
	step := paused && some && (d.past || !own || on || d.lab.Paused())
	playable := own && (on || d.past || d.lab.Paused()) || !own
	s.Buttons = []Button{
		{Act: "start", On: own && !on, Main: own && !on},
		{Act: "stop", On: own && phase == lab.Live, Main: own && phase == lab.Live},
		{Act: "kill", On: own && on, Main: own && phase == lab.Drained},
		{Act: "reset", On: !own || some || phase != lab.Unstarted, Main: !own},
		{Act: "burst", On: own && phase == lab.Live},
		{Act: "pause", On: playable && !paused, Hidden: paused && playable},
		{Act: "resume", On: playable && paused, Hidden: !paused || !playable},
		{Act: "step", On: step},
		{Act: "step-back", On: some && d.View().Step > d.Trace().First()},
		{Act: "to-start", On: some && d.View().Step > d.Trace().First()},
		{Act: "live", On: some && (d.past || d.heldByUs || d.window != nil)},
		{Act: "export", On: some},
		{Act: "open", On: true},
		{Act: "main", On: true},
	}
}

// MainAct is the button that a person most likely wants next.
func (s *Screen) MainAct() string {
	for _, b := range s.Buttons {
		if b.Main && b.On {
			return b.Act
		}
	}
	return "start"
}

func (d *Desk) dials(s *Screen, sc lab.Scenario) {
	phase := d.lab.Phase()
	on := phase == lab.Live || phase == lab.Drained
	s.SlowOff = on || d.opened != nil
	for _, dial := range lab.Dials() {
		v := dial.Get(sc)
		least, top := dialEnds(dial)
		s.Dials = append(s.Dials, DialView{
			Query: dial.Query, Text: dial.Text(v), Pos: DialPos(dial, v), Least: least, Top: top,
			Off: on && !dial.Live || d.opened != nil && dial.Query != "speed",
		})
	}
	if pace := d.pace; phase != lab.Unstarted && !d.Paused() && pace < 0.8*sc.Speed && on {
		s.Pace = "This browser reaches " + trim(pace) + "×: lab time waits for it. Every count is exact."
	}
}

// dialEnds are the ends of a dial's slider: its values, or for a logarithmic
// one a thousand places.
func dialEnds(dial lab.Dial) (least, top int) {
	if dial.Log {
		return 0, 1000
	}
	return int(dial.Min), int(dial.Max)
}

// DialPos is where a dial's slider stands at a value.
func DialPos(dial lab.Dial, v float64) int {
	if !dial.Log {
		return int(v)
	}
	lo := logMin(dial)
	if v < lo {
		return 0
	}
	return int(math.Round(1000 * math.Log(v/lo) / math.Log(dial.Max/lo)))
}

// DialAt is the value of a dial when its slider stands at pos. Logarithmic ones
// are rounded to two digits, so that what a person reads is what is set.
func DialAt(dial lab.Dial, pos int) float64 {
	if !dial.Log {
		return min(max(float64(pos), dial.Min), dial.Max)
	}
	if pos <= 0 {
		return dial.Min
	}
	if pos >= 1000 {
		return dial.Max
	}
	lo := logMin(dial)
	v := lo * math.Pow(dial.Max/lo, float64(pos)/1000)
	digits, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 1, 64), 64)
	return min(max(digits, dial.Min), dial.Max)
}

// logMin is where a logarithmic slider begins; left of it is a minimum of 0.
func logMin(dial lab.Dial) float64 {
	if dial.Min > 0 {
		return dial.Min
	}
	return 1
}

func (d *Desk) polls(s *Screen, v *lab.View, at time.Duration) {
	most := 1
	for _, n := range v.Polled {
		most = max(most, n)
	}
	for _, n := range v.Polled {
		s.Polled = append(s.Polled, Polled{strconv.Itoa(n), float64(n) / float64(most)})
	}
	if v.Polls > 0 {
		s.PolledAgo = trim(float64(at-v.PolledAt)/1e6) + " ms ago"
	}
}

func (d *Desk) rates(s *Screen, t *lab.Trace, v *lab.View, at time.Duration) {
	s.Queue = fmt.Sprintf("%d of %d", len(v.Queue), v.Capacity)
	p, ok := t.PointAt(at)
	if !ok {
		return
	}
	s.In, s.Out = trim(p.In), trim(p.Out)
	if !math.IsNaN(p.P50) {
		s.Spans = "p50 " + trim(p.P50) + " · p95 " + trim(p.P95) + " ms"
		if p.P95 >= 1000 {
			s.Spans = "p50 " + trim(p.P50/1000) + " · p95 " + trim(p.P95/1000) + " s"
		}
	}
}

func (d *Desk) row(t *lab.Trace, v *lab.View, g *lab.Goroutine, at time.Duration) Row {
	p := t.Place(g.Place)
	word, class := g.StateWord(v)
	r := Row{
		ID: g.Who.ID(), Name: g.Who.String(), Who: g.Who, State: word, Class: class.String(),
		Reason: p.Reason, Why: t.Why(v, g, at), File: p.File, Line: p.Line,
		Blocked: p.Where == lab.InPool,
		Chosen:  g.Who == d.chosen, Lit: d.hover.Who == g.Who || d.follow != 0 && g.Event == d.follow,
	}
	switch g.Who.Role() {
	case lab.Producer:
		r.Short = "p" + strconv.Itoa(g.Who.N())
	case lab.Worker:
		r.Short = "w" + strconv.Itoa(g.Who.N())
	case lab.Reader:
		r.Short = "r" + strconv.Itoa(g.Who.N())
	default:
		r.Short = "Run"
	}
	return r
}

// events lists the events submitted last and the life of the one followed.
func (d *Desk) events(s *Screen, t *lab.Trace, v *lab.View) {
	keys := lab.Keys()
	// At a high rate a few thousand steps hold enough; at a low one they are few.
	least := t.First()
	if v.Step > 4000 {
		least = max(least, v.Step-4000)
	}
	for n := v.Step; n > least && len(s.Recent) < 8; n-- {
		if step := t.Step(n); step.Kind == lab.Submitting {
			s.Recent = append(s.Recent, Recent{Event: step.Event, Key: step.Key, Text: fmt.Sprintf("%d %s", step.Event, keys[step.Key])})
		}
	}
	life, ok := d.Life()
	if !ok {
		return
	}
	s.StripTitle = fmt.Sprintf("%s %s", keys[life.Key], life.Text())
	for _, g := range life.Stages {
		text := g.Name + ", " + trim(float64(g.To-g.From)/1e6) + " ms"
		if p := t.Place(g.Place); p.File != "" {
			text += fmt.Sprintf(", %s:%d", p.File, p.Line)
		}
		s.Stages = append(s.Stages, text)
	}
}

// clockText writes lab time as minutes, seconds and milliseconds.
func clockText(at time.Duration) string {
	ms := at.Milliseconds()
	return fmt.Sprintf("%02d:%02d.%03d", ms/60000, ms/1000%60, ms%1000)
}

// trim writes a number with as many digits as a person can use.
func trim(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 1:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".")
}

// thousands writes n with commas.
func thousands(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
