package engine

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"markr/engine/intake"
	"markr/wal/entry"
)

// Recovering.

// ErrUnreadable is about a document that was accepted once and is refused by today's decoder.
var ErrUnreadable = errors.New("accepted before and not readable now")

// Importing.
var (
	// ErrNotReady: the engine is still reading its log.
	ErrNotReady = errors.New("not ready: still reading the log")
	// ErrOverloaded: more imports are waiting than the queue holds.
	ErrOverloaded = errors.New("too many imports are waiting")
	// ErrStalled: the log has not come back from an append, as long as its disk does
	// not answer. It passes by itself.
	ErrStalled = errors.New("the log's disk has not answered")
	// ErrClosed: the engine is closing or closed.
	ErrClosed = errors.New("engine closed")
)

// Correcting.
var (
	// ErrNotRefused: an import was to be corrected or retried that has not been refused.
	ErrNotRefused = errors.New("not a refused import")
	// ErrResolved: the refused import is resolved already, or somebody is about to do it.
	ErrResolved = errors.New("refused import already resolved")
)

// Reading.
var (
	// ErrUnknownTest: no accepted document has named this test.
	ErrUnknownTest = errors.New("unknown test")
	// ErrUnknownStudent: no accepted document has a scan of this student in the test.
	ErrUnknownStudent = errors.New("unknown student")
	// ErrUnknownPosition: the log has not come to this position yet.
	ErrUnknownPosition = errors.New("unknown position")
	// ErrLostPast: a document counted then that no decoder of today reads.
	ErrLostPast = errors.New("the past cannot be computed: a document that counted then is not readable now")
	// ErrUnknownImport: there is no import with this id, or it was refused and
	// has been dropped since.
	ErrUnknownImport = errors.New("unknown import")
	// ErrItemsOff: the engine keeps nothing for item analysis.
	ErrItemsOff = errors.New("item analysis is off")
	// ErrRollGone: the roll that a place is of cannot be made again, because another
	// rule is in force.
	ErrRollGone = errors.New("another rule is in force")
)

// Reprocessing.
var (
	// ErrReprocessing: another reprocess is under way.
	ErrReprocessing = errors.New("another reprocess is under way")
	// ErrNoReprocess: none is under way.
	ErrNoReprocess = errors.New("no reprocess is under way")
	// ErrReprocessNotReady: the reprocess cannot be committed, or compared, yet.
	ErrReprocessNotReady = errors.New("the reprocess is not ready")
)

// RefusedError says that a document was refused, durably: nothing of it counts, and
// it is kept under ImportID to be looked at.
type RefusedError struct {
	ImportID uuid.UUID
	Position entry.Position
	Document *intake.DocumentError
}

// Error is the document's error.
func (r *RefusedError) Error() string { return fmt.Sprintf("document refused: %v", r.Document) }

// Unwrap gives the document's error.
func (r *RefusedError) Unwrap() error { return r.Document }
