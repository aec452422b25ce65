package load

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// responseHeadBytesMax is far above what a server sends in front of an answer.
const responseHeadBytesMax = 16 << 10

// dialWait is how long to wait for a connection: a listening server takes them at
// once.
const dialWait = 5 * time.Second

// connection is one HTTP/1.1 connection with at most one request under way.
type connection struct {
	conn    net.Conn
	buffer  [responseHeadBytesMax]byte
	sent    int64 // bytes
	heard   int64 // bytes
	closing bool  // the server has said that it will close
}

func dial(ctx context.Context, target Target) (*connection, error) {
	dialer := net.Dialer{Timeout: dialWait}
	conn, err := dialer.DialContext(ctx, "tcp", target.Address.String())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &connection{conn: conn}, nil
}

// do sends a whole request and reads the whole answer.
func (c *connection) do(request []byte) (status int, err error) {
	n, err := c.conn.Write(request)
	c.sent += int64(n)
	if err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	for {
		status, err = c.readResponse()
		if err != nil || status >= 200 {
			return status, err
		}
	}
}

// readResponse reads one response and throws its body away. There is nothing in
// the buffer before and nothing after, because the server has only one request to
// answer.
func (c *connection) readResponse() (status int, err error) {
	have, headEnd := 0, -1
	for headEnd < 0 {
		if have == len(c.buffer) {
			return 0, errHeadTooBig
		}
		n, err := c.conn.Read(c.buffer[have:])
		c.heard += int64(n)
		// The end of the head may lie across two reads.
		from := max(0, have-3)
		have += n
		if i := bytes.Index(c.buffer[from:have], []byte("\r\n\r\n")); i >= 0 {
			headEnd = from + i + 4
		} else if err != nil {
			return 0, fmt.Errorf("receive: %w", err)
		}
	}
	head := c.buffer[:headEnd]
	status, length, closing, err := parseHead(head)
	if err != nil {
		return 0, err
	}
	c.closing = closing
	for rest := length - int64(have-headEnd); rest > 0; {
		n, err := c.conn.Read(c.buffer[:])
		c.heard += int64(n)
		rest -= int64(n)
		if err != nil && rest > 0 {
			return 0, fmt.Errorf("receive: %w", err)
		}
	}
	return status, nil
}

// parseHead reads what matters of a response's head.
func parseHead(head []byte) (status int, length int64, closing bool, err error) {
	const version = "HTTP/1.1 "
	if len(head) < len(version)+3 || string(head[:len(version)]) != version {
		return 0, 0, false, errResponse
	}
	status, err = strconv.Atoi(string(head[len(version) : len(version)+3]))
	if err != nil || status < 100 {
		return 0, 0, false, errResponse
	}
	length = -1
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			continue
		}
		value = bytes.TrimSpace(value)
		switch {
		case asciiEqualFold(name, "Content-Length"):
			length, err = strconv.ParseInt(string(value), 10, 64)
			if err != nil || length < 0 {
				return 0, 0, false, errNoLength
			}
		case asciiEqualFold(name, "Connection"):
			closing = asciiEqualFold(value, "close")
		}
	}
	if status < 200 || status == 204 || status == 304 {
		length = 0
	}
	if length < 0 {
		return 0, 0, false, errNoLength
	}
	return status, length, closing, nil
}

func asciiEqualFold(got []byte, want string) bool {
	return len(got) == len(want) && bytes.EqualFold(got, []byte(want))
}
