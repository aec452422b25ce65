package engine

import (
	"bytes"
	"context"
	"io"
	"time"
	"weak"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/engine/scoring"
	"markr/engine/summary"
	"markr/wal/entry"
)

// EncodedBook is a checkpoint of a book with these records.
func EncodedBook(rule scoring.Rule, records []exam.Record) []byte {
	b := newBook(&RuleInForce{Rule: rule}, false)
	b.apply(ImportRef{Position: 1}, &intake.Document{Records: records})
	return encoded(b, newRefusals())
}

// EncodedItems is a checkpoint of a book with these documents, with what is kept for item
// analysis.
func EncodedItems(rule scoring.Rule, docs ...*intake.Document) []byte {
	b := newBook(&RuleInForce{Rule: rule}, true)
	for i, doc := range docs {
		doc.Items.Read(doc.Records, doc.Answers)
		b.apply(ImportRef{Position: entry.Position(i + 1)}, doc)
	}
	b.position = entry.Position(len(docs))
	return encoded(b, newRefusals())
}

// positionRead is the position of the checkpoints that are read here.
const positionRead = 9

// RecodeBook reads a checkpoint and writes it again.
func RecodeBook(checkpoint []byte, rule scoring.Rule) ([]byte, error) {
	r := newRefusals()
	b, err := decodeBook(bytes.NewReader(checkpoint), positionRead, &RuleInForce{Rule: rule}, true, r)
	if err != nil {
		return nil, err
	}
	return encoded(b, r), nil
}

// CompareBook compares a checkpoint with the book of another.
func CompareBook(checkpoint, other []byte, rule scoring.Rule) error {
	b, err := decodeBook(bytes.NewReader(other), positionRead, &RuleInForce{Rule: rule}, true, newRefusals())
	if err != nil {
		return err
	}
	return b.view().compare(bytes.NewReader(checkpoint))
}

// ReadBook reads a checkpoint, and every figure of what it holds; then the book goes on with
// another document about each test.
func ReadBook(checkpoint []byte, rule scoring.Rule, more func(test exam.TestID) *intake.Document) (figures []summary.Aggregate, items []*itemstats.Analysis, err error) {
	b, err := decodeBook(bytes.NewReader(checkpoint), positionRead, &RuleInForce{Rule: rule}, true, newRefusals())
	if err != nil {
		return nil, nil, err
	}
	for _, test := range b.publish().List("", "", 1<<20) {
		figures = append(figures, test.Aggregate())
		if kept := b.tests[test.ID].items; kept != nil {
			items = append(items, kept.View().Analyse())
		}
		doc := more(test.ID)
		doc.Items.Read(doc.Records, doc.Answers)
		b.apply(ImportRef{Position: positionRead + 1}, doc)
		if kept := b.tests[test.ID].items; kept != nil {
			items = append(items, kept.View().Analyse())
		}
	}
	return figures, items, nil
}

func encoded(b *book, r *refusals) []byte {
	var to bytes.Buffer
	view := b.view()
	view.refused = r.view()
	_ = view.encode(&to) // A buffer takes everything.
	return to.Bytes()
}

// Encoded is a checkpoint of the live book, and of what is known of refused documents, as
// it is now.
func (e *Engine) Encoded(ctx context.Context) (checkpoint []byte, err error) {
	err = e.order(ctx, func(b *book, _ *trail) *book {
		checkpoint = encoded(b, e.refused)
		return b
	})
	return checkpoint, err
}

// Book is a weak pointer to the book of a reprocess, to see whether it is let go.
func (r *Reprocess) Book() func() bool {
	p := weak.Make(r.book)
	return func() bool { return p.Value() != nil }
}

// ApplyTo is a checkpoint of what this one becomes when more records are applied to it,
// as if they had come with the last import of the test that they all are of, or with the
// last of all if there is no such test.
func ApplyTo(checkpoint []byte, at entry.Position, rule scoring.Rule, records ...exam.Record) ([]byte, error) {
	r := newRefusals()
	b, err := decodeBook(bytes.NewReader(checkpoint), at, &RuleInForce{Rule: rule}, true, r)
	if err != nil {
		return nil, err
	}
	from := b.test(records[0].Test).last
	if from.Position == 0 {
		from.Position = at // A test of a scan that no document can have brought cannot be, either.
	}
	b.apply(from, &intake.Document{Records: records})
	return encoded(b, r), nil
}

// RollsKept is how many past rolls are kept.
func (e *Engine) RollsKept() int {
	e.rolls.mu.Lock()
	defer e.rolls.mu.Unlock()
	return len(e.rolls.mu.kept)
}

// WaitItems waits until the log has been read for item analysis, if it is.
func (e *Engine) WaitItems() { e.items.Wait() }

// Write writes a checkpoint of the live book, as it is saved beside imports. standstill, if
// it is not nil, grows by how long the committer has been kept.
func (e *Engine) Write(ctx context.Context, w io.Writer, standstill *time.Duration) error {
	var view *bookView
	err := e.order(ctx, func(b *book, _ *trail) *book {
		from := time.Now()
		view = e.view(b)
		if standstill != nil {
			*standstill += time.Since(from)
		}
		return b
	})
	if err != nil {
		return err
	}
	return view.encode(w)
}

// BoundAnalyses sets how much the analyses that are kept may take in memory.
func (e *Engine) BoundAnalyses(most int) { e.analyses.bytesMax = most }

// KeptAnalyses are how many analyses of views that are in force are kept, and what they take.
func (e *Engine) KeptAnalyses() (n, size int) {
	e.live.Lock()
	defer e.live.Unlock()
	e.live.book.index.Scan(func(_ exam.TestID, t *Test) bool {
		if a := t.items.analysis.Load(); a != nil {
			n, size = n+1, size+a.Bytes()
		}
		return true
	})
	return n, size
}

// KnownAnalyses is how many analyses the bound knows of.
func (e *Engine) KnownAnalyses() int {
	e.analyses.mu.Lock()
	defer e.analyses.mu.Unlock()
	return len(e.analyses.mu.kept)
}
