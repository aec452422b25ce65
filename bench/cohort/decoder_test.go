package cohort_test

import (
	"testing"

	"markr/bench/cohort"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// TestDecoderReadsDocuments holds the sheets against what Markr reads in the
// documents.
func TestDecoderReadsDocuments(t *testing.T) {
	t.Parallel()
	c := mustNew(t, ordinary(13))
	decoder := mcqxml.New(intake.Limits{})
	var decoded intake.Document
	for i, document := range c.All() {
		decoded.Reset()
		if err := decoder.Decode(&decoded, document, ""); err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
		if decoded.Findings != (intake.Findings{}) {
			t.Errorf("document %d: findings %+v, want none", i, decoded.Findings)
		}
		n := 0
		for s := range c.Sheets(i) {
			got := decoded.Records[n]
			n++
			if string(got.Student) != s.StudentNumber || string(got.Test) != s.TestID ||
				got.Obtained != exam.Marks(s.Obtained)*exam.MarksPerUnit ||
				got.Available != exam.Marks(s.Available)*exam.MarksPerUnit ||
				got.ScannedOn != s.ScannedOn.UnixNano() {
				t.Fatalf("document %d, record %d: decoded %+v, sheet %+v", i, n, got, *s)
			}
		}
		if n != len(decoded.Records) {
			t.Errorf("document %d: %d records decoded, %d sheets", i, len(decoded.Records), n)
		}
	}
}

// TestExpected checks the oracle on a cohort small enough to add up in the head of
// whoever reads this: two sheets of two questions.
func TestExpected(t *testing.T) {
	t.Parallel()
	c := mustNew(t, cohort.Options{Seed: 4, Students: 2, Questions: 2})
	e := c.Expected(0)
	var marks []int
	for s := range c.Sheets(0) {
		marks = append(marks, s.Obtained)
		if e.Obtained[s.StudentNumber] != s.Obtained {
			t.Errorf("student %s: %d expected, %d on the sheet", s.StudentNumber, e.Obtained[s.StudentNumber], s.Obtained)
		}
	}
	low, high := float64(min(marks[0], marks[1])), float64(max(marks[0], marks[1]))
	want := cohort.Expected{
		TestID: "biology-2026-a", Available: 2, Obtained: e.Obtained, Count: 2,
		Mean: 50 * (low + high) / 2, StdDev: 50 * (high - low) / 2, Min: 50 * low, Max: 50 * high,
		P25: 50 * (low*3 + high) / 4, P50: 50 * (low + high) / 2, P75: 50 * (low + high*3) / 4,
	}
	if e.TestID != want.TestID || e.Available != want.Available || e.Count != want.Count ||
		e.Mean != want.Mean || e.StdDev != want.StdDev || e.Min != want.Min || e.Max != want.Max ||
		e.P25 != want.P25 || e.P50 != want.P50 || e.P75 != want.P75 {
		t.Errorf("marks %v: expected %+v, want %+v", marks, e, want)
	}
}
