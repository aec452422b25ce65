package wal_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"markr/wal/entry"
	"markr/wal/waltest"
)

// Pebble shows a batch before it is on disk; the vault does not.
func TestNotVisibleBeforeDurable(t *testing.T) {
	t.Parallel()
	var holding atomic.Bool
	syncing, release := make(chan struct{}), make(chan struct{})
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
		if sync && strings.HasSuffix(op.Path, ".log") && holding.CompareAndSwap(true, false) {
			syncing <- struct{}{}
			<-release
		}
		return nil
	}))
	opts := inMemory(fs)
	opts.RefusedBytesMax = 350 // One of the refused entries, not two.
	v := openVault(t, opts)
	maker := waltest.NewMaker(t)
	if err := v.Append(append(maker.Refused(0), maker.Accepted(1)...)); err != nil {
		t.Fatal(err)
	}
	group := append(maker.Accepted(2), maker.Refused(3)...)
	appended := make(chan error)
	holding.Store(true)
	go func() { appended <- v.Append(group) }()
	<-syncing

	if v.Last() != 2 {
		t.Errorf("last is %d before it is on disk", v.Last())
	}
	for at := entry.Position(3); at <= 4; at++ {
		if _, err := v.At(at); !errors.Is(err, entry.ErrNotFound) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if _, err := v.Find(entry.NewID(group[0].Received, 3, group[0].Salt)); !errors.Is(err, entry.ErrNotFound) {
		t.Errorf("find: %v", err)
	}
	for _, outcome := range []entry.Outcome{0, entry.Accepted} {
		headers, err := v.Headers(0, outcome, 10)
		// The refused entry at 1 is about to be dropped: the sync may begin before Pebble
		// shows that, or after.
		if outcome == 0 && len(headers) == 2 && headers[1].Position == 1 {
			headers = headers[:1]
		}
		if err != nil || len(headers) != 1 || headers[0].Position != 2 {
			t.Errorf("%d headers, %v", len(headers), err)
		}
	}
	// The entry that is about to be dropped may be gone already; that is no damage.
	if _, err := v.At(1); err != nil && !errors.Is(err, entry.ErrNotFound) {
		t.Errorf("at 1: %v", err)
	}
	replayed := 0
	if err := v.Replay(t.Context(), 1, func(*entry.Entry) error { replayed++; return nil }); err != nil || replayed != 1 {
		t.Errorf("replay: %d entries, %v", replayed, err)
	}
	if s := stats(t, v); s.Last != 2 || s.Accepted.Entries != 1 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}

	close(release)
	if err := <-appended; err != nil {
		t.Fatal(err)
	}
	if h, err := v.Find(group[0].ID); err != nil || h.Position != 3 || v.Last() != 4 {
		t.Errorf("on disk: %+v, %v", h, err)
	}
	if s := stats(t, v); s.Dropped != 1 || s.Refused.Entries != 1 {
		t.Errorf("%+v", s)
	}
}
