package itemstats

import (
	"math/big"
	"math/bits"
	"slices"
)

// moments are the power sums of marks, in thousandths: no sheet has more than 2^30 of them
// and there are fewer than 2^28 sheets, so none can overflow.
type moments struct {
	n, s1 uint64
	s2    [2]uint64 // low word first
	s3    [2]uint64
	s4    [3]uint64
}

// add counts so many sheets with these marks.
func (m *moments) add(marks int32, sheets uint64) {
	x := uint64(marks)
	m.n += sheets
	m.s1 += x * sheets
	square := x * x
	high, low := bits.Mul64(square, sheets)
	plus(m.s2[:], low, high, 0)
	high, low = bits.Mul64(square, x*sheets)
	plus(m.s3[:], low, high, 0)
	// square² is under 2^120: multiply its words by the number of sheets.
	high, low = bits.Mul64(square, square)
	carry, first := bits.Mul64(low, sheets)
	third, second := bits.Mul64(high, sheets)
	second, over := bits.Add64(second, carry, 0)
	plus(m.s4[:], first, second, third+over)
}

// remove takes one sheet with these marks off.
func (m *moments) remove(marks int32) {
	x := uint64(marks)
	m.n--
	m.s1 -= x
	square := x * x
	minus(m.s2[:], square, 0)
	high, low := bits.Mul64(square, x)
	minus(m.s3[:], low, high)
	high, low = bits.Mul64(square, square)
	minus(m.s4[:], low, high)
}

// plus adds up to three words; those that number does not have are 0.
func plus(number []uint64, words ...uint64) {
	var carry uint64
	for i := range number {
		number[i], carry = bits.Add64(number[i], words[i], carry)
	}
}

func minus(number []uint64, low, high uint64) {
	words := [...]uint64{low, high, 0}
	var borrow uint64
	for i := range number {
		number[i], borrow = bits.Sub64(number[i], words[i], borrow)
	}
}

func bigOf(words ...uint64) *big.Int {
	n := new(big.Int)
	for _, word := range slices.Backward(words) {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(word))
	}
	return n
}
