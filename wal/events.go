package wal

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble tries a flush or compaction that has failed again at once, for ever. The
// delay keeps that from taking a processor; a second is short for an operator and
// long for a disk. So many failures in a row, with no success between, are no
// accident: writers would wait for ever, so the vault ends.
const (
	retryDelay            = time.Second
	backgroundFailuresMax = 10
)

// events turns what Pebble tells of itself into metrics and log lines. These
// happen in the background: there is nobody to return them to.
func (v *Vault) events() *pebble.EventListener {
	log := v.opts.Logger
	return &pebble.EventListener{
		BackgroundError: v.backgroundFailed,
		FlushEnd:        func(info pebble.FlushInfo) { v.backgroundEnded(info.Err) },
		CompactionEnd:   func(info pebble.CompactionInfo) { v.backgroundEnded(info.Err) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			log.Error("vault: damaged file; run markr vault verify", "detail", info.String())
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			v.metrics.writeStalls.Inc()
			log.Warn("vault: writes stall", "reason", info.Reason)
		},
		WriteStallEnd: func() { log.Info("vault: writes go on") },
	}
}

// diskSlow is told of every write operation that takes longer than diskSlowMin.
func (v *Vault) diskSlow(info vfs.DiskSlowInfo) {
	v.metrics.diskSlow.Inc()
	v.opts.Logger.Warn("vault: slow disk operation", "operation", info.OpType.String(), "path", info.Path,
		"duration", info.Duration.Round(time.Millisecond))
}

// backgroundFailed is told of every flush or compaction that failed.
func (v *Vault) backgroundFailed(err error) {
	v.opts.Logger.Error("vault: background work failed, trying again", "error", err)
	switch {
	case pebble.IsCorruptionError(err):
		// Pebble leaves those files alone. What is in them is damaged for who reads
		// it; the rest goes on.
	case errors.Is(err, syscall.ENOSPC):
		// The floor keeps the vault itself from filling the disk. When somebody else
		// has, reads go on until there is space again.
	default:
		if n := v.failures.Add(1); n >= backgroundFailuresMax {
			v.fatal(fmt.Errorf("background work failed %d times in a row: %w", n, err))
		}
	}
}

func (v *Vault) backgroundEnded(err error) {
	if err == nil {
		v.failures.Store(0)
	}
}
