package httpapi

import (
	"errors"
	"io"
	"time"
)

// What can be wrong with a body before anybody looks into it. They do not leave
// readBody.
var (
	errOverLimit = errors.New("more bytes than the limit")
	errBudget    = errors.New("no bytes left in the budget")
	errCutShort  = errors.New("ended early")
)

// extendEveryBytes is how often the deadline of a body without a declared length
// is moved: often enough that the slowest allowed upload is not cut off within
// ReadTimeout, seldom enough to cost nothing.
const extendEveryBytes = 64 << 10

// A wire reads a request's body as it comes from the client: it counts, keeps
// the limit, tells a body that was cut short from one that ended, and gives a
// body without a declared length more time as it arrives.
type wire struct {
	server   *Server
	conn     *conn // nil if it came past the gate
	stream   io.Reader
	declared int64 // -1: not
	received int64
	extendAt int64
	started  time.Time
	err      error // the first, io.EOF included: decoders hide what they were told
}

// newWire makes the wire of a request, which keeps it.
func (s *Server) newWire(r *request) *wire {
	w := &r.wire
	*w = wire{server: s, conn: r.conn, stream: r.ctx.RequestBodyStream(), started: r.started, declared: -1}
	if length := r.ctx.Request.Header.ContentLength(); length >= 0 {
		w.declared = int64(length)
	}
	return w
}

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.read(p)
	w.err = err
	return n, err
}

func (w *wire) read(p []byte) (int, error) {
	if w.stream == nil || w.declared == 0 {
		return 0, io.EOF // no body at all
	}
	n, err := w.stream.Read(p)
	w.received += int64(n)
	switch {
	case w.received > w.server.limits.BodyBytesMax:
		return n, errOverLimit
	case errors.Is(err, io.EOF) && w.received < w.declared:
		// fasthttp takes the end of the connection for the end of the body.
		return n, errCutShort
	case err != nil:
		return n, err
	case w.declared < 0 && w.received >= w.extendAt:
		w.extendAt = w.received + extendEveryBytes
		if w.conn != nil {
			w.conn.readBy(w.started.Add(w.server.readTimeout(w.received)))
		}
	}
	return n, nil
}

// readTimeout is how long a body of this length may take.
func (s *Server) readTimeout(length int64) time.Duration {
	return s.limits.ReadTimeout + s.transferTime(length)
}

// transferTime is how long the slowest client may take for so many bytes.
func (s *Server) transferTime(length int64) time.Duration {
	seconds := float64(length) / float64(s.limits.BodyBytesPerSecondMin)
	return time.Duration(seconds * float64(time.Second))
}
