package ledger

import "math/bits"

// An index finds the rows of a column by a hash of what is in them. It holds row
// numbers and no keys: whoever asks compares with the row itself.
//
// A table grows by being doubled, and its rows are brought over a few at a time with
// each row that is added, so that no single addition takes long. Until they are all
// over, a row is in the table or, if not there, in the old one.
type index struct {
	table
	old   table
	moved uint32 // rows below are in the table; the others, if they were there when it was made, in old

	touched uint32 // what touching has read, so that the reading is not left out
}

// table is open addressing with linear probing. An entry is 0, or a row number plus
// one in its low bits and in the rest of the 32 bits the beginning of the row's
// hash: rows are fewer than places, so bits are left, and a wrong row is hardly ever
// looked at.
type table struct {
	entries []uint32
	shift   uint8  // the hash's high bits that are a place: 64 - log2(places)
	rowMask uint32 // the low bits that are a row number plus one
}

const (
	tableBitsMin = 3
	// A table is doubled when it is fuller than loadNumerator/loadDenominator: beyond,
	// searches for what is not there become long.
	loadNumerator, loadDenominator = 4, 5
	// moveRows is how many rows are brought over with each that is added. A table has
	// room for as many more as it begins with, so one would be enough.
	moveRows = 8
)

func newTable(placesBits uint8) table {
	return table{
		entries: make([]uint32, 1<<placesBits),
		shift:   64 - placesBits,
		rowMask: 1<<placesBits - 1,
	}
}

// mark is what an entry for a hash has beside the row number. The bits behind those
// that make the place are taken: those are alike for all that are found there.
func (t *table) mark(hash uint64) uint32 {
	return uint32(hash<<(64-t.shift)>>32) &^ t.rowMask
}

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

// place is where a hash belongs.
func (t *table) place(hash uint64) uint32 { return uint32(hash >> t.shift) }

func (t *table) add(hash uint64, row uint32) {
	mask := uint32(len(t.entries) - 1)
	place := t.place(hash)
	for t.entries[place&mask] != 0 {
		place++
	}
	t.entries[place&mask] = row + 1 | t.mark(hash)
}

// touch loads the place of a hash, and says whether anything is there: for the
// next look at it.
func (t *table) touch(hash uint64) uint32 {
	if len(t.entries) == 0 {
		return 0
	}
	return t.entries[t.place(hash)]
}

// add adds the row with number rows, the next one, and brings some others over.
func (x *index) add(hash uint64, row uint32, hashOf func(row uint32) uint64) {
	if int(row) >= len(x.entries)*loadNumerator/loadDenominator {
		x.grow()
	}
	x.table.add(hash, row)
	if x.old.entries != nil {
		x.move(min(x.moved+moveRows, x.oldRows()), hashOf)
	}
}

// oldRows is how many rows the old table has: it was full when it became old.
func (x *index) oldRows() uint32 {
	return uint32(len(x.old.entries) * loadNumerator / loadDenominator)
}

// move brings the rows up to end over, and forgets the old table after the last.
func (x *index) move(end uint32, hashOf func(row uint32) uint64) {
	var hashes [moveRows]uint64
	for i := range end - x.moved {
		hashes[i] = hashOf(x.moved + i)
		x.touched += x.touch(hashes[i])
	}
	for i := uint32(0); x.moved < end; i++ {
		x.table.add(hashes[i], x.moved)
		x.moved++
	}
	if x.moved == x.oldRows() {
		x.old = table{}
	}
}

func (x *index) grow() {
	if x.entries == nil {
		x.table = newTable(tableBitsMin)
		return
	}
	x.old, x.moved = x.table, 0 // The one before it was empty long ago: see moveRows.
	x.table = newTable(64 - x.shift + 1)
}

// reserve makes a table for so many rows at once, empty.
func (x *index) reserve(rows int) {
	placesBits := uint8(bits.Len(uint(max(rows, 1) * loadDenominator / loadNumerator)))
	*x = index{table: newTable(max(placesBits, tableBitsMin))}
}

// first is the first row that a hash may be of, as far as the table knows.
func (x *index) first(hash uint64) (row uint32, ok bool) {
	if x.entries == nil {
		return 0, false
	}
	row, _, ok = x.next(hash, x.place(hash))
	return row, ok
}
