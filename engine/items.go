package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/wal/entry"
)

// ItemsError says why there is no item analysis yet: the engine has started from a
// checkpoint without it, and is reading the answers from its log.
type ItemsError struct {
	Position, Last entry.Position // that was read, of the state
	Err            error          // why it never will be there; nil while it is being read
}

// Error says how far it has come.
func (e *ItemsError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("read answers for item analysis: %v", e.Err)
	}
	return fmt.Sprintf("item analysis is not ready: answers are read up to position %d of %d", e.Position, e.Last)
}

// Unwrap is why.
func (e *ItemsError) Unwrap() error { return e.Err }

// itemsKept is what tests keep for item analysis.
type itemsKept struct {
	bytes  int
	beyond int // tests that have too much of something
}

// move brings the part of one test up to date.
func (k *itemsKept) move(part *itemsKept, t *itemstats.Test) {
	now := itemsKept{bytes: t.Bytes()}
	if t.Limit() != itemstats.NoLimit {
		now.beyond = 1
	}
	k.bytes += now.bytes - part.bytes
	k.beyond += now.beyond - part.beyond
	*part = now
}

// keepItems gives the test its sheets, which have those of all its rows.
func (t *testBook) keepItems(items *itemstats.Test) { t.items, t.kept.Sheets = items, items }

// readItems makes the answers of a document ready, if they are wanted and err is nil.
func (e *Engine) readItems(doc *intake.Document, err error) {
	if err == nil && e.opts.ItemAnalysis {
		doc.Items.Read(doc.Records, doc.Answers)
	}
}

// decodeItems is decode for a book.
func (e *Engine) decodeItems(b *book, stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
	err := e.decode(stored, doc, raw)
	if b.items {
		e.readItems(doc, err)
	}
	return err
}

// Items is what the kept sheets of a test say of its questions, and the test at the same
// moment. It is computed on the first call after a change, some hundred µs for 100
// questions, and kept until the next change unless memory is short (see analyses). What the test has too many of is the analysis' Limit. The error is
// [ErrItemsOff], an *[ItemsError], [ErrUnknownTest] or [ErrNotReady]; then there is no
// analysis.
func (e *Engine) Items(id exam.TestID) (*itemstats.Analysis, *Test, error) {
	if err := e.ready(); err != nil {
		return nil, nil, err
	}
	if !e.opts.ItemAnalysis {
		return nil, nil, ErrItemsOff
	}
	for {
		once, view, test, err := e.itemsView(id)
		switch {
		case err != nil:
			return nil, nil, err
		case view != nil:
			defer once.Unlock()
			a := view.Analyse()
			e.analyses.keep(once, a)
			return a, test, nil
		}
		if a := once.analysis.Load(); a != nil {
			e.analyses.touch(once)
			return a, test, nil
		}
		// Somebody makes it; nobody who does waits for the book.
		once.Lock()
		a := once.analysis.Load()
		once.Unlock()
		if a != nil {
			return a, test, nil
		}
		// It was let go already.
	}
}

// itemsView is the view that a test's analysis is to be made of, by the caller, who has
// locked once for it; nil if it is there, or somebody else makes it.
func (e *Engine) itemsView(id exam.TestID) (once *itemsOnce, view *itemstats.View, test *Test, err error) {
	e.live.Lock()
	defer e.live.Unlock()
	b := e.live.book
	if !b.items {
		return nil, nil, nil, e.items.status(b.position)
	}
	kept, known := b.tests[id]
	if !known {
		return nil, nil, nil, ErrUnknownTest
	}
	// Of the state that is about to be visible, or is.
	test, _ = b.index.Get(id)
	once = test.items
	if once.analysis.Load() != nil || !once.TryLock() {
		return once, nil, test, nil
	}
	if once.analysis.Load() != nil { // Somebody was quicker.
		once.Unlock()
		return once, nil, test, nil
	}
	return once, kept.items.View(), test, nil
}

// itemsReading is the reading of the log for item analysis, behind a start from a
// checkpoint without it.
type itemsReading struct {
	sync.WaitGroup

	position atomic.Uint64
	err      atomic.Pointer[error]
}

func (r *itemsReading) status(last entry.Position) *ItemsError {
	s := &ItemsError{Position: entry.Position(r.position.Load()), Last: last}
	if err := r.err.Load(); err != nil {
		s.Err = *err
	}
	return s
}

// startItems begins to read the log for item analysis, if the book that came from a
// checkpoint lacks it:
//
//  1. a second book is made of the whole log, under the rule in force, while the live one
//     goes on;
//  2. when it has come close, the committer waits until it has come as far as the live one;
//  3. rows come in the order of the log in both, so the live one takes its sheets, and the
//     next checkpoint, which has them, is due at once.
//
// A reprocess that is committed meanwhile brings sheets of its own. The second book's marks
// take memory until then, as those of a reprocess do.
func (e *Engine) startItems(b *book) {
	if !e.opts.ItemAnalysis || b.items {
		return
	}
	inForce := b.inForce
	e.items.Go(func() {
		err := e.rebuildItems(e.ctx, newBook(inForce, true))
		if err != nil && e.ctx.Err() == nil {
			e.items.err.Store(&err)
		}
	})
}

func (e *Engine) rebuildItems(ctx context.Context, b *book) error {
	if err := e.WaitReady(ctx); err != nil {
		return err
	}
	for {
		through := e.state.Load().position
		if err := e.readForItems(ctx, b, through); err != nil {
			return err
		}
		if e.state.Load().position-through <= behindMax {
			break
		}
	}
	var err error
	ordered := e.order(ctx, func(live *book, _ *trail) *book {
		if live.items { // A reprocess was quicker.
			return live
		}
		if err = e.readForItems(ctx, b, live.position); err == nil {
			err = e.adoptItems(live, b)
		}
		return live
	})
	return errors.Join(ordered, err)
}

// readForItems reads the log into a second book.
func (e *Engine) readForItems(ctx context.Context, b *book, through entry.Position) error {
	if b.position >= through {
		return nil
	}
	err := e.read(ctx, reading{
		from: b.position + 1, through: through, cores: max(1, runtime.GOMAXPROCS(0)-1),
		decode: func(stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
			if !b.inForce.counts(stored.Position) {
				return nil
			}
			return e.decodeItems(b, stored, doc, raw)
		},
		take: func(stored *entry.Entry, doc *intake.Document) error {
			if len(doc.Records) > 0 {
				b.apply(referTo(&stored.Header), doc)
			}
			e.items.position.Store(uint64(stored.Position))
			return nil
		},
	})
	if err == nil {
		b.position = through
	}
	return err
}

// errOtherRows: two books of one log differ. A checkpoint does not say what the log says.
var errOtherRows = errors.New("the checkpoint has other marks than the log; see `markr vault verify`")

// adoptItems gives the live book the sheets of another with the same rows.
func (e *Engine) adoptItems(live, from *book) error {
	if len(live.tests) != len(from.tests) {
		return errOtherRows
	}
	for id, t := range live.tests {
		if other := from.tests[id]; other == nil || other.kept.Len() != t.kept.Len() || other.last.Position != t.last.Position {
			return errOtherRows
		}
	}
	e.live.Lock()
	defer e.live.Unlock()
	live.items = true
	// A checkpoint is due at once: the next start is to be spared this.
	live.records = max(live.records, e.opts.CheckpointRecords, live.marks/checkpointShare)
	for id, t := range live.tests {
		t.keepItems(from.tests[id].items)
		t.touch(live, t.last)
	}
	e.state.Store(live.publish())
	return nil
}
