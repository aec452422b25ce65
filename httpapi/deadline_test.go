package httpapi_test

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"markr/httpapi"
)

// A virtual connection has its own time, which passes only while the server waits
// for the client, so that a test of hours takes no time and is exact.
type virtual struct {
	memoryAddress

	mu struct {
		sync.Mutex
		now time.Time
	}
	pieces        []piece
	began         time.Time
	takesAt       time.Time // when the client begins to take answers
	readBy, sayBy time.Time // the deadlines that are armed
	answers       strings.Builder
	ended         chan time.Time // the time of Close
}

// A piece is sent by the client when so much time has passed since it sent the
// last one.
type piece struct {
	after time.Duration
	text  string
}

func (c *virtual) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.now
}

// wait lets time pass until something happens, or until a deadline that is earlier.
func (c *virtual) wait(until, deadline time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.Before(c.mu.now) {
		until = c.mu.now
	}
	if deadline.IsZero() || until.Before(deadline) {
		c.mu.now = until
		return nil
	}
	if deadline.After(c.mu.now) {
		c.mu.now = deadline
	}
	return os.ErrDeadlineExceeded
}

func (c *virtual) Read(p []byte) (int, error) {
	if len(c.pieces) == 0 {
		if c.readBy.IsZero() {
			return 0, io.ErrUnexpectedEOF // a wait without an end
		}
		return 0, c.wait(c.readBy.Add(time.Hour), c.readBy)
	}
	if err := c.wait(c.pieces[0].at(c), c.readBy); err != nil {
		return 0, err
	}
	n := copy(p, c.pieces[0].text)
	if c.pieces[0].text = c.pieces[0].text[n:]; c.pieces[0].text == "" {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

// at is when a piece is there; asked for twice, its time goes on.
func (p *piece) at(c *virtual) time.Time {
	at := c.now().Add(p.after)
	if c.readBy.IsZero() || at.Before(c.readBy) {
		p.after = 0
	} else if left := c.readBy.Sub(c.now()); left > 0 {
		p.after -= left
	}
	return at
}

func (c *virtual) Write(p []byte) (int, error) {
	if err := c.wait(c.takesAt, c.sayBy); err != nil {
		return 0, err
	}
	return c.answers.Write(p)
}

func (c *virtual) Close() error                        { c.ended <- c.now(); return nil }
func (c *virtual) SetReadDeadline(by time.Time) error  { c.readBy = by; return nil }
func (c *virtual) SetWriteDeadline(by time.Time) error { c.sayBy = by; return nil }
func (c *virtual) SetDeadline(by time.Time) error      { c.readBy, c.sayBy = by, by; return nil }

// TestTimeLimits: every wait has its end, at the time DESIGN.md says, and none has
// it earlier, whatever was armed on the connection by requests before.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	const (
		ask   = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
		begin = "GET /livez HTTP/1.1\r\n"
		sec   = time.Second
	)
	drip := func(text string, times int) (pieces []piece) {
		for range times {
			pieces = append(pieces, piece{3 * sec, text})
		}
		return pieces
	}
	first := []piece{{0, ask}, {1 * sec, ask}, {30 * sec, ask}} // at 31 s
	after := func(pieces ...piece) []piece { return append(slices.Clip(first), pieces...) }
	for _, c := range []struct {
		name    string
		pieces  []piece
		takesAt time.Duration
		want    string        // statuses
		ends    time.Duration // when the server hangs up
	}{
		{"silence", nil, 0, "408", 10 * sec},
		{"the first byte late", []piece{{9 * sec, ask}}, 0, "200", 69 * sec},
		{"a header dripping in", append([]piece{{2 * sec, begin}}, drip("X: y\r\n", 10)...), 0, "408", 10 * sec},
		{"idle", after(), 0, "200 200 200", 91 * sec},
		{"a request after nearly too long", after(piece{59 * sec, ask}), 0, "200 200 200 200", 150 * sec},
		{"a later header dripping in", after(append([]piece{{5 * sec, begin}}, drip("X: y\r\n", 10)...)...), 0, "200 200 200 408", 46 * sec},
		{"a later header in time", after(piece{5 * sec, begin}, piece{9 * sec, "Host: x\r\n\r\n"}), 0, "200 200 200 200", 105 * sec},
		{"a body that never begins", after(piece{5 * sec, typed + "Content-Length: 65536\r\n\r\n"}), 0, "200 200 200 408", 47 * sec},
		{"a body dripping in", after(append([]piece{{5 * sec, typed + "Content-Length: 65536\r\n\r\n"}}, drip("<", 10)...)...), 0, "200 200 200 408", 47 * sec},
		{"chunks dripping in", after(append([]piece{{5 * sec, typed + "Transfer-Encoding: chunked\r\n\r\n"}}, drip("1\r\n<\r\n", 10)...)...), 0, "200 200 200 408", 46 * sec},
		{"a body, then idle", after(piece{5 * sec, typed + "Content-Length: 2\r\n\r\n<"}, piece{9 * sec, "a"}), 0, "200 200 200 400", 105 * sec},
		{"continue after a long rest", []piece{{0, ask}, {50 * sec, typed + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"}, {1 * sec, "<"}}, 0, "200 100 400", 111 * sec},
		{"half a header behind a request", append([]piece{{0, ask + begin}}, drip("X: y\r\n", 10)...), 0, "200 408", 10 * sec},
		{"no chunks behind a request", []piece{{0, ask + typed + "Transfer-Encoding: chunked\r\n\r\n"}}, 0, "200 408", 10 * sec},
		{"half a body behind a request", []piece{{0, ask + typed + "Content-Length: 65536\r\n\r\n<"}}, 0, "200 408", 11 * sec},
		{"two requests at once", []piece{{0, ask + ask}}, 0, "200 200", 60 * sec},
		{"an answer taken late", []piece{{0, ask}}, 29 * sec, "200", 60 * sec},
		{"an answer not taken", []piece{{0, ask}}, time.Hour, "", 30 * sec},
		{"continue not taken", []piece{{0, typed + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"}}, time.Hour, "", 30 * sec},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := newVirtual(c.takesAt, c.pieces...)
			conn.serve(t, newBorder(t, func(opts *httpapi.Options) { opts.Now = conn.now }), c.ends)
			if got := statuses(conn.answers.String()); got != c.want {
				t.Errorf("answers %q, want %q\n%s", got, c.want, conn.answers.String())
			}
		})
	}
}

func newVirtual(takesAt time.Duration, pieces ...piece) *virtual {
	began := time.Now()
	c := &virtual{pieces: slices.Clone(pieces), began: began, takesAt: began.Add(takesAt), ended: make(chan time.Time, 1)}
	c.mu.now = began
	return c
}

// serve serves the connection, and fails the test unless it ends when it should.
func (c *virtual) serve(t *testing.T, b *border, ends time.Duration) {
	t.Helper()
	b.listenInMemory(t).conns <- c
	took := (<-c.ended).Sub(c.began)
	if off := took - ends; off < -tolerance || off > tolerance {
		t.Errorf("ended after %v, want %v", took, ends)
	}
}

// TestIdleAfterALargeAnswer: a client that has taken its time with a large answer
// has IdleTimeout from then on.
func TestIdleAfterALargeAnswer(t *testing.T) {
	t.Parallel()
	conn := newVirtual(80 * time.Second)
	b := newBorder(t, func(opts *httpapi.Options) { opts.Now = conn.now })
	b.post(t, document(sheet("large", "1", 1, 2))+strings.Repeat(" ", 8<<20)).want(t, 200)
	imports, err := b.engine.Imports(0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	conn.pieces = []piece{{0, get("/imports/" + imports[0].ID.String() + "/document")}}
	conn.serve(t, b, 140*time.Second)
	if got := statuses(conn.answers.String()); got != "200" {
		t.Errorf("answers %q", got)
	}
}

// tolerance is for the real time that passes in a test.
const tolerance = 2 * time.Second

// statuses lists the statuses of the answers on a connection.
func statuses(answers string) string {
	var found []string
	for line := range strings.Lines(answers) {
		if rest, ok := strings.CutPrefix(line, "HTTP/1.1 "); ok {
			found = append(found, rest[:3])
		}
	}
	return strings.Join(found, " ")
}

// TestTimersRest: a connection in use moves a timer when its limits are up, and
// not at every request.
func TestTimersRest(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	body := document(sheet("timers", "1", 1, 2)) + strings.Repeat(" ", 100<<10)
	for name, request := range map[string]string{
		"read":   get("/livez"),
		"import": typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body), // longer than what is read at once
	} {
		t.Run(name, func(t *testing.T) {
			const requests = 200
			conn := newRepeater(request, requests)
			b.listenInMemory(t).conns <- conn
			<-conn.done
			if conn.answers != requests {
				t.Errorf("%d answers to %d requests", conn.answers, requests)
			}
			// One for each direction, one for a body after a rest; and again
			// should the machine be so slow that the limits are up.
			if moved := conn.timers.Load(); moved > 10 {
				t.Errorf("%d timers moved for %d requests", moved, requests)
			}
		})
	}
}
