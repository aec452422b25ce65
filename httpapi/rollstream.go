package httpapi

import (
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/valyala/fasthttp"
)

// exportsMax is how many rolls may be on their way out at once. Each holds its own view
// of a test, so as much as the test has in the worst case, for as long as its reader
// takes: four of a million students are some 200 MB if every mark is replaced meanwhile.
const exportsMax = 4

// errExports: as many rolls are on their way out as may be.
var errExports = refuse(codeOverloaded, "As many exports are under way as there may be (%d); nothing else is affected.", exportsMax)

// streamBlockBytes is how much of a stream is written at a time: one write of a large
// socket buffer, and all that a slow reader holds beside its view.
const streamBlockBytes = 64 << 10

// stream answers with a roll. What fits into a block is an answer as any other; the rest
// is written while it leaves, block by block, at the pace of the client. Nobody waits for
// the client: the roll is a view of its own. It has time by what it has sent, as an answer
// of that length would have.
func (r *request) stream(answer *rollAnswer) error {
	s := &rollStream{
		answer: answer, server: r.server, conn: r.conn, id: r.idText(),
		block: r.server.buffers.get(streamBlockBytes), started: r.server.now(),
	}
	size, err := s.begin(r)
	if err != nil || size == 0 {
		s.giveBack()
		return err
	}
	r.ctx.SetBodyStream(s, size)
	return nil
}

// begin fills the first block, takes a slot, and says how long the body will be: -1 if it
// goes in chunks, 0 if there is nothing to stream because all of it is answered.
func (s *rollStream) begin(r *request) (size int, err error) {
	whole := *s.answer
	whole.reader = whole.roll.Read(whole.first)
	if err := s.fillBlock(); err != nil {
		return 0, err
	}
	if s.answer.state == rollAll {
		encoded, err := r.encode(append(r.newBody(), s.block...))
		if err != nil {
			return 0, err
		}
		r.ctx.Response.SwapBody(encoded)
		return 0, nil
	}
	// It is not compressed: a writer for each would hold a megabyte.
	if header := r.headerList(fasthttp.HeaderAcceptEncoding); len(header) > 0 && parseAcceptEncoding(header)[codingIdentity] == 0 {
		return 0, errNotAcceptable
	}
	size = -1
	if !r.ctx.Request.Header.IsHTTP11() {
		// Chunks are not for HTTP/1.0, so the length is found out first.
		if size, err = whole.length(); err != nil {
			return 0, err
		}
	}
	select {
	case s.server.content.exports <- struct{}{}:
		s.slot = true
		return size, nil
	default:
		return 0, errExports
	}
}

// rollStream is a body that is written while it leaves. It outlives its request; the
// core closes it once, however the response ends.
type rollStream struct {
	answer  *rollAnswer
	server  *Server
	conn    *conn // nil if it came past the gate
	id      string
	block   []byte // what of it is written and has not left begins at taken
	taken   int
	sent    int64
	started time.Time
	slot    bool
}

// SupportsBodyWriteTo says that WriteTo is as good as reading: the core then writes
// blocks of ours and not of four kilobytes.
func (*rollStream) SupportsBodyWriteTo() bool { return true }

// WriteTo implements io.WriterTo.
func (s *rollStream) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for {
		if err := s.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return written, err
		}
		n, err := w.Write(s.block[s.taken:])
		s.taken += n
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// Read implements io.Reader.
func (s *rollStream) Read(p []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.block[s.taken:])
	s.taken += n
	return n, nil
}

// fill writes the next block when the one before has left, and gives it time to leave.
func (s *rollStream) fill() error {
	if s.taken == len(s.block) {
		s.block, s.taken = s.block[:0], 0
		if err := s.fillBlock(); err != nil {
			// The client sees that the end is missing; why is for the operator.
			s.server.logger.Error("export failed", slog.String("request_id", s.id), slog.Any("error", err))
			return err
		}
		if len(s.block) == 0 {
			return io.EOF
		}
	}
	if s.taken == 0 {
		s.sent += int64(len(s.block))
		if s.conn != nil {
			s.conn.streams(s.started, s.sent)
		}
	}
	return nil
}

// fillBlock appends to the block until it is full or there is no more.
func (s *rollStream) fillBlock() error {
	const rowBytesMax = 4 << 10 // more than any row has: its ids are 512 bytes, and may be escaped
	for len(s.block) < streamBlockBytes-rowBytesMax && s.answer.state != rollAll {
		var err error
		if s.block, err = s.answer.appendSome(s.block); err != nil {
			return err
		}
	}
	return nil
}

// Close gives back what the stream holds. The core calls it once, however the response
// ends.
func (s *rollStream) Close() error {
	s.giveBack()
	return nil
}

func (s *rollStream) giveBack() {
	s.server.buffers.put(s.block)
	s.block, s.answer = nil, nil
	if s.slot {
		s.slot = false
		<-s.server.content.exports
	}
}
