package wal

import "time"

// OpenSmall is Open with memtables of so many bytes, so that a test sees flushes
// and compactions, and with little patience for those that fail.
func OpenSmall(opts Options, memTableBytes uint64) (*Vault, error) {
	return open(opts, tuning{memTableBytes, time.Millisecond})
}
