package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

func TestPerfetto(t *testing.T) {
	for name, tr := range map[string]*Trace{
		"drained": busyTrace(t, overload(), ringSize, 128, 100, Stop{}),
		"killed":  busyTrace(t, slow(), ringSize, 128, 100, Kill{}),
		"running": busyTrace(t, overload(), 512, 64, 200, nil),
		"empty":   NewTrace(Default()),
	} {
		t.Run(name, func(t *testing.T) {
			tr.places = append(tr.places, Place{Reason: "a \"quoted\"\n\xff reason\\"})
			if len(tr.ring) > 0 {
				tr.at(tr.Last()).Place = uint16(len(tr.places) - 1)
			}
			var buf bytes.Buffer
			if err := tr.Perfetto(&buf); err != nil {
				t.Fatal(err)
			}
			var file struct {
				TraceEvents []struct {
					Name, Ph, Cat, S string
					Pid, Tid, ID     int
					Ts, Dur          *float64
					Args             map[string]any
				}
			}
			if err := json.Unmarshal(buf.Bytes(), &file); err != nil {
				t.Fatal(err)
			}
			names := map[int]string{}
			slices := map[int]int{}
			end := map[int]float64{}
			flows := map[int]string{}
			instants := map[string]int{}
			counter := -1.0
			for _, e := range file.TraceEvents {
				if e.Ts == nil || *e.Ts < 0 || e.Pid != 1 {
					t.Fatalf("no time or process: %+v", e)
				}
				switch e.Ph {
				case "M":
					if e.Name == "thread_name" {
						names[e.Tid] = e.Args["name"].(string)
					}
				case "X":
					slices[e.Tid]++
					if e.Dur == nil || *e.Dur < 0 {
						t.Errorf("a slice without a length: %+v", e)
					} else if *e.Ts < end[e.Tid]-0.0005 {
						t.Errorf("%s: %q begins at %v, before the last one has ended at %v", names[e.Tid], e.Name, *e.Ts, end[e.Tid])
					} else {
						end[e.Tid] = *e.Ts + *e.Dur
					}
				case "s", "t", "f":
					flows[e.ID] += e.Ph
				case "C":
					counter = e.Args["length"].(float64)
				case "i":
					instants[e.Name]++
				default:
					t.Errorf("an event of type %q", e.Ph)
				}
			}
			for _, w := range tr.Lanes() {
				if names[int(w)] != w.String() || slices[int(w)] == 0 {
					t.Errorf("%v is called %q and has %d slices", w, names[int(w)], slices[int(w)])
				}
			}
			for id, f := range flows {
				if f != "stf" {
					t.Errorf("event %d flows %q", id, f)
				}
			}
			if tr.First() == 0 && uint64(len(flows)) != tr.Now().Stored {
				t.Errorf("%d flows for %d stored events", len(flows), tr.Now().Stored)
			}
			if want := float64(len(tr.Now().Queue)); counter != want {
				t.Errorf("the buffer ends with %v, want %v", counter, want)
			}
			switch name {
			case "drained":
				if instants["cancel"] != 1 || instants["intake closed"] != 1 || instants["Run has returned"] != 1 || instants["burst"] != 1 {
					t.Errorf("instants %v", instants)
				}
			case "killed":
				if instants["kill"] != 1 {
					t.Errorf("instants %v", instants)
				}
			}
		})
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPerfettoSaysWhatFailed(t *testing.T) {
	if err := NewTrace(Default()).Perfetto(failing{}); err == nil || err.Error() != "disk full" {
		t.Error(err)
	}
}
