package summary

import (
	"iter"

	"markr/engine/exam"
)

// Standing is where a score stands among those of a distribution.
type Standing struct {
	Score    Score
	Students int // who have it
	Below    int // students with lower scores
	All      int // students of the distribution
}

// Standing is where a score stands, whether anybody has it or not. A distribution of sheets
// takes scores of sheets, one of the test those of the test.
func (d Distribution) Standing(s Score) Standing {
	if d.root == nil {
		return Standing{Score: s}
	}
	below, same := d.root.rank(s)
	return Standing{s, int(same), int(below), d.Count()}
}

// Each gives the scores that students have, in ascending order: all of them, or those
// above after.
func (d Distribution) Each(after *Score) iter.Seq[Standing] {
	return func(yield func(Standing) bool) {
		if d.root == nil {
			return
		}
		d.root.ascend(after, 0, func(s Score, students uint32, below uint64) bool {
			return yield(Standing{s, int(students), int(below), d.Count()})
		})
	}
}

// Distinct is how many different scores students have. It visits every leaf: a
// millisecond for a million scores.
func (d Distribution) Distinct() int {
	if d.root == nil {
		return 0
	}
	return d.root.distinct()
}

// OfSheets says whether the scores have denominators of their own.
func (d Distribution) OfSheets() bool { return d.root != nil && d.root.at(0).of != 0 }

// ScoreOf is the score of marks in a distribution; in one of sheets it is that of a sheet
// with the test's available marks, which are greater than 0.
func (d Distribution) ScoreOf(obtained, available exam.Marks) Score {
	if d.OfSheets() {
		return OfSheet(obtained, available)
	}
	return OfTest(obtained)
}

// PercentileRank is the share of students, in percent, who are below, those who have the
// same score counting half: 100 (F + f/2) / n, the mid-rank of Kolen and Brennan (2014). It
// is 0 among nobody.
func (s Standing) PercentileRank() float64 {
	if s.All == 0 {
		return 0
	}
	return quotient(product(100, s.halvesBelow()), 2*uint64(s.All))
}

// halvesBelow is twice the numerator of the percentile rank.
func (s Standing) halvesBelow() uint64 { return 2*uint64(s.Below) + uint64(s.Students) }

// stanineBounds are the percentile ranks from which on a score is in stanine 2, 3, … 9:
// the cumulative shares of 4, 7, 12, 17, 20, 17, 12, 7 and 4 percent, as in the table of the
// New Zealand Ministry of Education and others that school systems print.
//
//nolint:gochecknoglobals // A table.
var stanineBounds = [...]uint64{4, 11, 23, 40, 60, 77, 89, 96}

// Stanine is 1 to 9, by the percentile rank; a rank that is a bound is in the upper one.
// Other tables put it in the lower one. It is 0 among nobody.
func (s Standing) Stanine() int {
	if s.All == 0 {
		return 0
	}
	stanine := 1
	for _, bound := range stanineBounds {
		if 100*s.halvesBelow() >= bound*2*uint64(s.All) {
			stanine++
		}
	}
	return stanine
}

// Fraction is the score as it was made: marks obtained, and what they are a fraction of,
// both in thousandths of a mark and in lowest terms; 0 for the test's available marks.
func (s Score) Fraction() (obtained, of exam.Marks) { return exam.Marks(s.obtained), exam.Marks(s.of) }
