// Command sluice serves the page, or writes it out as a static site, or records
// a run of the collector natively.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"sluice/wasm/lab"
	"sluice/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sluice:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("sluice", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned, and said once
	addr := flags.String("addr", "127.0.0.1:8000", "serve on this `address`; port 0 takes a free one")
	base := flags.String("base", "/", "URL `path` under which the site is")
	var static string
	flags.Func("static", "write the static site into this `directory` and exit", func(dir string) error {
		if dir == "" {
			return errors.New("want a directory")
		}
		static = dir
		return nil
	})
	rec := recordFlags(flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, "usage: sluice [flags]")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if rec.file != "" || len(rec.query) > 0 {
		return record(ctx, rec, stdout)
	}

	site, err := web.Load(web.Dist(), *base)
	if err != nil {
		return err
	}
	if static != "" {
		return write(site, static, stdout)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return fmt.Errorf("cannot serve: %w (another address: -addr)", err)
	}
	fmt.Fprintf(stdout, "Sluice is at http://%s%s\n", listener.Addr(), site.Base())
	return serve(ctx, listener, site)
}

func write(site *web.Site, dir string, stdout io.Writer) error {
	files, size, err := site.Write(dir)
	if err != nil {
		return fmt.Errorf("cannot write the static site: %w", err)
	}
	fmt.Fprintf(stdout, "wrote %d files, %.1f MB, to %s: the site for a web server that has it at %s\n",
		files, float64(size)/1e6, dir, site.Base())
	return nil
}

// serve answers requests until ctx is cancelled. Those in flight then have
// half a minute.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := newServer(handler)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	<-failed
	if err != nil {
		server.Close()
		return fmt.Errorf("requests were cut off at shutdown: %w", err)
	}
	return nil
}

// newServer bounds what a client can hold on to: time and header bytes.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      5 * time.Minute, // app.wasm over a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,

		DisableGeneralOptionsHandler: true,
	}
}

// A recording is what the flags ask to be recorded.
type recording struct {
	file   string
	length time.Duration
	query  url.Values // the scenario, by the keys of the page's query
}

func recordFlags(flags *flag.FlagSet) *recording {
	r := &recording{query: url.Values{}}
	flags.Func("record", "run a scenario natively on all cores, write its trace to this `file` for the page to open, and exit", func(file string) error {
		if file == "" {
			return errors.New("want a file")
		}
		r.file = file
		return nil
	})
	flags.DurationVar(&r.length, "for", 5*time.Second, "with -record: press Stop after this `time`")
	set := func(key, usage string) {
		flags.Func(key, "with -record: "+usage, func(text string) error {
			r.query.Set(key, text)
			return nil
		})
	}
	for _, d := range lab.Dials() {
		set(d.Query, fmt.Sprintf("`%s`, from %s to %s (default %s)", strings.ToLower(d.Name), d.Text(d.Min), d.Text(d.Max), d.Text(d.Default)))
	}
	set("seed", "`seed` of every draw (default 1)")
	set("store", "`store`, memory or slow (default memory)")
	return r
}

// record runs the collector until the time is up or ctx is cancelled, and writes
// the trace when everything accepted has been drained.
func record(ctx context.Context, r *recording, stdout io.Writer) error {
	if r.file == "" {
		return errors.New("the flags of a scenario need -record, and a file to record to")
	}
	if r.length <= 0 {
		return fmt.Errorf("-for must be above 0, got %v", r.length)
	}
	sc, problems := lab.Parse(r.query.Encode())
	if len(problems) > 0 {
		wrong, _, _ := strings.Cut(problems[0], ";") // what follows is for the page
		return errors.New(wrong)
	}
	trace, err := lab.Record(ctx, sc, r.length)
	if err != nil {
		return fmt.Errorf("cannot record: %w", err)
	}
	data := trace.Encode()
	if err := os.WriteFile(r.file, data, 0o666); err != nil {
		return fmt.Errorf("cannot write the trace: %w", err)
	}
	l := trace.Now().Ledger()
	fmt.Fprintf(stdout, "recorded %d steps on %d cores, %d kB, to %s: %d events submitted, %d accepted, %d stored\n",
		trace.Last(), runtime.GOMAXPROCS(0), (len(data)+999)/1000, r.file, l.Submitted, l.Accepted, l.Stored)
	return nil
}
