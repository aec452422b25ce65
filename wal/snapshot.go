package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"time"

	"markr/wal/entry"
)

// snapshotsMax is how many snapshots may be held at a time: more than one backup
// takes, and few enough that leaving them behind does not fill the disk soon.
const snapshotsMax = 4

// snapshotIDFormat makes a snapshot's id of the time when it was taken.
const snapshotIDFormat = "20060102T150405.000000Z"

// flushWait is how long a snapshot waits for a flush, which only makes it smaller.
const flushWait = 10 * time.Second

// snapshots are those that are held.
type snapshots struct {
	taking sync.Mutex // held by who takes one; before appending
	// flushed is where the log ended at the last flush for a snapshot. taking guards it.
	flushed entry.Position

	mu struct {
		sync.Mutex

		held map[string]*heldSnapshot // by id
	}
}

// A heldSnapshot is what is remembered of a snapshot.
type heldSnapshot struct {
	lease    *time.Timer
	snapshot entry.Snapshot // without its files
}

// TakeSnapshot makes a copy of the data directory as it is, by hard links, and holds
// it until ReleaseSnapshot or KeepSnapshot, or until nobody has renewed it for
// Options.SnapshotLease. Appends wait for a part of it, for a link to each table: a tenth
// of a millisecond or two for each. The snapshot of a vault opened for reading is the
// data directory itself.
//
// The error is [entry.ErrSnapshots] if too many are held, [entry.ErrNoLinks], a
// *[entry.DamagedError] if the vault's end is damaged, [entry.ErrFailed],
// [entry.ErrClosed] or the disk's. It harms nothing.
func (v *Vault) TakeSnapshot() (entry.Snapshot, error) {
	done, err := v.use()
	if err != nil {
		return entry.Snapshot{}, err
	}
	defer done()
	s, err := v.takeSnapshot()
	if err != nil {
		return entry.Snapshot{}, fmt.Errorf("take snapshot: %w", err)
	}
	return s, nil
}

func (v *Vault) takeSnapshot() (entry.Snapshot, error) {
	now := v.opts.Now().UTC().Truncate(time.Microsecond)
	s := entry.Snapshot{ID: now.Format(snapshotIDFormat), Taken: now, Path: "."}
	var err error
	if v.opts.ReadOnly {
		if v.suspect != nil {
			return s, v.suspect
		}
		m := v.current()
		s.Tip = m.tip()
		s.Files, err = v.directory.files()
		return s, err
	}
	v.snapshots.taking.Lock()
	defer v.snapshots.taking.Unlock()
	if v.snapshots.count() >= snapshotsMax {
		return s, fmt.Errorf("%w: at most %d at a time", entry.ErrSnapshots, snapshotsMax)
	}
	s.Path = path.Join(snapshotsName, s.ID)
	copied := directory{fs: v.opts.FS, path: v.opts.FS.PathJoin(v.directory.join(snapshotsName), s.ID)}
	if _, err := v.opts.FS.Stat(copied.path); !errors.Is(err, fs.ErrNotExist) {
		return s, errors.Join(err, fmt.Errorf("%s is there: the clock has not moved since the last one", s.Path))
	}
	if s.Tip, err = v.fillSnapshot(copied); err == nil {
		s.Files, err = copied.files()
	}
	if err != nil {
		return s, errors.Join(err, v.opts.FS.RemoveAll(copied.path))
	}
	s.Expires = now.Add(v.opts.SnapshotLease)
	held := s
	held.Files = nil
	v.snapshots.hold(s.ID, &heldSnapshot{
		lease: time.AfterFunc(v.opts.SnapshotLease, func() { v.expireSnapshot(s.ID) }), snapshot: held,
	})
	return s, nil
}

// fillSnapshot is steps 1 to 6 of DESIGN.md, "Snapshots".
func (v *Vault) fillSnapshot(copied directory) (entry.Tip, error) {
	if err := v.opts.FS.MkdirAll(copied.path, 0o700); err != nil {
		return entry.Tip{}, err
	}
	if err := v.opts.FS.Link(v.directory.join(formatName), copied.join(formatName)); err != nil {
		return entry.Tip{}, fmt.Errorf("%w: %w", entry.ErrNoLinks, err)
	}
	if err := v.flushForSnapshot(); err != nil {
		return entry.Tip{}, fmt.Errorf("flush: %w", err)
	}
	m, err := v.freeze(copied)
	if err != nil {
		return entry.Tip{}, err
	}
	return m.tip(), copied.trimLogs(vaultName)
}

// flushForSnapshot brings what the log holds into tables, if there is something: to
// Pebble the flush of an empty memtable is one that has failed.
func (v *Vault) flushForSnapshot() error {
	last := v.Last()
	if last == v.snapshots.flushed {
		return nil
	}
	flushed, err := v.db.AsyncFlush()
	if err != nil {
		return err
	}
	v.snapshots.flushed = last
	select {
	case <-flushed:
	case <-time.After(flushWait):
	}
	return nil
}

// freeze is what appends wait for.
func (v *Vault) freeze(copied directory) (meta, error) {
	v.appending.Lock()
	defer v.appending.Unlock()
	if failed := v.failed.Load(); failed != nil {
		return meta{}, fmt.Errorf("%w: %w", entry.ErrFailed, *failed)
	}
	start := v.opts.Now()
	// There is nothing to flush from the log: every append has synced it.
	if err := v.db.Checkpoint(copied.join(vaultName)); err != nil {
		return meta{}, err
	}
	err := v.opts.FS.Link(v.directory.join(checkpointName), copied.join(checkpointName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return meta{}, err
	}
	v.metrics.snapshotPause.Observe(v.opts.Now().Sub(start).Seconds())
	return v.current(), nil
}

// RenewSnapshot gives a snapshot a new lease, and says when it ends. The error is
// [entry.ErrNoSnapshot] if it is not held.
func (v *Vault) RenewSnapshot(id string) (expires time.Time, err error) {
	v.snapshots.mu.Lock()
	defer v.snapshots.mu.Unlock()
	held := v.snapshots.mu.held[id]
	if held == nil || !held.lease.Stop() {
		return time.Time{}, fmt.Errorf("renew snapshot %s: %w", id, entry.ErrNoSnapshot)
	}
	held.lease.Reset(v.opts.SnapshotLease)
	return v.opts.Now().UTC().Add(v.opts.SnapshotLease), nil
}

// ReleaseSnapshot removes a snapshot, and returns it without its files. The error is
// [entry.ErrNoSnapshot] if it is not held. Any other is the disk's: it is released, and
// what could not be removed is when the vault is opened next.
func (v *Vault) ReleaseSnapshot(id string) (entry.Snapshot, error) { return v.endSnapshot(id, "") }

// KeepSnapshot is ReleaseSnapshot for one that is safe in a backup. It remembers the
// backup: markr_backup_last_success_* tell of it, after a restart, too.
func (v *Vault) KeepSnapshot(id, backup string) (entry.Snapshot, error) {
	return v.endSnapshot(id, backup)
}

func (v *Vault) endSnapshot(id, backup string) (entry.Snapshot, error) {
	held := v.snapshots.take(id)
	if held == nil {
		return entry.Snapshot{}, fmt.Errorf("release snapshot %s: %w", id, entry.ErrNoSnapshot)
	}
	held.lease.Stop()
	s := held.snapshot
	var err error
	if backup != "" {
		err = v.rememberBackup(&lastBackup{id: backup, position: s.Tip.Position, taken: s.Taken})
	}
	if err := errors.Join(err, v.removeSnapshot(id)); err != nil {
		return s, fmt.Errorf("release snapshot %s: %w", id, err)
	}
	return s, nil
}

// Tip says how far the vault goes and what it holds. The error is a
// *[entry.DamagedError] for a vault opened for reading whose end is damaged, or
// [entry.ErrClosed].
func (v *Vault) Tip() (entry.Tip, error) {
	done, err := v.use()
	if err != nil {
		return entry.Tip{}, err
	}
	defer done()
	m := v.current()
	return m.tip(), v.suspect
}

// expireSnapshot ends a lease that nobody has renewed.
func (v *Vault) expireSnapshot(id string) {
	held := v.snapshots.take(id)
	if held == nil {
		return // Renewed or released just now.
	}
	v.opts.Logger.Warn("vault: a snapshot was given up, because nobody renewed it", "snapshot", id)
	if err := v.removeSnapshot(id); err != nil {
		v.opts.Logger.Warn("vault: a snapshot cannot be removed", "snapshot", id, "error", err)
	}
	if v.opts.SnapshotExpired != nil {
		v.opts.SnapshotExpired(held.snapshot)
	}
}

func (v *Vault) removeSnapshot(id string) error {
	return v.opts.FS.RemoveAll(v.opts.FS.PathJoin(v.directory.join(snapshotsName), id))
}

// forgetSnapshots begins without any: what is there was left by a process that was
// killed.
func (v *Vault) forgetSnapshots() {
	last, err := v.directory.readLastBackup()
	if err != nil {
		v.opts.Logger.Warn("vault: what was known of the last backup cannot be read", "error", err)
	}
	v.lastBackup.Store(last)
	v.snapshots.flushed = v.Last()
	v.dropSnapshots()
}

// dropSnapshots removes all snapshots. They take space and do no other harm, so nothing
// depends on it.
func (v *Vault) dropSnapshots() {
	v.snapshots.clear()
	if v.opts.ReadOnly {
		return
	}
	if err := v.opts.FS.RemoveAll(v.directory.join(snapshotsName)); err != nil {
		v.opts.Logger.Warn("vault: old snapshots cannot be removed; they take space", "error", err)
	}
}

func (s *snapshots) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.held)
}

func (s *snapshots) hold(id string, h *heldSnapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.held == nil {
		s.mu.held = make(map[string]*heldSnapshot)
	}
	s.mu.held[id] = h
}

// take takes a snapshot out of those that are held; nil if it is not one.
func (s *snapshots) take(id string) *heldSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.mu.held[id]
	delete(s.mu.held, id)
	return h
}

func (s *snapshots) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.mu.held {
		h.lease.Stop()
	}
	clear(s.mu.held)
}

// tip is what meta says of the end of the log.
func (m *meta) tip() entry.Tip {
	return entry.Tip{Position: m.last, Ordinal: m.ordinal(), Chain: m.chain, Entries: map[string]uint64{
		entry.Accepted.String():  m.accepted.entries,
		entry.Refused.String():   m.refused.entries,
		entry.Duplicate.String(): m.duplicates.entries,
		entry.Event.String():     m.events.entries,
		"dropped":                m.dropped,
	}}
}
