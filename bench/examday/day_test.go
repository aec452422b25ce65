package examday_test

import (
	"testing"
	"time"

	"markr/bench/examday"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

func mustNew(t *testing.T, seed uint64) *examday.Day {
	t.Helper()
	day, err := examday.New(seed, time.Date(2026, time.June, 15, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// TestDay looks at what a day promises, with the program's own decoder.
func TestDay(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3} {
		day := mustNew(t, seed)
		decoder := mcqxml.New(intake.Limits{})
		var decoded intake.Document
		sheets, wrong, corrections := 0, 0, 0
		tests, schools := make(map[string]int), make(map[string]bool)
		seen := make(map[string]bool)
		repeated := 0
		last := time.Duration(0)
		for i, document := range day.All() {
			if document.At < last {
				t.Fatalf("seed %d: document %d at %v comes after one at %v", seed, i, document.At, last)
			}
			last = document.At
			if seen[string(document.Body)] {
				repeated++
			}
			seen[string(document.Body)] = true
			decoded.Reset()
			err := decoder.Decode(&decoded, document.Body, "")
			if (err != nil) != document.Wrong {
				t.Fatalf("seed %d: document %d: error %v, wrong %t", seed, i, err, document.Wrong)
			}
			if document.Wrong {
				wrong++
				continue
			}
			if document.Corrects >= 0 {
				corrections++
				if document.Corrects >= i || !day.Documents[document.Corrects].Wrong {
					t.Errorf("seed %d: document %d corrects %d", seed, i, document.Corrects)
				}
			}
			if len(decoded.Records) != document.Sheets {
				t.Errorf("seed %d: document %d has %d records and says %d", seed, i, len(decoded.Records), document.Sheets)
			}
			sheets += document.Sheets
			tests[document.Test]++
			schools[document.School] = true
		}
		t.Logf("seed %d: %d documents, %d sheets, %d wrong, %d corrections, %d repeated, %v; question %s of %s", seed, len(day.Documents), sheets, wrong, corrections, repeated, last, day.Question, day.Test)
		if sheets < 2000 || len(tests) != 7 || len(schools) != 6 || wrong < 3 || corrections < 2 || repeated == 0 || last < time.Hour || last > 2*time.Hour {
			t.Errorf("seed %d: %d sheets, tests %v, %d schools, %d wrong, %d corrections, %d repeated, %v", seed, sheets, tests, len(schools), wrong, corrections, repeated, last)
		}
	}
}

func TestSameSeedSameDay(t *testing.T) {
	t.Parallel()
	a, b, c := mustNew(t, 5), mustNew(t, 5), mustNew(t, 6)
	differ := 0
	for i := range a.Documents {
		if string(a.Documents[i].Body) != string(b.Documents[i].Body) || a.Documents[i].At != b.Documents[i].At {
			t.Fatalf("document %d differs", i)
		}
		if i < len(c.Documents) && string(a.Documents[i].Body) != string(c.Documents[i].Body) {
			differ++
		}
	}
	if differ == 0 {
		t.Error("another seed is the same day")
	}
}
