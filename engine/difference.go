package engine

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// Difference is what would change if a reprocess were committed. Before is the live
// state, after is the reprocess's, both at one position.
type Difference struct {
	Position entry.Position
	Computed time.Time
	// Tests are known to either; TestsMoved of them have figures that can move.
	Tests, TestsMoved int
	// Marks are students, summed over all tests of either. Of them, StudentsMoved get
	// another percentage, StudentsAdded and StudentsRemoved are in one state only, and
	// KeptChanged have another kept scan, whether their percentage moves or not.
	Marks, StudentsMoved, StudentsAdded, StudentsRemoved, KeptChanged int
	// Refused accepted documents are refused by today's decoder: they do not count
	// after. Accepted are refused ones that it would accept if they were sent again:
	// a commit changes nothing about them.
	Refused, Accepted int
}

// TestDifference is a test in which a student's marks or kept scan differ.
type TestDifference struct {
	ID            exam.TestID
	Before, After *Test // nil where no document names it
	// Counts of students, as in [Difference].
	Moved, Added, Removed, KeptChanged int

	before, after ledger.View
}

// moved says whether the test's figures can move.
func (t *TestDifference) moved() bool { return t.Moved+t.Added+t.Removed > 0 }

// StudentDifference is a student whose marks or kept scan differ in a test.
type StudentDifference struct {
	Student       string
	Before, After *KeptMarks // nil where the student is not in the test
	// Next is where a list goes on after this student.
	Next uint64
}

// KeptMarks are a student's marks in a test, and the scan that they come from.
type KeptMarks struct {
	Obtained  exam.Marks
	Available exam.Marks     // what they are a percentage of
	Position  entry.Position // of the kept scan's document
	Record    int            // its index in the document, from 0
}

// Percentage is the nearest float64.
func (k *KeptMarks) Percentage() float64 { return 100 * float64(k.Obtained) / float64(k.Available) }

// DocumentChange is a document that today's decoder judges differently.
type DocumentChange struct {
	Position entry.Position
	ID       uuid.UUID
	Received time.Time
	Refusal  *intake.DocumentError // why it is refused today; nil if it is accepted
	Records  int                   // accepted: its records
}

// twoStates are two states at one position, and where they differ. They never change.
type twoStates struct {
	summary Difference
	took    time.Duration
	tests   []TestDifference // that differ, in order of id
	before  side
	after   side
	// same is, for each student before, the one with that number after; nil if the two
	// have the same numbers in the same order, as they do unless a decoder has changed.
	same []ledger.Student
}

// side is one of the two.
type side struct {
	rule     scoring.Rule
	state    *State
	students ledger.StudentsView
}

// nobody is a student before who is not there after.
const nobody = ledger.Student(math.MaxUint32)

// compare brings the book to where the live one is and compares the two.
func (r *Reprocess) compare(ctx context.Context) error {
	e := r.engine
	r.asked.Store(false)
	var live *bookView
	var state *State
	err := e.order(ctx, func(b *book, _ *trail) *book {
		live, state = e.view(b), e.state.Load()
		return b
	})
	if err != nil {
		return err
	}
	if err := r.readThrough(ctx, live.position, r.wait); err != nil {
		return err
	}
	started := e.opts.Now()
	next := r.book.view()
	c := &twoStates{
		before: side{live.rule, state, live.students},
		after:  side{next.rule, r.book.publish(), next.students},
	}
	c.same = sameStudents(c.before.students, c.after.students)
	c.compareTests(live.tests, next.tests)
	r.mu.Lock()
	defer r.mu.Unlock()
	c.summary.Position, c.summary.Computed = live.position, started
	c.summary.Refused, c.summary.Accepted = r.mu.changes.refused.count, r.mu.changes.accepted.count
	c.took = e.opts.Now().Sub(started)
	r.mu.comparison = c
	return nil
}

// compareDue says whether somebody wants to know, and something can have changed.
func (r *Reprocess) compareDue() bool {
	if !r.asked.Load() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.mu.comparison
	return c.summary.Position < r.book.position &&
		r.engine.opts.Now().Sub(c.summary.Computed) >= max(compareEvery, compareShare*c.took)
}

// sameStudents finds the students before among those after.
func sameStudents(before, after ledger.StudentsView) []ledger.Student {
	first := 0
	for first < min(before.Len(), after.Len()) && bytes.Equal(before.At(first), after.At(first)) {
		first++
	}
	if first == before.Len() {
		return nil
	}
	rest := make(map[string]ledger.Student, after.Len()-first)
	for i := first; i < after.Len(); i++ {
		rest[string(after.At(i))] = ledger.Student(i)
	}
	same := make([]ledger.Student, before.Len())
	for i := range same {
		same[i] = ledger.Student(i)
		if i >= first {
			var known bool
			if same[i], known = rest[string(before.At(i))]; !known {
				same[i] = nobody
			}
		}
	}
	return same
}

// studentAfter is the student after who is a given one before.
func (c *twoStates) studentAfter(before ledger.Student) ledger.Student {
	if c.same == nil {
		return before
	}
	return c.same[before]
}

// compareTests goes through the tests of both, which are in order of id.
func (c *twoStates) compareTests(before, after []testView) {
	for len(before) > 0 || len(after) > 0 {
		var t TestDifference
		switch {
		case len(after) == 0 || (len(before) > 0 && before[0].id < after[0].id):
			t.ID, t.before = before[0].id, before[0].rows
			before = before[1:]
		case len(before) == 0 || after[0].id < before[0].id:
			t.ID, t.after = after[0].id, after[0].rows
			after = after[1:]
		default:
			t.ID, t.before, t.after = before[0].id, before[0].rows, after[0].rows
			before, after = before[1:], after[1:]
		}
		c.compareTest(&t)
	}
}

func (c *twoStates) compareTest(t *TestDifference) {
	t.Before, t.After = c.before.state.Test(t.ID), c.after.state.Test(t.ID)
	p := c.pair(t)
	for row := range t.after.Len() {
		before, after := p.before(row), c.after.marks(t.After, t.after.At(row))
		switch {
		case before < 0:
			t.Added++
		default:
			was := c.before.marks(t.Before, t.before.At(before))
			if was.moved(&after) {
				t.Moved++
			}
			if was.Position != after.Position || was.Record != after.Record {
				t.KeptChanged++
			}
		}
	}
	t.Removed = t.before.Len() - (t.after.Len() - t.Added)
	s := &c.summary
	s.Tests++
	s.Marks += t.before.Len() + t.Added
	s.StudentsMoved += t.Moved
	s.StudentsAdded += t.Added
	s.StudentsRemoved += t.Removed
	s.KeptChanged += t.KeptChanged
	if t.moved() {
		s.TestsMoved++
	}
	if t.moved() || t.KeptChanged > 0 {
		c.tests = append(c.tests, *t)
	}
}

// moved says whether two marks are different percentages, exactly.
func (k *KeptMarks) moved(to *KeptMarks) bool {
	return int64(k.Obtained)*int64(to.Available) != int64(to.Obtained)*int64(k.Available)
}

// marks is a row as marks.
func (s *side) marks(t *Test, row ledger.Row) KeptMarks {
	k := KeptMarks{
		Obtained: row.Obtained, Available: t.Available,
		Position: entry.Position(row.Arrival / ledger.RecordsMax), Record: int(row.Arrival % ledger.RecordsMax),
	}
	if s.rule.Denominator == scoring.OfSheet {
		k.Available = row.Highest
	}
	return k
}

// pairs finds the row before of a row after. Rows are in the order in which students
// came, so unless a decoder has changed they are in the same place; an index is made
// when the first is not.
type pairs struct {
	c     *twoStates
	t     *TestDifference
	index map[ledger.Student]int // by the student after
}

func (c *twoStates) pair(t *TestDifference) *pairs { return &pairs{c: c, t: t} }

// before is the row before, -1 if there is none.
func (p *pairs) before(row int) int {
	student := p.t.after.At(row).Student
	if p.index == nil {
		if row < p.t.before.Len() && p.c.studentAfter(p.t.before.At(row).Student) == student {
			return row
		}
		p.index = make(map[ledger.Student]int, p.t.before.Len())
		for i := range p.t.before.Len() {
			p.index[p.c.studentAfter(p.t.before.At(i).Student)] = i
		}
	}
	if before, known := p.index[student]; known {
		return before
	}
	return -1
}

// Differences lists up to limit tests that differ, in order of id, those whose id is
// greater than after. The error is [ErrReprocessNotReady] or [ErrNoReprocess].
func (r *Reprocess) Differences(after exam.TestID, limit int) ([]TestDifference, error) {
	c, err := r.compared()
	if err != nil {
		return nil, err
	}
	var list []TestDifference
	for i := range c.tests {
		if c.tests[i].ID > after && len(list) < limit {
			list = append(list, c.tests[i])
		}
	}
	return list, nil
}

// removedRows is set in a place in a list of students that is among those who are only
// there before: they come last.
const removedRows = 1 << 63

// StudentDifferences lists up to limit students of a test who differ, in the order in
// which they came, from a place on: 0, or Next of the student before. The error is
// [ErrUnknownTest] when the test does not differ, or those of Differences.
func (r *Reprocess) StudentDifferences(id exam.TestID, from uint64, limit int) ([]StudentDifference, error) {
	c, err := r.compared()
	if err != nil {
		return nil, err
	}
	for i := range c.tests {
		if c.tests[i].ID == id {
			return c.students(&c.tests[i], from, limit), nil
		}
	}
	return nil, ErrUnknownTest
}

func (c *twoStates) students(t *TestDifference, from uint64, limit int) (list []StudentDifference) {
	p := c.pair(t)
	if from < removedRows {
		for row := int(from); row < t.after.Len() && len(list) < limit; row++ {
			at := t.after.At(row)
			d := StudentDifference{
				Student: string(c.after.students.At(int(at.Student))),
				After:   new(c.after.marks(t.After, at)), Next: uint64(row) + 1,
			}
			if before := p.before(row); before >= 0 {
				d.Before = new(c.before.marks(t.Before, t.before.At(before)))
			}
			if d.Before == nil || d.Before.moved(d.After) || d.Before.Position != d.After.Position || d.Before.Record != d.After.Record {
				list = append(list, d)
			}
		}
		from = removedRows
	}
	if t.Removed == 0 {
		return list
	}
	there := make(map[ledger.Student]bool, t.after.Len())
	for row := range t.after.Len() {
		there[t.after.At(row).Student] = true
	}
	for row := int(from - removedRows); row < t.before.Len() && len(list) < limit; row++ {
		at := t.before.At(row)
		if there[c.studentAfter(at.Student)] {
			continue
		}
		list = append(list, StudentDifference{
			Student: string(c.before.students.At(int(at.Student))),
			Before:  new(c.before.marks(t.Before, at)), Next: removedRows + uint64(row) + 1,
		})
	}
	return list
}

// DocumentChanges lists up to limit documents that today's decoder judges differently,
// in order of position, those after a position: accepted ones that it refuses, or, with
// accepted, refused ones that it accepts. At most 10,000 of each are remembered.
func (r *Reprocess) DocumentChanges(accepted bool, after entry.Position, limit int) ([]DocumentChange, error) {
	if _, err := r.compared(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	changes := &r.mu.changes.refused
	if accepted {
		changes = &r.mu.changes.accepted
	}
	sorted := changes.sorted()
	r.mu.Unlock()
	var list []DocumentChange
	for _, c := range sorted {
		if c.Position > after && len(list) < limit {
			list = append(list, c)
		}
	}
	return list, nil
}

// compared is the last comparison.
func (r *Reprocess) compared() (*twoStates, error) {
	r.asked.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.mu.phase.ended():
		return nil, ErrNoReprocess
	case r.mu.comparison == nil:
		return nil, fmt.Errorf("%w: it has not read the log to its end", ErrReprocessNotReady)
	}
	return r.mu.comparison, nil
}
