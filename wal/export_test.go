package wal

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

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

// SmallRun is a run of small tables: its first and last key, and what is written for it.
type SmallRun struct {
	First, Last string
	Bytes       uint64
}

// SmallRuns are the runs in tables of these sizes, each with a key of its own, in order.
func SmallRuns(kinds string, sizes []uint64) (runs []SmallRun) {
	var tables []pebble.SSTableInfo
	for i, size := range sizes {
		key := pebble.InternalKey{UserKey: fmt.Appendf(nil, "%c%08d", kinds[i*len(kinds)/len(sizes)], i)}
		tables = append(tables, pebble.SSTableInfo{TableInfo: pebble.TableInfo{Size: size, Smallest: key, Largest: key}})
	}
	for _, run := range smallRuns(tables) {
		runs = append(runs, SmallRun{string(run.first), string(run.last), run.bytes})
	}
	return runs
}

// MergeBytesMax is what is written for one run at most.
const MergeBytesMax = mergeBytesMax
