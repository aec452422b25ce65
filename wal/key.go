package wal

import (
	"encoding/binary"

	"github.com/google/uuid"

	"markr/wal/entry"
)

// The key space; DESIGN.md has it as a table. A key is a letter and fixed-width
// big-endian fields.
const (
	prefixBody    = 'b'
	prefixDigest  = 'd'
	prefixHeader  = 'h'
	prefixID      = 'i'
	prefixMeta    = 'm'
	prefixOutcome = 'o'
)

const (
	positionBytes   = 8
	positionKeySize = 1 + positionBytes     // b, h
	digestKeySize   = 1 + 32                // d
	idKeySize       = 1 + 16                // i
	outcomeKeySize  = 1 + 1 + positionBytes // o
)

// positionKey appends the key of a body or a header.
func positionKey(dst []byte, prefix byte, at entry.Position) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefix), uint64(at))
}

func digestKey(dst []byte, digest *entry.Digest) []byte {
	return append(append(dst, prefixDigest), digest[:]...)
}

func idKey(dst []byte, id uuid.UUID) []byte {
	return append(append(dst, prefixID), id[:]...)
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

// positionValue is what the id and digest indexes hold.
func positionValue(dst []byte, at entry.Position) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(at))
}

// valuePosition reads an index value. A value of another length yields 0, which
// is no entry's position, so that whoever follows it notices.
func valuePosition(value []byte) entry.Position {
	if len(value) != positionBytes {
		return 0
	}
	return entry.Position(binary.BigEndian.Uint64(value))
}
