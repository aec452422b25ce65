package wal

import (
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"markr/wal/entry"
)

// Options open a Vault. Dir is required.
type Options struct {
	// Dir is the data directory; it is created if it is not there.
	Dir string
	// FS is the file system; default the operating system's.
	FS vfs.FS
	// RefusedBytesMax is how many bytes refused entries may take, as stored;
	// the oldest are dropped first. Default 1 GiB; negative: none is kept.
	RefusedBytesMax int64
	// FreeBytesMin is the free disk space below which Append answers
	// entry.ErrReadOnly. Default 1 GiB; negative: no floor.
	FreeBytesMin int64
	// ReadOnly opens for looking only: nothing is written, Append fails.
	ReadOnly bool
	// SnapshotLease is how long a snapshot is held that nobody renews; default 2
	// minutes.
	SnapshotLease time.Duration
	// SnapshotExpired is told of each that was given up because nobody has renewed it,
	// without its files, on a goroutine of its own; default nobody.
	SnapshotExpired func(entry.Snapshot)
	// Now is the clock; default time.Now.
	Now func() time.Time
	// OnFatal is told that Pebble cannot go on, and must not return: by
	// Pebble's design a failed write or sync ends the process, because what is
	// on disk is then unknown. Default: panic.
	OnFatal func(error)
	// Logger; default discards.
	Logger *slog.Logger
	// Registerer takes the metrics; default none.
	Registerer prometheus.Registerer
}

const (
	refusedBytesMaxDefault = 1 << 30
	freeBytesMinDefault    = 1 << 30
	snapshotLeaseDefault   = 2 * time.Minute
)

// withDefaults fills in what is not set.
func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("open vault: no directory given")
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if vfs.Root(o.FS) == vfs.Default {
		// The lock is known by the path of its file, so a directory needs one name.
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return o, err
		}
		o.Dir = dir
	}
	switch {
	case o.RefusedBytesMax == 0:
		o.RefusedBytesMax = refusedBytesMaxDefault
	case o.RefusedBytesMax < 0:
		o.RefusedBytesMax = 0
	}
	if o.FreeBytesMin == 0 {
		o.FreeBytesMin = freeBytesMinDefault
	}
	if o.SnapshotLease <= 0 {
		o.SnapshotLease = snapshotLeaseDefault
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // The default of the option.
	}
	if o.OnFatal == nil {
		o.OnFatal = func(err error) {
			panic(err) //nolint:forbidigo // Documented: the process must end, and nobody gave another way.
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
