package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"markr/wal"
	"markr/wal/backup"
	"markr/wal/waltest"
)

// A power cut before any write operation of a backup leaves a store whose backups are
// whole, the older ones until a newer one is, and in which the next one can be made.
func TestCrashAmidBackup(t *testing.T) {
	t.Parallel()
	for _, unsynced := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("unsynced=%d", unsynced), func(t *testing.T) {
			t.Parallel()
			r := waltest.Random(t)
			disk := waltest.NewCrashDisk(vfs.NewCrashableMem())
			o := newOriginal(t, disk, "data")
			o.grow(t, 20)
			images, whole, done := 0, 0, 0
			before := func(operation int) {
				if !*long && r.IntN(12) != 0 {
					return
				}
				images++
				cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
				if err := storeSurvives(t, disk.Image(cfg), min(done, 1)); err != nil {
					t.Errorf("operation %d, after %d backups: %v", operation, done, err)
				}
				whole = done
			}
			disk.Rest(func() { disk.Before = before })
			store, err := backup.Create(backup.Options{Dir: "srv/backups", FS: disk})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				added, err := o.backUp(t.Context(), store, nil)
				if err != nil || added.NewFiles == 0 {
					t.Fatal(err)
				}
				disk.Rest(func() { done++ })
				if _, _, err := store.Keep(1); err != nil {
					t.Fatal(err)
				}
				o.grow(t, 5)
			}
			disk.Rest(func() { disk.Before = nil })
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("%d images", images)
			if images < 20 || whole < 2 {
				t.Errorf("only %d images, through %d backups", images, whole)
			}
		})
	}
}

// storeSurvives opens what a crash has left of a store.
func storeSurvives(tb testing.TB, disk *vfs.MemFS, atLeast int) error {
	tb.Helper()
	store, err := backup.Create(backup.Options{Dir: "srv/backups", FS: disk})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = store.Close() }()
	list, err := store.List()
	if err != nil {
		return err
	}
	if len(list) < atLeast {
		return fmt.Errorf("%d backups, at least %d wanted", len(list), atLeast)
	}
	if len(list) > 0 {
		verdict, err := store.Verify(context.Background(), backup.Check{Deep: true})
		if err := errors.Join(append(verdict.Findings, err)...); err != nil {
			return err
		}
	}
	v, err := wal.Open(wal.Options{Dir: "data", FS: disk, FreeBytesMin: -1})
	if err != nil {
		return fmt.Errorf("open the vault: %w", err)
	}
	o := original{Vault: v, disk: disk, dir: "data"}
	added, err := o.backUp(context.Background(), store, nil)
	if err == nil {
		_, _, err = store.Keep(1)
	}
	if err == nil {
		err = store.Restore(context.Background(), added.Manifest, backup.Target{Dir: "restored"})
	}
	if err := errors.Join(err, v.Close()); err != nil {
		return fmt.Errorf("the next backup: %w", err)
	}
	names, err := disk.List("srv/backups/files")
	if err != nil || len(names) > len(added.Manifest.Files) {
		return fmt.Errorf("%d contents for %d files, %w", len(names), len(added.Manifest.Files), err)
	}
	return nil
}

// A power cut before any write operation of a restore leaves what no server takes for a
// data directory, until it is one; and the next restore makes one.
func TestCrashAmidRestore(t *testing.T) {
	t.Parallel()
	for _, unsynced := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("unsynced=%d", unsynced), func(t *testing.T) {
			t.Parallel()
			r := waltest.Random(t)
			disk := waltest.NewCrashDisk(vfs.NewCrashableMem())
			o, store := newOriginal(t, disk, "data"), create(t, disk, "backups")
			o.grow(t, 20)
			if err := o.SaveCheckpoint(o.Last(), func(w io.Writer) error { _, err := w.Write([]byte("state")); return err }); err != nil {
				t.Fatal(err)
			}
			want := mustContent(t, o.Vault)
			m := mustBackUp(t, o, store).Manifest
			images, again := 0, 0
			before := func(operation int) {
				if !*long && r.IntN(4) != 0 {
					return
				}
				images++
				cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
				anew, err := restoreSurvives(t, disk.Image(cfg), m.ID, want)
				if err != nil {
					t.Errorf("operation %d: %v", operation, err)
				}
				if anew {
					again++
				}
			}
			disk.Rest(func() { disk.Before = before })
			if err := store.Restore(t.Context(), m, backup.Target{Dir: "srv/data"}); err != nil {
				t.Fatal(err)
			}
			disk.Rest(func() { disk.Before = nil })
			t.Logf("%d images, in %d of them begun anew", images, again)
			if images < 5 || again == 0 {
				t.Error("too few images")
			}
		})
	}
}

// restoreSurvives looks at what a crash has left of a restore: a whole data directory, or
// one that is restored anew.
func restoreSurvives(tb testing.TB, disk *vfs.MemFS, id, want string) (anew bool, err error) {
	tb.Helper()
	store, err := backup.Create(backup.Options{Dir: "backups", FS: disk})
	if err != nil {
		return false, fmt.Errorf("open: %w", err)
	}
	defer func() { _ = store.Close() }()
	if _, err := disk.Stat("srv/data/FORMAT"); err != nil {
		anew = true
		// A server that is started meanwhile must not make a new vault of it, but where
		// nothing was restored yet, one would.
		if _, err := disk.Stat("srv/data/restoring"); err == nil {
			if v, err := wal.Open(wal.Options{Dir: "srv/data", FS: disk, FreeBytesMin: -1}); !errors.Is(err, wal.ErrForeignDirectory) {
				if err == nil {
					_ = v.Close()
				}
				return anew, fmt.Errorf("a server starts on half a restore: %w", err)
			}
		}
		m, err := store.Find(id)
		if err == nil {
			err = store.Restore(context.Background(), m, backup.Target{Dir: "srv/data"})
		}
		if err != nil {
			return anew, fmt.Errorf("restore anew: %w", err)
		}
	}
	got, err := contentAt(tb, disk, "srv/data")
	if err == nil && got != want {
		err = errors.New("it holds something else")
	}
	return anew, err
}

// Whatever operation fails in a backup or a restore, it says so, and done again it
// succeeds.
func TestFaults(t *testing.T) {
	t.Parallel()
	r := waltest.Random(t)
	mem := vfs.NewMem()
	o := newOriginal(t, mem, "data")
	o.grow(t, 20)
	want := mustContent(t, o.Vault)
	var operations, failAt atomic.Int64
	var kind atomic.Value
	kind.Store(syscall.EIO)
	disk := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpLock || // A lock that cannot be had is somebody else's.
			op.Kind.ReadOrWrite() == errorfs.OpIsRead && op.Kind != errorfs.OpFileRead {
			return nil
		}
		if operations.Add(1) == failAt.Load() {
			return kind.Load().(syscall.Errno)
		}
		return nil
	}))
	faults := 0
	run := func(n int) error {
		store, err := backup.Create(backup.Options{Dir: fmt.Sprint("backups-", n), FS: disk})
		if err != nil {
			return err
		}
		added, err := o.backUp(context.Background(), store, nil)
		if err == nil {
			_, _, err = store.Keep(1)
		}
		if err == nil {
			err = store.Restore(context.Background(), added.Manifest, backup.Target{Dir: fmt.Sprint("restored-", n)})
		}
		return errors.Join(err, store.Close())
	}
	for at := 1; ; at++ {
		if !*long && r.IntN(3) != 0 {
			continue
		}
		kind.Store([]syscall.Errno{syscall.EIO, syscall.ENOSPC}[at%2])
		operations.Store(0)
		failAt.Store(int64(at))
		err := run(at)
		if operations.Load() < int64(at) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		faults++
		if err == nil {
			// A hard link that cannot be made is a copy; other failures are not overlooked.
			continue
		}
		if !errors.Is(err, kind.Load().(syscall.Errno)) {
			t.Errorf("operation %d: %v", at, err)
		}
		failAt.Store(0)
		if err := run(at); err != nil && !errors.Is(err, backup.ErrNotEmpty) {
			t.Errorf("after operation %d failed: %v", at, err)
		}
		got, err := contentAt(t, mem, fmt.Sprint("restored-", at))
		if err != nil || got != want {
			t.Errorf("after operation %d failed it holds something else: %v", at, err)
		}
	}
	t.Logf("%d faults", faults)
	if faults < 30 {
		t.Error("too few faults")
	}
}
