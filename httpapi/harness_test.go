package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/qtixml"
	"markr/httpapi"
	"markr/wal"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 takes a new one")
	long     = flag.Bool("long", false, "run the long tests")
	update   = flag.Bool("update", false, "write golden files instead of comparing with them")
)

// TestMain checks that nothing goes on when the tests are over, but for two
// goroutines of fasthttp's: one sleeps for up to ten seconds before it finds out
// that its server has stopped, the other keeps the date.
func TestMain(m *testing.M) {
	if task := os.Getenv(idleClient); task != "" {
		holdConnections(task)
		return
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// newRandom returns a random source whose seed the log names.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("run again with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// scannerType is the content type of scanner documents.
const scannerType = "text/xml+markr"

// A border is a server on a real engine, vault and format, as the program has
// them, listening on loopback.
type border struct {
	*httpapi.Server

	engine   *engine.Engine
	formats  *intake.Registry
	vault    vault
	registry *prometheus.Registry
	logs     *logs
	address  string
	client   *http.Client
	serving  sync.WaitGroup
}

// newBorder starts a server; adjust may change its options. The test's end stops
// it and checks that this works.
func newBorder(t testing.TB, adjust func(*httpapi.Options)) *border {
	t.Helper()
	opened, err := wal.Open(wal.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	b := newBorderOn(t, opened, adjust)
	if err := b.engine.WaitReady(context.Background()); err != nil {
		t.Fatal(err)
	}
	return b
}

// testProfiles are those that the vectors of tables are read by.
func testProfiles(t testing.TB) []*markscsv.Profile {
	t.Helper()
	files, err := filepath.Glob("../engine/intake/markscsv/testdata/profiles/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no profiles: %v", err)
	}
	var all []*markscsv.Profile
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := markscsv.ParseProfile(strings.TrimSuffix(filepath.Base(file), ".json"), content)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// vault is a log that can be closed.
type vault interface {
	engine.Log
	Close() error
}

// newBorderOn starts a server on a vault, whose engine may not be ready yet.
func newBorderOn(t testing.TB, log vault, adjust func(*httpapi.Options)) *border {
	t.Helper()
	return newBorderReading(t, log, adjust,
		mcqxml.New(intake.Limits{}), markscsv.New(intake.Limits{}, testProfiles(t)...), qtixml.New(intake.Limits{}))
}

// newBorderReading starts a server that reads these formats.
func newBorderReading(t testing.TB, log vault, adjust func(*httpapi.Options), decoders ...intake.Decoder) *border {
	t.Helper()
	return newBorderOf(t, engine.Options{Log: log, ItemAnalysis: true}, log, adjust, decoders...)
}

// newBorderOf starts a server on an engine with some options.
func newBorderOf(t testing.TB, engineOptions engine.Options, log vault, adjust func(*httpapi.Options), decoders ...intake.Decoder) *border {
	t.Helper()
	formats, err := intake.NewRegistry(decoders...)
	if err != nil {
		t.Fatal(err)
	}
	b := &border{vault: log, formats: formats, registry: prometheus.NewRegistry(), logs: &logs{}}
	engineOptions.Intake, engineOptions.Registerer = formats, b.registry
	if b.engine, err = engine.Open(engineOptions); err != nil {
		t.Fatal(err)
	}
	opts := httpapi.Options{
		Engine: b.engine, Intake: formats, Registry: b.registry, Version: "test",
		Logger: slog.New(slog.NewTextHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if adjust != nil {
		adjust(&opts)
	}
	if b.Server, err = httpapi.New(opts); err != nil {
		t.Fatal(err)
	}
	b.address = b.listen(t, b.Serve)
	b.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	t.Cleanup(func() { b.stop(t) })
	return b
}

// listen serves on a loopback port and returns its address.
func (b *border) listen(t testing.TB, serve func(net.Listener) error) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.serving.Go(func() {
		if err := serve(ln); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String()
}

// stop stops all in the order the program does.
func (b *border) stop(t testing.TB) {
	t.Helper()
	b.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	b.serving.Wait()
	if err := b.engine.Close(); err != nil {
		t.Errorf("close engine: %v", err)
	}
	if err := b.vault.Close(); err != nil {
		t.Errorf("close vault: %v", err)
	}
}

// A reply is a response with its body read.
type reply struct {
	*http.Response

	body string
}

// do sends a request through a well-behaved client, and holds the exchange against
// the contract.
func (b *border) do(t testing.TB, method, path, body string, header ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://"+b.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, response)
	contractOf(t).check(t, request, []byte(body), response, []byte(got.body))
	return got
}

func (b *border) get(t testing.TB, path string, header ...string) reply {
	t.Helper()
	return b.do(t, http.MethodGet, path, "", header...)
}

// post imports a document.
func (b *border) post(t testing.TB, document string, header ...string) reply {
	t.Helper()
	return b.do(t, http.MethodPost, "/import", document, append([]string{"Content-Type", scannerType}, header...)...)
}

func read(t testing.TB, response *http.Response) reply {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return reply{response, string(body)}
}

// want fails the test unless the answer has this status.
func (a reply) want(t testing.TB, status int) reply {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("got %s, want %d\n%s", a.Status, status, a.body)
	}
	return a
}

// A socket is a connection to a server under full control, for clients that
// misbehave.
type socket struct {
	net.Conn

	t      testing.TB
	reader *bufio.Reader
}

// socketTimeout is how long a socket waits for anything: long past every timeout
// that the tests set.
const socketTimeout = 10 * time.Second

func dial(t testing.TB, address string) *socket {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(socketTimeout)); err != nil {
		t.Fatal(err)
	}
	s := &socket{Conn: c, t: t, reader: bufio.NewReader(c)}
	t.Cleanup(func() { _ = c.Close() })
	return s
}

// send writes text; the server may have hung up.
func (s *socket) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s, text); err != nil {
		s.t.Logf("send: %v", err)
	}
}

// answer reads a response to a request with a method.
func (s *socket) answer(method string) reply {
	s.t.Helper()
	response, err := http.ReadResponse(s.reader, &http.Request{Method: method})
	if err != nil {
		s.t.Fatalf("read response: %v", err)
	}
	return read(s.t, response)
}

// wantClosed fails the test unless the server hangs up without another byte.
func (s *socket) wantClosed() {
	s.t.Helper()
	rest, err := io.ReadAll(s.reader)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		s.t.Fatal("the connection stays open")
	}
	if len(rest) > 0 {
		s.t.Fatalf("%d bytes after the answer: %q", len(rest), rest)
	}
}

// exchange sends text over a new connection and reads one answer.
func (b *border) exchange(t testing.TB, text string) reply {
	t.Helper()
	s := dial(t, b.address)
	s.send(text)
	method, _, _ := strings.Cut(text, " ")
	return s.answer(method)
}

// logs collects what a server logs.
type logs struct {
	mu struct {
		sync.Mutex
		text bytes.Buffer
	}
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.text.Write(p)
}

// String is what has been logged.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.text.String()
}

// eventually waits for a condition that something else brings about.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(socketTimeout)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// sheet is one scanned sheet as scanners write it.
func sheet(test, student string, obtained, available any) string {
	return fmt.Sprintf(`<mcq-test-result scanned-on="2017-12-04T12:12:10+11:00">`+
		`<first-name>Jane</first-name><last-name>Austen</last-name>`+
		`<student-number>%s</student-number><test-id>%s</test-id>`+
		`<answer question="0" marks-available="1" marks-awarded="1">D</answer>`+
		`<summary-marks available="%v" obtained="%v"/></mcq-test-result>`, student, test, available, obtained)
}

// document wraps sheets.
func document(sheets ...string) string {
	return "<mcq-test-results>\n" + strings.Join(sheets, "\n") + "\n</mcq-test-results>\n"
}
