package scoring_test

import (
	"testing"

	"markr/engine/exam"
	"markr/engine/scoring"
)

// The reason is the first thing in which the two scans differ, for every policy.
func TestWhyNot(t *testing.T) {
	t.Parallel()
	scan := func(obtained, available exam.Marks, scannedOn int64, position uint64) scoring.Scan {
		return scoring.Scan{Obtained: obtained * 1000, Available: available * 1000, ScannedOn: scannedOn, Position: position}
	}
	f := func(p scoring.Policy, kept, other scoring.Scan, want string) {
		t.Helper()
		if !p.Better(kept, other) {
			t.Fatalf("%v does not keep %+v rather than %+v", p, kept, other)
		}
		if got := p.WhyNot(kept, other); got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
	f(scoring.Highest, scan(9, 20, 0, 2), scan(8, 20, 0, 1), "has 8 marks obtained, the kept one 9")
	f(scoring.Highest, scan(9, 20, 0, 1), scan(9, 30, 0, 2), "has the same marks as the kept one, and arrived after it")
	f(scoring.MostComplete, scan(1, 20, 0, 2), scan(8, 19, 0, 1), "has 19 marks available, the kept one 20")
	f(scoring.MostComplete, scan(9, 20, 0, 2), scan(8, 20, 0, 1), "has 8 marks obtained, the kept one 9")
	f(scoring.MostComplete, scan(9, 20, 0, 1), scan(9, 20, 0, 2), "has the same marks as the kept one, and arrived after it")
	f(scoring.Latest, scan(1, 20, 5, 1), scan(8, 20, exam.ScannedOnUnknown, 2), "was scanned before the kept one, or does not say when")
	f(scoring.Latest, scan(1, 20, 5, 2), scan(8, 20, 5, 1), "was scanned when the kept one was, and arrived before it")
	f(scoring.First, scan(1, 20, 5, 1), scan(8, 20, 5, 2), "arrived after the kept one")
}
