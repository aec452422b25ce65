package ledger

import "math/bits"

// An index finds the rows of a column by a hash of what is in them. It holds row
// numbers and no keys: whoever asks compares with the row itself.
//
// It is extendible hashing (Fagin et al., TODS 1979) over small tables: the high
// bits of a hash choose a table through a directory. A table that is full is doubled
// while it is small, and later split in two, so that no addition takes longer than
// one table of tableMax places does, however many rows there are: a table in one
// piece would have to be allocated, cleared and filled in one piece. As hashes fill
// all tables alike, each has a limit of its own: otherwise all would be full at the
// same time, and be split one after the other in the course of a few documents.
type index struct {
	directory []*table // 2^depth
	depth     uint8
	moving    *moving // of whoever owns the index, for all its indexes

	touched uint32 // what touching has read, so that the reading is not left out
}

// table is open addressing with linear probing. An entry is 0, or a row number plus
// one in its low bits and in the rest of the 32 bits some of the row's hash, so that
// a wrong row is hardly ever looked at.
type table struct {
	entries []uint32
	rows    int
	limit   int    // how many rows are too many
	rowMask uint32 // the low bits that are a row number plus one
	depth   uint8  // how many high bits of the hashes are the same for all rows in it
}

const (
	tableMin = 8
	tableMax = 4 << 10
	// A table of places has a limit between loadMin and 2*loadMin of loadOf of them:
	// beyond, searches for what is not there become long, and below, the halves of a
	// table that was split would be over theirs at once.
	loadMin, loadOf = 27, 64
	// rowBitsSpare is how many times the rows may double before a table, if nothing
	// else makes it anew, has to be made anew for their numbers.
	rowBitsSpare = 2
)

// Which bits of a hash are what: the highest choose the table, these the place in
// it and the mark.
const (
	placeShift = 16
	markShift  = 29
)

// newTable makes a table for hashes that begin with depth bits like this one, and
// for rows up to about this number.
func newTable(places int, hash uint64, depth uint8, row uint32) *table {
	rowBits := min(bits.Len32(row+1)+rowBitsSpare, 32)
	// The same beginning has the same limit, whoever asks; neighbours have others.
	beginning := (hash>>1 | 1<<63) >> (63 - depth)
	share := int(beginning * 0x9E3779B97F4A7C15 >> 32 % loadMin)
	return &table{
		entries: make([]uint32, places),
		limit:   places * (loadMin + share) / loadOf,
		rowMask: uint32(uint64(1)<<rowBits - 1),
		depth:   depth,
	}
}

// mark is what an entry for a hash has beside the row number.
func (t *table) mark(hash uint64) uint32 {
	return uint32(hash>>markShift) * (t.rowMask + 1) // Shifted up by the row's bits; 0 if they are all.
}

// place is where a hash belongs.
func (*table) place(hash uint64) uint32 { return uint32(hash >> placeShift) }

// next is the next row that a hash may be of, from a place on. The place to go on
// from comes with it; ok is false if there is none.
func (t *table) next(hash uint64, place uint32) (row, after uint32, ok bool) {
	mask := uint32(len(t.entries) - 1)
	mark := t.mark(hash)
	for {
		entry := t.entries[place&mask]
		place++
		if entry == 0 {
			return 0, place, false
		}
		if entry&^t.rowMask == mark {
			return entry&t.rowMask - 1, place, true
		}
	}
}

func (t *table) add(hash uint64, row uint32) {
	mask := uint32(len(t.entries) - 1)
	place := t.place(hash)
	for t.entries[place&mask] != 0 {
		place++
	}
	t.entries[place&mask] = row + 1 | t.mark(hash)
	t.rows++
}

// fits says whether one more row, with this number, does.
func (t *table) fits(row uint32) bool {
	return t.rows < t.limit && row < t.rowMask
}

// moving is what is known of rows on their way to another table. The passes are one
// after the other so that nothing waits: neither for a branch that nobody can
// foretell, nor for one row after the other to come from memory.
type moving struct {
	rows   []uint32
	hashes []uint64
}

// take takes all rows out of a table, with their hashes, and says how many.
func (m *moving) take(t *table, hashOf func(row uint32) uint64) (rows int) {
	if len(m.rows) <= len(t.entries) {
		m.rows, m.hashes = make([]uint32, len(t.entries)+1), make([]uint64, len(t.entries))
	}
	for _, entry := range t.entries {
		m.rows[rows] = entry&t.rowMask - 1
		rows += int((entry | -entry) >> 31) // One more, if there is an entry.
	}
	for i, row := range m.rows[:rows] {
		m.hashes[i] = hashOf(row)
	}
	return rows
}

// reserve makes an empty index with room for so many rows.
func (x *index) reserve(rows int) {
	tables := rows / (tableMax * loadMin / loadOf)
	if tables == 0 {
		return
	}
	x.depth = uint8(bits.Len(uint(tables)))
	x.directory = make([]*table, 1<<x.depth)
	for i := range x.directory {
		x.directory[i] = newTable(tableMax, uint64(i)<<(64-x.depth), x.depth, uint32(rows))
	}
}

// of is the table that a hash belongs to; nil if there is nothing at all.
func (x *index) of(hash uint64) *table {
	if len(x.directory) == 0 {
		return nil
	}
	return x.directory[hash>>(64-x.depth)]
}

// touch loads the place of a hash, for the next look at it.
func (x *index) touch(hash uint64) {
	if t := x.of(hash); t != nil {
		x.touched += t.entries[t.place(hash)&uint32(len(t.entries)-1)]
	}
}

// first is the first row that a hash may be of.
func (x *index) first(hash uint64) (row uint32, ok bool) {
	t := x.of(hash)
	if t == nil {
		return 0, false
	}
	row, _, ok = t.next(hash, t.place(hash))
	return row, ok
}

// add adds a row. hashOf is for those that have to be moved.
func (x *index) add(hash uint64, row uint32, hashOf func(row uint32) uint64) {
	if len(x.directory) == 0 {
		x.directory = []*table{newTable(tableMin, hash, 0, row)}
	}
	t := x.of(hash)
	for !t.fits(row) {
		x.grow(t, hash, row, hashOf)
		t = x.of(hash)
	}
	t.add(hash, row)
}

// grow makes a table anew in which or in one half of which there is room.
func (x *index) grow(t *table, hash uint64, row uint32, hashOf func(row uint32) uint64) {
	places := len(t.entries)
	full := t.rows >= t.limit
	switch {
	case full && places == tableMax && t.depth < maxDepth:
		x.split(t, hash, row, hashOf)
		return
	case full:
		places *= 2
	}
	again := newTable(places, hash, t.depth, row)
	rows := x.moving.take(t, hashOf)
	for i, row := range x.moving.rows[:rows] {
		again.add(x.moving.hashes[i], row)
	}
	x.replace(hash, again, again)
}

// maxDepth is from when on a table is doubled instead: so many rows agreeing in so
// many bits are no accident that splitting could mend.
const maxDepth = 24

// split makes two tables of one.
func (x *index) split(t *table, hash uint64, row uint32, hashOf func(row uint32) uint64) {
	if t.depth == x.depth {
		doubled := make([]*table, 2*len(x.directory))
		for i, t := range x.directory {
			doubled[2*i], doubled[2*i+1] = t, t
		}
		x.directory, x.depth = doubled, x.depth+1
	}
	var halves [2]*table
	for i := range halves {
		bit := uint64(1) << (64 - t.depth - 1)
		halves[i] = newTable(tableMax, hash&^bit|uint64(i)*bit, t.depth+1, row)
	}
	rows := x.moving.take(t, hashOf)
	for i, row := range x.moving.rows[:rows] {
		hash := x.moving.hashes[i]
		halves[hash>>(64-t.depth-1)&1].add(hash, row)
	}
	x.replace(hash, halves[0], halves[1])
}

// replace puts two tables, the same or two halves, where the table of a hash is.
func (x *index) replace(hash uint64, low, high *table) {
	old := x.of(hash)
	span := 1 << (x.depth - old.depth)
	from := int(hash>>(64-x.depth)) &^ (span - 1)
	for i := range span {
		if i < span/2 || span == 1 {
			x.directory[from+i] = low
		} else {
			x.directory[from+i] = high
		}
	}
}
