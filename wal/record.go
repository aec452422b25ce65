package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"markr/wal/entry"
)

// The vault's own records start with a version and end with a checksum. Each kind has
// versions of its own.
const (
	// metaVersion is 3 since there are events. A record of version 2 is read as one
	// without any: it is what a directory of format 2 has until the first append.
	metaVersion         = 3
	metaVersionNoEvents = 2
	ticketVersion       = 2
	checksumBytes       = 4
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
	lastCounted entry.Position // of the newest entry that is counted: all but refused ones
	chain       entry.Chain    // of that entry
	// Refused entries up to droppedThrough have been dropped, none above; it is
	// the position of the newest one that was. dropped says how many.
	droppedThrough entry.Position
	dropped        uint64
	accepted       totals
	refused        totals
	duplicates     totals
	events         totals
}

// ordinal is that of the newest counted entry.
func (m *meta) ordinal() uint64 {
	return m.accepted.entries + m.duplicates.entries + m.events.entries
}

// of returns the totals of an outcome that has been checked.
func (m *meta) of(outcome entry.Outcome) *totals {
	switch outcome {
	case entry.Accepted:
		return &m.accepted
	case entry.Refused:
		return &m.refused
	case entry.Duplicate:
		return &m.duplicates
	case entry.Event:
		return &m.events
	}
	return &totals{} // Not reached: entry.Check and DecodeHeader refuse other outcomes.
}

// append appends the stored bytes.
func (m *meta) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, metaVersion)
	dst = binary.AppendUvarint(dst, uint64(m.last))
	dst = binary.AppendUvarint(dst, uint64(m.lastCounted))
	dst = append(dst, m.chain[:]...)
	dst = binary.AppendUvarint(dst, uint64(m.droppedThrough))
	dst = binary.AppendUvarint(dst, m.dropped)
	for _, t := range [...]*totals{&m.accepted, &m.refused, &m.duplicates, &m.events} {
		dst = binary.AppendUvarint(dst, t.entries)
		dst = binary.AppendUvarint(dst, t.size)
		dst = binary.AppendUvarint(dst, t.bytes)
	}
	return appendChecksum(dst, start)
}

// decodeMeta reads what append wrote, today or before there were events.
func decodeMeta(b []byte) (meta, error) {
	version, rest, err := openRecord("meta", 0, b)
	if err != nil {
		return meta{}, err
	}
	var m meta
	counted := []*totals{&m.accepted, &m.refused, &m.duplicates, &m.events}
	switch version {
	case metaVersion:
	case metaVersionNoEvents:
		counted = counted[:3]
	default:
		return meta{}, &entry.VersionError{What: "meta", Version: version}
	}
	fields := numbers{rest: rest}
	m.last = entry.Position(fields.next())
	m.lastCounted = entry.Position(fields.next())
	fields.copy(m.chain[:])
	m.droppedThrough = entry.Position(fields.next())
	m.dropped = fields.next()
	for _, t := range counted {
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
	dst = append(dst, ticketVersion)
	dst = binary.AppendUvarint(dst, t.bytes)
	dst = binary.AppendUvarint(dst, t.size)
	return appendChecksum(dst, start)
}

// decodeTicket reads what append wrote.
func decodeTicket(at entry.Position, b []byte) (ticket, error) {
	version, rest, err := openRecord("ticket", at, b)
	if err != nil {
		return ticket{}, err
	}
	if version != ticketVersion {
		return ticket{}, &entry.VersionError{Position: at, What: "ticket", Version: version}
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

// openRecord checks a record's checksum, and returns its version and its fields.
func openRecord(what string, at entry.Position, b []byte) (version byte, fields []byte, err error) {
	if len(b) <= checksumBytes {
		return 0, nil, &entry.DamagedError{Position: at, What: what + ": too short"}
	}
	content := b[:len(b)-checksumBytes]
	if binary.LittleEndian.Uint32(b[len(content):]) != crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)) {
		return 0, nil, &entry.DamagedError{Position: at, What: what + ": checksum differs"}
	}
	return content[0], content[1:], nil
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
