package httpapi_test

import (
	"fmt"
	"io"
	"net"
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

// TestRefusedBeforeTheBody: what the header alone can decide is answered at once,
// although most of the body never comes, and costs no memory.
func TestRefusedBeforeTheBody(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil) // with timeouts longer than the test would wait
	for _, c := range []struct {
		name, header string
		status       int
		code         string
	}{
		{"4 GiB", typed + "Content-Length: 4294967296\r\n", 413, "too_large"},
		{"one byte over the limit", typed + "Content-Length: 33554433\r\n", 413, "too_large"},
		{"content type", head + "Content-Type: text/plain\r\nContent-Length: 1000\r\n", 415, "unsupported_media_type"},
		{"no content type", head + "Content-Length: 1000\r\n", 415, "unsupported_media_type"},
		{"multipart", head + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n", 415, "unsupported_media_type"},
		{"content coding", typed + "Content-Encoding: br\r\nContent-Length: 1000\r\n", 415, "unsupported_media_type"},
		{"two lengths", typed + "Content-Length: 1000\r\nTransfer-Encoding: chunked\r\n", 400, "invalid_request"},
		{"two lengths, other way", typed + "transfer-encoding: chunked\r\ncontent-length: 1000\r\n", 400, "invalid_request"},
		{"two lengths, identity", typed + "Transfer-Encoding: identity\r\nContent-Length: 1000\r\n", 400, "invalid_request"},
		{"chunked and wrong type", head + "Transfer-Encoding: chunked\r\n", 415, "unsupported_media_type"},
	} {
		for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
			s := dial(t, b.address)
			s.send(c.header + expect + "\r\n")
			if expect == "" {
				s.send("5\r\n<mcq")
			}
			// A 100 Continue would be taken for the answer, and fail the test.
			got := s.answer("POST")
			if got.StatusCode != c.status {
				t.Errorf("%s %q: %d, want %d", c.name, expect, got.StatusCode, c.status)
				continue
			}
			wantProblem(t, got, c.status, c.code)
			_ = s.Conn.(*net.TCPConn).CloseWrite()
			s.wantClosed()
		}
	}
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
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

// TestBadRequests are answered by the server's core, and still as problems.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	long := strings.Repeat("x", 17<<10)
	for _, c := range []struct {
		name, request string
		status        int
		code          string
	}{
		{"no HTTP", "hello\r\n\r\n", 400, "invalid_request"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "invalid_request"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_request"},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "invalid_request"},
		{"space before colon", "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400, "invalid_request"},
		{"two lengths", typed + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, "invalid_request"},
		{"signed length", typed + "Content-Length: +1\r\n\r\nx", 400, "invalid_request"},
		{"negative length", typed + "Content-Length: -1\r\n\r\nx", 400, "invalid_request"},
		{"list of lengths", typed + "Content-Length: 1, 1\r\n\r\nx", 400, "invalid_request"},
		{"overflowing length", typed + "Content-Length: 99999999999999999999\r\n\r\nx", 400, "invalid_request"},
		{"unknown transfer coding", typed + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "invalid_request"},
		{"transfer coding twice", typed + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "invalid_request"},
		{"long request line", "GET /" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, "header_too_large"},
		{"long field", "GET / HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n", 431, "header_too_large"},
		{"101 fields", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 100) + "\r\n", 431, "header_too_large"},
		{"endless fields", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 4000), 431, "header_too_large"},
		{"chunk size", typed + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "invalid_request"},
		{"huge chunk size", typed + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n", 400, "invalid_request"},
		{"chunk longer than its size", typed + "Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n", 400, "invalid_request"},
	} {
		s := dial(t, b.address)
		s.send(c.request)
		got := s.answer("POST")
		if got.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, got.StatusCode, got.body, c.status)
			continue
		}
		wantProblem(t, got, c.status, c.code)
		if strings.Contains(got.body, "hello") {
			t.Errorf("%s: the request is quoted: %s", c.name, got.body)
		}
		_ = s.Conn.(*net.TCPConn).CloseWrite()
		s.wantClosed()
	}
	b.exchange(t, "GET /livez HTTP/1.1\r\nHost: x\r\n"+strings.Repeat("X: y\r\n", 99)+"\r\n").want(t, 200)
}

// TestSlowClients are cut off, with an answer where there is somebody to answer.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	b := newBorder(t, impatient)
	for name, c := range map[string]struct {
		start, drip string
	}{
		"silence":               {"", ""},
		"header drip":           {"GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n"},
		"header stops":          {"GET / HTTP/1.1\r\nHost: x\r\n", ""},
		"body never begins":     {typed + "Content-Length: 1000\r\n\r\n", ""},
		"body drip":             {typed + "Content-Length: 1000\r\n\r\n", "<"},
		"body stops":            {typed + "Content-Length: 1000\r\n\r\n<mcq", ""},
		"chunk drip":            {typed + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n<\r\n"},
		"chunks never begin":    {typed + "Transfer-Encoding: chunked\r\n\r\n", ""},
		"continue, then silent": {typed + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, b.address)
			s.send(c.start)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for c.drip != "" {
					if _, err := io.WriteString(s, c.drip); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond) // what a slow client does
				}
			}()
			began := time.Now()
			got := s.answer("POST")
			if got.StatusCode == 100 {
				got = s.answer("POST")
			}
			wantProblem(t, got, 408, "request_timeout")
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("cut off after %v", took)
			}
			_ = s.Close()
			<-done
		})
	}
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

// TestIdleConnections are closed without a word.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	b := newBorder(t, impatient)
	s := dial(t, b.address)
	s.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	s.answer("GET").want(t, 200)
	s.wantClosed()
}

// TestCutShort: a body that ends before its declared length is no document, even
// if it would be one.
func TestCutShort(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	body := document(sheet("cut", "1", 1, 2))
	for name, request := range map[string]string{
		"declared": typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body)+1, body),
		"chunked":  typed + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(body), body),
	} {
		s := dial(t, b.address)
		s.send(request)
		if err := s.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got := s.answer("POST").want(t, 400)
		if !strings.Contains(got.body, "counted") {
			t.Errorf("%s: %s", name, got.body)
		}
		s.wantClosed()
	}
	b.get(t, "/results/cut/aggregate").want(t, 404)
	// A client that closes its side after a whole request is answered.
	s := dial(t, b.address)
	s.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
	if err := s.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	s.answer("POST").want(t, 200)
	b.get(t, "/results/cut/aggregate").want(t, 200)
}

// TestNothingIsSmuggled: a body that was not read is not the next request.
func TestNothingIsSmuggled(t *testing.T) {
	t.Parallel()
	b := newBorder(t, impatient)
	inner := "GET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n"
	long := strings.Repeat(inner, 10_000)
	for name, request := range map[string]string{
		"refused type":       head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(inner)) + inner,
		"refused type, long": head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(long)) + long,
		"refused length":     typed + "Content-Length: 4294967296\r\n\r\n" + inner,
		"both lengths":       typed + fmt.Sprintf("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", inner),
		"a body with GET":    fmt.Sprintf("GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(inner)) + inner,
		"chunks with GET":    fmt.Sprintf("GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(inner), inner),
		"unknown path":       fmt.Sprintf("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(inner)) + inner,
		"wrong method":       fmt.Sprintf("PUT /import HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(inner)) + inner,
		"refused, expecting": head + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(inner)) + inner,
		"bad coding":         typed + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(long)) + long,
		"bad chunk":          typed + "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n" + inner,
	} {
		s := dial(t, b.address)
		s.send(request)
		s.answer("GET")
		_ = s.Conn.(*net.TCPConn).CloseWrite()
		rest, _ := io.ReadAll(s.reader)
		if len(rest) > 0 {
			t.Errorf("%s: a second answer: %q", name, rest)
		}
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
