package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// kept computes what is kept of a test, from all its scans, by student.
func (m *model) kept(test exam.TestID) map[string]engine.KeptMarks {
	best, own := make(map[string]scoring.Scan), make(map[string]exam.Marks)
	var available exam.Marks
	for _, s := range m.scans[test] {
		if old, known := best[s.student]; !known || m.rule.Policy.Better(s.Scan, old) {
			best[s.student] = s.Scan
		}
		own[s.student] = max(own[s.student], s.Available)
		available = max(available, s.Available)
	}
	all := make(map[string]engine.KeptMarks)
	for student, s := range best {
		of := available
		if m.rule.Denominator == scoring.OfSheet {
			of = own[student]
		}
		all[student] = engine.KeptMarks{Obtained: s.Obtained, Available: of, Position: entry.Position(s.Position), Record: int(s.Record)}
	}
	return all
}

// post imports random documents and gives their scans to models.
func (h *house) postTo(t *testing.T, random *rand.Rand, documents int, models ...*model) {
	t.Helper()
	for range documents {
		document := randomDocument(random)
		r := h.post(t, document...)
		if r.DuplicateOf.Version() != 0 {
			continue
		}
		for i, line := range document {
			var test exam.TestID
			var s modelScan
			var obtained, available int
			if _, err := fmt.Sscan(line, &test, &s.student, &obtained, &available, &s.ScannedOn); err != nil {
				t.Fatal(err)
			}
			s.Obtained, s.Available = exam.Marks(1000*obtained), exam.Marks(1000*available)
			s.Position, s.Record = uint64(r.Position), uint32(i)
			for _, m := range models {
				m.add(test, s)
			}
		}
	}
}

// Between any two rules, the difference is what two models differ in: every student of
// every test, and how many there are.
func TestDifferenceAgainstModel(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	for _, from := range allRules() {
		for _, to := range allRules() {
			random := rand.New(rand.NewPCG(random.Uint64(), 0))
			h, before, after := open(t, vfs.NewMem(), from), newModel(from), newModel(to)
			h.postTo(t, random, 30, before, after)
			r := h.reprocess(t, to)
			got, want := differenceOf(t, r), differenceOfModels(before, after)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("from %v to %v (-want +got):\n%s", from, to, diff)
			}
			if from == to && (got.summary.StudentsMoved > 0 || len(got.students) > 0) {
				t.Errorf("under the same rule %v there is a difference: %+v", to, got)
			}
			h.close(t)
		}
	}
}

// differences are a difference and all that it is about.
type differences struct {
	summary  engine.Difference
	students map[exam.TestID]map[string][2]engine.KeptMarks
}

// Equal is for cmp, which does not look at what is not exported.
func (d differences) Equal(e differences) bool {
	return d.summary == e.summary && maps.EqualFunc(d.students, e.students, maps.Equal)
}

func differenceOf(t *testing.T, r *engine.Reprocess) differences {
	t.Helper()
	got := differences{summary: *r.Status().Difference, students: make(map[exam.TestID]map[string][2]engine.KeptMarks)}
	got.summary.Position, got.summary.Computed = 0, fixedClock()
	for after := exam.TestID(""); ; {
		tests, err := r.Differences(after, 1) // In pages of one.
		if err != nil {
			t.Fatal(err)
		}
		if len(tests) == 0 {
			return got
		}
		after = tests[0].ID
		got.students[after] = make(map[string][2]engine.KeptMarks)
		for from := uint64(0); ; {
			students, err := r.StudentDifferences(after, from, 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(students) == 0 {
				break
			}
			for _, s := range students {
				got.students[after][s.Student] = [2]engine.KeptMarks{*s.Before, *s.After}
			}
			from = students[len(students)-1].Next
		}
	}
}

func differenceOfModels(before, after *model) differences {
	want := differences{students: make(map[exam.TestID]map[string][2]engine.KeptMarks)}
	want.summary.Computed = fixedClock()
	for _, test := range slices.Sorted(maps.Keys(before.scans)) {
		was, is := before.kept(test), after.kept(test)
		differ := make(map[string][2]engine.KeptMarks)
		moved := 0
		for student, k := range is {
			if k == was[student] {
				continue
			}
			another := k.Position != was[student].Position || k.Record != was[student].Record
			if another {
				want.summary.KeptChanged++
			}
			changed := int64(k.Obtained)*int64(was[student].Available) != int64(was[student].Obtained)*int64(k.Available)
			if changed {
				moved++
			}
			if another || changed {
				differ[student] = [2]engine.KeptMarks{was[student], k}
			}
		}
		want.summary.Tests++
		want.summary.Marks += len(is)
		want.summary.StudentsMoved += moved
		if moved > 0 {
			want.summary.TestsMoved++
		}
		if len(differ) > 0 {
			want.students[test] = differ
		}
	}
	return want
}

// The difference that is shown keeps up with what arrives, for those who look.
func TestDifferenceIsFresh(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	h.post(t, "t s 1 2")
	r := h.reprocess(t, scoring.Rule{Policy: scoring.First})
	if d := r.Status().Difference; d.StudentsMoved != 0 || d.Position != 1 {
		t.Errorf("%+v", d)
	}
	h.post(t, "t s 2 2")
	until(t, "a fresh difference", func() bool { return r.Status().Difference.Position == 2 })
	if d := r.Status().Difference; d.StudentsMoved != 1 || d.TestsMoved != 1 {
		t.Errorf("%+v", d)
	}
}
