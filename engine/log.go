package engine

import (
	"context"
	"io"

	"github.com/google/uuid"

	"markr/wal/entry"
)

// Checkpoints keeps what the engine has computed from its log, so that a restart need
// not read the log from its beginning. markr/wal's Vault is one.
type Checkpoints interface {
	// SaveCheckpoint keeps what write writes as the state at a position, in place of
	// the one before, durably.
	SaveCheckpoint(at entry.Position, write func(io.Writer) error) error

	// LoadCheckpoint calls read with what was saved last. Its error is
	// [entry.ErrNotFound] if that is nothing, read's, or says that what was saved is
	// damaged or of another log; then what read has made of it is worth nothing.
	LoadCheckpoint(read func(at entry.Position, r io.Reader) error) error
}

// Log is what the engine needs of a log. markr/wal's Vault is one; any other has
// to pass markr/wal/waltest.
type Log interface {
	// Append makes the entries durable in one step, in order: all of them or,
	// after a crash, none. It gives each its Position, and turns an Accepted
	// entry whose digest is already accepted, in the log or earlier in the same
	// batch, into a Duplicate; an Event stays what it is, however many are alike. It
	// returns only when they are on disk.
	//
	// One goroutine appends. After [entry.ErrReadOnly], and [entry.ErrInvalid] for
	// an entry that no log can keep, nothing has happened; after any other error
	// the log takes nothing more.
	Append(entries []*entry.Entry) error

	// Writable is nil, or why Append would refuse now.
	Writable() error

	// Last is the position of the newest entry, 0 if there is none.
	Last() entry.Position

	// DroppedThrough is the position of the newest refused entry that was dropped to
	// stay under a quota, 0 if none was: all refused ones up to there are gone. It is
	// true of what Append has made durable when that returns.
	DroppedThrough() entry.Position

	// Replay calls fn with every Accepted and every Event entry from position from on,
	// in order, and stops at fn's first error. fn may keep the entry. A damaged
	// entry ends it with a *entry.DamagedError.
	Replay(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error

	// At returns the entry at a position, Find the header with an import id.
	// The error is [entry.ErrNotFound], a *entry.DamagedError or the disk's.
	At(entry.Position) (*entry.Entry, error)
	Find(uuid.UUID) (entry.Header, error)

	// Headers returns up to limit headers before a position (0: from the newest
	// on), newest first, only those with the outcome if it is not 0.
	Headers(before entry.Position, outcome entry.Outcome, limit int) ([]entry.Header, error)
}
