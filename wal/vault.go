package wal

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"markr/wal/entry"
)

// Vault is a log of documents in Pebble. It is safe for concurrent use.
type Vault struct {
	opts      Options
	directory directory
	format    int // of the directory
	lock      *lock
	db        *store
	metrics   *metrics
	disk      disk

	tuning        tuning
	flushFailures atomic.Int64 // since the last flush that has not failed

	// Held shared by every operation on db, exclusively to close it.
	lifetime struct {
		sync.RWMutex

		closed bool
	}

	// appending is held by Append from its first decision until its entries are
	// on disk. There is one writer; the lock makes a second one harmless.
	appending sync.Mutex

	snapshots  snapshots
	lastBackup atomic.Pointer[lastBackup] // nil: none is known

	// totals is what is on disk and acknowledged. Only Append changes it.
	totals struct {
		sync.Mutex

		meta meta
	}

	// last is totals.meta.last. Nothing above it is returned to readers, because
	// Pebble shows a batch before it is on disk.
	last atomic.Uint64

	// serving is true from the end of Open to the beginning of Close.
	serving atomic.Bool

	// failed is why the vault takes nothing more.
	failed atomic.Pointer[error]

	// suspect is what a vault opened for reading found wrong with its meta.
	suspect error
}

// Open opens or creates a vault. Its errors are an *[LockedError], a
// *[FormatError], one that wraps [ErrForeignDirectory] or [ErrNoVault], a
// *[entry.DamagedError], or the disk's.
func Open(opts Options) (*Vault, error) { return open(opts, tuning{memTableBytes, retryDelay}) }

// tuning is what tests have otherwise, to see flushes, compactions and failures
// of them soon.
type tuning struct {
	memTableBytes uint64
	retryDelay    time.Duration
}

func open(opts Options, tuned tuning) (_ *Vault, err error) {
	opts, err = opts.withDefaults()
	if err != nil {
		return nil, err
	}
	v := &Vault{
		opts:      opts,
		directory: directory{fs: opts.FS, path: opts.Dir},
		disk:      disk{fs: opts.FS, path: opts.Dir, now: opts.Now},
		tuning:    tuned,
	}
	v.metrics = newMetrics(v)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open vault in %s: %w", opts.Dir, err), v.release())
		}
	}()
	if err := v.prepare(); err != nil {
		return nil, err
	}
	if v.db, err = v.openStore(vaultName, existing); err != nil {
		return nil, err
	}
	if err := v.load(); err != nil {
		return nil, err
	}
	if err := v.complete(); err != nil {
		return nil, err
	}
	v.forgetSnapshots()
	if err := v.metrics.register(opts.Registerer); err != nil {
		return nil, err
	}
	v.serving.Store(true)
	return v, nil
}

// Close waits for operations under way, writes what is still to be written, and
// closes. Closing again does nothing.
func (v *Vault) Close() error {
	v.lifetime.Lock()
	defer v.lifetime.Unlock()
	if v.lifetime.closed {
		return nil
	}
	v.lifetime.closed = true
	v.serving.Store(false)
	v.dropSnapshots()
	if err := v.release(); err != nil {
		return fmt.Errorf("close vault in %s: %w", v.opts.Dir, err)
	}
	return nil
}

// release gives back what open has got so far.
func (v *Vault) release() error {
	var errs []error
	v.metrics.unregister(v.opts.Registerer)
	if v.db != nil {
		errs = append(errs, v.closeStore())
	}
	if v.lock != nil {
		errs = append(errs, v.lock.release())
	}
	return errors.Join(errs...)
}

// closeStore closes the store, and leaves it small and quick to open: with nothing in
// its write-ahead log, and without the logs that Pebble has kept to use again, which
// it deletes when it opens. Neither is needed for anything to be safe.
func (v *Vault) closeStore() error {
	tidy := !v.opts.ReadOnly && v.failed.Load() == nil
	if tidy {
		if err := v.db.Flush(); err != nil {
			return errors.Join(fmt.Errorf("flush: %w", err), v.db.Close())
		}
	}
	if err := v.db.Close(); err != nil || !tidy {
		return err
	}
	if err := v.settle(v.directory.join(vaultName)); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

// use keeps the store open until done is called.
func (v *Vault) use() (done func(), err error) {
	v.lifetime.RLock()
	if v.lifetime.closed {
		v.lifetime.RUnlock()
		return nil, entry.ErrClosed
	}
	return v.lifetime.RUnlock, nil
}

// Last is the position of the newest entry, 0 if there is none.
func (v *Vault) Last() entry.Position { return entry.Position(v.last.Load()) }

// DroppedThrough is the position of the newest refused entry that was dropped to stay
// under the quota, 0 if none was. All refused entries up to there are gone.
func (v *Vault) DroppedThrough() entry.Position { return v.current().droppedThrough }

// Writable is nil, or why Append would refuse now.
func (v *Vault) Writable() error {
	done, err := v.use()
	if err != nil {
		return err
	}
	defer done()
	return v.writable()
}

// writable is Writable for who keeps the store open.
func (v *Vault) writable() error {
	if failed := v.failed.Load(); failed != nil {
		return fmt.Errorf("%w: %w", entry.ErrFailed, *failed)
	}
	if v.opts.ReadOnly {
		return ErrOpenedForReading
	}
	return v.disk.check(v.opts.FreeBytesMin)
}

// fail makes the vault take nothing more. The first reason stays.
func (v *Vault) fail(err error) { v.failed.CompareAndSwap(nil, &err) }

// fatal is called when Pebble cannot go on. It does not return.
func (v *Vault) fatal(err error) {
	v.fail(err)
	v.opts.Logger.Error("vault: cannot go on", "error", err)
	v.opts.OnFatal(err)
	panic(fmt.Errorf("OnFatal has returned: %w", err)) //nolint:forbidigo // Pebble's state is unknown from here on.
}

// current returns what holds for all that is acknowledged.
func (v *Vault) current() meta {
	v.totals.Lock()
	defer v.totals.Unlock()
	return v.totals.meta
}

// publish makes a group that is on disk visible.
func (v *Vault) publish(m *meta) {
	v.totals.Lock()
	v.totals.meta = *m
	v.totals.Unlock()
	v.last.Store(uint64(m.last))
}
