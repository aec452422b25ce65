package summary

import (
	"cmp"

	"markr/engine/exam"
)

// Score is what one student reached. Two scores of one distribution are compared
// exactly, whatever they are fractions of.
type Score struct {
	obtained uint32 // thousandths of a mark
	of       uint32 // what obtained is a fraction of; 0: of the test's available marks
}

// OfTest is a score whose denominator is the test's, the same for every student.
func OfTest(obtained exam.Marks) Score { return Score{obtained: uint32(obtained)} }

// OfSheet is a score with a denominator of its own: available is greater than 0.
// Equal fractions are equal scores.
func OfSheet(obtained, available exam.Marks) Score {
	a, b := uint32(obtained), uint32(available)
	for b != 0 {
		a, b = b, a%b
	}
	return Score{obtained: uint32(obtained) / a, of: uint32(available) / a}
}

// Hash spreads scores, which are often multiples of a whole mark.
func (s Score) Hash() uint32 {
	return (s.obtained ^ s.of<<16) * 0x9E3779B1 >> 16
}

// compare orders scores. The scores of one distribution are all of the test or
// all of a sheet; products of two marks fit 64 bits because marks fit 30.
func (s Score) compare(t Score) int {
	if s.of == t.of {
		return cmp.Compare(s.obtained, t.obtained)
	}
	return cmp.Compare(uint64(s.obtained)*uint64(t.of), uint64(t.obtained)*uint64(s.of))
}
