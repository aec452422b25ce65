package summary

import (
	"math"
	"math/big"
)

// Precision of the sums below, in bits: where to begin, and where to give up
// telling a tie from its neighbourhood.
const (
	sheetBitsMin = 256
	sheetBitsMax = 8192
)

// sheetMoments returns mean and population standard deviation, in percent, of
// scores that are fractions with denominators of their own.
//
// Adding many such fractions exactly needs a common denominator that may have
// millions of digits. So the sums are enclosed between two integers, in units of
// 2^-bits: when both ends round to the same float64, that is the answer, and
// otherwise the precision is doubled. Only a value exactly halfway between two
// float64 is never decided that way; at sheetBitsMax it is taken to be that, and
// goes to the even one.
//
// It costs one pass over the distinct scores, and happens once per state that is
// read.
func (d Distribution) sheetMoments() (mean, deviation float64) {
	if d.root.at(0) == d.root.at(d.root.students-1) {
		// All alike: no spread, which no enclosure could tell from a tiny one.
		return percentage(d.root.at(0), 0), 0
	}
	decided := false
	for bits := uint(sheetBitsMin); bits <= sheetBitsMax && !decided; bits *= 2 {
		low, high := d.encloseSums(bits)
		n := new(big.Int).SetUint64(d.root.students)
		var meanSure, deviationSure bool
		mean, meanSure = decide(low.meanOver(n, bits), high.meanOver(n, bits))
		// Var = (n Σx² - (Σx)²) / n²: its lower end takes the upper Σx.
		deviation, deviationSure = decide(spread(low, high, n, bits), spread(high, low, n, bits))
		decided = meanSure && deviationSure
	}
	return mean, deviation
}

// decide returns the value two ends agree on, or else the even one of them.
func decide(low, high float64) (float64, bool) {
	if low == high {
		return low, true
	}
	if math.Float64bits(low)&1 == 0 {
		return low, false
	}
	return high, false
}

// sums are Σx in units of 2^-bits and Σx² in units of 2^-2bits.
type sums struct{ x, squares *big.Int }

// encloseSums returns sums not above and not below the exact ones.
func (d Distribution) encloseSums(bits uint) (low, high sums) {
	low = sums{new(big.Int), new(big.Int)}
	high = sums{new(big.Int), new(big.Int)}
	one := big.NewInt(1)
	d.root.each(func(s Score, students uint32) {
		of := new(big.Int).SetUint64(uint64(s.of))
		count := new(big.Int).SetUint64(uint64(students))
		x := new(big.Int).SetUint64(uint64(s.obtained))
		square := new(big.Int).Mul(x, x)
		add := func(low, high, numerator, denominator *big.Int) {
			q, rest := new(big.Int).QuoRem(numerator, denominator, new(big.Int))
			low.Add(low, new(big.Int).Mul(q, count))
			if rest.Sign() != 0 {
				q.Add(q, one)
			}
			high.Add(high, q.Mul(q, count))
		}
		add(low.x, high.x, x.Lsh(x, bits), of)
		add(low.squares, high.squares, square.Lsh(square, 2*bits), new(big.Int).Mul(of, of))
	})
	return low, high
}

// meanOver returns 100 Σx/n.
func (s sums) meanOver(n *big.Int, bits uint) float64 {
	value, _ := new(big.Rat).SetFrac(
		new(big.Int).Mul(s.x, big.NewInt(100)),
		new(big.Int).Lsh(n, bits),
	).Float64()
	return value
}

// spread returns 100 sqrt(n Σx² - (Σx)²)/n, Σx² from one end and Σx from the
// other, 0 if that is below 0.
func spread(squares, x sums, n *big.Int, bits uint) float64 {
	v := new(big.Int).Mul(n, squares.squares)
	v.Sub(v, new(big.Int).Mul(x.x, x.x))
	if v.Sign() <= 0 {
		return 0
	}
	d := new(big.Int).Mul(n, n)
	return rootOfQuotient(v.Mul(v, big.NewInt(100*100)), d.Lsh(d, 2*bits))
}
