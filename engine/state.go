package engine

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"markr/engine/exam"
	"markr/engine/quality"
	"markr/engine/summary"
	"markr/wal/entry"
)

// State is everything readers may see, at one position of the log. It never
// changes.
type State struct {
	inForce  *RuleInForce
	position entry.Position
	events   uint64 // up to position
	students int
	marks    int
	findings quality.Counts
	items    itemsKept
	tests    *btree.Map[exam.TestID, *Test]
}

// Position is the last position that is part of the state.
func (s *State) Position() entry.Position { return s.position }

// Rule is the rule that the state was made under.
func (s *State) Rule() RuleInForce { return *s.inForce }

// Documents is how many documents have arrived up to the position, of every outcome.
func (s *State) Documents() uint64 { return uint64(s.position) - s.events }

// Students is how many distinct student numbers are known, over all tests.
func (s *State) Students() int { return s.students }

// Marks is how many students' marks are kept, summed over all tests.
func (s *State) Marks() int { return s.marks }

// Findings are those of all tests together.
func (s *State) Findings() quality.Counts { return s.findings }

// Tests is how many tests are known.
func (s *State) Tests() int { return s.tests.Len() }

// Test returns a test's view, nil if it is unknown.
func (s *State) Test(id exam.TestID) *Test {
	t, _ := s.tests.Get(id)
	return t
}

// List returns up to limit tests in order of id, those with the prefix whose id
// is greater than after.
func (s *State) List(prefix, after exam.TestID, limit int) []*Test {
	return s.list(prefix, after, limit, func(*Test) bool { return true })
}

// ListOdd is List of the tests that have findings. It looks at those that have none on
// its way, some 20 ns each.
func (s *State) ListOdd(prefix, after exam.TestID, limit int) []*Test {
	return s.list(prefix, after, limit, func(t *Test) bool { return t.Findings.Any() })
}

func (s *State) list(prefix, after exam.TestID, limit int, wanted func(*Test) bool) []*Test {
	var list []*Test
	s.tests.Ascend(max(prefix, after), func(id exam.TestID, t *Test) bool {
		if len(list) >= limit || !strings.HasPrefix(string(id), string(prefix)) {
			return false
		}
		if id > after && wanted(t) {
			list = append(list, t)
		}
		return true
	})
	return list
}

// Test is a test's view at one position. It never changes.
type Test struct {
	ID exam.TestID
	// Available is the highest available of all accepted scans.
	Available exam.Marks
	// Last is the last accepted import that named the test.
	Last ImportRef
	// Findings are how many things are odd about its scans, by kind.
	Findings quality.Counts

	scores    summary.Distribution
	aggregate atomic.Pointer[summary.Aggregate]
	norms     atomic.Pointer[summary.Norms]
	items     *itemsOnce // nil without item analysis
}

// ImportRef points at an import.
type ImportRef struct {
	ID       uuid.UUID
	Position entry.Position
	Received time.Time
}

// Count is the number of students.
func (t *Test) Count() int { return t.scores.Count() }

// Aggregate returns the figures of SPEC section 5; they are computed on the
// first call and remembered.
func (t *Test) Aggregate() summary.Aggregate {
	if a := t.aggregate.Load(); a != nil {
		return *a
	}
	// Two first calls at once both compute, and get the same.
	a := t.scores.Aggregate(t.Available)
	t.aggregate.Store(&a)
	return a
}

// Percentiles appends the percentages at ps to dst.
func (t *Test) Percentiles(dst []float64, ps ...summary.Percent) []float64 {
	for _, p := range ps {
		dst = append(dst, t.scores.Percentile(p, t.Available))
	}
	return dst
}

// Scores are the scores of all students. What they are percentages of, where they are not
// of sheets, is Available.
func (t *Test) Scores() summary.Distribution { return t.scores }

// Norms compare scores with those of the test; they are made on the first call and
// remembered.
func (t *Test) Norms() *summary.Norms {
	if n := t.norms.Load(); n != nil {
		return n
	}
	// Two first calls at once both make them, and make the same.
	n := t.scores.Norms(t.Available)
	t.norms.Store(n)
	return n
}

// Counts appends how many students have which obtained marks, see
// [summary.Distribution.Counts].
func (t *Test) Counts(dst []summary.Count, most int) ([]summary.Count, bool) {
	return t.scores.Counts(dst, most)
}
