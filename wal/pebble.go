package wal

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// pebbleFormat is the format major version of the store: the newest that Pebble
// v2.1.7 has. It is part of format 2 of the data directory and is not raised
// without raising that, because a store cannot go back.
const pebbleFormat = pebble.FormatValueSeparation

// Why these figures: DESIGN.md, "Settings of Pebble".
const (
	memTableBytes   = 32 << 20
	memTablesStop   = 4
	l0StopWrites    = 24
	cacheBytes      = memTablesStop*memTableBytes + 32<<20 // Pebble charges memtables to it.
	tableBytes      = 512 << 10                            // in the first level below L0; twice as many in each further one
	bytesPerSync    = 1 << 20
	bloomBitsPerKey = 10
	compactionsMin  = 1
	compactionsMax  = 2
	fileCacheShards = 4
	diskSlowMin     = 5 * time.Second
)

// tableEnd ends each table at the end of a kind of keys. Bodies and headers, which come
// in order of position, then are in tables of their own, which compactions move; one
// that reached into the index of digests would be written again with it.
func tableEnd(key []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	return pebble.SpanPolicy{}, []byte{key[0] + 1}, nil
}

// store is an open Pebble, with what watches over its disk.
type store struct {
	*pebble.DB

	watch io.Closer
}

// Close closes both.
func (s *store) Close() error { return errors.Join(s.DB.Close(), s.watch.Close()) }

// settle brings the store in a directory to rest: what a crash has left in its
// write-ahead log becomes tables, small tables are merged, and logs kept to be used again
// are deleted, which Pebble does only when it opens.
//
// It is a step of its own, without compactions of Pebble's choice, because a Pebble whose opening fails
// after such a flush closes what a compaction begun by it still uses, and panics.
func (v *Vault) settle(path string) error {
	db, err := v.openPebble(path, existing, func(o *pebble.Options) { o.DisableAutomaticCompactions = true })
	if err != nil {
		return err
	}
	v.mergeSmall(db)
	return db.Close()
}

// openPebble opens the store in a directory.
func (v *Vault) openPebble(path string, want intent, with ...func(*pebble.Options)) (*store, error) {
	watched, watch := vfs.WithDiskHealthChecks(storeFS{v.opts.FS, v}, diskSlowMin, nil, v.diskSlow)
	o := v.pebbleOptions(watched)
	o.ErrorIfNotExists = want == existing
	o.ErrorIfExists = want == created
	for _, set := range with {
		set(o)
	}
	db, err := pebble.Open(path, o)
	if err != nil {
		return nil, errors.Join(err, watch.Close())
	}
	return &store{db, watch}, nil
}

// pebbleOptions are the settings of a store in the vault.
func (v *Vault) pebbleOptions(fs vfs.FS) *pebble.Options {
	o := &pebble.Options{
		FS:                          fs,
		FormatMajorVersion:          pebbleFormat,
		MemTableSize:                v.tuning.memTableBytes,
		MemTableStopWritesThreshold: memTablesStop,
		L0StopWritesThreshold:       l0StopWrites,
		CacheSize:                   cacheBytes,
		BytesPerSync:                bytesPerSync,
		WALBytesPerSync:             bytesPerSync,
		CompactionConcurrencyRange:  func() (int, int) { return compactionsMin, compactionsMax },
		ReadOnly:                    v.opts.ReadOnly,
		Logger:                      pebbleLogger{v},
		EventListener:               v.events(),
	}
	o.Experimental.FileCacheShards = fileCacheShards
	o.Experimental.SpanPolicyFunc = tableEnd
	o.TargetFileSizes[0] = tableBytes
	for i := 1; i < len(o.TargetFileSizes); i++ {
		o.TargetFileSizes[i] = tableBytes << (i - 1)
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	return o
}

// pebbleLogger is the vault's logger as Pebble wants it.
type pebbleLogger struct{ vault *Vault }

// Infof logs what Pebble does in the background.
func (l pebbleLogger) Infof(format string, args ...any) {
	l.vault.opts.Logger.Debug("pebble: " + fmt.Sprintf(format, args...))
}

// Errorf logs what went wrong without anybody waiting for it.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.vault.opts.Logger.Error("pebble: " + fmt.Sprintf(format, args...))
}

// Fatalf does not return.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.vault.fatal(fmt.Errorf(format, args...))
}
