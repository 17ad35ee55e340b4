//go:build browser

// Command bench measures the page in headless Chromium and prints tables in
// Markdown: how long it takes to start, beside an empty go-app page, and how
// smoothly it draws. It runs at the top of the repository, after a build.
//
//	go run -tags browser ./web/browsertest/bench start frames
//
// With -site it measures sites other than the embedded one, and takes turns
// between several, so that they can be compared on a machine that does other
// things too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"sluice/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A site is one of those that are compared.
type site struct {
	name  string
	files fs.FS
	serve http.Handler // in place of files
	watch *watched     // or nil
	root  string       // its address, while it is served
}

type options struct {
	sites   []*site
	rounds  int
	seconds int
	only    string
	profile string
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 0, "`times` to measure each; the table has medians (default 3 for frames, 7 for start)")
	flags.IntVar(&o.seconds, "seconds", 8, "`seconds` of frames that are measured")
	flags.StringVar(&o.only, "only", "", "only the frames of these `loads`, such as 1000x8,10000x64")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of the last frames to this `file`; build without -s to see names in it")
	flags.Func("site", "measure the site in `name=directory`, as the build wrote it", func(s string) error {
		name, dir, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want name=directory")
		}
		o.sites = append(o.sites, &site{name: name, files: os.DirFS(dir)})
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(o.sites) == 0 {
		o.sites = []*site{{name: "page", files: web.Dist()}}
	}
	what := flags.Args()
	if len(what) == 0 {
		what = []string{"start", "frames"}
	}
	for _, w := range what {
		measure := map[string]func(context.Context, options, io.Writer) error{"start": start, "frames": frames}[w]
		if measure == nil {
			return fmt.Errorf("there is no benchmark %q: start, frames", w)
		}
		if err := measure(ctx, o, stdout); err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
	}
	return nil
}

// serve serves sites on loopback, each at a port of its own, until stop.
func serve(sites []*site) (stop func(), err error) {
	var servers []*http.Server
	stop = func() {
		for _, s := range servers {
			s.Close()
		}
	}
	for _, s := range sites {
		handler := s.serve
		if handler == nil {
			loaded, err := web.Load(s.files, "/")
			if err != nil {
				stop()
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			handler = loaded
		}
		if s.watch != nil {
			s.watch.Handler = handler
			handler = s.watch
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			stop()
			return nil, err
		}
		s.root = "http://" + listener.Addr().String() + "/"
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
		servers = append(servers, server)
		go server.Serve(listener) // Close ends it
	}
	return stop, nil
}

func median(v []float64) float64 { return percentile(v, 0.5) }

// percentile is the nearest-rank percentile.
func percentile(v []float64, p float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return v[min(int(p*float64(len(v))), len(v)-1)]
}
