// Package entry is what a log keeps: one document as it was received, and what
// became of it. It is the one package that the log (wal) and its user (engine)
// share, so that neither imports the other; a second log keeps the same entries.
//
// The format of an entry's bytes is in wal/DESIGN.md. It carries a version from
// the first byte and a checksum of its own, so that a damaged entry is named by
// its position instead of being read as something else.
package entry

import (
	"time"

	"github.com/google/uuid"
)

// Position is an entry's place in the order of its log. Positions start at 1 and
// grow by one; 0 is before the first entry.
type Position uint64

// Digest names a document: documents are the same if their digests are. It is the
// SHA-256 of a form of the document that its bytes decide alone, see [Codec.Seal], or
// they and its media type, see [Codec.SealTyped].
type Digest [32]byte

// Chain is an entry's link to the entries before it: the first half of a SHA-256; see
// [AppendHeader].
type Chain [16]byte

// Outcome says what became of a document, or that the entry is no document.
type Outcome uint8

// The outcomes. Numbers are part of the format.
const (
	Accepted  Outcome = 1 // counted
	Refused   Outcome = 2 // not counted; kept to be looked at, under a byte quota
	Duplicate Outcome = 3 // the bytes of an accepted document again; refers to it, keeps no bytes
	Event     Outcome = 4 // no document: a change of what is done with them; never a duplicate, never dropped
)

// String is the outcome's name in the API: accepted, refused, duplicate, event.
func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	case Duplicate:
		return "duplicate"
	case Event:
		return "event"
	}
	return "unknown"
}

// Header is all of an entry but the document's bytes.
type Header struct {
	Position Position
	// ID is the import id: [NewID] of Received, Position and Salt, set by the log.
	ID       uuid.UUID
	Received time.Time // UTC, microseconds
	// Salt is what makes the import id hard to guess: 30 random bits. Others are not
	// kept.
	Salt uint32
	// Source says who sent it, for example an address. It may be empty.
	Source string
	// MediaType is all that is needed to read it again beside its bytes: the content
	// type it came with, parameters included, or more than that.
	MediaType string
	Outcome   Outcome
	Digest    Digest
	// Size is the document's length in bytes; for a Duplicate that of the first.
	Size int64
	// DuplicateOf is the position of the accepted entry with the same digest,
	// for a Duplicate; else 0.
	DuplicateOf Position
	// Detail is the engine's own: what it found in the document, or why it
	// refused it. A log stores it and never reads it.
	Detail []byte

	// Ordinal, LastCounted and Chain are the log's own, set when the entry is appended.
	//
	// Ordinal is how many entries that are counted, all but refused ones, the log
	// holds up to and including this one. Those are never dropped, so a step in the
	// ordinals is a missing entry, while a step in the positions alone is a refused
	// entry that was dropped.
	Ordinal uint64
	// LastCounted is, for a Refused entry, the position of the last entry before it
	// that is counted, 0 if there is none; else 0.
	LastCounted Position
	// Chain covers the chain value of the last entry before this one that is
	// counted, the position and this header's bytes. A refused entry has one
	// too, but no entry is chained to it, because it may be dropped.
	Chain Chain
}

// Counted says whether the log counts the entry in its ordinals and continues
// the chain from it: every entry but a refused one, because only those are ever
// dropped.
func (h *Header) Counted() bool { return h.Outcome != Refused }

// Entry is a header with the document's bytes, or an event's, compressed. Make one with
// [Codec.Seal], read its document with [Codec.Raw].
type Entry struct {
	Header
	Body []byte
}
