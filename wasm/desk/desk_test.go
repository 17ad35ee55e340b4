package desk

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/wasm/lab"
)

const frame = time.Second / 60

// open runs f with a desk in a synctest bubble.
func open(t *testing.T, query string, f func(d *Desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := New(query, lab.Options{Settle: synctest.Wait})
		defer d.Close()
		f(d)
	})
}

// do carries out messages, none of which may be refused.
func do(t *testing.T, d *Desk, messages ...any) {
	t.Helper()
	for _, m := range messages {
		d.Do(m)
		if s := d.Screen(false); s.Notice != "" {
			t.Fatalf("%T: %s", m, s.Notice)
		}
	}
}

func run(d *Desk, for_ time.Duration) {
	for ; for_ > 0; for_ -= frame {
		d.Frame(frame, nil)
	}
}

// shown is all of the screen that tells of the instant, without what tells only
// whether and how the past is shown.
func shown(d *Desk) Screen {
	s := d.Screen(true)
	s.Past, s.Head, s.Say, s.Source, s.Buttons, s.Last, s.Steps, s.TimeText, s.Announce, s.Moved = false, "", "", "", nil, 0, "", "", "", 0
	return s
}

func button(s Screen, act string) Button {
	for _, b := range s.Buttons {
		if b.Act == act {
			return b
		}
	}
	return Button{}
}

func figure(s Screen, name string) string {
	for _, f := range s.Ledger {
		if f.Name == name {
			return f.Text
		}
	}
	return "none"
}

func TestPauseHoldsTheScreen(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 3*time.Second)
		do(t, d, lab.Pause{})
		before := d.Screen(true)
		if !before.Paused || before.State != "running" {
			t.Fatalf("paused %t, %s", before.Paused, before.State)
		}
		run(d, 2*time.Second)
		if after := d.Screen(true); !reflect.DeepEqual(before, after) {
			t.Errorf("two seconds of pause changed the screen:\n%+v\n%+v", before, after)
		}
		do(t, d, lab.Resume{})
		run(d, time.Second)
		if after := d.Screen(true); after.Step <= before.Step || after.Paused {
			t.Errorf("resumed, it stands at step %d", after.Step)
		}
	})
}

func TestHundredStepsAndBack(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 2*time.Second)
		do(t, d, lab.Pause{})
		before := shown(d)
		for i := range 100 {
			was := d.Screen(false).Step
			do(t, d, StepOn{})
			if now := d.Screen(false).Step; now <= was {
				t.Fatalf("step %d led from %d to %d", i, was, now)
			}
		}
		far := shown(d)
		for range 100 {
			do(t, d, StepBack{})
		}
		if back := shown(d); !reflect.DeepEqual(before, back) {
			t.Errorf("a hundred steps and back:\n%+v\n%+v", before, back)
		}
		for range 100 {
			do(t, d, StepOn{})
		}
		if again := shown(d); !reflect.DeepEqual(far, again) {
			t.Errorf("and on again:\n%+v\n%+v", far, again)
		}
		if d.Past() {
			t.Error("the newest instant is not the past")
		}
	})
}

func TestThePastHoldsTheRun(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 2*time.Second)
		last := d.Screen(false).Last
		do(t, d, Seek{Step: last / 2})
		s := d.Screen(true)
		if s.Step != last/2 || !s.Past || !s.Paused || s.Fault {
			t.Fatalf("%+v", s)
		}
		run(d, time.Second)
		if now := d.Screen(false); now.Last != last || now.Step != s.Step {
			t.Errorf("meanwhile the run went from %d to %d", last, now.Last)
		}
		do(t, d, ToLive{})
		run(d, time.Second)
		if s = d.Screen(false); s.Past || s.Paused || s.Last <= last {
			t.Errorf("live again: %+v", s)
		}
		// A pause of the person's own outlasts a look back.
		do(t, d, lab.Pause{}, StepBack{}, ToLive{})
		if s = d.Screen(false); !s.Paused || s.Past {
			t.Errorf("paused by hand: %+v", s)
		}
	})
}

func TestReplayCatchesUp(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 2*time.Second)
		last := d.Screen(false).Last
		do(t, d, ToStart{}, lab.Resume{})
		run(d, time.Second)
		if s := d.Screen(false); !s.Past || s.Paused || s.Step == 0 || s.Step >= last || s.Last != last {
			t.Fatalf("half way: %+v", s)
		}
		run(d, 2*time.Second)
		if s := d.Screen(false); s.Past || s.Paused || s.Last <= last {
			t.Errorf("caught up: %+v", s)
		}
	})
}

// What the person does happens now, and is seen.
func TestStopInThePastIsNow(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 2*time.Second)
		do(t, d, StepBack{}, lab.Stop{})
		if s := d.Screen(false); s.Past || s.State != "draining" {
			t.Fatalf("%+v", s)
		}
		run(d, 5*time.Second)
		s := d.Screen(true)
		if s.State != "stopped" || figure(s, "accepted") != figure(s, "stored") || s.Balance != "balanced" {
			t.Errorf("%+v", s)
		}
		if !button(s, "start").Main || button(s, "stop").On || button(s, "burst").On {
			t.Errorf("buttons of a stopped run: %+v", s.Buttons)
		}
	})
}

func TestExportAndOpen(t *testing.T) {
	var file []byte
	var first Screen
	open(t, "rate=40&workers=3", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 2*time.Second)
		do(t, d, lab.Stop{})
		run(d, 5*time.Second)
		file = d.Trace().Encode()
		first = d.Screen(true)
	})
	open(t, "", func(d *Desk) {
		do(t, d, Open{Data: file})
		s := d.Screen(true)
		if !reflect.DeepEqual(s.Ledger, first.Ledger) || s.Step != first.Step || !strings.Contains(s.Source, "one thread") {
			t.Errorf("opened:\n%+v\n%+v", s, first)
		}
		do(t, d, StepBack{}, StepBack{}, StepOn{})
		if s = d.Screen(false); !s.Past || s.Step >= first.Step {
			t.Errorf("stepping in a file: %+v", s)
		}
		d.Do(lab.Burst{})
		if d.Screen(false).Notice == "" {
			t.Error("a burst into a file must be refused")
		}
		do(t, d, lab.Reset{})
		if s = d.Screen(false); s.Source != "" || s.State != "idle" {
			t.Errorf("back: %+v", s)
		}
		before := d.Screen(true)
		d.Do(Open{Data: file[:len(file)/2]})
		after := d.Screen(true)
		if after.Notice == "" {
			t.Error("half a file was opened")
		}
		after.Notice = ""
		if !reflect.DeepEqual(before, after) {
			t.Error("a broken file changed the screen")
		}
	})
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	open(t, "", func(d *Desk) {
		for _, m := range []any{lab.Stop{}, lab.Kill{}, lab.Burst{}, lab.Resume{}, StepOn{}, StepBack{}, lab.Turn{Query: "none", Value: 1}} {
			d.Do(m)
			if d.Screen(false).Notice == "" {
				t.Errorf("%T was not refused before Start", m)
			}
		}
		do(t, d, lab.Start{})
		d.Do(lab.Turn{Query: "workers", Value: 9})
		if s := d.Screen(false); !strings.Contains(s.Notice, "Reset") {
			t.Errorf("workers while it runs: %q", s.Notice)
		}
		do(t, d, lab.Turn{Query: "rate", Value: 100})
	})
}

func TestDialsGoThereAndBack(t *testing.T) {
	for _, dial := range lab.Dials() {
		least, top := dialEnds(dial)
		if v := DialAt(dial, least); v != dial.Min {
			t.Errorf("%s: %v at the left end", dial.Name, v)
		}
		if v := DialAt(dial, top); v != dial.Max {
			t.Errorf("%s: %v at the right end", dial.Name, v)
		}
		if pos := DialPos(dial, dial.Default); DialAt(dial, pos) != dial.Default {
			t.Errorf("%s: its default %v comes back as %v", dial.Name, dial.Default, DialAt(dial, pos))
		}
		before := math.Inf(-1)
		for pos := least; pos <= top; pos++ {
			v := DialAt(dial, pos)
			if v < before {
				t.Fatalf("%s falls at %d", dial.Name, pos)
			}
			before = v
			sc, err := dial.Set(lab.Default(), v)
			if err != nil || dial.Get(sc) != v {
				t.Fatalf("%s at %d: %v, %v", dial.Name, pos, v, err)
			}
		}
	}
}

func TestFollowedEventAddsUp(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 3*time.Second)
		do(t, d, lab.Pause{}, Follow{Event: 20})
		s := d.Screen(true)
		if !strings.Contains(s.StripTitle, "Event 20") || len(s.Stages) < 4 {
			t.Fatalf("%q %q", s.StripTitle, s.Stages)
		}
		life, _ := d.Life()
		sum := time.Duration(0)
		for _, g := range life.Stages {
			sum += g.To - g.From
		}
		if sum != life.To-life.From {
			t.Errorf("the stages take %v, the life %v", sum, life.To-life.From)
		}
		do(t, d, Clear{})
		if s = d.Screen(true); s.StripTitle != "" {
			t.Errorf("still follows %q", s.StripTitle)
		}
	})
}

func TestWalkThroughTheTimeline(t *testing.T) {
	open(t, "rate=40", func(d *Desk) {
		d.Do(Walk{Bars: 1})
		if d.Screen(false).Notice == "" {
			t.Error("an empty timeline has no bar to walk to")
		}
		do(t, d, lab.Start{})
		run(d, 3*time.Second)
		do(t, d, lab.Pause{}, Choose{lab.NewWho(lab.Worker, 2)}, Walk{}, Walk{Bars: -1})
		first, title := d.Bar()
		if first.Who != lab.NewWho(lab.Worker, 2) || !strings.Contains(title, "worker 2") {
			t.Fatalf("%v %q", first, title)
		}
		do(t, d, Walk{Bars: -1})
		if b, _ := d.Bar(); b.To > first.From || b.Who != first.Who {
			t.Errorf("before %v came %v", first, b)
		}
		do(t, d, Walk{Bars: 1}, Walk{Lanes: 1})
		b, _ := d.Bar()
		if b.Who != lab.NewWho(lab.Worker, 3) {
			t.Errorf("the next lane is that of %v", b.Who)
		}
		do(t, d, Enter{})
		if d.At() != b.From || d.Followed() != b.Event || d.Screen(true).Announce == "" {
			t.Errorf("entered at %v, follows %d; the bar is %+v", d.At(), d.Followed(), b)
		}
		do(t, d, Walk{Lanes: -100, Bars: -100000}, Walk{Lanes: 100, Bars: 100000}, Clear{})
		if b, _ := d.Bar(); b.Who != 0 {
			t.Errorf("cleared, %v is in focus", b.Who)
		}
	})
}

// A hidden tab sends no frames, and then one that is very long.
func TestLongFrameDoesNotRace(t *testing.T) {
	open(t, "rate=1000&cost=1ms", func(d *Desk) {
		do(t, d, lab.Start{})
		d.Frame(time.Hour, nil)
		if at := d.At(); at > longestFrame {
			t.Errorf("an hour away moved lab time to %v", at)
		}
	})
}

func TestPaceTellsWhatWasLost(t *testing.T) {
	open(t, "rate=100", func(d *Desk) {
		do(t, d, lab.Start{})
		run(d, 3*time.Second)
		if s := d.Screen(false); s.Pace != "" {
			t.Errorf("at full speed it says %q", s.Pace)
		}
		for range 60 {
			d.Frame(4*longestFrame, nil)
		}
		if s := d.Screen(false); !strings.Contains(s.Pace, "0.25") {
			t.Errorf("at a quarter it says %q", s.Pace)
		}
	})
}

func TestClockText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "00:00.000",
		10842 * time.Millisecond: "00:10.842",
		75 * time.Minute:         "75:00.000",
	} {
		if got := clockText(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	if got := thousands(1234567); got != "1,234,567" {
		t.Error(got)
	}
}
