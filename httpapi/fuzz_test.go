package httpapi_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"markr/httpapi"
)

// FuzzDecodeSegment holds the decoding of path segments against net/url's.
func FuzzDecodeSegment(f *testing.F) {
	for _, seed := range []string{"1234", "a%2Fb", "a%252Fb", "%", "%2", "%zz", "+", "%c3%a4", "%00", "%+1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, segment string) {
		got, err := httpapi.DecodeSegment(segment)
		want, wantErr := url.PathUnescape(segment)
		if (err == nil) != (wantErr == nil) || (err == nil && got != want) {
			t.Errorf("%q: %q %v, net/url has %q %v", segment, got, err, want, wantErr)
		}
	})
}

// FuzzConnection throws bytes at the server. Whatever they are, what comes back
// is a sequence of whole answers, none of them an internal error, and all memory
// is given back.
func FuzzConnection(f *testing.F) {
	good := document(sheet("1", "1", 1, 2))
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /results/a%2Fb/aggregate?percentiles=1,2 HTTP/1.1\r\nHost: x\r\nX-Request-Id: y\r\n\r\nGET /metrics HTTP/1.0\r\n\r\n",
		typed + "Content-Length: 5\r\n\r\n<mcq>" + "HEAD /imports HTTP/1.1\r\nHost: x\r\n\r\n",
		typed + "Transfer-Encoding: chunked\r\n\r\n5\r\n<mcq>\r\n0\r\n\r\n",
		typed + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\n<mcq>\r\n0\r\n\r\n",
		typed + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
		typed + "Content-Encoding: zstd\r\nContent-Length: 9\r\n\r\n\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00",
		typed + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n<mcq>",
		head + "Content-Length: 4294967296\r\n\r\n" + good,
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	b := newBorder(f, impatient)
	f.Fuzz(func(t *testing.T, sent []byte) {
		c := &script{in: bytes.NewReader(sent)}
		_ = b.ServeConn(c) // what it thinks of the connection is its own business
		reader := bufio.NewReader(bytes.NewReader(c.out.Bytes()))
		for answers := 0; ; answers++ {
			if _, err := reader.Peek(1); errors.Is(err, io.EOF) {
				return
			}
			// The request is unknown here, so an answer to HEAD cannot be told from
			// one with a body, and ends the reading.
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatalf("answer %d to %q: %v in %q", answers, sent, err, c.out.Bytes())
			}
			if response.StatusCode == 100 {
				continue
			}
			if response.StatusCode == http.StatusInternalServerError || response.Header.Get("X-Request-Id") == "" {
				t.Fatalf("answer %d to %q: %v", answers, sent, response)
			}
			if strings.Contains(string(sent), "HEAD") {
				return
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				t.Fatalf("answer %d to %q: %v", answers, sent, err)
			}
			if held := b.HeldBytes(); held != 0 {
				t.Fatalf("%d bytes are still held after %q", held, sent)
			}
		}
	})
}

// script is a connection on which everything has been sent already.
type script struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)     { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error)    { return s.out.Write(p) }
func (*script) Close() error                     { return nil }
func (*script) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }
