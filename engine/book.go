package engine

import (
	"github.com/tidwall/btree"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/engine/ledger"
	"markr/engine/quality"
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
	taken    quality.Positions              // of the documents that were looked at for quality
	findings quality.Counts                 // of all tests, as last published
	items    bool                           // tests keep their sheets for item analysis
	kept     itemsKept                      // of all tests, as last published
}

// testBook is one test's part of the book.
type testBook struct {
	id      exam.TestID
	kept    *ledger.Test
	last    ImportRef
	changed bool

	quality  quality.Test
	findings quality.Counts  // as last published
	items    *itemstats.Test // nil when the book has none
	sheets   itemsKept       // as last published
	zeros    int             // of a checkpoint: ledger.Odd, until the rows are there
	restored restoredRows
}

// restoredRows are the rows of a checkpoint, while it is read.
type restoredRows struct {
	rows   int
	filled chan struct{} // closed when all are there, or none will be
}

func newBook(r *RuleInForce, items bool) *book {
	return &book{
		items:    items,
		rule:     r.Rule,
		inForce:  r,
		students: ledger.NewStudents(),
		tests:    make(map[exam.TestID]*testBook),
		index:    new(btree.Map[exam.TestID, *Test]),
	}
}

// apply counts the records of an accepted document. Doing it twice changes
// nothing the second time: keeping the better scan is idempotent, and what is odd
// about single scans is counted for every document once.
func (b *book) apply(from ImportRef, doc *intake.Document) ledger.Effects {
	var done ledger.Effects
	records := doc.Records
	fresh := b.taken.Add(uint64(from.Position))
	for first, run := 0, 0; first < len(records); run++ {
		// Most documents are about one test.
		end := first + 1
		for end < len(records) && string(records[end].Test) == string(records[first].Test) {
			end++
		}
		test := b.test(records[first].Test)
		test.touch(b, from)
		if test.items != nil {
			test.items.Begin(&doc.Items, run, doc.Spell)
		}
		done = done.Plus(test.kept.Take(b.students, records[first:end], uint64(from.Position), first))
		if test.items != nil {
			test.items.Done()
		}
		if fresh {
			test.quality.Take(records[first:end], ledger.ArrivalAt(uint64(from.Position), first), doc.Inspection.Run(run), first)
		}
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
	if b.items {
		t.keepItems(new(itemstats.Test))
	}
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
		findings := t.counts()
		b.findings.Move(&t.findings, &findings)
		t.findings = findings
		view := &Test{
			ID: t.id, Available: t.kept.Available, Last: t.last, Findings: findings, scores: t.kept.Scores(),
		}
		if t.items != nil {
			b.kept.move(&t.sheets, t.items)
			view.items = new(itemsOnce)
		}
		if before, _ := b.index.Set(t.id, view); before != nil && before.items != nil {
			before.items.over.Store(true)
		}
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
		findings: b.findings,
		items:    b.kept,
		tests:    b.index.Copy(),
	}
}
