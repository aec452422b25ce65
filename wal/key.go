package wal

import (
	"encoding/binary"

	"markr/wal/entry"
)

// The key space; DESIGN.md has it as a table. A key is a letter and fixed-width
// big-endian fields.
const (
	prefixBody    = 'b'
	prefixDigest  = 'd'
	prefixHeader  = 'h'
	prefixMeta    = 'm'
	prefixOutcome = 'o'
)

const (
	positionBytes   = 8
	digestKeyBytes  = 6                     // of a digest are in its key
	positionKeySize = 1 + positionBytes     // b, h
	digestKeySize   = 1 + digestKeyBytes    // d
	outcomeKeySize  = 1 + 1 + positionBytes // o
)

// positionKey appends the key of a body or a header.
func positionKey(dst []byte, prefix byte, at entry.Position) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefix), uint64(at))
}

func digestKey(dst []byte, digest *entry.Digest) []byte {
	return append(append(dst, prefixDigest), digest[:digestKeyBytes]...)
}

func outcomeKey(dst []byte, outcome entry.Outcome, at entry.Position) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefixOutcome, byte(outcome)), uint64(at))
}

// keyPosition is the position at the end of a body's, header's or outcome's key.
// A key that is too short yields 0, which is no entry's position.
func keyPosition(key []byte) entry.Position {
	if len(key) < positionKeySize {
		return 0
	}
	return entry.Position(binary.BigEndian.Uint64(key[len(key)-positionBytes:]))
}

// appendPositions appends what the digest index holds: the entries whose digests begin
// with the bytes in the key, which is nearly always one.
func appendPositions(dst []byte, entries []entry.Position) []byte {
	for _, at := range entries {
		dst = binary.AppendUvarint(dst, uint64(at))
	}
	return dst
}

// decodePositions reads what appendPositions wrote. What it has not written yields 0,
// which is no entry's position, so that whoever follows it notices.
func decodePositions(value []byte) []entry.Position {
	fields := numbers{rest: value}
	entries := []entry.Position{entry.Position(fields.next())}
	for len(fields.rest) > 0 {
		entries = append(entries, entry.Position(fields.next()))
	}
	return entries
}
