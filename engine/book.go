package engine

import (
	"github.com/tidwall/btree"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// book is the state while it is written: what every student's kept scan is. One
// goroutine owns it. Everything that counts documents, from live imports to
// recovery, goes through apply.
type book struct {
	rule     scoring.Rule
	inForce  *RuleInForce // rule, and where it is recorded
	position entry.Position
	marks    int
	records  int // applied since the last checkpoint
	events   uint64
	students *ledger.Students
	tests    map[exam.TestID]*testBook
	index    *btree.Map[exam.TestID, *Test] // the views as last published
	changed  []*testBook                    // since the last publish
}

// testBook is one test's part of the book.
type testBook struct {
	id      exam.TestID
	kept    *ledger.Test
	last    ImportRef
	changed bool
}

func newBook(r *RuleInForce) *book {
	return &book{
		rule:     r.Rule,
		inForce:  r,
		students: ledger.NewStudents(),
		tests:    make(map[exam.TestID]*testBook),
		index:    new(btree.Map[exam.TestID, *Test]),
	}
}

// apply counts the records of an accepted document. Doing it twice changes
// nothing the second time: keeping the better scan is idempotent.
func (b *book) apply(from ImportRef, records []exam.Record) ledger.Effects {
	var done ledger.Effects
	for first := 0; first < len(records); {
		// Most documents are about one test.
		end := first + 1
		for end < len(records) && string(records[end].Test) == string(records[first].Test) {
			end++
		}
		test := b.test(records[first].Test)
		test.touch(b, from)
		done = done.Plus(test.kept.Take(b.students, records[first:end], uint64(from.Position), first))
		first = end
	}
	b.marks += done.Added
	b.records += len(records)
	return done
}

func (b *book) test(id []byte) *testBook {
	if t, ok := b.tests[exam.TestID(id)]; ok {
		return t
	}
	t := &testBook{id: exam.TestID(id), kept: ledger.NewTest(b.rule)}
	b.tests[t.id] = t
	return t
}

// touch notes that the document from names the test.
func (t *testBook) touch(b *book, from ImportRef) {
	t.last = from
	if !t.changed {
		t.changed = true
		b.changed = append(b.changed, t)
	}
}

// publish makes the book as it is now into a state. Its cost is in proportion to
// the tests that changed, not to what they hold.
func (b *book) publish() *State {
	for _, t := range b.changed {
		b.index.Set(t.id, &Test{ID: t.id, Available: t.kept.Available, Last: t.last, scores: t.kept.Scores()})
		t.changed = false
	}
	clear(b.changed)
	b.changed = b.changed[:0]
	return &State{
		inForce:  b.inForce,
		position: b.position,
		events:   b.events,
		students: b.students.Len(),
		marks:    b.marks,
		tests:    b.index.Copy(),
	}
}
