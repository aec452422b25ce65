package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lingerBytes is how much is read at a time from a client that is still sending
// after its answer.
const lingerBytes = 16 << 10

// A gate is a listener that lets in a bounded number of connections, knows those
// that are open, and hands out connections that close politely.
type gate struct {
	net.Listener
	server *Server
	limits entrance
	mu     struct {
		sync.Mutex
		open      map[*conn]struct{}
		byAddress map[netip.Addr]int
		empty     chan struct{} // closed when the last connection is; nil while nobody waits
	}
}

// entrance says whether a gate keeps the limits on connections.
type entrance uint8

const (
	limited   entrance = iota
	unlimited          // for operators, who have to get in when nobody else does
)

func (s *Server) newGate(ln net.Listener, limits entrance) *gate {
	g := &gate{Listener: ln, server: s, limits: limits}
	g.mu.open = make(map[*conn]struct{})
	g.mu.byAddress = make(map[netip.Addr]int)
	return g
}

// Accept waits for a connection that may be let in. The core would stop serving
// at any error; running out of file descriptors is one that passes.
func (g *gate) Accept() (net.Conn, error) {
	exhausted := false
	for {
		inner, err := g.Listener.Accept()
		if isExhaustion(err) {
			if !exhausted {
				g.server.logger.Warn("connections cannot be accepted", slog.Any("error", err))
			}
			exhausted = true
			time.Sleep(acceptRetry)
			continue
		}
		if err != nil {
			return nil, err
		}
		exhausted = false
		c := &conn{Conn: inner, gate: g, address: addressOf(inner.RemoteAddr())}
		c.opened(g.server.now())
		reason := g.enter(c)
		if reason == "" {
			g.server.metrics.connections.Inc()
			g.server.metrics.opened.Inc()
			return c, nil
		}
		g.turnAway(inner, reason)
	}
}

// acceptRetry is how long to wait for file descriptors to become free.
const acceptRetry = 50 * time.Millisecond

func isExhaustion(err error) bool {
	for _, passing := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// enter lets a connection in, or says which limit keeps it out.
func (g *gate) enter(c *conn) (reason string) {
	limits := g.server.limits
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits == limited {
		switch {
		case len(g.mu.open) >= limits.ConnectionsMax:
			return rejectedAll
		case limits.ConnectionsPerAddressMax > 0 && g.mu.byAddress[c.address] >= limits.ConnectionsPerAddressMax:
			return rejectedAddress
		}
	}
	g.mu.open[c] = struct{}{}
	g.mu.byAddress[c.address]++
	return ""
}

// leave forgets a closed connection.
func (g *gate) leave(c *conn) {
	g.server.metrics.connections.Dec()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.mu.open, c)
	if g.mu.byAddress[c.address]--; g.mu.byAddress[c.address] <= 0 {
		delete(g.mu.byAddress, c.address)
	}
	if len(g.mu.open) == 0 && g.mu.empty != nil {
		close(g.mu.empty)
		g.mu.empty = nil
	}
}

// left is closed when no connection is open.
func (g *gate) left() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.empty == nil {
		g.mu.empty = make(chan struct{})
	}
	if len(g.mu.open) == 0 {
		empty := g.mu.empty
		close(empty)
		g.mu.empty = nil
		return empty
	}
	return g.mu.empty
}

// closeAll cuts off every connection that is open.
func (g *gate) closeAll() {
	g.mu.Lock()
	open := make([]*conn, 0, len(g.mu.open))
	for c := range g.mu.open {
		open = append(open, c)
	}
	g.mu.Unlock()
	for _, c := range open {
		_ = c.Conn.Close() // its server finds out and calls Close
	}
}

// turnAway answers a connection that may not come in, if it will take the answer
// at once, and closes it. It runs on the accepting goroutine and so waits for
// nothing.
func (g *gate) turnAway(c net.Conn, reason string) {
	g.server.metrics.rejected[reason].Inc()
	if !isTLS(c) {
		_ = c.SetWriteDeadline(g.server.now().Add(turnAwayTimeout))
		_, _ = c.Write(g.server.rejection(reason))
	}
	_ = c.Close()
}

func isTLS(c net.Conn) bool {
	_, ok := c.(interface{ HandshakeContext(context.Context) error })
	return ok
}

// turnAwayTimeout is how long a connection may take to take its refusal. An empty
// socket takes it in no time; this is for a machine so busy that even that is
// slow.
const turnAwayTimeout = time.Second

// addressOf is the address of a client without its port; the zero address if it
// has none.
func addressOf(remote net.Addr) netip.Addr {
	if tcp, ok := remote.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// textOf is an address as text, empty for none.
func textOf(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	return address.String()
}

// A conn is a connection that keeps its time limits, see deadline.go, and that,
// when the client may still be sending, is closed for writing first and read on
// for a while: closed at once, the kernel would answer what still arrives with a
// reset, and the client might lose the answer it has not read yet.
type conn struct {
	net.Conn
	gate    *gate
	address netip.Addr
	linger  atomic.Bool // set when an answer is sent before the request was read whole
	closed  atomic.Bool

	phase         phase
	late          bool      // what was waited for has not come in time
	bodyBy        time.Time // of a body whose length was declared, until it is waited for
	large         bool      // the answer is
	live          bool      // the answer is a stream of events
	holding       bool      // what is written is held until it is released
	held          []byte
	reads, writes deadline
	pause         time.Duration // before it is read again
	source        string        // address as text, once somebody has asked
	certified     certified
}

// remote is the address of the other end as text.
func (c *conn) remote() string {
	if c.source == "" {
		c.source = textOf(c.address)
	}
	return c.source
}

// Close closes the connection, once.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	defer c.gate.leave(c)
	if c.linger.Load() {
		c.drain()
	}
	return c.Conn.Close()
}

// drain reads what the client still sends until it has read our answer and
// closes, is silent for LingerTimeout, or has had ReadTimeout.
func (c *conn) drain() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	now, limits := c.gate.server.now, c.gate.server.limits
	end := now().Add(limits.ReadTimeout)
	buffer := make([]byte, lingerBytes)
	for {
		deadline := now().Add(limits.LingerTimeout)
		if deadline.After(end) {
			deadline = end
		}
		if c.Conn.SetReadDeadline(deadline) != nil {
			return
		}
		if _, err := io.ReadAtLeast(c.Conn, buffer, 1); err != nil || !now().Before(end) {
			return
		}
	}
}
