// Package desk is the page without its pixels: which instant is shown, which
// event and goroutine are followed, what each control says. It changes only by
// messages, and [Desk.Screen] is a plain value that a browser shows.
package desk

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"sluice/wasm/lab"
	"sluice/wasm/scene"
)

// Messages that concern what is shown. The desk hands every lab.Message on.
type (
	// Seek shows the instant after a step, and holds the run meanwhile.
	Seek struct{ Step uint64 }
	// SeekTime shows a lab time.
	SeekTime struct{ At time.Duration }
	// StepOn releases a goroutine or, at a past instant, shows the next one.
	StepOn struct{}
	// StepBack shows the instant before the one shown.
	StepBack struct{}
	// ToStart shows the oldest instant retained.
	ToStart struct{}
	// ToLive shows now, and lets the run go on if it was held only to look back.
	ToLive struct{}
	// Play goes on from the instant shown; Toggle plays or pauses.
	Play   struct{}
	Toggle struct{}
	// Follow lights one event wherever it is shown; 0 ends that.
	Follow struct{ Event uint32 }
	// Choose lights one goroutine; chosen again or 0, it ends that.
	Choose struct{ Who lab.Who }
	// Clear follows no event and chooses no goroutine.
	Clear struct{}
	// Hover lights what the pointer is on.
	Hover struct {
		Event uint32
		Who   lab.Who
	}
	// Zoom scales the timeline by Factor about a lab time; Pan moves it by a
	// share of its width; Fit shows all that is retained.
	Zoom struct {
		At     time.Duration
		Factor float64
	}
	Pan struct{ Share float64 }
	Fit struct{}
	// Walk moves the focus in the timeline by lanes and by bars; Enter shows the
	// instant at which the bar in focus begins, and follows its event.
	Walk  struct{ Lanes, Bars int }
	Enter struct{}
	// Open shows a trace from a file.
	Open struct{ Data []byte }
	// Say shows a message to the person.
	Say struct{ Text string }
)

// longestFrame is the most time that a frame makes up for. A tab that was hidden,
// or a clock that jumped, does not make lab time race.
const longestFrame = 50 * time.Millisecond

// Desk is the state of the page. It is used by one goroutine.
type Desk struct {
	lab      *lab.Lab
	opened   *lab.Trace // a trace from a file, shown in place of the lab's
	past     bool       // an instant before now is shown
	view     lab.View   // that instant
	at       time.Duration
	playing  bool    // the past moves on towards now
	heldByUs bool    // the run is paused only because the past is shown
	pace     float64 // the speed that was reached lately, against the person\'s clock

	held instant // where the run was held last, which need not be at a step

	follow   uint32
	chosen   lab.Who
	hover    Hover
	window   *scene.Window // nil: follows now
	bar      lab.Bar       // in focus in the timeline; its Who is 0 if none is
	notice   string
	problems []string
	lifeOf   lifeKey
	life     lab.Life
	lifeOK   bool
}

type instant struct {
	trace *lab.Trace
	step  uint64
	at    time.Duration
}

type lifeKey struct {
	trace *lab.Trace
	event uint32
	upTo  uint64
}

// New returns a desk with a lab in the scenario that a URL's query asks for.
func New(query string, opt lab.Options) *Desk {
	sc, problems := lab.Parse(query)
	return &Desk{lab: lab.New(sc, opt), problems: problems}
}

// Close ends what runs.
func (d *Desk) Close() { d.lab.Close() }

// Lab is the experiment.
func (d *Desk) Lab() *lab.Lab { return d.lab }

// Trace is the trace that is shown.
func (d *Desk) Trace() *lab.Trace {
	if d.opened != nil {
		return d.opened
	}
	return d.lab.Trace()
}

// View is the instant that is shown. It is not a copy.
func (d *Desk) View() *lab.View {
	if d.past {
		return &d.view
	}
	return d.Trace().Now()
}

// At is the lab time that is shown: at or after the view's last step.
func (d *Desk) At() time.Duration {
	switch {
	case d.past:
		return d.at
	case d.opened != nil:
		return d.opened.End()
	}
	return max(d.lab.Now(), d.Trace().End())
}

// Past reports whether an instant before now is shown.
func (d *Desk) Past() bool { return d.past }

// Paused reports whether what is shown stands still by the person's wish.
func (d *Desk) Paused() bool {
	switch {
	case d.past:
		return !d.playing
	case d.opened != nil:
		return true
	}
	return d.lab.Paused()
}

// Followed is the event that is lit, Chosen the goroutine.
func (d *Desk) Followed() uint32 { return d.follow }
func (d *Desk) Chosen() lab.Who  { return d.chosen }

// Lit is what the pointer is on.
func (d *Desk) Lit() Hover { return d.hover }

// Do carries out a message. What goes wrong is shown to the person.
func (d *Desk) Do(m any) {
	if _, ok := m.(Hover); !ok {
		d.notice = ""
	}
	if !d.past && d.opened == nil && d.lab.Paused() && d.At() > d.View().At {
		d.held = instant{d.Trace(), d.View().Step, d.At()}
	}
	if err := d.do(m); err != nil {
		d.notice = err.Error()
	}
}

func (d *Desk) do(m any) error {
	switch m := m.(type) {
	case Seek:
		return d.seek(m.Step, -1)
	case SeekTime:
		return d.seek(d.Trace().Find(m.At), m.At)
	case StepBack:
		return d.seek(d.Trace().Before(d.View().Step), -1)
	case ToStart:
		return d.seek(d.Trace().First(), -1)
	case StepOn:
		return d.stepOn()
	case ToLive:
		return d.live(d.heldByUs)
	case Play:
		return d.play()
	case Toggle:
		if d.Paused() {
			return d.play()
		}
		return d.pause()
	case lab.Pause:
		return d.pause()
	case lab.Resume:
		return d.play()
	case Follow:
		d.follow = m.Event
	case Choose:
		if m.Who == d.chosen {
			m.Who = 0
		}
		d.chosen = m.Who
	case Clear:
		d.follow, d.chosen, d.problems, d.bar, d.hover = 0, 0, nil, lab.Bar{}, Hover{}
	case Hover:
		d.hover = m
	case Zoom:
		w := d.Window().Zoom(m.At, m.Factor).Clamp(d.Trace().Start(), d.At())
		d.window = &w
	case Pan:
		w := d.Window()
		w = w.Pan(time.Duration(m.Share*float64(w.To-w.From))).Clamp(d.Trace().Start(), d.Trace().End())
		d.window = &w
	case Fit:
		w := scene.Fit(d.Trace().Start(), max(d.Trace().End(), d.At()))
		d.window = &w
	case Walk:
		return d.walk(m)
	case Enter:
		if d.bar.Who == 0 {
			return nil
		}
		d.follow = d.bar.Event
		return d.seek(d.Trace().Find(d.bar.From), d.bar.From)
	case Open:
		return d.open(m.Data)
	case Say:
		return errors.New(m.Text)
	case lab.Message:
		return d.control(m)
	default:
		return fmt.Errorf("desk: unknown message %T", m)
	}
	return nil
}

// control hands a message to the lab. What the person does happens now, so now
// is shown.
func (d *Desk) control(m lab.Message) error {
	if _, ok := m.(lab.Reset); ok {
		d.opened, d.past, d.heldByUs, d.playing = nil, false, false, false
		d.follow, d.chosen, d.window, d.bar = 0, 0, nil, lab.Bar{}
		return d.lab.Do(m)
	}
	if _, ok := m.(lab.Start); ok && d.opened != nil {
		d.opened = nil
	}
	if d.opened != nil {
		return errors.New("a recorded trace is shown: Reset to go back to the running program")
	}
	switch m.(type) {
	case lab.Start:
		d.problems = nil // seen
		d.follow, d.chosen, d.window, d.bar = 0, 0, nil, lab.Bar{}
		d.pace = d.lab.Scenario().Speed
	}
	if err := d.live(d.heldByUs); err != nil {
		return err
	}
	return d.lab.Do(m)
}

// seek shows the instant after step n, at lab time at if that is not negative.
func (d *Desk) seek(n uint64, at time.Duration) error {
	t := d.Trace()
	if t.Last() == 0 {
		return errors.New("there is nothing to look back at yet: press Start first")
	}
	if !d.past && d.opened == nil && !d.lab.Paused() {
		if err := d.lab.Do(lab.Pause{}); err != nil {
			return err
		}
		d.heldByUs = true
	}
	t.Seek(&d.view, n)
	d.past, d.playing = true, false
	d.at = max(at, d.view.At)
	if at < 0 && d.held.trace == t && d.held.step == d.view.Step {
		d.at = d.held.at
	}
	if d.view.Step == t.Last() && at < 0 {
		d.past = false // now, though the run stays held
	}
	return nil
}

// live shows now. If resume, the run goes on.
func (d *Desk) live(resume bool) error {
	d.past, d.playing, d.window = false, false, nil
	if d.opened != nil || !resume {
		return nil
	}
	d.heldByUs = false
	if d.lab.Paused() {
		return d.lab.Do(lab.Resume{})
	}
	return nil
}

func (d *Desk) play() error {
	switch {
	case d.past:
		d.playing = true
		return nil
	case d.opened != nil:
		// From the end there is nowhere to go but the start.
		if err := d.seek(d.opened.First(), -1); err != nil {
			return err
		}
		d.playing = true
		return nil
	}
	d.heldByUs = false
	return d.lab.Do(lab.Resume{})
}

func (d *Desk) pause() error {
	if d.past || d.opened != nil {
		d.playing = false
		return nil
	}
	d.heldByUs = false
	return d.lab.Do(lab.Pause{})
}

func (d *Desk) stepOn() error {
	if d.past || d.opened != nil {
		return d.seek(d.Trace().After(d.View().Step), -1)
	}
	if err := d.lab.Do(lab.Release{Who: d.chosen}); err != nil {
		if d.chosen != 0 && d.lab.Paused() {
			return fmt.Errorf("%v cannot be stepped: %w", d.chosen, err)
		}
		return err
	}
	return nil
}

func (d *Desk) open(data []byte) error {
	t, err := lab.Decode(data)
	if err != nil {
		return fmt.Errorf("the file cannot be opened: %w", err)
	}
	if !d.lab.Paused() && d.opened == nil {
		switch d.lab.Phase() {
		case lab.Live, lab.Drained:
			if err := d.lab.Do(lab.Pause{}); err != nil {
				return err
			}
		}
	}
	d.opened, d.past, d.playing, d.heldByUs = t, false, false, false
	d.follow, d.chosen, d.window, d.bar = 0, 0, nil, lab.Bar{}
	return nil
}

// Frame moves time on by elapsed of the person's time, or by less if that is
// much. more reports whether there is time left in this frame.
func (d *Desk) Frame(elapsed time.Duration, more func() bool) {
	took := min(elapsed, longestFrame)
	if !d.past {
		if d.opened == nil && !d.lab.Paused() {
			before := d.lab.Now()
			d.lab.Tick(took, more)
			d.measure(elapsed, d.lab.Now()-before)
		}
		return
	}
	if !d.playing {
		return
	}
	t := d.Trace()
	d.at += time.Duration(float64(took) * d.lab.Scenario().Speed)
	t.Seek(&d.view, t.Find(d.at))
	if d.at >= t.End() {
		d.past, d.playing = false, false
		if d.opened == nil {
			d.heldByUs = false
			// The replay has caught up: the program itself goes on.
			if err := d.lab.Do(lab.Resume{}); err != nil {
				d.notice = err.Error()
			}
		}
	}
}

// walk moves the focus in the timeline. It begins at the instant shown, in the
// lane of the goroutine that is chosen.
func (d *Desk) walk(m Walk) error {
	t := d.Trace()
	lanes := t.Lanes()
	if len(lanes) == 0 {
		return errors.New("the timeline is empty: press Start first")
	}
	at, who := d.bar.From, d.bar.Who
	if who == 0 {
		at, who, m.Lanes = d.At(), d.chosen, 0
	}
	i := max(slices.Index(lanes, who), 0)
	i = min(max(i+m.Lanes, 0), len(lanes)-1)
	bars := t.Bars(lanes[i], t.Start(), t.End())
	if len(bars) == 0 {
		return fmt.Errorf("%v has no bar yet", lanes[i])
	}
	n := sort.Search(len(bars), func(n int) bool { return bars[n].From > at }) - 1
	n = min(max(n+m.Bars, 0), len(bars)-1)
	d.bar = bars[n]
	d.hover = Hover{Event: d.bar.Event, Who: d.bar.Who}
	if w := d.Window(); d.bar.From < w.From || d.bar.From > w.To {
		width := w.To - w.From
		w = scene.Window{From: d.bar.From - width/2, To: d.bar.From + width/2}.Clamp(t.Start(), max(t.End(), d.At()))
		d.window = &w
	}
	return nil
}

// Bar is the bar in focus in the timeline, if there is one, and what it says.
func (d *Desk) Bar() (lab.Bar, string) {
	b := d.bar
	if b.Who == 0 {
		return b, ""
	}
	return b, scene.Region{Part: scene.Bar, Who: b.Who, Kind: b.Kind, Event: b.Event, Key: b.Key, From: b.From, To: b.To, Now: d.At()}.Title()
}

// measure keeps the pace of the last second or so. A frame of more than a second
// is a tab that was hidden, and says nothing.
func (d *Desk) measure(elapsed, moved time.Duration) {
	if elapsed <= 0 || elapsed > time.Second {
		return
	}
	d.pace += (float64(moved)/float64(elapsed) - d.pace) * min(elapsed.Seconds(), 1)
}

// Pace is the speed that was reached lately.
func (d *Desk) Pace() float64 { return d.pace }

// Look has the rows of a Screen say where every goroutine is now.
func (d *Desk) Look() {
	if !d.past && d.opened == nil {
		d.lab.Look()
	}
}

// Window is the stretch of lab time that the timeline shows.
func (d *Desk) Window() scene.Window {
	if d.window != nil {
		return *d.window
	}
	// As wide on the screen at every speed.
	width := time.Duration(12 * float64(time.Second) * min(max(d.lab.Scenario().Speed, 0.05), 20))
	at := d.At()
	if d.opened != nil || d.past {
		// The instant shown stays in the picture.
		end := max(d.Trace().End(), at)
		if end-at < width {
			at = end
		} else {
			at += width / 2
		}
	}
	return scene.Window{From: max(at-width, 0), To: max(at, width)}
}

// Life is the life so far of the event that is followed.
func (d *Desk) Life() (lab.Life, bool) {
	if d.follow == 0 {
		return lab.Life{}, false
	}
	t := d.Trace()
	upTo := d.View().Step
	if key := (lifeKey{t, d.follow, upTo}); key != d.lifeOf {
		d.lifeOf = key
		d.life, d.lifeOK = t.Life(d.follow, upTo)
	}
	return d.life, d.lifeOK
}
