package engine_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"weak"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/engine/scoring"
)

// postAnswered posts a sheet of 20 questions for each of so many tests.
func (h *house) postAnswered(t testing.TB, tests, student int) {
	t.Helper()
	var lines []string
	for n := range tests {
		line := fmt.Sprintf("t%d s%d 0 30 1", n, student)
		for q := range 20 {
			line += fmt.Sprintf(" %d=A:0/1", q)
		}
		lines = append(lines, line)
	}
	h.post(t, lines...)
}

func (h *house) analysis(t testing.TB, n int) *itemstats.Analysis {
	t.Helper()
	a, _, err := h.Items(exam.TestID(fmt.Sprintf("t%d", n)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Analyses are made once, and kept until the test goes on; however many tests are asked
// for, what is kept has a bound, and who was asked for of late is in it.
func TestAnalysesAreBounded(t *testing.T) {
	t.Parallel()
	const tests, kept = 40, 5
	h := openItems(t, vfs.NewMem(), scoring.Rule{}, false)
	defer h.close(t)
	h.postAnswered(t, tests, 0)
	first := h.analysis(t, 0)
	if h.analysis(t, 0) != first {
		t.Error("an analysis is made twice")
	}
	h.BoundAnalyses(kept * first.Bytes())
	for n := range tests {
		a := h.analysis(t, n)
		if h.analysis(t, 0) != first {
			t.Fatalf("what was asked for all the time is let go after %d tests", n)
		}
		if h.analysis(t, n) != a {
			t.Fatalf("what was made last is let go, test %d", n)
		}
		if n, bytes := h.KeptAnalyses(); n > kept || bytes > kept*first.Bytes() {
			t.Fatalf("%d analyses are kept, %d bytes", n, bytes)
		}
	}
	if n, _ := h.KeptAnalyses(); n != kept {
		t.Errorf("%d analyses are kept, want %d", n, kept)
	}
	// One that was let go is made again, and is the same.
	if a := h.analysis(t, 1); a.Sheets != 1 || len(a.Questions) != 20 {
		t.Errorf("%d sheets, %d questions", a.Sheets, len(a.Questions))
	}
	// A bound that is too small for any leaves the last one.
	h.BoundAnalyses(1)
	last := h.analysis(t, 7)
	if n, _ := h.KeptAnalyses(); n != 1 || h.analysis(t, 7) != last {
		t.Errorf("%d analyses are kept", n)
	}
}

// What was computed of a test that has gone on is let go, and counts no more.
func TestAnalysesOfThePast(t *testing.T) {
	t.Parallel()
	h := openItems(t, vfs.NewMem(), scoring.Rule{}, false)
	defer h.close(t)
	var old []weak.Pointer[itemstats.Analysis]
	for student := range 20 {
		h.postAnswered(t, 1, student)
		a := h.analysis(t, 0)
		if a.Sheets != student+1 {
			t.Fatalf("%d sheets after %d", a.Sheets, student+1)
		}
		old = append(old, weak.Make(a))
		if n := h.KnownAnalyses(); n != 1 {
			t.Fatalf("%d analyses of one test are known", n)
		}
	}
	h.postAnswered(t, 1, 20)
	for i, a := range old {
		for range 100 { // A collection that was under way may have come too early.
			if a.Value() == nil {
				break
			}
			runtime.GC()
		}
		if a.Value() != nil {
			t.Errorf("analysis %d is still held", i)
		}
	}
}

// Many who ask while documents come, with room for hardly anything, get what is true.
func TestAnalysesOfMany(t *testing.T) {
	t.Parallel()
	const tests, students = 4, 30
	h := openItems(t, vfs.NewMem(), scoring.Rule{}, false)
	defer h.close(t)
	h.postAnswered(t, tests, 0)
	h.BoundAnalyses(h.analysis(t, 0).Bytes())
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for seen := [tests]int{}; seen[0] < students; {
				for n := range tests {
					a, test, err := h.Items(exam.TestID(fmt.Sprintf("t%d", n)))
					if err != nil || a.Sheets != test.Count() || a.Sheets < seen[n] {
						t.Errorf("%d sheets after %d: %v", a.Sheets, seen[n], err)
						return
					}
					seen[n] = a.Sheets
				}
			}
		})
	}
	for student := range students - 1 {
		h.postAnswered(t, tests, student+1)
	}
	asking.Wait()
}
