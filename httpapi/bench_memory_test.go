package httpapi_test

import (
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"markr/httpapi"
)

// A memory connection sends one request again and again and forgets the answers:
// what is left is what the server itself does, without the kernel.
type memoryConn struct {
	request []byte
	rest    []byte // of the request under way
	left    int    // requests still to send
	answers int
	last    []byte // the last answer
	done    chan struct{}
}

func (c *memoryConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if c.left == 0 {
			return 0, io.EOF
		}
		c.left--
		c.rest = c.request
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *memoryConn) Write(p []byte) (int, error) {
	c.answers++
	c.last = append(c.last[:0], p...)
	return len(p), nil
}

func (c *memoryConn) Close() error        { close(c.done); return nil }
func (c *memoryConn) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

// A memoryListener hands out the connections it is given.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}
func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

// BenchmarkBorder is what a request costs without the kernel.
func BenchmarkBorder(b *testing.B) {
	markr := newBorder(b, func(opts *httpapi.Options) {
		opts.Logger = nil
		opts.Limits.RequestsPerConnectionMax = math.MaxInt
	})
	sheets := make([]string, 100)
	for i := range sheets {
		sheets[i] = sheet("bench", fmt.Sprint(i), i%21, 20)
	}
	body := document(sheets...)
	markr.post(b, body).want(b, 200)
	const aggregate = "/results/bench/aggregate"
	length := len(markr.get(b, aggregate).want(b, 200).body)
	answer := []byte(strings.Repeat("x", length))
	empty := &fasthttp.Server{MaxRequestBodySize: 64 << 20, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.SetBody(answer)
	}}
	post := func(n int) string {
		pad := strings.Repeat(" ", n)
		return typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, pad)
	}
	markrListener := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	markr.serving.Go(func() { _ = markr.Serve(markrListener) })
	emptyListener := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	go func() { _ = empty.Serve(emptyListener) }()
	defer func() { _ = empty.Shutdown() }()
	for _, server := range []struct {
		name string
		ln   *memoryListener
	}{{"empty", emptyListener}, {"markr", markrListener}} {
		for _, c := range []struct{ name, request string }{
			{"aggregate", get(aggregate)},
			{"livez", get("/livez")},
			{"import/bytes=1800", post(1800)},
			{"import/bytes=175000", post(175000)},
		} {
			b.Run("server="+server.name+"/request="+c.name, func(b *testing.B) {
				b.ReportAllocs()
				conn := &memoryConn{request: []byte(c.request), left: b.N, done: make(chan struct{})}
				b.ResetTimer()
				server.ln.conns <- conn
				<-conn.done
				if conn.answers != b.N {
					b.Fatalf("%d answers to %d requests", conn.answers, b.N)
				}
			})
		}
	}
}
