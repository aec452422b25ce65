package httpapi_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"markr/httpapi"
)

// TestDrain: not ready and no new imports, but everything else goes on.
func TestDrain(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	kept := dial(t, b.address)
	kept.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	kept.answer("GET").want(t, 200)
	// An import that is under way when draining begins.
	body := document(sheet("drain", "1", 1, 2))
	begun := dial(t, b.address)
	begun.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body[:10]))
	eventually(t, "the import has begun", func() bool { return b.HeldBytes() > 0 })

	b.Drain()
	got := b.get(t, "/readyz?verbose").want(t, 503)
	if _, checks := healthOf(t, got); checks["stop"] != "draining" {
		t.Error(got.body)
	}
	kept.send(typed + "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
	wantProblem(t, kept.answer("POST"), 503, "unavailable")
	b.get(t, "/livez").want(t, 200)
	b.get(t, "/results").want(t, 200)
	b.get(t, "/metrics").want(t, 200)
	begun.send(body[10:])
	begun.answer("POST").want(t, 200)
	b.get(t, "/results/drain/aggregate").want(t, 200)
}

// TestShutdownUnderLoad: every import that was acknowledged is there, and every
// one that had begun is answered.
func TestShutdownUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	operators := b.listen(t, b.ServeOps)
	const clients = 8
	var acknowledged sync.Map
	var answered, cut atomic.Int64
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for i := 0; ; i++ {
				student := fmt.Sprintf("%d-%d", client, i)
				body := document(sheet("load", student, 1, 2))
				c, err := net.Dial("tcp", b.address)
				if err != nil {
					return // it does not listen any more
				}
				s := &socket{Conn: c, t: t, reader: nil}
				status, begun := importOver(s, body)
				_ = c.Close()
				switch {
				case status == 200:
					acknowledged.Store(student, true)
					answered.Add(1)
				case status == 503:
					answered.Add(1)
				case begun:
					cut.Add(1)
				}
			}
		})
	}
	eventually(t, "imports are flowing", func() bool { return answered.Load() > 50 })
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	group.Wait()
	b.serving.Wait()
	if _, err := net.Dial("tcp", operators); err == nil {
		t.Error("the operators' listener is still open")
	}
	if n := cut.Load(); n > 0 {
		t.Errorf("%d imports were begun and not answered", n)
	}
	count := 0
	acknowledged.Range(func(any, any) bool { count++; return true })
	test, err := b.engine.Test("load")
	if err != nil {
		t.Fatal(err)
	}
	if test.Count() != count {
		t.Errorf("%d documents acknowledged, %d students counted", count, test.Count())
	}
	// Stopping twice does no harm, and serving after it ends at once.
	if err := b.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	b.listen(t, b.Serve)
	b.serving.Wait()
}

// importOver sends one import and reads the answer's status; begun says whether
// the server had taken the connection's first bytes when it failed.
func importOver(s *socket, body string) (status int, begun bool) {
	if _, err := io.WriteString(s, typed+fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)); err != nil {
		return 0, false
	}
	answer, err := io.ReadAll(s)
	if len(answer) == 0 {
		// Closed without a word: the connection was still waiting to be accepted.
		return 0, false
	}
	if _, err := fmt.Sscanf(string(answer), "HTTP/1.1 %d ", &status); err != nil {
		return 0, true
	}
	return status, err == nil
}

// TestShutdownCutsOff: who has not finished when time is up is cut off, and
// Shutdown says so.
func TestShutdownCutsOff(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		opts.Limits.LingerTimeout = 50 * time.Millisecond
		opts.Limits.ReadTimeout = time.Minute // so that it is not this that ends it
	})
	stalled := dial(t, b.address)
	stalled.send(typed + "Content-Length: 1000\r\n\r\n<mcq")
	idle := dial(t, b.address)
	idle.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	idle.answer("GET").want(t, 200)
	eventually(t, "the import has begun", func() bool { return b.HeldBytes() > 0 })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := b.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	idle.wantClosed()
	rest, err := io.ReadAll(stalled)
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Errorf("the stalled connection stays open; it got %q", rest)
	}
	eventually(t, "the memory is given back", func() bool { return b.HeldBytes() == 0 })
}

// TestIdleConnectionsDoNotDelayShutdown: those that wait for their next request
// are closed at once.
func TestIdleConnectionsDoNotDelayShutdown(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	for range 5 {
		s := dial(t, b.address)
		s.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
		s.answer("GET").want(t, 200)
	}
	began := time.Now()
	if err := b.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestConnectionCloseWhileStopping: a request that is answered while the server
// stops tells the client to come no more on this connection.
func TestConnectionCloseWhileStopping(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) { opts.Limits.ImportWaitMax = time.Minute })
	giveBack := b.TakePlaces()
	result := make(chan reply, 1)
	go func() { result <- b.post(t, document(sheet("1", "1", 1, 2))) }()
	eventually(t, "the import waits", func() bool { return b.HeldBytes() > 0 })
	stopped := make(chan error, 1)
	go func() { stopped <- b.Shutdown(context.WithoutCancel(t.Context())) }()
	eventually(t, "it does not listen any more", func() bool {
		c, err := net.Dial("tcp", b.address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	giveBack()
	if got := (<-result).want(t, http.StatusOK); !got.Close || !strings.Contains(got.body, `"students_added":1`) {
		t.Errorf("%v %s", got.Header, got.body)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// TestShutdownAmidACrowd: clients that will never be done, each in another way, are
// cut off when time is up, and nothing of them is left: no memory, no connection; the
// goroutines are TestMain's.
func TestShutdownAmidACrowd(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) { opts.Limits.LingerTimeout = 50 * time.Millisecond })
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
	secure := b.listen(t, func(ln net.Listener) error { return b.Serve(tls.NewListener(ln, config)) })
	body := document(sheet("large", "1", 1, 2)) + strings.Repeat(" ", 16<<20)
	b.post(t, body).want(t, 200)
	imports, err := b.engine.Imports(0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	download := get("/imports/" + imports[0].ID.String() + "/document")
	const each = 5
	for range each {
		for _, begins := range []string{
			"",                                   // silence
			"GET /livez HTTP/1.1\r\nHost: x\r\n", // half a header
			typed + "Content-Length: 100000\r\n\r\n<mcq",
			typed + "Transfer-Encoding: chunked\r\n\r\n5\r\n<mcq",
			typed + "Content-Encoding: zstd\r\nContent-Length: 100000\r\n\r\n\x28\xb5\x2f\xfd",
			download, // and does not read
			ask,      // and waits
		} {
			dial(t, b.address).send(begins)
		}
		dial(t, secure)
	}
	eventually(t, "all have begun", func() bool {
		return b.HeldBytes() >= 3*each*(16<<10) && b.HeldByDownloads() >= each*(16<<20)
	})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := b.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	eventually(t, "all is given back", func() bool {
		return b.HeldBytes() == 0 && b.HeldByDownloads() == 0 && seriesOf(t, b)["markr_http_connections"] == 0
	})
}
