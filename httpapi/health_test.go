package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/httpapi"
	"markr/wal"
	"markr/wal/entry"
)

// ailing is a vault whose disk is slow, full or broken when a test says so.
type ailing struct {
	*wal.Vault

	replay chan struct{}         // Replay waits for it; nil: it does not wait
	broken atomic.Pointer[error] // what Append and Writable say
	doomed atomic.Bool           // Append fails, and nobody has known before
}

func (a *ailing) Replay(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
	if a.replay != nil {
		select {
		case <-a.replay:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return a.Vault.Replay(ctx, from, fn)
}

func (a *ailing) Writable() error {
	if err := a.broken.Load(); err != nil {
		return *err
	}
	return a.Vault.Writable()
}

func (a *ailing) Append(entries []*entry.Entry) error {
	if err := a.Writable(); err != nil {
		return err
	}
	if a.doomed.Load() {
		return entry.ErrFailed
	}
	return a.Vault.Append(entries)
}

func (a *ailing) fail(err error) {
	if err == nil {
		a.broken.Store(nil)
		return
	}
	a.broken.Store(&err)
}

func newAiling(t testing.TB) *ailing {
	t.Helper()
	vault, err := wal.Open(wal.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	return &ailing{Vault: vault}
}

// healthOf reads an answer of a health route, ready or not.
func healthOf(t testing.TB, got reply) (status string, checks map[string]string) {
	t.Helper()
	var answer struct {
		Status any
		Code   string
		Checks []struct {
			Name, Status   string
			Position, Last *uint64
		}
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	checks = make(map[string]string)
	for _, c := range answer.Checks {
		checks[c.Name] = c.Status
		if c.Position != nil {
			checks[c.Name] += fmt.Sprintf(" %d/%d", *c.Position, *c.Last)
		}
	}
	return fmt.Sprint(answer.Status), checks
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ready", "/healthz": "ready"} {
		got := b.get(t, path).want(t, 200)
		if status, checks := healthOf(t, got); status != want || len(checks) > 0 {
			t.Errorf("%s: %s", path, got.body)
		}
		if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
	got := b.get(t, "/readyz?verbose").want(t, 200)
	if status, checks := healthOf(t, got); status != "ready" || checks["recovery"] != "done 1/1" || checks["vault"] != "writable" || checks["stop"] != "no" {
		t.Error(got.body)
	}
	if strings.Contains(b.logs.String(), "level=INFO") {
		t.Errorf("probes are logged:\n%s", b.logs)
	}
}

// TestNotReadyWhileRecovering: alive, not ready, and open about how far it is.
func TestNotReadyWhileRecovering(t *testing.T) {
	t.Parallel()
	log := newAiling(t)
	first := newBorderOn(t, log, nil)
	if err := first.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	log.replay = make(chan struct{})
	b := newBorderOn(t, keepOpen{log}, nil)
	b.get(t, "/livez").want(t, 200)
	for _, path := range []string{"/readyz", "/healthz", "/readyz?verbose"} {
		got := b.get(t, path).want(t, 503)
		if status, checks := healthOf(t, got); status != "503" || checks["recovery"] != "running 0/1" {
			t.Errorf("%s: %s", path, got.body)
		}
		if got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, `"code":"unavailable"`) ||
			!strings.Contains(got.body, "position 0 of 1") || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v %s", path, got.Header, got.body)
		}
	}
	if seriesOf(t, b)["markr_ready"] != 0 {
		t.Error("markr_ready is not 0")
	}
	for _, path := range []string{"/results", "/results/1/aggregate"} {
		got := b.get(t, path).want(t, 503)
		if !strings.Contains(got.body, `"code":"unavailable"`) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	got := b.post(t, document(sheet("1", "2", 1, 2))).want(t, 503)
	if !strings.Contains(got.body, `"code":"unavailable"`) || !got.Close {
		t.Errorf("%v %s", got.Header, got.body)
	}
	close(log.replay)
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.get(t, "/readyz").want(t, 200)
	b.get(t, "/results/1/aggregate").want(t, 200)
	b.post(t, document(sheet("1", "2", 1, 2))).want(t, 200)
}

// keepOpen is a log that somebody else closes.
type keepOpen struct{ *ailing }

func (keepOpen) Close() error { return nil }

// TestReadOnly: a full disk refuses documents and nothing else, and the server
// stays in rotation.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	log := newAiling(t)
	b := newBorderOn(t, log, nil)
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	log.fail(fmt.Errorf("append: %w", entry.ErrReadOnly))
	s := dial(t, b.address)
	s.send(typed + "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
	wantProblem(t, s.answer("POST"), 503, "read_only")
	b.get(t, "/results/1/aggregate").want(t, 200)
	if status, checks := healthOf(t, b.get(t, "/readyz?verbose").want(t, 200)); status != "ready" || checks["vault"] != "read-only" {
		t.Errorf("%s %v", status, checks)
	}
	log.fail(nil)
	b.post(t, document(sheet("1", "2", 1, 2))).want(t, 200)
}

// TestStalledVault: a disk that does not answer makes the server not ready and says
// so; what is known can still be read.
func TestStalledVault(t *testing.T) {
	t.Parallel()
	log := newAiling(t)
	b := newBorderOn(t, log, nil)
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	log.fail(fmt.Errorf("append: %w for 9s", engine.ErrStalled))
	got := b.get(t, "/readyz").want(t, 503)
	if _, checks := healthOf(t, got); checks["vault"] != "stalled" || !strings.Contains(got.body, "has not answered for 9s") {
		t.Error(got.body)
	}
	b.get(t, "/results/1/aggregate").want(t, 200)
	got = b.post(t, document(sheet("1", "2", 1, 2))).want(t, 503)
	if !strings.Contains(got.body, `"code":"unavailable"`) || got.Header.Get("Retry-After") == "" {
		t.Errorf("%v %s", got.Header, got.body)
	}
	log.fail(nil)
	b.get(t, "/readyz").want(t, 200)
}

// TestFailedVault: a log that has failed makes the server not ready; what is
// known can still be read.
func TestFailedVault(t *testing.T) {
	t.Parallel()
	log := newAiling(t)
	b := newBorderOn(t, log, nil)
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	for _, err := range []error{entry.ErrFailed, errors.New("nobody foresaw this")} {
		log.fail(err)
		got := b.get(t, "/readyz").want(t, 503)
		if _, checks := healthOf(t, got); checks["vault"] != "failed" {
			t.Error(got.body)
		}
		b.get(t, "/results/1/aggregate").want(t, 200)
		b.get(t, "/livez").want(t, 200)
	}
	log.fail(entry.ErrFailed)
	got := b.post(t, document(sheet("1", "2", 1, 2))).want(t, 503)
	if !strings.Contains(got.body, `"code":"unavailable"`) {
		t.Error(got.body)
	}
	log.fail(nil)
}

// TestFailedAppend: a document whose append fails is neither acknowledged nor refused,
// whatever it is, and does not count.
func TestFailedAppend(t *testing.T) {
	t.Parallel()
	log := newAiling(t)
	b := newBorderOn(t, log, nil)
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	log.doomed.Store(true)
	for _, body := range []string{document(sheet("1", "1", 1, 2)), "not XML"} {
		got := b.post(t, body).want(t, 503)
		if !strings.Contains(got.body, `"code":"unavailable"`) || got.Header.Get("Retry-After") == "" {
			t.Errorf("%v %s", got.Header, got.body)
		}
	}
	b.get(t, "/results/1/aggregate").want(t, 404)
	if last := log.Last(); last != 0 {
		t.Errorf("%d documents are in the vault", last)
	}
	log.doomed.Store(false)
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
}

// TestOperatorsListener: with a listener of their own, what is for operators is
// there and not on the public one; profiles are never public.
func TestOperatorsListener(t *testing.T) {
	t.Parallel()
	for _, elsewhere := range []bool{false, true} {
		b := newBorder(t, func(opts *httpapi.Options) { opts.OpsElsewhere = elsewhere })
		public := b.address
		operators := b.listen(t, b.ServeOps)
		for _, path := range []string{"/metrics", "/livez", "/readyz", "/healthz"} {
			b.address = operators
			b.get(t, path).want(t, 200)
			b.do(t, http.MethodHead, path, "").want(t, 200)
			b.address = public
			if elsewhere {
				b.get(t, path).want(t, 404)
			} else {
				b.get(t, path).want(t, 200)
			}
		}
		for _, path := range []string{"/debug/pprof", "/debug/pprof/heap?debug=1", "/debug/pprof/goroutine?debug=1", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=0.01"} {
			b.address = public
			b.get(t, path).want(t, 404)
			if elsewhere && strings.Contains(path, "profile?") {
				continue // once is enough: it takes a second, and one at a time
			}
			b.address = operators
			if got := b.get(t, path).want(t, 200); got.body == "" {
				t.Errorf("%s is empty", path)
			}
		}
		b.address = operators
		b.get(t, "/results").want(t, 404)
		b.get(t, "/debug/pprof/nothing").want(t, 404)
		b.post(t, document(sheet("1", "1", 1, 2))).want(t, 404)
		b.address = public
	}
}

// TestScrape: in all formats, compressed on request, and as a problem when it
// fails.
func TestScrape(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	for accept, want := range map[string]string{
		"":           "text/plain; version=0.0.4",
		"text/plain": "text/plain; version=0.0.4",
		"application/openmetrics-text; version=1.0.0":                                                         "application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; q=0.9": "application/vnd.google.protobuf",
	} {
		got := b.get(t, "/metrics", "Accept", accept).want(t, 200)
		if !strings.HasPrefix(got.Header.Get("Content-Type"), want) || !strings.Contains(got.body, "markr_http_requests_total") {
			t.Errorf("%q: %s", accept, got.Header.Get("Content-Type"))
		}
	}
	got := b.get(t, "/metrics", "Accept-Encoding", "gzip").want(t, 200)
	if encodings := got.Header.Values("Content-Encoding"); len(encodings) != 1 || encodings[0] != "gzip" || !strings.HasPrefix(got.body, "\x1f\x8b\x08") {
		t.Errorf("%v", got.Header)
	}
	for _, line := range b.get(t, "/metrics?name[]=markr_ready").lines() {
		if line != "" && !strings.Contains(line, "markr_ready") {
			t.Errorf("not asked for: %s", line)
		}
	}
}

// TestProblemsHaveMeanings: the type of a problem is a path that tells what it
// means.
func TestProblemsHaveMeanings(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	for code, status := range httpapi.Codes() {
		got := b.get(t, "/problems/"+code).want(t, 200)
		if !strings.Contains(got.body, fmt.Sprintf("(%s, status %d)", code, status)) || len(got.lines()) < 3 {
			t.Errorf("%s: %s", code, got.body)
		}
	}
	b.get(t, "/problems/nothing").want(t, 404)
}
