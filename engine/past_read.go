package engine

import (
	"errors"
	"fmt"
	"slices"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/wal/entry"
)

// read is retake for what memory does not have: the documents with scans of the test are
// read again, in order, one at a time, and what they say is taken as it was when they
// arrived.
func (p *past) read(era *era, r ledger.Retake, each func(uint64, *ledger.Test, ledger.Effects) error) (*ledger.Test, error) {
	positions, err := p.documents(era, entry.Position(r.Through))
	if err != nil {
		return nil, err
	}
	if each == nil {
		each = func(uint64, *ledger.Test, ledger.Effects) error { return nil }
	} else if r.Mark != 0 && r.Mark <= r.Through {
		at, _ := slices.BinarySearch(positions, entry.Position(r.Mark))
		positions = slices.Insert(positions, at, entry.Position(r.Mark))
	}
	students, test := ledger.NewStudents(), ledger.NewTest(r.Rule)
	reader := documentReader{engine: p.engine}
	for _, at := range positions {
		if p.engine.ctx.Err() != nil {
			return nil, ErrClosed
		}
		var done ledger.Effects
		if at != entry.Position(r.Mark) {
			if done, err = p.take(&reader, students, test, at); err != nil {
				return nil, err
			}
		}
		if err := each(uint64(at), test, done); err != nil {
			return nil, err
		}
	}
	p.numbers = students.View()
	return test, nil
}

// take takes a document's scans of the test.
func (p *past) take(reader *documentReader, students *ledger.Students, test *ledger.Test, at entry.Position) (done ledger.Effects, err error) {
	if err := reader.read(at); err != nil {
		if _, gone := slices.BinarySearch(p.now.Uncounted, at); gone && errors.Is(err, ErrUnreadable) {
			return done, fmt.Errorf("%w: position %d", ErrLostPast, at)
		}
		return done, err
	}
	records := reader.doc.Records
	for first := 0; first < len(records); {
		end := first
		for end < len(records) && string(records[end].Test) == string(p.id) {
			end++
		}
		if end == first {
			first++
			continue
		}
		done = done.Plus(test.Take(students, records[first:end], uint64(at), first))
		first = end
	}
	return done, nil
}

// documents are those that counted in an era and have scans of the test, up to a
// position, in order. Memory knows those that count today.
func (p *past) documents(era *era, through entry.Position) (positions []entry.Position, err error) {
	counted := func(at entry.Position) bool {
		_, found := slices.BinarySearch(era.uncounted, at)
		return !found && at <= through
	}
	for _, position := range p.view.Positions(uint64(through)) {
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
			return nil, fmt.Errorf("document at position %d: %w", at, err)
		}
		if mayName(&h, p.id) {
			positions = append(positions, at)
		}
	}
	slices.Sort(positions)
	return positions, nil
}

// mayName says whether an accepted document may name a test: its header lists the first
// of those that it names.
func mayName(h *entry.Header, id exam.TestID) bool {
	d, err := decodeDetail(h.Detail)
	return err != nil || len(d.TestIDs) >= TestIDsListed || slices.Contains(d.TestIDs, id)
}
