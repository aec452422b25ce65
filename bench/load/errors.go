package load

import "errors"

// Before a run.
var (
	// ErrTarget: the target is not a server's address.
	ErrTarget = errors.New("not a server's address")
	// ErrNotLoopback: the target is another machine, and that was not asked for.
	ErrNotLoopback = errors.New("not a loopback address")
	// ErrOptions: the options are out of range.
	ErrOptions = errors.New("load options out of range")
)

// In the answers.
var (
	errResponse   = errors.New("not an HTTP/1.1 response")
	errNoLength   = errors.New("response without a Content-Length")
	errHeadTooBig = errors.New("response head is too large")
	errTimeout    = errors.New("no answer in time")
)
