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

// shape is skewness and kurtosis as k-statistics give them: k3/k2^1.5 and k4/k2².
func (a *Analysis) shape() {
	n := new(big.Int).SetUint64(a.total.n)
	s1, s2 := new(big.Int).SetUint64(a.total.s1), bigOf(a.total.s2[:]...)
	s3, s4 := bigOf(a.total.s3[:]...), bigOf(a.total.s4[:]...)
	mul := func(factors ...*big.Int) *big.Int {
		p := big.NewInt(1)
		for _, f := range factors {
			p.Mul(p, f)
		}
		return p
	}
	small := big.NewInt
	less := func(k int64) *big.Int { return new(big.Int).Sub(n, small(k)) }
	// n², n³ and n⁴ times the central moments.
	c2 := a.spread.big()
	c3 := mul(n, n, s3)
	c3.Sub(c3, mul(small(3), n, s1, s2)).Add(c3, mul(small(2), s1, s1, s1))
	c4 := mul(n, n, n, s4)
	c4.Sub(c4, mul(small(4), n, n, s1, s3)).Add(c4, mul(small(6), n, s1, s1, s2)).Sub(c4, mul(small(3), s1, s1, s1, s1))
	if a.total.n < 3 || c2.Sign() == 0 {
		return
	}
	a.Skewness = Figure{exactlyOf(true, mul(c3, c3, n, less(1)), mul(c2, c2, c2, less(2), less(2))), true}
	if c3.Sign() < 0 {
		a.Skewness.Value = -a.Skewness.Value
	}
	if a.total.n < 4 {
		return
	}
	// (n-1) ((n+1) (c4/c2² - 3) + 6) / ((n-2) (n-3))
	square := mul(c2, c2)
	excess := new(big.Int).Sub(c4, mul(small(3), square))
	excess.Mul(excess, less(-1)).Add(excess, mul(small(6), square))
	a.Kurtosis = bigRatio(mul(excess, less(1)), mul(square, less(2), less(3)))
}
