package load

import (
	"net"
	"time"
)

// ParseStat opens the parser of a process's status to tests.
func ParseStat(stat []byte) (time.Duration, error) { return parseStat(stat) }

// Exchange sends a request over a connection and reads the answer.
func Exchange(conn net.Conn, request []byte) (status int, closing bool, err error) {
	c := &connection{conn: conn}
	status, err = c.do(request)
	return status, c.closing, err
}

// Errors that tests look for.
var (
	ErrResponse   = errResponse
	ErrNoLength   = errNoLength
	ErrHeadTooBig = errHeadTooBig
)
