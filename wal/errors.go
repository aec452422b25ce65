package wal

import (
	"errors"
	"fmt"
	"time"
)

// Opening. What reading and appending answer is in [markr/wal/entry].
var (
	// ErrLocked: another vault has the data directory open. It comes wrapped in a
	// *LockedError.
	ErrLocked = errors.New("data directory is in use")
	// ErrForeignDirectory: the directory holds files, and nothing says that they
	// are ours.
	ErrForeignDirectory = errors.New("not a data directory of markr")
	// ErrUnknownFormat: the data directory has another format than this program's.
	// It comes wrapped in a *FormatError.
	ErrUnknownFormat = errors.New("unknown data directory format")
	// ErrNoVault: there is nothing to open for reading.
	ErrNoVault = errors.New("no vault here")

	// Appending.

	// ErrOpenedForReading: the vault was opened with Options.ReadOnly.
	ErrOpenedForReading = errors.New("vault is opened for reading only")
)

// LockedError says who has the data directory open. It wraps [ErrLocked].
type LockedError struct {
	Dir string
	// PID, Host and Since are zero if the holder has not said.
	PID   int
	Host  string
	Since time.Time
}

// Error names the directory and the holder.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%v: %s is locked by another process", ErrLocked, e.Dir)
	}
	return fmt.Sprintf("%v: %s is locked by process %d on %s since %s",
		ErrLocked, e.Dir, e.PID, e.Host, e.Since.Format(time.RFC3339))
}

// Unwrap makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Unwrap() error { return ErrLocked }

// FormatError says which format a data directory has. It wraps
// [ErrUnknownFormat].
type FormatError struct {
	Dir   string
	Found string // the number, or what is there instead of one
}

// Error names both formats.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%v: %s has format %s, this program reads formats %d and %d; use the markr that wrote it",
		ErrUnknownFormat, e.Dir, e.Found, formatNumberNoEvents, formatNumber)
}

// Unwrap makes errors.Is(err, ErrUnknownFormat) true.
func (e *FormatError) Unwrap() error { return ErrUnknownFormat }
