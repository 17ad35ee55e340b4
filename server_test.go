package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/build"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"sluice/web"
)

// The test binary is also the program, for tests of its exit code and signals.
func TestMain(m *testing.M) {
	if os.Getenv("SLUICE_RUN_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const wasmPath = "/app.0123456789ab.wasm"

func site(t testing.TB) *web.Site {
	t.Helper()
	s, err := web.Load(fstest.MapFS{
		wasmPath[1:]: {Data: bytes.Repeat([]byte("wasm"), 2<<20)}, // more than sockets hold
		"index.html": {Data: []byte("the page")},
		"404.html":   {Data: []byte("no such page")},
	}, "/")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func built() bool {
	_, err := web.Load(web.Dist(), "/")
	return err == nil
}

func TestRunErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		want   string
		usable bool // needs a built site to get that far
	}{
		{[]string{"-port", "80"}, "flag provided but not defined: -port", false},
		{[]string{"-addr"}, "flag needs an argument: -addr", false},
		{[]string{"serve"}, `unexpected argument "serve"`, false},
		{[]string{"-base", "sluice"}, `base path "sluice": want an absolute URL path such as /sluice/`, false},
		{[]string{"-static", ""}, `invalid value "" for flag -static: want a directory`, false},
		{[]string{"-addr", taken.Addr().String()}, "address already in use (another address: -addr)", true},
		{[]string{"-addr", "nowhere"}, "missing port in address", true},
		{[]string{"-static", filepath.Join(file, "site")}, "cannot write the static site: ", true},
	} {
		want := c.want
		if c.usable && !built() {
			want = web.ErrNotBuilt.Error()
		}
		var out bytes.Buffer
		err := run(t.Context(), c.args, &out)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || out.Len() > 0 {
			t.Errorf("%q: error %v and output %q, want %q in one line and no output", c.args, err, out.String(), want)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out); err != nil || !strings.Contains(out.String(), "-base path") {
		t.Errorf("-h: error %v and output %q", err, out.String())
	}
}

func TestWriteErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := write(site(t), filepath.Join(file, "site"), &out); !errors.Is(err, syscall.ENOTDIR) || out.Len() > 0 {
		t.Errorf("below a file: error %v, output %q", err, out.String())
	}
	if err := write(site(t), t.TempDir(), &out); err != nil || !strings.HasPrefix(out.String(), "wrote 3 files, 8.4 MB, to ") {
		t.Errorf("error %v, output %q", err, out.String())
	}
}

// start serves handler and returns its address. Stop cancels and returns what
// serve returned.
func start(t *testing.T, handler http.Handler) (addr string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener, handler) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { stop() })
	return listener.Addr().String(), stop
}

// raw sends bytes that http.Client would not, and reads the answer.
func raw(t *testing.T, addr, request string) (status int, header http.Header, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, request) // the server may hang up before the end
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	return r.StatusCode, r.Header, string(b)
}

func TestHostileRequests(t *testing.T) {
	addr, _ := start(t, site(t))
	const end = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	for _, c := range []struct {
		name, request string
		status        int
		body          string
	}{
		{"plain", "GET /" + end, 200, "the page"},
		{"absolute form", "GET http://elsewhere/" + end, 200, "the page"},
		{"with a query", "GET /?" + strings.Repeat("a=%zz&", 1000) + end, 200, "the page"},

		{"traversal", "GET /../../../etc/passwd" + end, 404, "no such page"},
		{"traversal, encoded", "GET /%2e%2e/%2e%2e/etc/passwd" + end, 404, "no such page"},
		{"traversal, slash encoded", "GET /..%2f..%2fetc%2fpasswd" + end, 404, "no such page"},
		{"traversal, encoded twice", "GET /%252e%252e%252fetc/passwd" + end, 404, "no such page"},
		{"traversal, doubled", "GET /....//....//etc/passwd" + end, 404, "no such page"},
		{"traversal, backslash", `GET /..\..\etc\passwd` + end, 404, "no such page"},
		{"traversal, backslash encoded", "GET /..%5c..%5cetc%5cpasswd" + end, 404, "no such page"},
		{"overlong UTF-8", "GET /%c0%ae%c0%ae/etc/passwd" + end, 404, "no such page"},
		{"NUL", "GET /index.html%00.png" + end, 404, "no such page"},
		{"source", "GET /server.go" + end, 404, "no such page"},
		{"not of the site", "GET /README" + end, 404, "no such page"},
		{"slashes", "GET //" + end, 404, "no such page"},
		{"dot", "GET /./index.html" + end, 404, "no such page"},
		{"empty path", "GET ?x" + end, 400, ""},
		{"bad escape", "GET /%zz" + end, 400, ""},
		{"control byte", "GET /\x01" + end, 400, ""},

		{"POST", "POST /" + end + "Content-Length: 3\r\n\r\nabc", 405, "method not allowed\n"},
		{"PUT", "PUT /index.html" + end, 405, "method not allowed\n"},
		{"DELETE", "DELETE /" + end, 405, "method not allowed\n"},
		{"TRACE", "TRACE /" + end, 405, "method not allowed\n"},
		{"OPTIONS", "OPTIONS *" + end, 405, "method not allowed\n"},
		{"CONNECT", "CONNECT elsewhere:443" + end, 405, "method not allowed\n"},
		{"lower case", "get /" + end, 405, "method not allowed\n"},
		{"invented", "BREW /" + end, 405, "method not allowed\n"},
		{"no method", " /" + end, 400, ""},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405, ""},
		{"HTTP/9.9", "GET / HTTP/9.9\r\n\r\n", 505, ""},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, ""},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", 400, ""},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, "the page"},

		{"both lengths", "GET /" + end + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "the page"},
		{"two lengths", "GET /" + end + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400, ""},
		{"negative length", "GET /" + end + "Content-Length: -1\r\n", 400, ""},
		{"folded header", "GET /" + end + "A: b\r\n\tc\r\n", 200, "the page"},
		{"header without a name", "GET /" + end + ": b\r\n", 400, ""},
		{"Accept-Encoding", "GET /" + end + "Accept-Encoding: ;;q=,,*;q=x\r\n", 200, "the page"},
		{"If-None-Match", "GET /" + end + "If-None-Match: W/\"\r\n", 200, "the page"},
		{"huge header", "GET /" + end + "A: " + strings.Repeat("a", 1<<20) + "\r\n", 431, ""},
		{"many headers", "GET /" + end + strings.Repeat("A: a\r\n", 1<<17), 431, ""},
		{"huge path", "GET /" + strings.Repeat("a", 1<<20) + end, 431, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := c.request
			if !strings.Contains(request, "\r\n\r\n") {
				request += "\r\n"
			}
			status, header, body := raw(t, addr, request)
			if status != c.status || c.body != "" && body != c.body {
				t.Errorf("status %d, body %.60q; want %d, %q", status, body, c.status, c.body)
			}
			if allow := header.Get("Allow"); (status == 405) != (allow == "GET, HEAD") {
				t.Errorf("status %d with Allow: %q", status, allow)
			}
			if c.body != "" && header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("answered without nosniff")
			}
		})
	}
}

// A pipeListener hands out in-memory connections, which a synctest bubble can
// wait on.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// Clients that are slow, silent or endless are let go after a fixed time or
// number of bytes.
func TestSlowClients(t *testing.T) {
	drip := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			for _, err := io.WriteString(c, text); err == nil; _, err = io.WriteString(c, "a") {
				time.Sleep(time.Second)
			}
		}
	}
	flood := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			chunk := strings.Repeat("a", 4096)
			for _, err := io.WriteString(c, text); err == nil; _, err = io.WriteString(c, chunk) {
			}
		}
	}
	for _, c := range []struct {
		name        string
		send        func(net.Conn)
		least, most time.Duration // until it is let go
		bytes       int64         // that the server reads at most
	}{
		{"silent", func(net.Conn) {}, 5 * time.Second, 5 * time.Second, 0},
		{"slow header", drip("GET / HTTP/1.1\r\nA: "), 5 * time.Second, 5 * time.Second, 100},
		{"endless header", flood("GET / HTTP/1.1\r\nA: "), 0, 5 * time.Second, 32 << 10},
		{"slow body", drip("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"), 10 * time.Second, 10 * time.Second, 200},
		{"endless body", flood("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"), 0, 10 * time.Second, 1 << 20},
		{"idle", func(c net.Conn) { io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }, 2 * time.Minute, 2 * time.Minute, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			handler := site(t)
			synctest.Test(t, func(t *testing.T) {
				listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
				server := newServer(handler)
				go server.Serve(listener)
				defer server.Close()
				client, conn := net.Pipe()
				counted := &countConn{Conn: conn}
				listener.conns <- counted
				start := time.Now()
				var sender sync.WaitGroup
				sender.Go(func() { c.send(client) })
				io.Copy(io.Discard, client) // until the server hangs up
				if d := time.Since(start); d < c.least || d > c.most+time.Second {
					t.Errorf("let go after %v, want %v to %v", d, c.least, c.most)
				}
				if n := counted.read.Load(); n > c.bytes {
					t.Errorf("read %d bytes, want at most %d", n, c.bytes)
				}
				client.Close()
				sender.Wait()
			})
		})
	}
	// One that asks for app.wasm and never reads it.
	t.Run("no reader", func(t *testing.T) {
		handler := site(t)
		synctest.Test(t, func(t *testing.T) {
			listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
			returned := make(chan time.Duration, 1)
			start := time.Now()
			server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handler.ServeHTTP(w, r)
				returned <- time.Since(start)
			}))
			go server.Serve(listener)
			defer server.Close()
			client, conn := net.Pipe()
			defer client.Close()
			listener.conns <- conn
			io.WriteString(client, "GET "+wasmPath+" HTTP/1.1\r\nHost: x\r\n\r\n")
			if d := <-returned; d > 5*time.Minute {
				t.Errorf("let go after %v, want 5 minutes", d)
			}
		})
	})
}

type countConn struct {
	net.Conn
	read atomic.Int64
}

func (c *countConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// Requests in flight at the cancel are answered to the last byte.
func TestShutdownInFlight(t *testing.T) {
	addr, stop := start(t, site(t))
	want := 8 << 20
	var readers []io.Reader
	for range 8 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET "+wasmPath+" HTTP/1.1\r\nHost: x\r\n\r\n")
		r, err := http.ReadResponse(bufio.NewReader(conn), nil) // the header: it is in flight
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r.Body)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // until it has stopped listening
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		conn.Close()
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with requests in flight, error %v", err)
	default:
	}
	for _, r := range readers {
		if n, err := io.Copy(io.Discard, r); err != nil || n != int64(want) {
			t.Errorf("%d of %d bytes, error %v", n, want, err)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Under load, every request that reached the handler before the cancel or
// after it is answered whole.
func TestShutdownUnderLoad(t *testing.T) {
	page := site(t)
	var entered, answered atomic.Int64
	addr, stop := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered.Add(1)
		page.ServeHTTP(w, r)
	}))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	var clients sync.WaitGroup
	busy := make(chan struct{}, 16)
	for i := range 16 {
		clients.Go(func() {
			path := []string{"/", wasmPath}[i%2]
			for {
				r, err := client.Get("http://" + addr + path)
				if err != nil {
					return // it has stopped
				}
				_, err = io.Copy(io.Discard, r.Body)
				r.Body.Close()
				if err != nil {
					t.Errorf("%s was cut off: %v", path, err)
					return
				}
				answered.Add(1)
				select {
				case busy <- struct{}{}:
				default:
				}
			}
		})
	}
	for range cap(busy) {
		<-busy
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	clients.Wait()
	if entered.Load() != answered.Load() {
		t.Errorf("%d requests reached the handler, %d were answered", entered.Load(), answered.Load())
	}
}

// The program itself: a line and a status on a fresh clone, and when it is
// built a graceful end on each signal.
func TestProgram(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := func(args ...string) *exec.Cmd {
		cmd := exec.Command(exe, args...)
		cmd.Env = append(os.Environ(), "SLUICE_RUN_MAIN=1")
		return cmd
	}
	if out, err := program("-bad").CombinedOutput(); err == nil || string(out) != "sluice: flag provided but not defined: -bad\n" {
		t.Errorf("bad flag: error %v, output %q", err, out)
	}
	if !built() {
		out, err := program("-addr", "127.0.0.1:0").CombinedOutput()
		if err == nil || string(out) != "sluice: no app.wasm in this binary: run 'make build'\n" {
			t.Errorf("not built: error %v, output %q", err, out)
		}
		return
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := program("-addr", "127.0.0.1:0", "-base", "/x/")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		var url string
		if _, err := fmt.Fscanf(stdout, "Sluice is at %s\n", &url); err != nil {
			t.Fatal(err)
		}
		r, err := http.Get(url)
		if err != nil || r.StatusCode != 200 {
			t.Fatal(r, err)
		}
		r.Body.Close()
		cmd.Process.Signal(signal)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", signal, err)
		}
	}
}

// Imports point one way: the core, the lab and the scene know neither the
// browser nor go-app, so they run and are tested natively.
func TestImports(t *testing.T) {
	for _, dir := range []string{"core", "wasm/lab", "wasm/scene"} {
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err != nil || !d.IsDir() || d.Name() == "testdata" {
				return err
			}
			context := build.Default
			context.UseAllFiles = true // whatever the platform
			p, err := context.ImportDir(name, 0)
			if _, none := errors.AsType[*build.NoGoError](err); none {
				return nil
			}
			if err != nil {
				return err
			}
			for _, path := range p.Imports {
				first, _, _ := strings.Cut(path, "/")
				std := !strings.Contains(first, ".") && first != "sluice"
				own := dir != "core" && slices.Contains([]string{"sluice/core", "sluice/wasm/lab", "sluice/wasm/scene"}, path)
				if dir == "core" && !std || path == "syscall/js" || first == "sluice" && !own ||
					strings.Contains(path, "go-app") || strings.Contains(path, "safejs") {
					t.Errorf("%s imports %s", name, path)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
