package backup

import (
	"errors"
	"fmt"
)

// Opening a store.
var (
	// ErrLocked: somebody else has the store open.
	ErrLocked = errors.New("the backups are in use by another process")
	// ErrForeign: the directory holds files, and nothing says that they are backups.
	ErrForeign = errors.New("not a directory of markr backups")
	// ErrUnknownFormat: a newer program has written the store or the backup.
	ErrUnknownFormat = errors.New("unknown format of backups")
)

// Using one.
var (
	// ErrNoBackup: there is no such backup, or none at all.
	ErrNoBackup = errors.New("no such backup")
	// ErrNotEmpty: the directory to restore into holds something.
	ErrNotEmpty = errors.New("directory is not empty")
	// ErrDamaged: what is stored is not what was written. It comes wrapped in a
	// *DamagedError.
	ErrDamaged = errors.New("damaged")
)

// DamagedError names what is damaged in a backup. It wraps [ErrDamaged].
type DamagedError struct {
	Backup string // its id
	File   string // its name in the data directory; empty: the manifest, or the whole
	What   string // what differs
}

// Error names the backup and the file.
func (e *DamagedError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("backup %s is %v: %s", e.Backup, ErrDamaged, e.What)
	}
	return fmt.Sprintf("backup %s is %v: %s: %s", e.Backup, ErrDamaged, e.File, e.What)
}

// Unwrap makes errors.Is(err, ErrDamaged) true.
func (e *DamagedError) Unwrap() error { return ErrDamaged }
