package httpapi_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"markr/httpapi"
)

// impatient has timeouts that a test can wait for.
func impatient(opts *httpapi.Options) {
	opts.Limits.ReadTimeout = 250 * time.Millisecond
	opts.Limits.IdleTimeout = 250 * time.Millisecond
	opts.Limits.LingerTimeout = 50 * time.Millisecond
}

// head is the header of an import, without the empty line at its end.
const head = "POST /import HTTP/1.1\r\nHost: x\r\nX-Request-Id: hostile\r\n"

// typed is the same with a content type.
const typed = head + "Content-Type: text/xml+markr\r\n"

// wantProblem fails the test unless the answer is a problem with a code, after
// which the server hangs up.
func wantProblem(t *testing.T, got reply, status int, code string) {
	t.Helper()
	got.want(t, status)
	if got.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"code":"`+code+`"`) {
		t.Errorf("want %s: %v %s", code, got.Header, got.body)
	}
	if !got.Close {
		t.Errorf("%s: no Connection: close", code)
	}
	if got.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s: no request id", code)
	}
	if (status == 503) != (got.Header.Get("Retry-After") != "") {
		t.Errorf("%s: Retry-After: %q", code, got.Header.Get("Retry-After"))
	}
}

func TestExpectContinueAccepted(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	body := document(sheet("1", "1", 1, 2))
	s := dial(t, b.address)
	s.send(typed + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body)))
	line, err := s.reader.ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	if _, err := s.reader.Discard(2); err != nil {
		t.Fatal(err)
	}
	s.send(body)
	s.answer("POST").want(t, 200)
	// The connection is good for more.
	s.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	s.answer("GET").want(t, 200)
}

// TestSlowButFastEnough: a body gets time for its length, declared or not.
func TestSlowButFastEnough(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		impatient(opts)
		opts.Limits.BodyBytesPerSecondMin = 256 << 10
	})
	body := strings.Repeat(" ", 256<<10) // a second's worth
	for name, send := range map[string]func(s *socket, piece string){
		"declared": func(s *socket, piece string) { s.send(piece) },
		"chunked":  func(s *socket, piece string) { s.send(fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, b.address)
			if name == "chunked" {
				s.send(typed + "Transfer-Encoding: chunked\r\n\r\n")
			} else {
				s.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)))
			}
			const pieces = 8
			for i := range pieces { // for more than twice ReadTimeout
				send(s, body[i*len(body)/pieces:(i+1)*len(body)/pieces])
				time.Sleep(80 * time.Millisecond) // what a slow client does
			}
			if name == "chunked" {
				s.send("0\r\n\r\n")
			}
			got := s.answer("POST").want(t, 400)
			if !strings.Contains(got.body, "malformed_xml") {
				t.Errorf("not read to its end: %s", got.body)
			}
		})
	}
}

// TestPipelining: requests sent without waiting are answered in order.
func TestPipelining(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	body := document(sheet("pipe", "1", 1, 2))
	length := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 10, body[:10], len(body)-10, body[10:])
	s := dial(t, b.address)
	s.send("GET /results/pipe/aggregate HTTP/1.1\r\nHost: x\r\n\r\n" +
		typed + length + body +
		"GET /results/pipe/aggregate HTTP/1.1\r\nHost: x\r\n\r\n" +
		typed + chunked +
		"HEAD /results/pipe/aggregate HTTP/1.1\r\nHost: x\r\n\r\n" +
		"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	s.answer("GET").want(t, 404)
	s.answer("POST").want(t, 200)
	if got := s.answer("GET").want(t, 200); !strings.Contains(got.body, `"count":1`) {
		t.Error(got.body)
	}
	if got := s.answer("POST").want(t, 200); !strings.Contains(got.body, `"unchanged":1`) {
		t.Error(got.body)
	}
	s.answer("HEAD").want(t, 200)
	s.answer("GET").want(t, 200)
	s.wantClosed()
}

// TestOldClients: HTTP/1.0, with and without keep-alive.
func TestOldClients(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	body := document(sheet("old", "1", 1, 2))
	s := dial(t, b.address)
	s.send(fmt.Sprintf("POST /import HTTP/1.0\r\nContent-type: text/xml+markr\r\nConnection: keep-alive\r\nContent-length: %d\r\n\r\n%s", len(body), body))
	if got := s.answer("POST").want(t, 200); got.Header.Get("Connection") != "keep-alive" {
		t.Errorf("Connection: %s", got.Header.Get("Connection"))
	}
	s.send("GET /results/old/aggregate HTTP/1.0\r\n\r\n")
	s.answer("GET").want(t, 200)
	s.wantClosed()
}

// TestPromisesCostNothing: fifty connections that promise 32 MiB and send one
// byte. It measures the heap and so runs alone.
func TestPromisesCostNothing(t *testing.T) { //nolint:paralleltest // see above.
	b := newBorder(t, nil)
	const connections = 50
	before := heapBytes()
	for range connections {
		s := dial(t, b.address)
		s.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n<", httpapi.BodyBytesMaxDefault))
	}
	eventually(t, "all bodies are being read", func() bool { return b.HeldBytes() >= connections*(16<<10) })
	if held := b.HeldBytes(); held > connections*(16<<10) {
		t.Errorf("%d bytes held for %d connections that have sent one", held, connections)
	}
	if grown := int64(heapBytes()) - int64(before); grown > connections*(128<<10) {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

func heapBytes() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
