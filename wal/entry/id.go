package entry

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// PositionMax is the highest position that fits into an import id: at 40 000 entries
// a second it is reached after fourteen years.
const PositionMax Position = 1<<positionBits - 1

// An import id's 74 bits beside its time: where the entry is, and what cannot be
// guessed.
const (
	positionBits = 44
	saltBits     = 30
)

// NewID makes the import id of the entry that a log keeps at a position: a UUIDv7
// (RFC 9562), that is, the milliseconds of received, then bits of the log's own, which
// are the position and 30 bits of salt. So ids sort by time of arrival, an entry is
// found without an index of ids, and one id does not tell the next.
func NewID(received time.Time, at Position, salt uint32) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(received.UnixMilli())<<16|7<<12|uint64(at)>>32&0xfff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|uint64(at)&(1<<32-1)<<saltBits|uint64(salt)&(1<<saltBits-1))
	return id
}

// IDPosition is the position that an import id names; 0, which is no entry's, if no
// log has made it. Whether it is the id of the entry there is another question.
func IDPosition(id uuid.UUID) Position {
	if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		return 0
	}
	high := Position(binary.BigEndian.Uint64(id[:]) & 0xfff)
	return high<<32 | Position(binary.BigEndian.Uint64(id[8:])>>saltBits&(1<<32-1))
}
