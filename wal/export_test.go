package wal

import "time"

// OpenSmall is Open with memtables of so many bytes, so that a test sees flushes
// and compactions, and with little patience for those that fail.
func OpenSmall(opts Options, memTableBytes uint64) (*Vault, error) {
	return open(opts, tuning{memTableBytes, time.Millisecond})
}

// RecodeMeta decodes a meta record and encodes it again, in the version that it was.
func RecodeMeta(b []byte) ([]byte, error) {
	m, err := decodeMeta(b)
	again := m.append(nil)
	if err == nil && b[0] == metaVersionNoEvents && m.events == (totals{}) {
		const eventsBytes = 3 // three zeros
		again = again[:len(again)-eventsBytes-checksumBytes]
		again[0] = metaVersionNoEvents
		again = appendChecksum(again, 0)
	}
	return again, err
}

// RecodeTicket decodes a ticket and encodes it again.
func RecodeTicket(b []byte) ([]byte, error) {
	t, err := decodeTicket(1, b)
	return t.append(nil), err
}

// CheckpointOfVersion is a whole checkpoint of another version.
func CheckpointOfVersion(b []byte, version byte) []byte {
	head := append([]byte(nil), b[:checkpointHeadBytes-checksumBytes]...)
	head[len(checkpointTitle)] = version
	return append(appendChecksum(head, len(checkpointTitle)), b[checkpointHeadBytes:]...)
}
