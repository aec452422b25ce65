package wal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// storeFS is the file system under Pebble, with three differences, and another for
// snapshots. The crash and fault tests showed the need of each with Pebble v2.1.7.
//
// Order: Pebble creates a manifest, syncs it, creates the marker that names it,
// and only then syncs the directory that both are in. A file system that keeps the
// younger of two unsynced entries and loses the older one, as POSIX lets it, would
// leave a store that cannot be opened; the common ones happen to keep the order.
// So the directory is synced before a marker is created. That is when a vault is
// opened and every 128 MB of manifest, and costs nothing.
//
// Failure: when Pebble cannot sync a directory or begin the next log file, it
// panics on whatever goroutine that is, some of these panics cannot be recovered,
// and not all of them say why. None of these failures can be survived, so here
// they end the vault in its own way.
type storeFS struct {
	vfs.FS

	vault *Vault
}

// How the names of Pebble's files begin or end.
const (
	markerPrefix = "marker."
	logSuffix    = ".log"
	tableSuffix  = ".sst"
)

// Create is vfs.FS's.
func (s storeFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if s.inSnapshot(name) {
		f, err := s.FS.Create(name, category)
		return unsynced(f, err)
	}
	if strings.HasPrefix(s.PathBase(name), markerPrefix) {
		dir, err := s.OpenDir(s.PathDir(name))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return nil, err
		}
	}
	f, err := s.FS.Create(name, category)
	return s.written(name, f, err)
}

// ReuseForWrite is vfs.FS's.
func (s storeFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.ReuseForWrite(oldname, newname, category)
	return s.written(newname, f, err)
}

// written returns a file that has been opened for writing.
func (s storeFS) written(name string, f vfs.File, err error) (vfs.File, error) {
	switch {
	case strings.HasSuffix(name, logSuffix):
		s.must("create log", err)
		return storeFile{f, s}, nil
	case strings.HasSuffix(name, tableSuffix):
		if s.late(err) != nil {
			return nil, err
		}
		return tableFile{f, s}, nil
	}
	return f, err
}

// Open is vfs.FS's.
func (s storeFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := s.FS.Open(name, opts...)
	if err != nil || !strings.HasSuffix(name, tableSuffix) {
		return f, err
	}
	return tableFile{f, s}, nil
}

// OpenDir is vfs.FS's.
func (s storeFS) OpenDir(name string) (vfs.File, error) {
	dir, err := s.FS.OpenDir(name)
	if s.inSnapshot(name) {
		return unsynced(dir, err)
	}
	if err != nil {
		return nil, err
	}
	return storeFile{dir, s}, nil
}

// inSnapshot says whether a file or directory belongs to a snapshot.
func (s storeFS) inSnapshot(name string) bool {
	inside := s.PathJoin(s.vault.directory.join(snapshotsName), "x")
	return strings.HasPrefix(name, strings.TrimSuffix(inside, "x"))
}

// snapshotFile is a file or a directory of a snapshot. What goes wrong with it is told
// to who takes the snapshot and ends nothing. It is not synced, because a crash removes
// it, and appends are waiting.
type snapshotFile struct{ vfs.File }

func unsynced(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return snapshotFile{f}, nil
}

// Sync is vfs.File's.
func (snapshotFile) Sync() error { return nil }

// SyncData is vfs.File's.
func (snapshotFile) SyncData() error { return nil }

// SyncTo is vfs.File's.
func (snapshotFile) SyncTo(int64) (bool, error) { return true, nil }

// Unwrap is vfs.FS's.
func (s storeFS) Unwrap() vfs.FS { return s.FS }

// must does not return if there is an error.
func (s storeFS) must(what string, err error) {
	if err != nil {
		s.vault.fatal(fmt.Errorf("%s: %w", what, err))
	}
}

// late returns an error after a while.
func (s storeFS) late(err error) error {
	if err != nil {
		time.Sleep(s.vault.tuning.retryDelay)
	}
	return err
}

// storeFile is a log or a directory: what is written to it is written and synced,
// or the vault ends.
type storeFile struct {
	vfs.File

	fs storeFS
}

// Write is vfs.File's.
func (f storeFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.fs.must("write log", err)
	return n, nil
}

// Sync is vfs.File's.
func (f storeFile) Sync() error {
	f.fs.must("sync", f.File.Sync())
	return nil
}

// SyncData is vfs.File's.
func (f storeFile) SyncData() error {
	f.fs.must("sync", f.File.SyncData())
	return nil
}

// SyncTo is vfs.File's.
func (f storeFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	f.fs.must("sync", err)
	return full, nil
}

// tableFile is a table being written or read.
type tableFile struct {
	vfs.File

	fs storeFS
}

// Write is vfs.File's.
func (f tableFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.fs.late(err)
}

// ReadAt is vfs.File's.
func (f tableFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		err = f.fs.late(err)
	}
	return n, err
}

// Sync is vfs.File's.
func (f tableFile) Sync() error { return f.fs.late(f.File.Sync()) }

// SyncData is vfs.File's.
func (f tableFile) SyncData() error { return f.fs.late(f.File.SyncData()) }
