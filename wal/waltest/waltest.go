package waltest

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"markr/wal/entry"
)

// Log is what is tested: the engine's Log, and Close.
type Log interface {
	Append(entries []*entry.Entry) error
	Writable() error
	Last() entry.Position
	DroppedThrough() entry.Position
	Replay(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error
	At(at entry.Position) (*entry.Entry, error)
	Find(id uuid.UUID) (entry.Header, error)
	Headers(before entry.Position, outcome entry.Outcome, limit int) ([]entry.Header, error)
	Close() error
}

// Store is a place for one log, empty at first.
type Store struct {
	// Open opens the log that is in the store. It is called again after Close.
	Open func(tb testing.TB) Log
	// Spoil changes what is stored of the entry at a position, while the log is
	// closed: its body, or nothing is left of it. Nil if the log has no bytes that
	// a test can reach.
	Spoil func(tb testing.TB, at entry.Position, how Spoiling)
}

// Spoiling is a way to damage an entry.
type Spoiling int

// The ways to damage an entry.
const (
	SpoilBody Spoiling = iota // one bit of the body differs
	Remove                    // there is nothing at the position
)

// Run tests the logs in the stores that newStore makes, one for each test.
func Run(t *testing.T, newStore func(tb testing.TB) Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"Empty", testEmpty},
		{"Order", testOrder},
		{"Duplicates", testDuplicates},
		{"DuplicatesOfRefused", testDuplicatesOfRefused},
		{"Events", testEvents},
		{"Invalid", testInvalid},
		{"Find", testFind},
		{"Headers", testHeaders},
		{"Replay", testReplay},
		{"ReplayStops", testReplayStops},
		{"ReplayDuringAppends", testReplayDuringAppends},
		{"Reopen", testReopen},
		{"Damaged", testDamaged},
		{"Missing", testMissing},
		{"Closed", testClosed},
		{"Concurrent", testConcurrent},
		{"CloseDuring", testCloseDuring},
		{"Model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, newStore(t))
		})
	}
}
