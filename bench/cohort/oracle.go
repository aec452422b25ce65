package cohort

import (
	"math/big"
	"slices"
)

// Expected is what a test's published figures ought to be once all documents are
// in, under the default scoring rule.
type Expected struct {
	TestID    string
	Available int            // the highest of all scans
	Obtained  map[string]int // by student number: the highest of the student's scans
	Mean      float64
	StdDev    float64
	Min       float64
	Max       float64
	P25       float64
	P50       float64
	P75       float64
	Count     int
}

// Expected computes a test's figures by definition: every sheet is looked at,
// every mark is kept, fractions are exact, and each figure is rounded once. It
// takes time and memory in proportion to the test; it is for tests of other
// things.
func (c *Cohort) Expected(test int) Expected {
	e := Expected{TestID: c.TestID(test), Obtained: make(map[string]int)}
	for i := test; i < c.Documents(); i += c.opts.Tests {
		for s := range c.Sheets(i) {
			e.Available = max(e.Available, s.Available)
			e.Obtained[s.StudentNumber] = max(e.Obtained[s.StudentNumber], s.Obtained)
		}
	}
	marks := make([]int, 0, len(e.Obtained))
	for _, obtained := range e.Obtained {
		marks = append(marks, obtained)
	}
	slices.Sort(marks)
	e.Count = len(marks)
	e.Min = e.percent(big.NewRat(int64(marks[0]), 1))
	e.Max = e.percent(big.NewRat(int64(marks[len(marks)-1]), 1))
	e.P25, e.P50, e.P75 = e.quantile(marks, 1, 4), e.quantile(marks, 1, 2), e.quantile(marks, 3, 4)
	e.moments(marks)
	return e
}

// percent is the float64 nearest to marks as a percentage of the available ones.
func (e *Expected) percent(marks *big.Rat) float64 {
	f, _ := marks.Mul(marks, big.NewRat(100, int64(e.Available))).Float64()
	return f
}

// quantile interpolates linearly at rank (n-1)p, p = num/den.
func (e *Expected) quantile(sorted []int, num, den int) float64 {
	rank := (len(sorted) - 1) * num
	low, rest := rank/den, rank%den
	value := big.NewRat(int64(sorted[low]), 1)
	if rest > 0 {
		step := big.NewRat(int64(sorted[low+1]-sorted[low]), 1)
		value.Add(value, step.Mul(step, big.NewRat(int64(rest), int64(den))))
	}
	return e.percent(value)
}

// moments sets the mean and the standard deviation of the population.
func (e *Expected) moments(marks []int) {
	var sum, squares int64
	for _, m := range marks {
		sum += int64(m)
		squares += int64(m) * int64(m)
	}
	n := int64(len(marks))
	e.Mean = e.percent(big.NewRat(sum, n))

	variance := big.NewRat(squares, n)
	mean := big.NewRat(sum, n)
	variance.Sub(variance, mean.Mul(mean, mean))
	scale := big.NewRat(100, int64(e.Available))
	variance.Mul(variance, scale.Mul(scale, scale))
	// 400 bits leave the root's own rounding far below the last bit of a float64.
	const rootBits = 400
	root := new(big.Float).SetPrec(rootBits).SetRat(variance)
	e.StdDev, _ = root.Sqrt(root).Float64()
}
