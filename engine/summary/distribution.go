package summary

import (
	"math/big"

	"markr/engine/exam"
)

// Scores counts the students of one test at each score. It has one writer; what
// readers get is a frozen [Distribution]. The zero Scores is empty.
type Scores struct {
	Distribution

	epoch uint64
}

// Add counts one student at s. A Scores holds scores of the test or scores of a
// sheet, not both.
func (c *Scores) Add(s Score) { c.AddN(s, 1) }

// AddN counts n students at s.
func (c *Scores) AddN(s Score, n uint32) {
	if c.root == nil {
		c.root = &node{epoch: c.epoch}
	}
	left, right := c.root.add(s, n, c.epoch)
	c.root = left
	if right != nil {
		c.root = &node{
			epoch:    c.epoch,
			students: left.students + right.students,
			scores:   []Score{left.scores[0], right.scores[0]},
			children: []*node{left, right},
		}
	}
	obtained := uint64(s.obtained)
	c.sum += obtained * uint64(n)
	// Marks are under 2^30, so their square fits.
	c.squares = c.squares.plus(product(obtained*obtained, uint64(n)))
}

// Remove takes one student from s, where one must be.
func (c *Scores) Remove(s Score) {
	c.root = c.root.remove(s, c.epoch)
	obtained := uint64(s.obtained)
	c.sum -= obtained
	c.squares = c.squares.minus(product(obtained, obtained))
}

// Freeze returns the distribution as it is now. It costs nothing: later changes
// copy what they touch.
func (c *Scores) Freeze() Distribution {
	c.epoch++
	return c.Distribution
}

// Distribution is how many students of a test reached which score, at one moment.
// It never changes. The zero Distribution is empty.
type Distribution struct {
	root    *node
	sum     uint64  // of obtained, in thousandths
	squares uint128 // of obtained, in thousandths squared
}

// Count is the number of students.
func (d Distribution) Count() int {
	if d.root == nil {
		return 0
	}
	return int(d.root.students)
}

// Aggregate holds the published figures of a test, in percent of the available
// marks.
type Aggregate struct {
	Mean   float64
	StdDev float64 // of the population
	Min    float64
	Max    float64
	P25    float64
	P50    float64
	P75    float64
	Count  int
}

// Aggregate computes the figures. available is the test's, greater than 0; it is
// not looked at when the scores are of a sheet. An empty distribution gives the
// zero Aggregate.
func (d Distribution) Aggregate(available exam.Marks) Aggregate {
	count := d.Count()
	if count == 0 {
		return Aggregate{}
	}
	of := uint64(available)
	a := Aggregate{
		Min:   percentage(d.root.at(0), of),
		Max:   percentage(d.root.at(uint64(count)-1), of),
		P25:   d.percentile(Percent{25 * percentUnit}, of),
		P50:   d.percentile(Percent{50 * percentUnit}, of),
		P75:   d.percentile(Percent{75 * percentUnit}, of),
		Count: count,
	}
	if d.root.at(0).of != 0 {
		a.Mean, a.StdDev = d.sheetMoments()
		return a
	}
	n := uint64(count)
	a.Mean = quotient(product(100, d.sum), n*of)
	// sd = 100 sqrt(n Σx² - (Σx)²) / (n available), all integers under the root.
	spread := product(n, d.squares.low).plus(uint128{high: n * d.squares.high}).
		minus(product(d.sum, d.sum))
	numerator := spread.big()
	a.StdDev = rootOfQuotient(numerator.Mul(numerator, big.NewInt(100*100)), product(n*of, n*of).big())
	return a
}

// Percentile returns the percentage at p: linear interpolation at rank (n-1)p
// between the two nearest of the n scores in order. This is type 7 of Hyndman and
// Fan (1996), PostgreSQL's percentile_cont and NumPy's default. available is as
// for Aggregate. It is 0 for an empty distribution.
func (d Distribution) Percentile(p Percent, available exam.Marks) float64 {
	if d.Count() == 0 {
		return 0
	}
	return d.percentile(p, uint64(available))
}

func (d Distribution) percentile(p Percent, available uint64) float64 {
	const whole = 100 * percentUnit
	// (n-1)p fits: n is under 2^32 and whole under 2^27.
	rank := (d.root.students - 1) * p.millionths
	low := d.root.at(rank / whole)
	part := rank % whole
	if part == 0 {
		return percentage(low, available)
	}
	high := d.root.at(rank/whole + 1)
	if low == high {
		return percentage(low, available)
	}
	x, y := uint64(low.obtained), uint64(high.obtained)
	if low.of == high.of {
		if low.of != 0 {
			available = uint64(low.of)
		}
		// Marks are under 2^30, so this stays under 2^58 and the denominator too.
		return quotient(product(100, x*(whole-part)+y*part), whole*available)
	}
	x *= uint64(high.of)
	y *= uint64(low.of)
	n := product(x, whole-part).plus(product(y, part)).big()
	denominator := product(uint64(low.of)*uint64(high.of), whole).big()
	value, _ := new(big.Rat).SetFrac(n.Mul(n, big.NewInt(100)), denominator).Float64()
	return value
}

// Percentage is a score in percent; available is as for Aggregate.
func Percentage(s Score, available exam.Marks) float64 { return percentage(s, uint64(available)) }

// PercentileRank is that of a score's standing.
func (d Distribution) PercentileRank(s Score) float64 { return d.Standing(s).PercentileRank() }

// percentage is 100 s/of, the denominator being the score's own if it has one.
func percentage(s Score, of uint64) float64 {
	if s.of != 0 {
		of = uint64(s.of)
	}
	return quotient(product(100, uint64(s.obtained)), of)
}
