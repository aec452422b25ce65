package wal

// OpenSmall is Open with memtables of so many bytes, so that a test sees flushes
// and compactions.
func OpenSmall(opts Options, memTableBytes uint64) (*Vault, error) {
	return open(opts, memTableBytes)
}
