package httpapi

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

// A deadline is a time limit on one direction of a connection. Telling the
// connection (arming) means moving a timer, which costs as much as finding a route,
// and limits move with every request. So the connection is told as seldom as can
// be:
//
//  1. Before every wait something is armed, and never anything later than by.
//     So no wait is without an end, or has a later one than by.
//  2. What is armed may be earlier than by. Then the wait ends too early, by is
//     armed, and the wait goes on.
//  3. A wait that ends when by was armed has ended for good.
//
// So limits hold exactly, and a connection in use has its timers moved once in the
// time of a limit, not at every request.
type deadline struct {
	by    time.Time
	armed time.Time // zero: nothing
	// exact is for connections whose waits cannot go on once they have ended: by
	// is armed before every wait.
	exact bool
	arm   func(time.Time) error
}

// before prepares a wait.
func (d *deadline) before() error {
	if d.armed.IsZero() || d.by.Before(d.armed) || (d.exact && !d.armed.Equal(d.by)) {
		return d.set()
	}
	return nil
}

func (d *deadline) set() error {
	d.armed = d.by
	return d.arm(d.by)
}

// tooEarly says whether err ends a wait whose time is not up; the wait may go on.
func (d *deadline) tooEarly(err error) bool {
	return err != nil && !d.armed.Equal(d.by) && errors.Is(err, os.ErrDeadlineExceeded) && d.set() == nil
}

// phase is what a connection waits for when it is read.
type phase uint8

const (
	phaseNew       phase = iota // the first byte of all
	phaseIdle                   // the first byte of a further request
	phaseBegun                  // a request has begun; nobody has waited for more of it
	phaseReceiving              // more of it, by a deadline that is set
)

// A conn keeps the time limits of its requests. The core has none, because it
// reads the clock and moves a timer for each of them, twice or three times a
// request, whether anything is waited for or not. All of this is the serving
// goroutine's alone.

// opened starts the time of a connection.
func (c *conn) opened(now time.Time) {
	exact := isTLS(c.Conn) // after a timeout, TLS writes no more
	c.reads = deadline{by: now.Add(c.gate.server.limits.ReadTimeout), exact: exact, arm: c.Conn.SetReadDeadline}
	c.writes = deadline{by: now.Add(c.gate.server.limits.WriteTimeout), exact: exact, arm: c.SetWriteDeadline}
	if exact {
		_ = c.writes.set() // the handshake writes while it is being read
	}
}

// Read implements net.Conn. A request that arrives in one piece is never waited
// for, so its time limit is not even looked up.
func (c *conn) Read(p []byte) (int, error) {
	if c.pause > 0 {
		c.rest()
	}
	if c.phase == phaseBegun {
		within := c.gate.server.limits.ReadTimeout
		if !c.bodyBy.IsZero() {
			within = time.Until(c.bodyBy)
		}
		c.readBy(c.gate.server.now().Add(within))
	}
	if err := c.reads.before(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	for n == 0 && c.reads.tooEarly(err) {
		n, err = c.Conn.Read(p)
	}
	c.late = n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// connState is told by the core, among other things, that the first byte of a
// request is there, be it that it came behind the request before.
func connState(inner net.Conn, state fasthttp.ConnState) {
	if c, ok := inner.(*conn); ok && state == fasthttp.StateActive {
		c.begun()
	}
}

// begun starts a request.
func (c *conn) begun() {
	switch c.phase {
	case phaseNew:
		c.phase = phaseReceiving // a new connection has ReadTimeout for the whole header
	case phaseIdle:
		c.phase, c.bodyBy = phaseBegun, time.Time{}
		c.writes.by = time.Time{} // what was granted was for the answer before
	case phaseBegun, phaseReceiving:
	}
}

// readBy sets when the rest of a request has to be there.
func (c *conn) readBy(by time.Time) {
	c.phase, c.reads.by = phaseReceiving, by
}

// refused makes the connection rest before it is read again, because an import on it
// was refused for want of room and the client has been told to come later. Who does
// loses nothing. Who sends again at once is not heard at once, and so takes no time from
// those who are being served. How long differs, so that not all come back together.
func (c *conn) refused(most time.Duration) {
	if most > 0 {
		c.pause = most/2 + rand.N(most/2+1) //nolint:gosec // It is no secret.
	}
}

// rest lets the pause go by.
func (c *conn) rest() {
	pausing := c.gate.server.metrics.pausing
	pausing.Inc()
	time.Sleep(c.pause)
	pausing.Dec()
	c.pause = 0
}

// SetReadDeadline implements net.Conn. The core calls it for a body whose length
// was declared, see [Server.headerReceived], by a clock of its own.
func (c *conn) SetReadDeadline(by time.Time) error {
	c.phase, c.bodyBy = phaseBegun, by
	return nil
}

// answered starts the time that the client has for taking an answer, which is
// ready now, and that for its next request. Who takes a small answer slowly has
// less of the second.
func (c *conn) answered(now time.Time, size int) {
	s := c.gate.server
	c.phase = phaseIdle
	c.reads.by = now.Add(s.limits.IdleTimeout)
	c.writes.by = now.Add(s.limits.WriteTimeout)
	// As uploads get time for their length, so do answers.
	if c.large = size > largeResponseBytes; c.large {
		c.writes.by = c.writes.by.Add(s.transferTime(int64(size)))
	}
}

// streams gives a part of an answer that is written while it leaves its time: what an
// answer that ended with it would have had since it began. Who takes nothing is cut off
// as soon as anybody else would be.
func (c *conn) streams(began time.Time, through int64) {
	s := c.gate.server
	c.large = true
	c.writes.by = began.Add(s.limits.WriteTimeout + s.transferTime(through))
}

// largeResponseBytes is from when on an answer gets time for its length on top
// of WriteTimeout.
const largeResponseBytes = 1 << 20

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if c.holding {
		return c.gather(p)
	}
	return c.send(p)
}

// send writes to the client, within the time that it has.
func (c *conn) send(p []byte) (int, error) {
	s := c.gate.server
	// 100 Continue, or an answer held back for the next one; and each part of a stream
	// has a time of its own.
	if c.writes.by.IsZero() || c.live {
		c.writes.by = s.now().Add(s.limits.WriteTimeout)
	}
	if err := c.writes.before(); err != nil {
		return 0, err
	}
	written, err := c.Conn.Write(p)
	for c.writes.tooEarly(err) {
		var n int
		n, err = c.Conn.Write(p[written:])
		written += n
	}
	if c.large {
		c.reads.by = s.now().Add(s.limits.IdleTimeout)
	}
	return written, err
}

// hold keeps what is written from now on until release, so that it leaves in as few
// writes as a buffer allows: whoever gets it is woken that often. It holds one buffer of
// bufferBytesMin, whatever is written.
func (c *conn) hold() { c.holding, c.held = true, c.gate.server.buffers.get(bufferBytesMin) }

// gather adds to what is held, and sends that first if there is no room.
func (c *conn) gather(p []byte) (int, error) {
	if len(c.held)+len(p) > cap(c.held) {
		if err := c.sendHeld(); err != nil {
			return 0, err
		}
	}
	if len(p) > cap(c.held) {
		return c.send(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

// sendHeld sends what is held. What cannot be sent is forgotten: the connection is lost.
func (c *conn) sendHeld() error {
	held := c.held
	c.held = held[:0]
	if len(held) == 0 {
		return nil
	}
	_, err := c.send(held)
	return err
}

// release sends what is held, and holds no more.
func (c *conn) release() error {
	err := c.sendHeld()
	c.gate.server.buffers.put(c.held)
	c.holding, c.held = false, nil
	return err
}
