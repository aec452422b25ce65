package main_test

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/wal"
)

// The programs that the test binary can be. Two are `markr serve` in another setting,
// for which there is no flag; readers are no server, see overload_test.go.
const (
	theProgram    = "markr"
	checkpointing = "markr-checkpointing"
	forgetful     = "markr-forgetful"
	readers       = "markr-readers"
)

// manyCheckpoints has a checkpoint written every few dozen documents of newPaper,
// so that most instants are in the middle of one.
func manyCheckpoints(_ *wal.Options, o *engine.Options) { o.CheckpointRecords = 1000 }

// forgetfulDisk is the negative control: a disk that says that it has synced the
// vault's log, and has not. Whatever looks for loss must find some on it.
func forgetfulDisk(o *wal.Options, _ *engine.Options) { o.FS = forgetfulFS{vfs.Default} }

type forgetfulFS struct{ vfs.FS }

// Create is vfs.FS's.
func (f forgetfulFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	return forget(name, file, err)
}

// ReuseForWrite is vfs.FS's.
func (f forgetfulFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return forget(newname, file, err)
}

// Unwrap is vfs.FS's.
func (f forgetfulFS) Unwrap() vfs.FS { return f.FS }

func forget(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return file, err
	}
	return forgetfulFile{file}, nil
}

// forgetfulFile is a file whose syncs do nothing.
type forgetfulFile struct{ vfs.File }

// Sync is vfs.File's.
func (forgetfulFile) Sync() error { return nil }

// SyncData is vfs.File's.
func (forgetfulFile) SyncData() error { return nil }

// SyncTo is vfs.File's.
func (forgetfulFile) SyncTo(int64) (fullSync bool, err error) { return true, nil }
