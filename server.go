// Command sluice serves the page, or writes it out as a static site.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

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
