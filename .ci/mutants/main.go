// Mutants applies wrong edits to a copy of core, one at a time, and shows that
// the tests notice each. Run it from the top of the repository:
//
//	go run ./.ci/mutants [-v] [name ...]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A mutant replaces old, which must occur exactly once in file, by new.
type mutant struct{ name, file, old, new string }

const collector, store = "collector.go", "store.go"

func mutants() []mutant {
	return []mutant{
		{"leave on ctx.Done()", collector,
			"	for !c.killed.Load() && c.note(id, Draining, nil) {", "	for false && c.note(id, Draining, nil) {"},
		{"drain until the channel looks empty", collector,
			"		e, more := <-c.jobs // waits at most until the last claim is settled\n",
			"		var e LogEvent\n		more := false\n		select {\n		case e, more = <-c.jobs:\n		default:\n		}\n"},
		{"close without the gate", collector,
			"	if c.claims.Load() == c.received()*oneClaim+closedBit {",
			"	if c.claims.Load()&closedBit != 0 {"},
		{"back to idle after cancel", collector,
			"	return ctx.Err() == nil && c.note(", "	return c.note("},
		{"count an event twice in the store", collector,
			"	c.store.Inc(e.Key)\n", "	c.store.Inc(e.Key)\n	c.store.Inc(e.Key)\n"},
		{"count an event twice in Stats", collector,
			"	t.pending = 1\n", "	t.pending = 3\n"},
		{"recover a store's panic", collector,
			"	c.note(id, Processing, e)\n", "	defer func() { recover() }()\n	c.note(id, Processing, e)\n"},
		{"TrySubmit keeps its claim", collector,
			"	default:\n		c.unclaim()\n		return ErrFull", "	default:\n		return ErrFull"},
		{"Submit keeps its claim when its context ends", collector,
			"		c.unclaim()\n		return ctx.Err()", "		return ctx.Err()"},
		{"Submit keeps its claim when stopped", collector,
			"		c.unclaim()\n		return ErrStopped", "		return ErrStopped"},
		{"Submit waits through the shutdown", collector,
			"	case <-c.stopping: // whoever waits must not hold up the shutdown\n		c.unclaim()\n		return ErrStopped\n", ""},
		{"Submit ignores its context", collector,
			"	case <-ctx.Done(): // the caller will wait no longer\n		c.unclaim()\n		return ctx.Err()\n", ""},
		{"an ended context is turned away though there is room", collector,
			"	// A send that need not wait is cheaper than the full select.\n",
			"	if ctx.Err() != nil {\n		c.unclaim()\n		return ctx.Err()\n	}\n"},
		{"Kill leaves the intake open", collector,
			"	c.killed.Store(true)\n	c.closeIntake()\n", "	c.killed.Store(true)\n"},
		{"Kill drains", collector, "	c.killed.Store(true)\n	c.closeIntake()\n", "	c.closeIntake()\n"},
		{"a worker killed while held receives one more", collector, "	return !c.killed.Load()\n", "	return true\n"},
		{"a killed worker processes what it receives", collector,
			"		if c.killed.Load() {\n			c.abandoned.Add(1)\n			return false\n		}\n", ""},
		{"a killed worker takes one more", collector, "more && !c.killed.Load();", "more;"},
		{"a killed worker goes on", collector,
			"		if !more || !c.process(id, &e) {", "		if c.process(id, &e); !more {"},
		{"what Kill leaves is not discarded", collector, "	for range c.jobs { // only Kill leaves anything here\n		c.abandoned.Add(1)\n		c.discarded.Add(1)\n		c.closeIfSettled()\n	}\n", ""},
		{"the abandoned are forgotten", collector, "		c.abandoned.Add(1)\n		c.discarded.Add(1)\n", "		c.discarded.Add(1)\n"},
		{"a receipt settles nothing", collector,
			"	if c.stopped.Load() {\n		c.closeIfSettled()\n", "	if c.stopped.Load() {\n"},
		{"a claim given back settles nothing", collector,
			"	if c.claims.Add(^uint64(oneClaim-1))&closedBit != 0 {\n		c.closeIfSettled()\n	}\n",
			"	c.claims.Add(^uint64(oneClaim - 1))\n"},
		{"claims after the intake has closed", collector,
			"		if n&closedBit != 0 {\n			return false\n		}\n", ""},
		{"an idle worker is deaf to the cancel", collector,
			"			case <-ctx.Done(): // cancelled while idle: do not wait for an event\n				more = false\n", ""},
		{"Run does not wait for its workers", collector, "	workers.Wait()\n", ""},
		{"Run reports the cancel", collector, "	return nil\n}\n\n// work receives", "	return ctx.Err()\n}\n\n// work receives"},
		{"Run runs twice", collector, "	if c.started.Swap(true) {\n		return ErrRunning\n	}\n", ""},
		{"a second Run closes the intake", collector, "		return ErrRunning\n	}\n", "		c.closeIntake()\n		return ErrRunning\n	}\n"},
		{"one worker too few", collector, "id := 1; id <= c.cfg.Workers", "id := 2; id <= c.cfg.Workers"},
		{"a buffer twice as large", collector, "make(chan LogEvent, cfg.Buffer)", "make(chan LogEvent, 2*cfg.Buffer)"},
		{"Processed lags behind an observer", collector, "	c.tallies[id-1].rest() // so that Stats is right while the observer holds the worker\n", ""},
		{"Processed lags behind an idle worker", collector, "			t.rest()\n			select", "			select"},
		{"Accepted counts those who wait", collector, "int64(claims)-waiting", "int64(claims)+0*waiting"},
		{"a nil store is taken", collector, "	case store == nil:\n		return nil, configError(\"core: store must not be nil\")\n", ""},

		{"add under the lock for reading", store, "	s.takeTurn()\n	defer s.mu.Unlock()\n	n := s.counts[key] // another", "	s.mu.RLock()\n	defer s.mu.RUnlock()\n	n := s.counts[key] // another"},
		{"Get under no lock", store, "		s.mu.RLock()\n		n = s.counts[key]\n		s.mu.RUnlock()\n", "		n = s.counts[key]\n"},
		{"a new key is not looked for again", store, "	if n == nil {\n		n = new(atomic.Int64)\n		s.counts[key] = n\n	}\n", "	n = new(atomic.Int64)\n	s.counts[key] = n\n"},
		{"the first Inc of a key is lost", store, "		s.mu.RUnlock()\n		s.add(key)\n", "		s.mu.RUnlock()\n"},
		{"an Inc that takes its turn is lost", store, "	if s.crowd.Load() {\n		s.add(key)\n", "	if s.crowd.Load() {\n"},
		{"a Get that takes its turn finds nothing", store, "		s.takeTurn()\n		n = s.counts[key]\n", "		s.takeTurn()\n"},
		{"turns are taken for ever", store, "		s.crowd.Store(false)\n", ""},
		{"Snapshot under the lock for reading", store, "	s.mu.Lock() // for writing: Inc changes counters under the lock for reading\n	defer s.mu.Unlock()\n", "	s.mu.RLock()\n	defer s.mu.RUnlock()\n"},
	}
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	verbose := flags.Bool("v", false, "say which tests notice")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(name, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "core"), os.DirFS("core")); err != nil {
		return err
	}
	if out, err := test(ctx, dir, false); err != nil {
		return fmt.Errorf("the tests fail without any edit: %w\n%s", err, out)
	}

	var survivors []string
	tried := 0
	for _, m := range mutants() {
		if flags.NArg() > 0 && !slices.Contains(flags.Args(), m.name) {
			continue
		}
		tried++
		path := filepath.Join(dir, "core", m.file)
		right, err := os.ReadFile(filepath.Join("core", m.file))
		if err != nil {
			return err
		}
		if n := strings.Count(string(right), m.old); n != 1 {
			return fmt.Errorf("%s: what it replaces occurs %d times in %s", m.name, n, m.file)
		}
		wrong := strings.Replace(string(right), m.old, m.new, 1)
		if err := os.WriteFile(path, []byte(wrong), 0o644); err != nil {
			return err
		}
		begin := time.Now()
		out, err := test(ctx, dir, false)
		how := ""
		if err == nil { // some faults only the race detector sees
			out, err = test(ctx, dir, true)
			how = " with -race"
		}
		took := time.Since(begin).Round(100 * time.Millisecond)
		switch why := reason(out); {
		case err == nil:
			survivors = append(survivors, m.name)
			fmt.Fprintf(stdout, "SURVIVED %s (%v)\n", m.name, took)
		case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
			return fmt.Errorf("%s: does not compile:\n%s", m.name, out)
		case *verbose:
			fmt.Fprintf(stdout, "killed   %s (%v%s): %s\n", m.name, took, how, why)
		default:
			fmt.Fprintf(stdout, "killed   %s (%v%s)\n", m.name, took, how)
		}
		if err := os.WriteFile(path, right, 0o644); err != nil {
			return err
		}
	}
	if len(survivors) > 0 {
		return fmt.Errorf("%d of %d survived: %s", len(survivors), tried, strings.Join(survivors, "; "))
	}
	fmt.Fprintf(stdout, "%d mutants, none survived\n", tried)
	return nil
}

// test runs the tests of the copy. The model does not change with the edits, so
// it is left out; so are the examples, which -failfast would not stop.
func test(ctx context.Context, dir string, race bool) (string, error) {
	args := []string{"test", "-failfast", "-vet=off", "-run=^Test|^Fuzz", "-skip=^TestModel", "-timeout=30s"}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./core")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func reason(out string) string {
	said := regexp.MustCompile(`--- FAIL: (\S+)|panic: .*|fatal error: .*|WARNING: DATA RACE`).FindAllString(out, 3)
	return strings.Join(said, "; ")
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
