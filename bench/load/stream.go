package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// A Stream is a subscription to a server's live feed, over a connection of its own.
type Stream struct {
	conn   net.Conn
	body   io.Closer
	lines  *bufio.Reader
	event  Event
	data   []byte // of the event that is being read
	heard  int64  // bytes of events
	joined []byte // a line that is longer than the buffer
}

// An Event is one that a stream tells.
type Event struct {
	Name string
	Data []byte // valid until the next event is asked for
}

// The buffers of a stream: what wakes a subscriber up is mostly read at once.
const (
	streamBytes = 16 << 10
	lineBytes   = 4 << 10
)

// Subscribe asks the target for the events of some tests. The errors are those of
// connecting, and one for any other answer than 200.
func Subscribe(ctx context.Context, target Target, tests []string) (*Stream, error) {
	c, err := dial(ctx, target)
	if err != nil {
		return nil, err
	}
	query := url.Values{"test": tests}
	request := append(target.appendHead(nil, http.MethodGet, "/events?"+query.Encode()), "\r\n"...)
	if _, err := c.conn.Write(request); err != nil {
		return nil, errors.Join(fmt.Errorf("send: %w", err), c.conn.Close())
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(c.conn, streamBytes), nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("receive: %w", err), c.conn.Close())
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("subscribe: status %d", response.StatusCode), response.Body.Close(), c.conn.Close())
	}
	return &Stream{conn: c.conn, body: response.Body, lines: bufio.NewReaderSize(response.Body, lineBytes)}, nil
}

// Next waits for the next event. Its error is io.EOF when the server has ended the
// stream.
func (s *Stream) Next() (Event, error) {
	s.data = s.data[:0]
	for {
		line, err := s.line()
		if err != nil {
			return Event{}, err
		}
		field, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case len(line) == 0 && len(s.data) > 0:
			s.event.Data = s.data
			return s.event, nil
		case string(field) == "event" && string(value) != s.event.Name:
			s.event.Name = string(value)
		case string(field) == "data":
			s.data = append(s.data, value...)
		}
	}
}

// line is the next line without its end, valid until the next one.
func (s *Stream) line() ([]byte, error) {
	s.joined = s.joined[:0]
	for {
		piece, err := s.lines.ReadSlice('\n')
		s.heard += int64(len(piece))
		switch {
		case err == nil && len(s.joined) == 0:
			return piece[:len(piece)-1], nil
		case err == nil:
			s.joined = append(s.joined, piece...)
			return s.joined[:len(s.joined)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
		s.joined = append(s.joined, piece...)
	}
}

// Heard is how many bytes of events have been read, without what HTTP adds.
func (s *Stream) Heard() int64 { return s.heard }

// Close hangs up. It ends a [Stream.Next] that waits.
func (s *Stream) Close() error { return s.conn.Close() }
