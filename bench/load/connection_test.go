package load_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"markr/bench/load"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40_000)
	for _, tt := range []struct {
		name, response string
		status         int
		closing        bool
		err            error
	}{
		{"small", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, false, nil},
		{"header in other case", "HTTP/1.1 200 OK\r\ncontent-LENGTH:  2 \r\n\r\n{}", 200, false, nil},
		{"long body", "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + long, 200, false, nil},
		{"no body", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", 304, false, nil},
		{"empty body", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 503, true, nil},
		{"interim answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, false, nil},
		{"body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 0, false, io.EOF},
		{"head cut short", "HTTP/1.1 200 OK\r\nContent-Len", 0, false, io.EOF},
		{"no length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false, load.ErrNoLength},
		{"bad length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, false, load.ErrNoLength},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, false, load.ErrResponse},
		{"endless head", "HTTP/1.1 200 OK\r\nX: " + long, 0, false, load.ErrHeadTooBig},
	} {
		for reader, chop := range map[string]func(io.Reader) io.Reader{
			"whole":   func(r io.Reader) io.Reader { return r },
			"dribble": iotest.OneByteReader,
		} {
			t.Run(fmt.Sprintf("%s/%s", tt.name, reader), func(t *testing.T) {
				t.Parallel()
				if tt.name == "interim answer" && reader == "whole" {
					t.Skip("a server sends the interim answer apart")
				}
				wire := &wire{Reader: chop(strings.NewReader(tt.response))}
				status, closing, err := load.Exchange(wire, []byte("GET / HTTP/1.1\r\n\r\n"))
				if status != tt.status || closing != tt.closing || !errors.Is(err, tt.err) {
					t.Errorf("got %d, closing %v, %v; want %d, %v, %v", status, closing, err, tt.status, tt.closing, tt.err)
				}
			})
		}
	}
}

// wire is a connection whose other end says what a reader says.
type wire struct {
	net.Conn
	io.Reader
}

func (w *wire) Read(p []byte) (int, error)  { return w.Reader.Read(p) }
func (w *wire) Write(p []byte) (int, error) { return len(p), nil }

func TestParseStat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stat string
		want time.Duration
		ok   bool
	}{
		{"7 (markr) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 1 1 1", 2 * time.Second, true},
		{"7 (markr) S 1 7 7 0 -1 4194560 1 0 0 0 x 50 0 0 20 0 9 0 1 1 1", 0, false},
		{"7 (odd) name) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 9", 30 * time.Millisecond, true},
		{"7 (short) S 1", 0, false},
		{"", 0, false},
	} {
		got, err := load.ParseStat([]byte(tt.stat))
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("ParseStat(%q) = %v, %v; want %v, ok %v", tt.stat, got, err, tt.want, tt.ok)
		}
	}
}
