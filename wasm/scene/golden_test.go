package scene

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/wasm/lab"
)

var update = flag.Bool("update", false, "write the golden files of drawings anew")

// dump writes a drawing as text, an operation or a region on each line.
func dump(d Drawing) string {
	var b strings.Builder
	do := [...]string{"rect", "disc", "arc", "glyph", "line", "text", "clip", "unclip"}
	font := [...]string{"sans", "bold", "small", "mono", "tiny", "big"}
	num := func(name string, v float32) {
		if v != 0 {
			fmt.Fprintf(&b, " %s%.4g", name, v)
		}
	}
	for _, o := range d.Ops {
		fmt.Fprintf(&b, "%s %.1f,%.1f", do[o.Do], o.X, o.Y)
		if o.W != 0 || o.H != 0 {
			fmt.Fprintf(&b, " %.1fx%.1f", o.W, o.H)
		}
		num("r", o.R)
		num("from", o.From)
		num("to", o.To)
		if o.Fill != None {
			b.WriteString(" fill" + o.Fill.Property()[1:])
		}
		if o.Line != None {
			b.WriteString(" line" + o.Line.Property()[1:])
		}
		num("w", o.Width)
		b.WriteString([...]string{"", " dashed", " dotted"}[o.Dash] + [...]string{"", " stripes", " dots"}[o.Hatch])
		num("alpha", o.Alpha)
		if o.Do == Glyph {
			fmt.Fprintf(&b, " shape%d", o.Shape)
		}
		if o.Do == Text {
			fmt.Fprintf(&b, " %s %s %q", font[o.Font], [...]string{"left", "center", "right"}[o.Align], o.Text)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "height %.1f\n", d.Height)
	for _, r := range d.Regions {
		fmt.Fprintf(&b, "region %.1f,%.1f %.1fx%.1f %s\n", r.X, r.Y, r.W, r.H, r.Title())
	}
	return b.String()
}

func golden(t *testing.T, name string, d Drawing) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got := dump(d)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: run go test with -update", err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			line := func(s []string) string {
				if i < len(s) {
					return s[i]
				}
				return "(nothing)"
			}
			t.Fatalf("%s:%d\n got %s\nwant %s\nif that is meant, run go test with -update", path, i+1, line(g), line(w))
		}
	}
}

// small is a scenario that makes short golden files.
func small() lab.Scenario {
	sc := lab.Default()
	sc.Producers, sc.Workers, sc.Buffer, sc.Readers = 2, 2, 4, 1
	return sc
}

const ms = time.Millisecond

func TestGoldenStage(t *testing.T) {
	me := lab.NewWho(lab.Runner, 1)
	p1, p2, w1, w2, r1 := lab.NewWho(lab.Producer, 1), lab.NewWho(lab.Producer, 2), worker(1), worker(2), reader(1)
	steps := []lab.Step{
		{Who: me, Kind: lab.Running},
		{Who: w1, Kind: lab.Idle}, {Who: w2, Kind: lab.Idle},
	}
	at := func(d time.Duration, w lab.Who, k lab.Kind, event uint32, key uint8, value uint32) {
		steps = append(steps, lab.Step{At: d, Who: w, Kind: k, Event: event, Key: key, Value: value})
	}
	for e := uint32(1); e <= 5; e++ {
		d := time.Duration(e) * 10 * ms
		at(d, p1, lab.Submitting, e, uint8(e-1), 0)
		at(d, p1, lab.Accepted, e, uint8(e-1), e)
		if e <= 2 {
			at(d, lab.NewWho(lab.Worker, int(e)), lab.Received, e, uint8(e-1), 0)
			at(d, lab.NewWho(lab.Worker, int(e)), lab.Working, e, uint8(e-1), 100_000)
		}
	}
	at(55*ms, p1, lab.Resting, 0, 0, 40_000)
	at(60*ms, r1, lab.Polling, 0, 0, 0)
	at(60*ms, r1, lab.Got, 0, 0, 0)
	at(60*ms, r1, lab.Pausing, 0, 0, 200_000)
	at(70*ms, p2, lab.Submitting, 6, 0, 0)
	at(70*ms, p2, lab.Accepted, 6, 0, 6)
	at(75*ms, p2, lab.Submitting, 7, 3, 0) // the buffer is full
	v, tr := script(small(), steps...)
	golden(t, "stage-full", Stage(v, tr, StageOptions{W: 704, H: 300, Now: 80 * ms, Followed: 4, Chosen: w1}, nil))

	v.Apply(lab.Step{At: 90 * ms, Kind: lab.Cancelled})
	v.Apply(lab.Step{At: 90 * ms, Who: me, Kind: lab.Closed})
	v.Apply(lab.Step{At: 90 * ms, Who: p2, Kind: lab.Rejected, Event: 7, Key: 3, Value: lab.TurnedAway})
	v.Apply(lab.Step{At: 90 * ms, Who: p2, Kind: lab.Left})
	v.Apply(lab.Step{At: 110 * ms, Who: w1, Kind: lab.Stored, Event: 1})
	v.Apply(lab.Step{At: 110 * ms, Who: w1, Kind: lab.Draining})
	golden(t, "stage-draining-phone", Stage(v, tr, StageOptions{W: 390, H: 300, Portrait: true, Now: 115 * ms}, nil))
}

func TestGoldenSlowStore(t *testing.T) {
	sc := small()
	sc.SlowLock = true
	v, tr := script(sc,
		lab.Step{Who: lab.NewWho(lab.Runner, 1), Kind: lab.Running},
		lab.Step{At: ms, Who: worker(1), Kind: lab.Received, Event: 1, Key: 2},
		lab.Step{At: ms, Who: worker(2), Kind: lab.Received, Event: 2, Key: 4},
		lab.Step{At: ms, Who: worker(1), Kind: lab.AtDoor, Event: 1, Key: 2},
		lab.Step{At: ms, Who: worker(1), Kind: lab.Inside, Event: 1, Key: 2, Value: 100_000},
		lab.Step{At: ms, Who: worker(2), Kind: lab.AtDoor, Event: 2, Key: 4},
		lab.Step{At: 50 * ms, Who: reader(1), Kind: lab.Polling},
		lab.Step{At: 50 * ms, Who: reader(1), Kind: lab.AtDoor},
	)
	golden(t, "stage-slow-store", Stage(v, tr, StageOptions{W: 704, H: 300, Now: 60 * ms}, nil))
}

// TestGoldenTimeline draws a run with one goroutine of a role, in which nothing
// is left to the scheduler.
func TestGoldenTimeline(t *testing.T) {
	sc := lab.Default()
	sc.Producers, sc.Workers, sc.Buffer, sc.Readers, sc.Rate = 1, 1, 2, 1, 12
	inLab(t, sc, func(l *lab.Lab, do func(...lab.Message), run func(time.Duration)) {
		do(lab.Start{})
		run(300 * ms)
		do(lab.Burst{})
		run(300 * ms)
		do(lab.Stop{})
		run(200 * ms)
		golden(t, "timeline", Timeline(l.Trace(), TimelineOptions{
			W: 660, H: 90, To: time.Second, Now: l.Now(), Cursor: 500 * ms, Followed: 3, Chosen: worker(1),
		}))
	})
}

func TestGoldenStrip(t *testing.T) {
	life := lab.Life{Event: 9, Key: 1, Producer: lab.NewWho(lab.Producer, 1), Worker: worker(2), From: 100 * ms, To: 400 * ms, Outcome: lab.WasStored,
		Stages: []lab.Stage{
			{Name: "waited at the full buffer", Kind: lab.Submitting, From: 100 * ms, To: 150 * ms, Step: 3},
			{Name: "buffered", Kind: lab.Accepted, From: 150 * ms, To: 250 * ms, Step: 5},
			{Name: "received by worker 2", Who: worker(2), Kind: lab.Received, From: 250 * ms, To: 250 * ms, Step: 9},
			{Name: "processed", Who: worker(2), Kind: lab.Working, From: 250 * ms, To: 400 * ms, Step: 10},
			{Name: "stored", Who: worker(2), Kind: lab.Stored, From: 400 * ms, To: 400 * ms, Step: 14},
		}}
	golden(t, "strip", Strip(life, StripOptions{W: 660, Now: 500 * ms}))
}
