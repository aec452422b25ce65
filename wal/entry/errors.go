package entry

import (
	"errors"
	"fmt"
)

// What any log may answer, by when it can happen.
var (
	// Opening and reading.

	// ErrDamaged: what is stored is not what was written. It comes wrapped in a
	// *DamagedError that names the position.
	ErrDamaged = errors.New("damaged")
	// ErrNotFound: there is no such entry, or it was a refused one and has been
	// dropped to stay under the quota.
	ErrNotFound = errors.New("no such entry")
	// ErrUnknownVersion: what is stored is whole, and in a format that this
	// program does not know, so a newer one wrote it. It comes wrapped in a
	// *VersionError.
	ErrUnknownVersion = errors.New("unknown format version")

	// Appending.

	// ErrInvalid: an entry is not one that a log can keep, for example because it
	// has no id or is over a limit. Nothing was written, and the log goes on.
	ErrInvalid = errors.New("invalid entry")
	// ErrReadOnly: the log takes no entries for now, because the disk is nearly
	// full; it recovers by itself when space returns.
	ErrReadOnly = errors.New("read-only: free disk space is below the floor")
	// ErrFailed: an append failed and its outcome on disk is unknown; the log
	// takes no more entries until it is opened again.
	ErrFailed = errors.New("log failed")
	// ErrClosed: the log has been closed.
	ErrClosed = errors.New("log closed")

	// Copying.

	// ErrSnapshots: as many snapshots are held as there may be.
	ErrSnapshots = errors.New("too many snapshots")
	// ErrNoSnapshot: there is no such snapshot, or it was not renewed in time.
	ErrNoSnapshot = errors.New("no such snapshot")
	// ErrNoLinks: the file system has no hard links, so that files of a log that is
	// written to cannot be held.
	ErrNoLinks = errors.New("hard links cannot be made beside the log")
)

// DamagedError names a damaged entry. It wraps [ErrDamaged].
type DamagedError struct {
	Position Position // 0 when the damage is in no entry
	What     string   // which part, and what differs
}

// Error names the position and the part.
func (e *DamagedError) Error() string {
	if e.Position == 0 {
		return fmt.Sprintf("%v: %s", ErrDamaged, e.What)
	}
	return fmt.Sprintf("position %d %v: %s", e.Position, ErrDamaged, e.What)
}

// Unwrap makes errors.Is(err, ErrDamaged) true.
func (e *DamagedError) Unwrap() error { return ErrDamaged }

// VersionError says that a part of an entry is in a format this program does not
// know. It wraps [ErrUnknownVersion].
type VersionError struct {
	Position Position // 0 when it is in no entry
	What     string   // which part
	Version  byte     // the version found
}

// Error names the position, the part and the version.
func (e *VersionError) Error() string {
	where := ""
	if e.Position != 0 {
		where = fmt.Sprintf("position %d: ", e.Position)
	}
	return fmt.Sprintf("%s%s has %v %d: a newer markr wrote it", where, e.What, ErrUnknownVersion, e.Version)
}

// Unwrap makes errors.Is(err, ErrUnknownVersion) true.
func (e *VersionError) Unwrap() error { return ErrUnknownVersion }
