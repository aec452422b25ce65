package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"markr/wal/entry"
)

// Pebble ends its newest log at the first chunk that is not whole, because a power cut
// may leave such an end. A chunk says how much of the log was on disk when it was
// written, so a later one can show that what is broken was whole once. Pebble looks for
// one in later blocks of 32 KiB, not in the same: a bit that flips in the last block
// would take all acknowledged entries behind it away, and nobody would know. checkLog
// looks there.

// The layout of a chunk in Pebble's log, format FormatWALSyncChunks: checksum of all
// from the kind on (4), length of the payload (2), kind, number of the log (4), how much
// of the log is on disk (8), payload. A chunk does not cross a block.
const (
	logBlockBytes     = 32 << 10
	chunkHeadBytes    = 19
	chunkKindAt       = 6
	chunkLogAt        = 7
	chunkOnDiskAt     = 11
	chunkKindMin      = 9 // whole
	chunkKindMax      = 12
	chunkChecksumMask = 0xa282ead8
)

// checkLog says whether the newest log of the store in a directory is damaged before
// its end.
func (d directory) checkLog(store string) error {
	name, number, err := d.newestLog(store)
	if err != nil || name == "" {
		return err
	}
	f, err := d.fs.Open(d.fs.PathJoin(d.join(store), name))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // It was only read.
	block := make([]byte, logBlockBytes)
	for offset := uint64(0); ; offset += logBlockBytes {
		n, err := io.ReadFull(f, block)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		whole := chunksThrough(block[:n], number)
		if whole == n || n-whole < chunkHeadBytes && err == nil {
			continue // The rest of a block that holds no head is left empty.
		}
		broken := offset + uint64(whole)
		if onDisk := onDiskAfter(block[whole:n], number); onDisk > broken {
			return &entry.DamagedError{What: fmt.Sprintf(
				"%s/%s is damaged at byte %d; what follows says that it was on disk through byte %d", store, name, broken, onDisk)}
		}
		return nil // Pebble looks at the blocks that follow.
	}
}

// newestLog is the log with the highest number, which is the one that Pebble lets end
// anywhere; name is empty if there is none.
func (d directory) newestLog(store string) (name string, number uint32, err error) {
	names, err := d.fs.List(d.join(store))
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil // Opening will say it.
	}
	if err != nil {
		return "", 0, err
	}
	newest := uint64(0)
	for _, candidate := range names {
		digits, found := strings.CutSuffix(path.Base(candidate), ".log")
		n, err := strconv.ParseUint(digits, 10, 64)
		if found && err == nil && n >= newest {
			name, newest = candidate, n
		}
	}
	return name, uint32(newest), nil
}

// chunksThrough is where the whole chunks at the beginning of a block end.
func chunksThrough(block []byte, log uint32) int {
	at := 0
	for {
		length := chunkBytes(block[at:], log)
		if length == 0 {
			return at
		}
		at += length
	}
}

// onDiskAfter is the most that any whole chunk in b, wherever it begins, says to be on
// disk.
func onDiskAfter(b []byte, log uint32) uint64 {
	most := uint64(0)
	for at := range b {
		if chunkBytes(b[at:], log) > 0 {
			most = max(most, binary.LittleEndian.Uint64(b[at+chunkOnDiskAt:]))
		}
	}
	return most
}

// chunkBytes is the length of the chunk at the beginning of b, 0 if there is none that is
// whole and of this log.
func chunkBytes(b []byte, log uint32) int {
	if len(b) < chunkHeadBytes || b[chunkKindAt] < chunkKindMin || b[chunkKindAt] > chunkKindMax ||
		binary.LittleEndian.Uint32(b[chunkLogAt:]) != log {
		return 0
	}
	length := chunkHeadBytes + int(binary.LittleEndian.Uint16(b[4:]))
	if length > len(b) {
		return 0
	}
	sum := crc32.Checksum(b[chunkKindAt:length], crc32.MakeTable(crc32.Castagnoli))
	if binary.LittleEndian.Uint32(b) != (sum>>15|sum<<17)+chunkChecksumMask {
		return 0
	}
	return length
}
