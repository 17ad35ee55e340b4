package lab

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDefaultIsWhatDialsSay(t *testing.T) {
	s := Default()
	for _, d := range Dials() {
		if d.Get(s) != d.Default {
			t.Errorf("%s is %v, want %v", d.Query, d.Get(s), d.Default)
		}
		for _, v := range []float64{d.Min, d.Max, d.Default} {
			if _, err := d.Set(s, v); err != nil {
				t.Error(err)
			}
			if d.Text(v) == "" || strings.Contains(d.Text(v), "NaN") {
				t.Errorf("%s writes %v as %q", d.Query, v, d.Text(v))
			}
		}
	}
	if s, problems := Parse(""); s != Default() || len(problems) > 0 {
		t.Errorf("no query: %+v %v", s, problems)
	}
}

func TestParse(t *testing.T) {
	million := strings.Repeat("9", 1_000_000)
	for _, c := range []struct {
		query string
		want  func(*Scenario)
		says  string // part of the one problem, or ""
	}{
		{"?workers=8&cost=20ms&readers=0&buffer=256&producers=1", func(s *Scenario) {
			s.Workers, s.Cost, s.Readers, s.Buffer, s.Producers = 8, 20*time.Millisecond, 0, 256, 1
		}, ""},
		{"rate=0.5e3&speed=0.02&seed=18446744073709551615&store=slow&autostart=1", func(s *Scenario) {
			s.Rate, s.Speed, s.Seed, s.SlowLock, s.Autostart = 500, 0.02, math.MaxUint64, true, true
		}, ""},
		{"utm_source=x&workers=2", func(s *Scenario) { s.Workers = 2 }, ""},
		{"workers=", nil, "workers=(empty): workers must be a number; 4 is used."},
		{"workers=0", nil, "workers must be between 1 and 64"},
		{"workers=65", nil, "between 1 and 64"},
		{"workers=-3", nil, "between"},
		{"workers=2.5", nil, "whole number"},
		{"workers=NaN", nil, "must be a number"},
		{"workers=Inf", nil, "must be a number"},
		{"rate=-1", nil, "between 1 /s and 10000 /s"},
		{"rate=1e999", nil, "must be a number"},
		{"cost=5", nil, "Go duration"},
		{"cost=-5ms", nil, "between"},
		{"cost=1h", nil, "between"},
		{"seed=-1", nil, "seed"},
		{"seed=1e3", nil, "seed"},
		{"store=redis", nil, "memory or slow"},
		{"autostart=yes", nil, "0 or 1"},
		{"workers=2&workers=3", func(s *Scenario) { s.Workers = 2 }, "given 2 times"},
		{"workers=%zz&rate=30", func(s *Scenario) { s.Rate = 30 }, "could not be read"},
		{"workers=%ff", nil, "must be a number"},
		{"workers=" + million, nil, "too long"},
		{million, nil, "too long"},
		{"workers=" + million[:4000], nil, "must be a number"},
	} {
		want := Default()
		if c.want != nil {
			c.want(&want)
		}
		got, problems := Parse(c.query)
		if got != want {
			t.Errorf("%.60s: %+v, want %+v", c.query, got, want)
		}
		switch {
		case c.says == "" && len(problems) > 0, c.says != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.says)):
			t.Errorf("%.60s: %q, want %q", c.query, problems, c.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range []string{"", "workers=8&cost=20ms", "rate=NaN&seed=-1", "a=%zz;b", "speed=1e-9&speed=2", "cost=9223372036854775807ns"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s, problems := Parse(query)
		for _, d := range Dials() {
			if _, err := d.Set(s, d.Get(s)); err != nil {
				t.Errorf("%q gave a scenario with %v", query, err)
			}
		}
		for _, p := range problems {
			if !utf8.ValidString(p) || len(p) > 600 {
				t.Errorf("%q: %q", query, p)
			}
		}
		// A value that was given, understood by nobody and not complained of
		// would be a silent wrong value.
		if values, err := url.ParseQuery(strings.TrimPrefix(query, "?")); err == nil && len(problems) == 0 {
			for _, d := range Dials() {
				if v, ok := values[d.Query]; ok {
					if n, err := d.parse(v[0]); err != nil || math.Abs(n-d.Get(s)) > 1e-6 {
						t.Errorf("%q: %s is %v", query, d.Query, d.Get(s))
					}
				}
			}
		}
		again, problems := Parse(s.Query())
		if again != s || len(problems) > 0 {
			t.Errorf("%q: written as %q it reads as %+v, %q", query, s.Query(), again, problems)
		}
	})
}
