package wal

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// orderedFS makes a marker file's directory durable before the marker is created.
//
// Pebble (v2.1.7) creates a manifest, syncs it, creates the marker that names it,
// and only then syncs the directory that both are in. A file system that keeps the
// younger of two unsynced entries and loses the older one, as POSIX lets it, would
// leave a store that cannot be opened. The common ones happen to keep the order;
// TestCrash, which does not, found this. A marker is moved when a vault is opened
// and every 128 MB of manifest, so that one more sync costs nothing.
type orderedFS struct{ vfs.FS }

// markerPrefix is how the names of Pebble's marker files begin.
const markerPrefix = "marker."

// Create is vfs.FS's.
func (o orderedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(o.PathBase(name), markerPrefix) {
		dir, err := o.OpenDir(o.PathDir(name))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return nil, err
		}
	}
	return o.FS.Create(name, category)
}

// Unwrap is vfs.FS's.
func (o orderedFS) Unwrap() vfs.FS { return o.FS }
