package main

import "errors"

// The kinds of failure that have an exit code of their own; see exit.go.
var (
	// errUsage: the command line or the environment asks for something that
	// does not exist.
	errUsage = errors.New("usage")
	// errRefused: the server refused data; it would refuse it again.
	errRefused = errors.New("refused")
	// errUnreachable: the server does not answer, or is not ready; trying again
	// later is safe.
	errUnreachable = errors.New("server unreachable or not ready")
)

// kindError gives an error one of the kinds above without changing its text.
type kindError struct {
	error
	kind error
}

// Unwrap gives both the cause and the kind.
func (e *kindError) Unwrap() []error { return []error{e.error, e.kind} }

// usageError is a mistake on the command line or in the environment.
func usageError(err error) error { return &kindError{err, errUsage} }

// unreachableError is a server that cannot be talked to now.
func unreachableError(err error) error { return &kindError{err, errUnreachable} }

// hintedError carries what the reader may do about an error. The hint is shown
// on a line of its own, never inside a longer message.
type hintedError struct {
	error
	hint string
}

// Unwrap gives the cause.
func (e *hintedError) Unwrap() error { return e.error }

// withHint says what to do about err; nil stays nil.
func withHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hintedError{err, hint}
}

// hintOf is the outermost hint, because it knows most about what was tried.
func hintOf(err error) string {
	if hinted, ok := errors.AsType[*hintedError](err); ok {
		return hinted.hint
	}
	return ""
}

// toldError is an error whose text has reached its reader already, for example as
// a log line; what is left of it is its exit code.
type toldError struct{ error }

// Unwrap gives the cause.
func (e *toldError) Unwrap() error { return e.error }
