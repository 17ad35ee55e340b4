// Bench measures the core against what people would use instead, on the same
// work, in one run: the contenders take turns, round after round, and the median
// of the rounds counts. It prints Markdown. Run it in this directory:
//
//	go run . [-quick] [-rounds n] [-js] [pipeline] [store] [observe]
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/core"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "few shapes, few rounds: to see whether it works")
	js := flags.Bool("js", false, "only the pipeline against the bare channel, as under js/wasm")
	rounds := flags.Int("rounds", 6, "times that each contender has its turn, at least 1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 {
		return fmt.Errorf("rounds must be at least 1, got %d", *rounds)
	}
	wants := func(part string) bool {
		return flags.NArg() == 0 && (!*js || part == "pipeline") || slices.Contains(flags.Args(), part)
	}
	fmt.Fprintf(stdout, "%s %s/%s, %d CPUs, %s; medians of %d interleaved rounds, in nanoseconds\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().Format(time.DateOnly), *rounds)
	if wants("pipeline") {
		benchPipelines(stdout, *rounds, *quick, *js)
	}
	if wants("store") {
		benchStores(stdout, *rounds, *quick)
	}
	if wants("observe") {
		benchObserve(stdout)
	}
	return ctx.Err()
}

func benchPipelines(w io.Writer, rounds int, quick, js bool) {
	shapes := []shape{{1, 1, 1024}, {1, 4, 64}, {2, 8, 65536}}
	if !quick {
		shapes = nil
		for _, producers := range []int{1, 2} {
			for _, workers := range []int{1, 2, 4, 8} {
				for _, buffer := range []int{64, 1024, 65536} {
					shapes = append(shapes, shape{producers, workers, buffer})
				}
			}
		}
	}
	contenders := pipelines
	if js {
		contenders = pipelines[:2]
	}
	n := 1_000_000
	if quick || js {
		n /= 4
	}

	fmt.Fprintf(w, "\n### Pipeline: an event from Submit to counted\n\n| producers, workers, buffer |")
	for _, p := range contenders {
		fmt.Fprintf(w, " %s |", p.name)
	}
	ratios := []string{"of the bare channel", "times best pool", "times goroutine per event"}
	if js { // there is none of the others
		ratios = ratios[:1]
	}
	fmt.Fprintf(w, " %s |\n|---|%s\n", strings.Join(ratios, " | "), strings.Repeat("--:|", len(contenders)+len(ratios)))
	var ofBare, best, legacy []float64
	for _, s := range shapes {
		times := make([][]float64, len(contenders))
		for round := range rounds {
			for k := range contenders {
				i := (k + round) % len(contenders) // nobody always follows the same one
				p := contenders[i]
				times[i] = append(times[i], timePipeline(p, s, n/p.share))
			}
		}
		fmt.Fprintf(w, "| %d, %d, %d |", s.producers, s.workers, s.buffer)
		pool, perEvent := math.Inf(1), math.NaN()
		for i, p := range contenders {
			m := median(times[i])
			fmt.Fprintf(w, " %.0f |", m)
			if p.peer {
				pool = min(pool, m)
			} else if i > 1 {
				perEvent = m
			}
		}
		own := median(times[1])
		ofBare = append(ofBare, median(times[0])/own)
		best, legacy = append(best, pool/own), append(legacy, perEvent/own)
		fmt.Fprintf(w, " %.2f |", last(ofBare))
		if !js {
			fmt.Fprintf(w, " %.1f | %.1f |", last(best), last(legacy))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\nOf the bare channel: geometric mean %.2f. Allocations an event: %d.\n", geomean(ofBare), allocations())
	if !js {
		fmt.Fprintf(w, "Against the best pool: at least %.1f, mean %.1f. Against a goroutine per event: at least %.1f, mean %.1f.\n",
			slices.Min(best), geomean(best), slices.Min(legacy), geomean(legacy))
	}
}

func timePipeline(p pipeline, s shape, n int) float64 {
	store := core.NewMemoryStore()
	for _, key := range keys {
		store.Inc(key)
	}
	runtime.GC() // not on the next one's account
	begin := time.Now()
	p.run(s, n, store)
	took := time.Since(begin)
	total := 0
	for _, key := range keys {
		total += store.Get(key)
	}
	if total != n+len(keys) {
		panic(fmt.Sprintf("%s counted %d of %d", p.name, total-len(keys), n))
	}
	return float64(took.Nanoseconds()) / float64(n)
}

func allocations() int64 {
	return testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		sluice(shape{1, 2, 64}, b.N, core.NewMemoryStore())
	}).AllocsPerOp()
}

func benchStores(w io.Writer, rounds int, quick bool) {
	contenders := stores()
	const times = 40 // of the 16,384 operations, in a round: long enough to overlap
	all := workloads()
	if quick {
		all = slices.DeleteFunc(all, func(w workload) bool { return w.gets == 90 || w.cpus == 1 })
	}
	fmt.Fprintf(w, "\n### Store: one Inc or Get, per goroutine\n\n| keys | Get | goroutines, CPUs |")
	for _, c := range contenders {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprintf(w, " times RWMutex floor | best registry | exclusive lock |\n|---|--:|---|%s\n", strings.Repeat("--:|", len(contenders)+3))
	behind := []string{}
	for _, work := range all {
		results := make([][]float64, len(contenders))
		made := make([]core.MetricStore, len(contenders))
		goroutines := max(work.cpus, 1)
		if work.cpus == 1 {
			goroutines = 2 // that take turns
		}
		sets := make([][]op, goroutines)
		for g := range sets {
			sets[g] = work.ops(uint64(g))
		}
		for i, c := range contenders {
			made[i] = c.make()
			for _, set := range sets {
				for _, o := range set {
					made[i].Inc(o.key)
				}
			}
		}
		old := runtime.GOMAXPROCS(max(work.cpus, 1))
		for round := range rounds {
			for k := range contenders {
				i := (k + round) % len(contenders)
				results[i] = append(results[i], timeStore(made[i], sets, times))
			}
		}
		runtime.GOMAXPROCS(old)
		fmt.Fprintf(w, "| %s | %d%% | %d, %d |", work.name, work.gets, goroutines, max(work.cpus, 1))
		own, registry := median(results[0]), math.Inf(1)
		for i, c := range contenders {
			m := median(results[i])
			fmt.Fprintf(w, " %.0f |", m)
			if c.registry {
				registry = min(registry, m)
				if m < own {
					behind = append(behind, fmt.Sprintf("%s on %s, %d%% Get, %d CPUs (%.0f, %.0f)", c.name, work.name, work.gets, max(work.cpus, 1), m, own))
				}
			}
		}
		fmt.Fprintf(w, " %.2f | %.2f | %.2f |\n", own/median(results[2]), registry/own, median(results[3])/own)
	}
	fmt.Fprintf(w, "\nThe last columns: MemoryStore's time over that of the RWMutex floor, then how many times as long the best registry and the exclusive lock take.\nRegistries ahead of MemoryStore: %s.\n", cmp.Or(strings.Join(behind, "; "), "none"))
}

// timeStore returns the nanoseconds that one operation takes: of wall-clock
// time, by all operations, so that two CPUs at work without a hitch halve it.
func timeStore(s core.MetricStore, sets [][]op, times int) float64 {
	runtime.GC()
	var wg sync.WaitGroup
	ready := make(chan struct{})
	for _, set := range sets {
		wg.Go(func() {
			<-ready
			do(s, set, times)
		})
	}
	begin := time.Now()
	close(ready)
	wg.Wait()
	return float64(time.Since(begin).Nanoseconds()) / float64(len(sets)*times*opCount)
}

// benchObserve measures what the hook costs an event: nothing set, and set to a
// function that does nothing. Only the loop around it differs.
func benchObserve(w io.Writer) {
	e := core.LogEvent{ID: 1, Key: "k"}
	var observe func(core.Step)
	unset := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if observe != nil {
				observe(core.Step{Worker: 1, State: core.Processing, Event: e})
			}
		}
	})
	fmt.Fprintf(w, "\n### Observe unset\n\nTwo tests of a function for nil an event: %.1f ns, %d allocations.\n",
		2*float64(unset.T.Nanoseconds())/float64(unset.N), unset.AllocsPerOp())
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

func geomean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(x)))
}

func last(x []float64) float64 { return x[len(x)-1] }
