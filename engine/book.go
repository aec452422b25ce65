package engine

import (
	"github.com/tidwall/btree"

	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/engine/summary"
	"markr/wal/entry"
)

// book is the state while it is written: what every student's kept scan is. One
// goroutine owns it. Everything that counts documents, from live imports to
// recovery, goes through apply.
type book struct {
	rule     scoring.Rule
	position entry.Position
	marks    int
	// students gives every student number a small one, the same in all tests, so
	// that its text is held once.
	students map[exam.StudentNumber]studentIndex
	tests    map[exam.TestID]*testBook
	index    *btree.Map[exam.TestID, *Test] // the views as last published
	changed  []*testBook                    // since the last publish
}

type studentIndex uint32

// testBook is one test's part of the book.
type testBook struct {
	id        exam.TestID
	kept      map[studentIndex]keptScan
	scores    summary.Scores
	available exam.Marks
	last      ImportRef
	changed   bool
}

// keptScan is a student's kept scan of a test.
type keptScan struct {
	scoring.Scan

	availableMax exam.Marks // of all the student's scans of the test
}

func newBook(rule scoring.Rule) *book {
	return &book{
		rule:     rule,
		students: make(map[exam.StudentNumber]studentIndex),
		tests:    make(map[exam.TestID]*testBook),
		index:    new(btree.Map[exam.TestID, *Test]),
	}
}

// effects counts what a document's records did.
type effects struct{ added, raised, unchanged int }

// apply counts the records of an accepted document. Doing it twice changes
// nothing the second time: keeping the better scan is idempotent.
func (b *book) apply(from ImportRef, records []exam.Record) effects {
	var done effects
	var test *testBook
	for i := range records {
		record := &records[i]
		// Most documents are about one test.
		if test == nil || string(record.Test) != string(test.id) {
			test = b.test(record.Test)
		}
		test.touch(b, from)
		scan := scoring.Scan{
			Obtained:  record.Obtained,
			Available: record.Available,
			ScannedOn: record.ScannedOn,
			Position:  uint64(from.Position),
			Record:    uint32(i),
		}
		switch added, moved := test.take(b.rule, b.student(record.Student), scan); {
		case added:
			b.marks++
			done.added++
		case moved:
			done.raised++
		default:
			done.unchanged++
		}
	}
	return done
}

func (b *book) test(id []byte) *testBook {
	if t, ok := b.tests[exam.TestID(id)]; ok {
		return t
	}
	t := &testBook{id: exam.TestID(id), kept: make(map[studentIndex]keptScan)}
	b.tests[t.id] = t
	return t
}

func (b *book) student(number []byte) studentIndex {
	if s, ok := b.students[exam.StudentNumber(number)]; ok {
		return s
	}
	s := studentIndex(len(b.students))
	b.students[exam.StudentNumber(number)] = s
	return s
}

// touch notes that the document from names the test.
func (t *testBook) touch(b *book, from ImportRef) {
	t.last = from
	if !t.changed {
		t.changed = true
		b.changed = append(b.changed, t)
	}
}

// take considers one scan. It says whether the student is new to the test, and
// else whether the student's score moved.
func (t *testBook) take(rule scoring.Rule, student studentIndex, scan scoring.Scan) (added, moved bool) {
	t.available = max(t.available, scan.Available)
	old, known := t.kept[student]
	kept := old
	if !known || rule.Policy.Better(scan, old.Scan) {
		kept.Scan = scan
	}
	kept.availableMax = max(old.availableMax, scan.Available)
	if kept == old {
		return false, false
	}
	t.kept[student] = kept
	before, after := old.score(rule), kept.score(rule)
	switch {
	case !known:
		t.scores.Add(after)
	case before != after:
		t.scores.Remove(before)
		t.scores.Add(after)
		return false, true
	}
	return !known, false
}

func (k keptScan) score(rule scoring.Rule) summary.Score {
	if rule.Denominator == scoring.OfSheet && k.availableMax > 0 {
		return summary.OfSheet(k.Obtained, k.availableMax)
	}
	return summary.OfTest(k.Obtained)
}

// publish makes the book as it is now into a state. Its cost is in proportion to
// the tests that changed, not to what they hold.
func (b *book) publish() *State {
	for _, t := range b.changed {
		b.index.Set(t.id, &Test{ID: t.id, Available: t.available, Last: t.last, scores: t.scores.Freeze()})
		t.changed = false
	}
	clear(b.changed)
	b.changed = b.changed[:0]
	return &State{
		position: b.position,
		students: len(b.students),
		marks:    b.marks,
		tests:    b.index.Copy(),
	}
}
