package wal

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// pebbleFormat is the format major version of the store: the newest that Pebble
// v2.1.7 has. It is part of format 1 of the data directory and is not raised
// without raising that, because a store cannot go back.
const pebbleFormat = pebble.FormatValueSeparation

// Why these figures: DESIGN.md, "Settings of Pebble".
const (
	memTableBytes      = 64 << 20
	memTablesStop      = 4
	l0StopWrites       = 24
	cacheBytes         = 64 << 20
	bytesPerSync       = 1 << 20
	bloomBitsPerKey    = 10
	compactionsMin     = 1
	compactionsMax     = 2
	fileCacheShardsMax = 4
)

// pebbleOptions are the settings of a store in the vault.
func (v *Vault) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          orderedFS{v.opts.FS},
		FormatMajorVersion:          pebbleFormat,
		MemTableSize:                memTableBytes,
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
	if v.memTableBytes > 0 {
		o.MemTableSize = v.memTableBytes
	}
	o.Experimental.FileCacheShards = fileCacheShardsMax
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	// This is what reports slow disk operations. Pebble closes it with the store.
	o.WithFSDefaults()
	return o
}

// events turns what Pebble tells of itself into metrics and log lines. These
// happen in the background: there is nobody to return them to.
func (v *Vault) events() *pebble.EventListener {
	log := v.opts.Logger
	return &pebble.EventListener{
		BackgroundError: func(err error) { log.Error("vault: background work failed, Pebble will try again", "error", err) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			log.Error("vault: damaged file; run markr vault verify", "detail", info.String())
		},
		DiskSlow: func(info pebble.DiskSlowInfo) {
			v.metrics.diskSlow.Inc()
			log.Warn("vault: slow disk operation", "operation", info.OpType.String(), "path", info.Path,
				"duration", info.Duration.Round(time.Millisecond))
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			v.metrics.writeStalls.Inc()
			log.Warn("vault: writes stall", "reason", info.Reason)
		},
		WriteStallEnd: func() { log.Info("vault: writes go on") },
	}
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
