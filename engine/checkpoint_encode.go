package engine

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/engine/ledger"
	"markr/engine/quality"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// The bytes of a checkpoint are in DESIGN.md. Whoever keeps them has checksums; here
// is only a version.
const (
	bookVersion = 7
	// bookVersionWithoutItems had no word about item analysis in its head.
	bookVersionWithoutItems = 6
)

// ruleBytes are a rule in a checkpoint: policy, its version, denominator, its version.
type ruleBytes [4]byte

func bytesOf(r scoring.Rule) ruleBytes {
	return ruleBytes{byte(r.Policy), byte(r.Policy.Version()), byte(r.Denominator), byte(r.Denominator.Version())}
}

// bookView is a book as it was at one moment.
type bookView struct {
	rule     scoring.Rule
	basis    entry.Position
	position entry.Position
	students ledger.StudentsView
	taken    quality.Positions
	tests    []testView // in order of id
	refused  refusalsView
	items    byte // version of what tests keep for item analysis; 0: nothing
}

type testView struct {
	id   exam.TestID
	last ImportRef
	rows ledger.View

	zeros   int // see ledger.Odd
	quality quality.Stored
	items   itemstats.Stored
}

// view is the book as it is now.
func (b *book) view() *bookView {
	v := &bookView{
		rule: b.rule, basis: b.inForce.Position, position: b.position, students: b.students.View(), taken: b.taken.Clone(),
	}
	for _, id := range slices.Sorted(maps.Keys(b.tests)) {
		t := b.tests[id]
		view := testView{id: t.id, last: t.last, rows: t.kept.View(), zeros: t.kept.Odd().Zeros, quality: t.quality.Store()}
		if b.items {
			view.items = t.items.Store()
		}
		v.tests = append(v.tests, view)
	}
	if b.items {
		v.items = itemsVersion
	}
	return v
}

// encoder writes fields, many at a time.
type encoder struct {
	to     io.Writer
	buffer []byte
	err    error
}

// encodeBytes is how much is written at a time.
const encodeBytes = 64 << 10

func (e *encoder) uint(v uint64) { e.buffer = binary.AppendUvarint(e.buffer, v) }
func (e *encoder) int(v int64)   { e.buffer = binary.AppendVarint(e.buffer, v) }

func (e *encoder) text(b []byte) {
	e.uint(uint64(len(b)))
	e.buffer = append(e.buffer, b...)
}

// full writes what there is when it is enough.
func (e *encoder) full() error {
	if len(e.buffer) < encodeBytes {
		return nil
	}
	return e.flush()
}

func (e *encoder) flush() error {
	if e.err == nil {
		_, e.err = e.to.Write(e.buffer)
	}
	e.buffer = e.buffer[:0]
	return e.err
}

// encode writes the view.
func (v *bookView) encode(w io.Writer) error {
	e := &encoder{to: w, buffer: make([]byte, 0, encodeBytes+1<<10)}
	rule := bytesOf(v.rule)
	e.buffer = append(append(e.buffer, bookVersion), rule[:]...)
	e.uint(uint64(v.basis))
	e.buffer = append(e.buffer, v.items)
	e.uint(uint64(v.students.Len()))
	err := v.students.Each(func(number []byte) error {
		e.text(number)
		return e.full()
	})
	if err != nil {
		return err
	}
	e.positions(&v.taken)
	e.uint(uint64(len(v.tests)))
	for i := range v.tests {
		if err := v.tests[i].encode(e, v.rule); err != nil {
			return err
		}
	}
	if err := v.refused.encode(e); err != nil {
		return err
	}
	if v.items != 0 {
		for i := range v.tests {
			if err := e.items(&v.tests[i].items); err != nil {
				return err
			}
		}
	}
	return e.flush()
}

// encode writes a test.
func (t *testView) encode(e *encoder, rule scoring.Rule) error {
	e.text([]byte(t.id))
	e.buffer = append(e.buffer, t.last.ID[:]...)
	e.uint(uint64(t.last.Position))
	e.int(t.last.Received.UnixMicro())
	e.uint(uint64(t.rows.Len()))
	if err := e.rows(rule, true, t.rows.Each); err != nil {
		return err
	}
	e.uint(uint64(t.rows.Passed()))
	if err := e.rows(rule, false, t.rows.EachPassed); err != nil {
		return err
	}
	rises := t.rows.Rises()
	e.uint(uint64(len(rises)))
	var before ledger.Rise
	for _, rise := range rises {
		e.uint(rise.Arrival - before.Arrival)
		e.uint(uint64(rise.Available - before.Available))
		before = rise
	}
	e.uint(uint64(t.zeros))
	e.quality(&t.quality)
	return e.full()
}

// rows writes what each gives. Rows differ little from those before them, so
// differences are written: some five bytes a mark.
func (e *encoder) rows(rule scoring.Rule, isKept bool, each func(func(ledger.Row) error) error) error {
	var before ledger.Row
	highest := isKept && rule.Denominator == scoring.OfSheet
	return each(func(row ledger.Row) error {
		e.int(int64(row.Student) - int64(before.Student))
		e.uint(uint64(row.Obtained))
		e.int(int64(row.Arrival - before.Arrival))
		if rule.NeedsAvailable() {
			e.uint(uint64(row.Available))
		}
		if rule.NeedsScannedOn() {
			e.int(row.ScannedOn)
		}
		if highest {
			e.uint(uint64(row.Highest))
		}
		if isKept {
			e.buffer = binary.LittleEndian.AppendUint16(e.buffer, uint16(row.Names))
			e.buffer = binary.LittleEndian.AppendUint16(e.buffer, uint16(row.Responses))
		}
		before = row
		return e.full()
	})
}
