package main

import (
	"context"
	"errors"
	"io"
)

// exitCode is what the process ends with. Scripts and service managers rely on
// the numbers.
type exitCode int

const (
	exitDone        exitCode = 0
	exitFailed      exitCode = 1
	exitUsage       exitCode = 2
	exitRefused     exitCode = 3
	exitUnreachable exitCode = 4
	exitInterrupted exitCode = 130 // what a shell reports for a program stopped by Ctrl-C
)

// exitCodeOf is the one place where an error becomes an exit code.
func exitCodeOf(err error) exitCode {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errUnreachable):
		return exitUnreachable
	case errors.Is(err, errRefused):
		return exitRefused
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// report tells the person at the terminal what went wrong and what to do next,
// and returns the exit code.
func report(stderr io.Writer, err error) exitCode {
	if code := exitCodeOf(err); code == exitDone || code == exitInterrupted {
		return code
	}
	if _, told := errors.AsType[*toldError](err); !told {
		note(stderr, "markr: %v", err)
		if hint := hintOf(err); hint != "" {
			note(stderr, "hint: %s", hint)
		}
	}
	return exitCodeOf(err)
}
