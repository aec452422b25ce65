package httpapi_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A memoryListener hands out the connections it is given.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

// listenInMemory serves connections that are no sockets.
func (b *border) listenInMemory(t testing.TB) *memoryListener {
	t.Helper()
	ln := newMemoryListener()
	b.serving.Go(func() {
		if err := b.Serve(ln); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return ln
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, io.EOF // the core's word for a listener that is closed
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

func (*memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

// memoryAddress is what connections that are no sockets have in common.
type memoryAddress struct{}

func (memoryAddress) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (memoryAddress) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A repeater is a connection that sends one request again and again and forgets
// the answers: what is left is what the server itself does, without the kernel.
type repeater struct {
	memoryAddress

	request []byte
	rest    []byte // of the request under way
	left    int    // requests still to send
	answers int
	last    []byte       // the last answer
	timers  atomic.Int64 // moved
	done    chan struct{}
}

func newRepeater(request string, times int) *repeater {
	return &repeater{request: []byte(request), left: times, done: make(chan struct{})}
}

func (c *repeater) Read(p []byte) (int, error) {
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

func (c *repeater) Write(p []byte) (int, error) {
	c.answers++
	c.last = append(c.last[:0], p...)
	return len(p), nil
}

func (c *repeater) Close() error                     { close(c.done); return nil }
func (c *repeater) SetDeadline(time.Time) error      { c.timers.Add(2); return nil }
func (c *repeater) SetReadDeadline(time.Time) error  { c.timers.Add(1); return nil }
func (c *repeater) SetWriteDeadline(time.Time) error { c.timers.Add(1); return nil }
