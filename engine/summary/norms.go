package summary

import (
	"math/big"
	"sync/atomic"

	"markr/engine/exam"
)

// Norms compare scores with those of a distribution: z, T, and the effect size between two
// distributions. Making one costs a pass over the distinct scores where these have
// denominators of their own, else nothing. It is safe for concurrent use.
type Norms struct {
	d         Distribution
	available *big.Int // thousandths of a mark
	// moments are as exact as somebody has needed them; nil among nobody.
	moments atomic.Pointer[moments]
}

// moments are sums over the scores as fractions of what is available, in units of 1/unit
// and 1/unit², enclosed between integers that are the same where the sums are exact.
type moments struct {
	unit      *big.Int
	bits      uint // that the sums are cut off below; 0: not at all
	n         *big.Int
	low, high sums
}

// Norms are those of the distribution. available is as for Aggregate.
func (d Distribution) Norms(available exam.Marks) *Norms {
	n := &Norms{d: d, available: big.NewInt(int64(available))}
	if d.Count() > 0 {
		n.moments.Store(d.momentsAt(sheetBitsMin, n.available))
	}
	return n
}

// momentsAt are the moments, to so many bits where they are not exact anyway.
func (d Distribution) momentsAt(bits uint, available *big.Int) *moments {
	m := &moments{n: new(big.Int).SetUint64(d.root.students), bits: bits}
	if d.OfSheets() {
		m.unit = new(big.Int).Lsh(big.NewInt(1), bits)
		m.low, m.high = d.encloseSums(bits)
		return m
	}
	m.bits, m.unit = 0, available
	exact := sums{new(big.Int).SetUint64(d.sum), d.squares.big()}
	m.low, m.high = exact, exact
	return m
}

// Spread says whether two students have different scores. Without, there is nothing to
// compare by.
func (n *Norms) Spread() bool {
	d := n.d
	return d.Count() > 0 && d.root.at(0) != d.root.at(d.root.students-1)
}

// Z is how many standard deviations (of the population) a score is above the mean:
// (x - mean) / sd. ok is false where there is no spread.
func (n *Norms) Z(s Score) (z float64, ok bool) { return n.standard(s, 0, 1) }

// T is 50 + 10 z (McCall 1922, by the deviation and not normalised). ok is as for Z.
func (n *Norms) T(s Score) (t float64, ok bool) { return n.standard(s, 50, 10) }

// standard is mean + deviation (x - mean of the scores) / sd.
func (n *Norms) standard(s Score, mean, deviation int64) (float64, bool) {
	if !n.Spread() {
		return 0, false
	}
	for m, sharper := n.moments.Load(), true; ; m, sharper = n.sharpen(m) {
		low, high, bounded := m.standard(s, mean, deviation)
		value, decided := decide(low, high)
		if bounded && decided || !sharper {
			return value + 0, true // Never -0.
		}
	}
}

// sharpen returns moments of twice the precision of m, or m and false if there are none.
func (n *Norms) sharpen(m *moments) (*moments, bool) {
	if m.bits == 0 || m.bits >= sheetBitsMax {
		return m, false
	}
	// Two at once both make them, and make the same.
	m = n.d.momentsAt(2*m.bits, n.available)
	n.moments.Store(m)
	return m, true
}

// standard is what a standard score lies between; bounded is false if nothing is known
// yet.
func (m *moments) standard(s Score, mean, deviation int64) (low, high float64, bounded bool) {
	leastSpread, mostSpread := m.spread()
	if leastSpread.Sign() <= 0 {
		return 0, 0, false
	}
	// n x - Σx, over sqrt(n Σx² - (Σx)²): n and the unit cancel.
	x := m.of(s)
	least, most := x.low.Mul(x.low, m.n), x.high.Mul(x.high, m.n)
	least.Sub(least, m.high.x)
	most.Sub(most, m.low.x)
	return standardOver(mean, deviation, least, spreadFor(least, leastSpread, mostSpread)),
		standardOver(mean, deviation, most, spreadFor(most, mostSpread, leastSpread)), true
}

// spreadFor is the spread that makes a quotient extreme: what is negative is made smaller
// by the first, what is not by the second.
func spreadFor(difference, ifNegative, otherwise *big.Int) *big.Int {
	if difference.Sign() < 0 {
		return ifNegative
	}
	return otherwise
}

// standardOver is mean + deviation difference / sqrt(spread).
func standardOver(mean, deviation int64, difference, spread *big.Int) float64 {
	square := new(big.Int).Mul(difference, difference)
	square.Mul(square, big.NewInt(deviation*deviation))
	return offsetRoot(mean, difference.Sign() < 0, square, spread)
}

// enclosed is a number between two integers.
type enclosed struct{ low, high *big.Int }

// of is a score in units.
func (m *moments) of(s Score) enclosed {
	x := new(big.Int).SetUint64(uint64(s.obtained))
	if m.bits == 0 {
		return enclosed{x, new(big.Int).Set(x)} // The unit is what it is a fraction of.
	}
	rest := new(big.Int)
	x.Lsh(x, m.bits).QuoRem(x, new(big.Int).SetUint64(uint64(s.of)), rest)
	high := new(big.Int).Set(x)
	if rest.Sign() != 0 {
		high.Add(high, big.NewInt(1))
	}
	return enclosed{x, high}
}

// spread is n Σx² - (Σx)², in square units.
func (m *moments) spread() (low, high *big.Int) {
	low, high = new(big.Int).Mul(m.n, m.low.squares), new(big.Int).Mul(m.n, m.high.squares)
	low.Sub(low, new(big.Int).Mul(m.high.x, m.high.x))
	high.Sub(high, new(big.Int).Mul(m.low.x, m.low.x))
	return low, high
}
