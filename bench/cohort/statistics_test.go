package cohort_test

import (
	"math"
	"testing"

	"markr/bench/cohort"
)

// TestStatisticsArePlausible looks at cohorts the way an item analysis would.
func TestStatisticsArePlausible(t *testing.T) {
	t.Parallel()
	positive, questions, miskeyed := 0, 0, 0
	for seed := range uint64(6) {
		opts := cohort.Default()
		opts.Seed, opts.Tests, opts.Students, opts.Choices = seed, 4, 1000, 4+int(seed%2)
		c := mustNew(t, opts)
		for test := range opts.Tests {
			e := c.Expected(test)
			if e.Mean < 45 || e.Mean > 75 {
				t.Errorf("seed %d, test %s: mean %.1f %%, want 45 to 75", seed, e.TestID, e.Mean)
			}
			if e.StdDev < 10 || e.StdDev > 28 {
				t.Errorf("seed %d, test %s: standard deviation %.1f, want 10 to 28", seed, e.TestID, e.StdDev)
			}
			for _, r := range itemRest(c, test) {
				questions++
				if r > 0.1 {
					positive++
				}
				if r < 0 {
					miskeyed++
				}
			}
		}
	}
	if share := float64(positive) / float64(questions); share < 0.9 {
		t.Errorf("%.0f %% of questions correlate with the rest of the test, want 90 or more", 100*share)
	}
	if miskeyed == 0 || miskeyed > questions/10 {
		t.Errorf("%d of %d questions correlate negatively, want a few: the miskeyed", miskeyed, questions)
	}
}

// itemRest correlates each question with the rest of the test, over the flat first
// scans.
func itemRest(c *cohort.Cohort, test int) []float64 {
	var sheets [][]float64
	questions := c.Options().Questions
	for i := test; i < c.Documents(); i += c.Options().Tests {
		for s := range c.Sheets(i) {
			if s.Rescan || s.Folded {
				continue
			}
			row := make([]float64, questions)
			for _, a := range s.Answers {
				row[a.Question] = float64(a.Awarded)
			}
			sheets = append(sheets, row)
		}
	}
	out := make([]float64, questions)
	for q := range out {
		var n, x, y, xx, yy, xy float64
		for _, row := range sheets {
			total := 0.0
			for _, a := range row {
				total += a
			}
			rest := total - row[q]
			n++
			x, y = x+row[q], y+rest
			xx, yy, xy = xx+row[q]*row[q], yy+rest*rest, xy+row[q]*rest
		}
		out[q] = (n*xy - x*y) / math.Sqrt((n*xx-x*x)*(n*yy-y*y))
	}
	return out
}

// TestScans counts: every student once, the asked share again, each number one
// student's, folds at the asked rate, never more marks than the flat sheet.
func TestScans(t *testing.T) {
	t.Parallel()
	opts := cohort.Options{
		Seed: 5, Tests: 2, Students: 5000, RecordsPerDocument: 64,
		RescanShare: 0.12, FoldShare: 0.08, BlankShare: 0.1,
	}
	c := mustNew(t, opts)
	type scan struct {
		obtained, available int
		folded              bool
	}
	for test := range opts.Tests {
		scans := make(map[string][]scan)
		firsts, rescans, folded, answers, blanks, sameDocument := 0, 0, 0, 0, 0, 0
		for i := test; i < c.Documents(); i += opts.Tests {
			inDocument := make(map[string]bool)
			for s := range c.Sheets(i) {
				if s.Rescan != (len(scans[s.StudentNumber]) > 0) {
					t.Fatalf("student %s: Rescan = %v after %d scans", s.StudentNumber, s.Rescan, len(scans[s.StudentNumber]))
				}
				if s.Rescan {
					rescans++
					if inDocument[s.StudentNumber] {
						sameDocument++
					}
				} else {
					firsts++
				}
				if s.Folded {
					folded++
				}
				inDocument[s.StudentNumber] = true
				for _, a := range s.Answers {
					answers++
					if a.Choice == 0 {
						blanks++
					}
				}
				scans[s.StudentNumber] = append(scans[s.StudentNumber], scan{s.Obtained, s.Available, s.Folded})
			}
		}
		if firsts != opts.Students || len(scans) != opts.Students {
			t.Errorf("%d first scans of %d numbers, want %d", firsts, len(scans), opts.Students)
		}
		if rescans != 600 {
			t.Errorf("%d rescans, want 600", rescans)
		}
		if sameDocument < 100 || sameDocument > 500 {
			t.Errorf("%d of %d rescans in the same document, want some and not all", sameDocument, rescans)
		}
		if share := float64(folded) / float64(firsts+rescans); share < 0.06 || share > 0.10 {
			t.Errorf("%.3f of scans folded, want about 0.08", share)
		}
		if share := float64(blanks) / float64(answers); share < 0.02 || share > 0.08 {
			t.Errorf("%.3f of answers blank, want some", share)
		}
		raised := 0
		for number, all := range scans {
			for _, one := range all {
				for _, other := range all {
					switch {
					case one.folded && !other.folded:
						if one.available >= other.available || one.obtained >= other.obtained && other.obtained > 0 {
							t.Errorf("student %s: folded scan %+v is not lower than flat %+v", number, one, other)
						}
						raised++
					case !one.folded && !other.folded && one != other:
						t.Errorf("student %s: two flat scans differ: %+v, %+v", number, one, other)
					}
				}
			}
		}
		if raised < 200 {
			t.Errorf("%d folded scans have a flat one beside them, want at least 200 of 600 rescans", raised)
		}
	}
}

// TestNumbers looks for the traps that student numbers are: leading zeros, and
// numbers that differ only in them.
func TestNumbers(t *testing.T) {
	t.Parallel()
	c := mustNew(t, cohort.Options{Students: 20_000, Questions: 1})
	seen := make(map[string]bool)
	for i := range c.Documents() {
		for s := range c.Sheets(i) {
			seen[s.StudentNumber] = true
		}
	}
	zeros, twins := 0, 0
	for number := range seen {
		if len(number) < 8 || len(number) > 10 {
			t.Fatalf("student number %q, want 8 digits and up to two zeros in front", number)
		}
		if number[0] == '0' {
			zeros++
			if seen[number[1:]] || seen[number[2:]] {
				twins++
			}
		}
	}
	if zeros < 300 || zeros > 600 || twins < 5 || twins > 60 {
		t.Errorf("%d numbers with leading zeros, %d with a twin without; want about 420 and 20", zeros, twins)
	}
}
