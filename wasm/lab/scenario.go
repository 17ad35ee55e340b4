// Package lab runs a worker pool as an experiment: it submits events to a real
// collector, injects a store that takes its time, holds lab time still or lets
// it run, and writes down every transition it observes.
//
// The lab knows nothing of a browser. Whatever shows it folds the [Trace].
package lab

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Keys are the keys that events carry, most frequent first.
func Keys() []string {
	return []string{"http.500", "auth.fail", "db.slow", "cache.miss", "disk.full"}
}

// NumKeys is the number of keys.
const NumKeys = 5

// Scenario is all that a run depends on. The zero value is not valid; start
// from [Default].
type Scenario struct {
	Producers int           // goroutines that submit
	Rate      float64       // events a second of lab time, all producers together
	Workers   int           // goroutines of the collector
	Buffer    int           // capacity of its channel
	Cost      time.Duration // mean processing time of an event
	Readers   int           // goroutines that poll Get
	Speed     float64       // seconds of lab time in a second of the reader's
	Seed      uint64        // of every draw: intervals, keys, processing times
	SlowLock  bool          // the store takes its time while it holds its lock
	Autostart bool          // start when the page opens
}

// Default is the scenario of a page opened without a query: a pool that just
// keeps up, so that one dial is enough to overload it.
func Default() Scenario {
	s := Scenario{Seed: 1}
	for _, d := range Dials() {
		d.set(&s, d.Default)
	}
	return s
}

// Dial describes one number of a scenario that a person may turn.
type Dial struct {
	Name     string // as a control is labelled
	Query    string // as the URL's query and the command line call it
	Unit     string
	Min, Max float64
	Default  float64
	Log      bool // best shown on a logarithmic scale
	Whole    bool // takes whole numbers only
	Live     bool // may be turned while a run is on
	get      func(*Scenario) float64
	set      func(*Scenario, float64)
}

// Dials lists the dials in the order in which a page shows them.
func Dials() []Dial {
	return []Dial{
		{Name: "Producers", Query: "producers", Min: 1, Max: 8, Default: 2, Whole: true, Live: true,
			get: func(s *Scenario) float64 { return float64(s.Producers) },
			set: func(s *Scenario, v float64) { s.Producers = int(v) }},
		{Name: "Rate", Query: "rate", Unit: "/s", Min: 1, Max: 10000, Default: 24, Log: true, Live: true,
			get: func(s *Scenario) float64 { return s.Rate },
			set: func(s *Scenario, v float64) { s.Rate = v }},
		{Name: "Workers", Query: "workers", Min: 1, Max: 64, Default: 4, Whole: true,
			get: func(s *Scenario) float64 { return float64(s.Workers) },
			set: func(s *Scenario, v float64) { s.Workers = int(v) }},
		{Name: "Buffer", Query: "buffer", Min: 1, Max: 256, Default: 16, Whole: true,
			get: func(s *Scenario) float64 { return float64(s.Buffer) },
			set: func(s *Scenario, v float64) { s.Buffer = int(v) }},
		{Name: "Processing time", Query: "cost", Unit: "ms", Min: 0, Max: 5000, Default: 150, Log: true, Live: true,
			get: func(s *Scenario) float64 { return float64(s.Cost) / 1e6 },
			set: func(s *Scenario, v float64) { s.Cost = time.Duration(math.Round(v * 1e6)) }},
		{Name: "Readers", Query: "readers", Min: 0, Max: 8, Default: 2, Whole: true, Live: true,
			get: func(s *Scenario) float64 { return float64(s.Readers) },
			set: func(s *Scenario, v float64) { s.Readers = int(v) }},
		{Name: "Speed", Query: "speed", Unit: "×", Min: 0.02, Max: 20, Default: 1, Log: true, Live: true,
			get: func(s *Scenario) float64 { return s.Speed },
			set: func(s *Scenario, v float64) { s.Speed = v }},
	}
}

// Get returns what s has for the dial, in the dial's unit.
func (d Dial) Get(s Scenario) float64 { return d.get(&s) }

// Set returns s with the dial at v. The error names v and the range if v is
// outside it or not a number.
func (d Dial) Set(s Scenario, v float64) (Scenario, error) {
	if math.IsNaN(v) || v < d.Min || v > d.Max {
		return s, fmt.Errorf("%s must be between %s and %s", d.Query, d.Text(d.Min), d.Text(d.Max))
	}
	if d.Whole && v != math.Trunc(v) {
		return s, fmt.Errorf("%s must be a whole number", d.Query)
	}
	d.set(&s, v)
	return s, nil
}

// Text writes v with the dial's unit.
func (d Dial) Text(v float64) string {
	switch d.Query {
	case "cost":
		return duration(v)
	case "speed":
		if v > 0 && v < 0.995 {
			return "1/" + trim(1/v, 1) + "×"
		}
		return trim(v, 1) + "×"
	case "rate":
		return trim(v, 1) + " /s"
	}
	return trim(v, 0)
}

// duration writes v milliseconds as a Go duration that reads well.
func duration(v float64) string {
	if v >= 1000 {
		return trim(v/1000, 2) + " s"
	}
	if v > 0 && v < 10 {
		return trim(v, 2) + " ms"
	}
	return trim(v, 0) + " ms"
}

// trim writes v with at most n decimals and no zeros at the end.
func trim(v float64, n int) string {
	s := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// parse reads a value as a person writes it in a query.
func (d Dial) parse(text string) (float64, error) {
	if d.Query == "cost" {
		t, err := time.ParseDuration(text)
		if err != nil {
			return 0, fmt.Errorf("cost must be a Go duration such as 150ms or 1.5s")
		}
		return float64(t) / 1e6, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s must be a number", d.Query)
	}
	return v, nil
}

// Parse reads a scenario from a URL's query, such as "workers=8&cost=20ms".
// A value that is wrong leaves its default in place and adds a problem, which
// says in a sentence what was wrong. Keys it does not know are left alone.
func Parse(query string) (s Scenario, problems []string) {
	s = Default()
	if len(query) > 4096 {
		return s, []string{"The address is too long to read a scenario from it: the defaults are used."}
	}
	values, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
	if err != nil {
		problems = append(problems, "Part of the address could not be read: "+clip(err.Error())+".")
	}
	one := func(key string) (string, bool) {
		v := values[key]
		if len(v) == 0 {
			return "", false
		}
		if len(v) > 1 {
			problems = append(problems, fmt.Sprintf("%s is given %d times: the first is used.", key, len(v)))
		}
		return v[0], true
	}
	wrong := func(key, value string, err error, used string) {
		problems = append(problems, fmt.Sprintf("%s=%s: %v; %s is used.", key, clip(value), err, used))
	}
	for _, d := range Dials() {
		text, ok := one(d.Query)
		if !ok {
			continue
		}
		v, err := d.parse(text)
		if err == nil {
			var t Scenario
			if t, err = d.Set(s, v); err == nil {
				s = t
				continue
			}
		}
		wrong(d.Query, text, err, d.Text(d.Default))
	}
	if text, ok := one("seed"); ok {
		if v, err := strconv.ParseUint(text, 10, 64); err == nil {
			s.Seed = v
		} else {
			wrong("seed", text, fmt.Errorf("seed must be a whole number from 0 to 2^64-1"), "1")
		}
	}
	if text, ok := one("store"); ok {
		switch text {
		case "memory":
		case "slow":
			s.SlowLock = true
		default:
			wrong("store", text, fmt.Errorf("store must be memory or slow"), "memory")
		}
	}
	if text, ok := one("autostart"); ok {
		switch text {
		case "0":
		case "1":
			s.Autostart = true
		default:
			wrong("autostart", text, fmt.Errorf("autostart must be 0 or 1"), "0")
		}
	}
	return s, problems
}

// Query writes s so that [Parse] reads it back, leaving out what is default.
func (s Scenario) Query() string {
	var parts []string
	for _, d := range Dials() {
		v := d.get(&s)
		if v == d.Default {
			continue
		}
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if d.Query == "cost" {
			text = s.Cost.String()
		}
		parts = append(parts, d.Query+"="+url.QueryEscape(text))
	}
	if s.Seed != 1 {
		parts = append(parts, "seed="+strconv.FormatUint(s.Seed, 10))
	}
	if s.SlowLock {
		parts = append(parts, "store=slow")
	}
	if s.Autostart {
		parts = append(parts, "autostart=1")
	}
	return strings.Join(parts, "&")
}

// clip shortens what somebody else wrote, for a message.
func clip(s string) string {
	const most = 40
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) > most {
		return string(r[:most]) + "..."
	}
	if len(r) == 0 {
		return "(empty)"
	}
	return string(r)
}
