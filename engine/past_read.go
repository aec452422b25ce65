package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/ledger"
	"markr/wal/entry"
)

// read is retake for what memory does not have: the documents with scans of the test are
// read again, as a recovery reads them, and what they say is taken in the order in which
// they arrived.
func (p *past) read(ctx context.Context, era *era, r ledger.Retake, each func(uint64, *ledger.Test, ledger.Effects) error) (*ledger.Test, error) {
	positions, scans, err := p.documents(era, entry.Position(r.Through))
	if err != nil {
		return nil, err
	}
	if each == nil {
		each = func(uint64, *ledger.Test, ledger.Effects) error { return nil }
	}
	students, test := ledger.NewStudents(), ledger.NewTest(r.Rule)
	students.Reserve(min(p.view.Len(), scans))
	test.Reserve(min(p.view.Len(), scans))
	marked := r.Mark == 0 || r.Mark > r.Through
	markBefore := func(position uint64) error {
		if marked || position < r.Mark {
			return nil
		}
		marked = true
		return each(r.Mark, test, ledger.Effects{})
	}
	ctx, done := p.whileWanted(ctx)
	defer done()
	err = p.engine.read(ctx, reading{
		some: true, positions: positions, cores: runtime.GOMAXPROCS(0),
		decode: p.decode,
		take: func(stored *entry.Entry, doc *intake.Document) error {
			position := uint64(stored.Position)
			if err := markBefore(position); err != nil {
				return err
			}
			return each(position, test, p.take(students, test, position, doc.Records))
		},
	})
	if err == nil {
		err = markBefore(r.Through + 1)
	}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("read documents of the past: %w", context.Cause(ctx))
		}
		return nil, err
	}
	p.numbers = students.View()
	return test, nil
}

// whileWanted is a context for reading that ends when asked is cancelled, and when the
// engine is closed. The deadline of asked is that of the wait for a turn: who has waited in
// vain comes again, but who has been read for so long would come again to the same.
func (p *past) whileWanted(asked context.Context) (ctx context.Context, done func()) {
	ctx, stop := context.WithCancelCause(context.WithoutCancel(asked))
	cancelled := context.AfterFunc(asked, func() {
		if errors.Is(asked.Err(), context.Canceled) {
			stop(context.Canceled)
		}
	})
	closed := context.AfterFunc(p.engine.ctx, func() { stop(ErrClosed) })
	return ctx, func() {
		cancelled()
		closed()
		stop(nil)
	}
}

// decode reads what counts of a document that counted then.
func (p *past) decode(stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
	doc.MarksOnly = true
	err := p.engine.decode(stored, doc, raw)
	if _, gone := slices.BinarySearch(p.now.Uncounted, stored.Position); gone && errors.Is(err, ErrUnreadable) {
		return fmt.Errorf("%w: position %d", ErrLostPast, stored.Position)
	}
	return err
}

// take takes a document's scans of the test.
func (p *past) take(students *ledger.Students, test *ledger.Test, position uint64, records []exam.Record) (done ledger.Effects) {
	for first := 0; first < len(records); {
		end := first
		for end < len(records) && string(records[end].Test) == string(p.id) {
			end++
		}
		if end == first {
			first++
			continue
		}
		done = done.Plus(test.Take(students, records[first:end], position, first))
		first = end
	}
	return done
}

// documents are those that counted in an era and have scans of the test, up to a
// position, in order, and how many of these scans memory knows, at most. It knows those that
// count today.
func (p *past) documents(era *era, through entry.Position) (positions []entry.Position, scans int, err error) {
	counted := func(at entry.Position) bool {
		_, found := slices.BinarySearch(era.uncounted, at)
		return !found && at <= through
	}
	known, scans := p.view.Positions(uint64(through))
	for _, position := range known {
		if at := entry.Position(position); counted(at) {
			positions = append(positions, at)
		}
	}
	for _, at := range p.now.Uncounted {
		if !counted(at) {
			continue
		}
		h, err := p.engine.headerAt(at)
		if err != nil {
			return nil, 0, fmt.Errorf("document at position %d: %w", at, err)
		}
		if mayName(&h, p.id) {
			positions = append(positions, at)
		}
	}
	slices.Sort(positions)
	return positions, scans, nil
}

// mayName says whether an accepted document may name a test: its header lists the first
// of those that it names.
func mayName(h *entry.Header, id exam.TestID) bool {
	d, err := decodeDetail(h.Detail)
	return err != nil || len(d.TestIDs) >= TestIDsListed || slices.Contains(d.TestIDs, id)
}
