package summary

import (
	"math/bits"

	"markr/engine/exam"
)

// Bound is a line that scores are on, above or below: a fraction of the available marks,
// held exactly.
type Bound struct {
	numerator   int64 // below 2^61 either way
	denominator uint64
}

// AtPercent is the bound at a percentage.
func AtPercent(p Percent) Bound { return Bound{int64(p.millionths), 100 * percentUnit} }

// AtScore is the bound at a score. available is the test's.
func AtScore(s Score, available exam.Marks) Bound {
	return Bound{int64(s.obtained), s.outOf(uint64(available))}
}

// AtPart is the bound at part/parts of the available marks; both are under 2^31.
func AtPart(part, parts int) Bound { return Bound{int64(part), uint64(parts)} }

// Move is the bound so many marks further up, or down if they are negative. available is
// the test's: one mark is the same share of it everywhere. It is for a bound at a percentage
// or at a score.
func (b Bound) Move(marks, available exam.Marks) Bound {
	// 10^8 * 10^9 + 10^9 * 10^8, at most.
	return Bound{
		b.numerator*int64(available) + int64(marks)*int64(b.denominator),
		b.denominator * uint64(available),
	}
}

// Marks are the fewest marks of so many available that are not below the bound.
func (b Bound) Marks(available exam.Marks) exam.Marks {
	if b.numerator <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(b.numerator), uint64(available))
	quotient, rest := bits.Div64(high, low, b.denominator)
	if rest > 0 {
		quotient++
	}
	return exam.Marks(quotient)
}

// exceeds says whether a score is below the bound.
func (b Bound) exceeds(s Score, available uint64) bool {
	if b.numerator < 0 {
		return false
	}
	high, low := bits.Mul64(uint64(s.obtained), b.denominator)
	boundHigh, boundLow := bits.Mul64(uint64(b.numerator), s.outOf(available))
	return high < boundHigh || high == boundHigh && low < boundLow
}

// outOf is what a score is a fraction of; available is the test's.
func (s Score) outOf(available uint64) uint64 {
	if s.of != 0 {
		return uint64(s.of)
	}
	return available
}

// Below is how many students are below a bound. available is as for Aggregate.
func (d Distribution) Below(b Bound, available exam.Marks) int {
	if d.root == nil {
		return 0
	}
	return int(d.root.below(b, uint64(available)))
}

// Histogram is how many students are in each of so many bins of equal width, from 0 to 100
// percent: [from, to), the last [from, 100]. Counts are exact: a score on an edge is in the
// upper bin whatever the edge is as a float64. available is as for Aggregate.
func (d Distribution) Histogram(bins int, available exam.Marks) []int {
	counts := make([]int, bins)
	below := 0
	for i := range counts {
		next := d.Count()
		if i+1 < bins {
			next = d.Below(AtPart(i+1, bins), available)
		}
		counts[i], below = next-below, next
	}
	return counts
}

// Share is 100 part/all, the percentage that some are of all. all is greater than 0.
func Share(part, all int) float64 { return quotient(product(100, uint64(part)), uint64(all)) }
