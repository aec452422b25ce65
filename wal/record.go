package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"markr/wal/entry"
)

// Both of the vault's own records start with a version and end with a checksum.
const (
	recordVersion = 2
	checksumBytes = 4
)

// totals are what the entries of one outcome amount to.
type totals struct {
	entries uint64
	size    uint64 // of their documents; a duplicate's is not stored
	bytes   uint64 // of all their keys and values
}

// meta is what holds for the whole vault after one group of entries.
type meta struct {
	last        entry.Position
	lastCounted entry.Position // of the newest accepted or duplicate entry
	chain       entry.Chain    // of that entry
	// Refused entries up to droppedThrough have been dropped, none above; it is
	// the position of the newest one that was. dropped says how many.
	droppedThrough entry.Position
	dropped        uint64
	accepted       totals
	refused        totals
	duplicates     totals
}

// ordinal is that of the newest accepted or duplicate entry.
func (m *meta) ordinal() uint64 { return m.accepted.entries + m.duplicates.entries }

// of returns the totals of an outcome that has been checked.
func (m *meta) of(outcome entry.Outcome) *totals {
	switch outcome {
	case entry.Accepted:
		return &m.accepted
	case entry.Refused:
		return &m.refused
	case entry.Duplicate:
		return &m.duplicates
	}
	return &totals{} // Not reached: entry.Check and DecodeHeader refuse other outcomes.
}

// append appends the stored bytes.
func (m *meta) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, recordVersion)
	dst = binary.AppendUvarint(dst, uint64(m.last))
	dst = binary.AppendUvarint(dst, uint64(m.lastCounted))
	dst = append(dst, m.chain[:]...)
	dst = binary.AppendUvarint(dst, uint64(m.droppedThrough))
	dst = binary.AppendUvarint(dst, m.dropped)
	for _, t := range [...]*totals{&m.accepted, &m.refused, &m.duplicates} {
		dst = binary.AppendUvarint(dst, t.entries)
		dst = binary.AppendUvarint(dst, t.size)
		dst = binary.AppendUvarint(dst, t.bytes)
	}
	return appendChecksum(dst, start)
}

// decodeMeta reads what append wrote.
func decodeMeta(b []byte) (meta, error) {
	rest, err := openRecord("meta", 0, b)
	if err != nil {
		return meta{}, err
	}
	var m meta
	fields := numbers{rest: rest}
	m.last = entry.Position(fields.next())
	m.lastCounted = entry.Position(fields.next())
	fields.copy(m.chain[:])
	m.droppedThrough = entry.Position(fields.next())
	m.dropped = fields.next()
	for _, t := range [...]*totals{&m.accepted, &m.refused, &m.duplicates} {
		*t = totals{entries: fields.next(), size: fields.next(), bytes: fields.next()}
	}
	if err := fields.end(); err != nil {
		return meta{}, &entry.DamagedError{What: fmt.Sprintf("meta: %v", err)}
	}
	if uint64(m.last) != m.ordinal()+m.refused.entries+m.dropped || max(m.lastCounted, m.droppedThrough) > m.last {
		return meta{}, &entry.DamagedError{What: "meta: the numbers of entries do not add up"}
	}
	return m, nil
}

// ticket is what dropping a refused entry needs to know of it, so that a damaged
// header does not stand in the way.
type ticket struct {
	bytes uint64 // all keys and values of the entry, this one included
	size  uint64 // of its document
}

// ticketBytesMax is what a ticket takes at most. Entries are charged as much, so
// that its length need not be known before its content.
const ticketBytesMax = 1 + 2*binary.MaxVarintLen64 + checksumBytes

// append appends the stored bytes.
func (t *ticket) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, recordVersion)
	dst = binary.AppendUvarint(dst, t.bytes)
	dst = binary.AppendUvarint(dst, t.size)
	return appendChecksum(dst, start)
}

// decodeTicket reads what append wrote.
func decodeTicket(at entry.Position, b []byte) (ticket, error) {
	rest, err := openRecord("ticket", at, b)
	if err != nil {
		return ticket{}, err
	}
	fields := numbers{rest: rest}
	t := ticket{bytes: fields.next(), size: fields.next()}
	if err := fields.end(); err != nil {
		return ticket{}, &entry.DamagedError{Position: at, What: fmt.Sprintf("ticket: %v", err)}
	}
	return t, nil
}

func appendChecksum(dst []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], crc32.MakeTable(crc32.Castagnoli)))
}

// openRecord checks a record's checksum and version, and returns its fields.
func openRecord(what string, at entry.Position, b []byte) ([]byte, error) {
	if len(b) <= checksumBytes {
		return nil, &entry.DamagedError{Position: at, What: what + ": too short"}
	}
	content := b[:len(b)-checksumBytes]
	if binary.LittleEndian.Uint32(b[len(content):]) != crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)) {
		return nil, &entry.DamagedError{Position: at, What: what + ": checksum differs"}
	}
	if content[0] != recordVersion {
		return nil, &entry.VersionError{Position: at, What: what, Version: content[0]}
	}
	return content[1:], nil
}

// numbers takes fields off the front of a record; what is missing reads as zero,
// and end says so.
type numbers struct {
	rest []byte
	err  error
}

func (n *numbers) next() uint64 {
	v, length := binary.Uvarint(n.rest)
	if length <= 0 || length > 1 && n.rest[length-1] == 0 {
		n.rest, n.err = nil, errors.New("bad number")
		return 0
	}
	n.rest = n.rest[length:]
	return v
}

func (n *numbers) copy(dst []byte) {
	if len(n.rest) < len(dst) {
		n.rest, n.err = nil, errors.New("too short")
		return
	}
	n.rest = n.rest[copy(dst, n.rest):]
}

func (n *numbers) end() error {
	if n.err == nil && len(n.rest) != 0 {
		return errors.New("bytes left over")
	}
	return n.err
}
