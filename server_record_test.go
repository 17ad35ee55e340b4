package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/wasm/lab"
)

func TestRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.sluice")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-record", file, "-for", "100ms", "-rate", "500", "-cost", "1ms", "-workers", "3", "-seed", "7", "-store", "slow"}, &out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := lab.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	sc, l := trace.Scenario, trace.Now().Ledger()
	if !trace.Parallel || sc.Rate != 500 || sc.Workers != 3 || sc.Seed != 7 || !sc.SlowLock {
		t.Errorf("recorded %+v", sc)
	}
	if l.Stored == 0 || l.Stored != l.Accepted || !strings.Contains(out.String(), "accepted") {
		t.Errorf("%+v, said %q", l, out.String())
	}
}

func TestRecordSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-rate", "5"}, "-record"},
		{[]string{"-record", ""}, "want a file"},
		{[]string{"-record", dir + "/x", "-workers", "0"}, "workers=0: workers must be between 1 and 64"},
		{[]string{"-record", dir + "/x", "-cost", "fast"}, "Go duration"},
		{[]string{"-record", dir + "/x", "-for", "-1s"}, "-for must be above 0"},
		{[]string{"-record", dir + "/none/x", "-for", "1ms"}, "cannot write the trace"},
	} {
		err := run(t.Context(), c.args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "is used") {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}
