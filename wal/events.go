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
// long for a disk. So many flushes failing in a row are no accident: the memtables
// fill up, and then writers wait for ever, so the vault ends.
const (
	retryDelay       = time.Second
	flushFailuresMax = 10
)

// events turns what Pebble tells of itself into metrics and log lines. These
// happen in the background: there is nobody to return them to.
func (v *Vault) events() *pebble.EventListener {
	log := v.opts.Logger
	return &pebble.EventListener{
		BackgroundError: func(err error) { log.Error("vault: background work failed, trying again", "error", err) },
		FlushEnd:        func(info pebble.FlushInfo) { v.flushed(info.Err) },
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

// flushed is told how a flush has ended. A compaction that fails is no reason to
// end: what it cannot read may be one bad place, and the rest can still be read;
// what it cannot write, a flush cannot either.
func (v *Vault) flushed(err error) {
	switch {
	case err == nil:
		v.flushFailures.Store(0)
	case errors.Is(err, syscall.ENOSPC):
		// The floor keeps the vault itself from filling the disk. When somebody else
		// has, reads go on until there is space again. While opening and closing
		// there are none, and Pebble would wait for space for ever, without a word to
		// who waits for it.
		if !v.serving.Load() {
			v.fatal(fmt.Errorf("flush: %w", err))
		}
	default:
		if n := v.flushFailures.Add(1); n >= flushFailuresMax {
			v.fatal(fmt.Errorf("flush failed %d times in a row: %w", n, err))
		}
	}
}
