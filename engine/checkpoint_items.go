package engine

import (
	"bytes"
	"io"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/engine/ledger"
	"markr/wal/entry"
)

// What tests keep for item analysis, in a checkpoint: the last part of it, with a version
// of its own in the head. DESIGN.md has the bytes. Whoever does not know the version, or
// wants no item analysis, takes up all that is before it.

// itemsVersion of a checkpoint without the part is 0.
const itemsVersion = 1

// limits are the limits of a test as they are written, by number.
func limits() []itemstats.Limit {
	return []itemstats.Limit{itemstats.NoLimit, itemstats.Scores, itemstats.Values}
}

// items writes what a test keeps.
func (e *encoder) items(s *itemstats.Stored) error {
	e.itemsHead(s)
	if s.Limit == itemstats.Values {
		return e.full()
	}
	var packed []byte
	for n := range (s.Rows + itemstats.ChunkRows - 1) / itemstats.ChunkRows {
		packed = s.Pack(packed[:0], n)
		e.text(packed)
		if err := e.full(); err != nil {
			return err
		}
	}
	return e.full()
}

// itemsHead writes what the sheets do not tell.
func (e *encoder) itemsHead(s *itemstats.Stored) {
	e.uint(uint64(slices.Index(limits(), s.Limit)))
	e.uint(uint64(len(s.Questions)))
	for i := range s.Questions {
		q := &s.Questions[i]
		e.uint(uint64(q.ID))
		free := uint64(0)
		if q.Free {
			free = 1
		}
		e.uint(free)
		if q.Free {
			e.text(q.Classes)
		}
		e.uint(uint64(len(q.Values)))
		for _, v := range q.Values {
			e.uint(uint64(v.Response))
			e.uint(uint64(v.Awarded))
			e.uint(uint64(v.Available + 1)) // 0: not known
		}
		if e.full() != nil {
			return // It is told in the end.
		}
	}
	e.uint(uint64(len(s.Scores)))
	var before int32
	for _, marks := range s.Scores {
		e.int(int64(marks) - int64(before))
		before = marks
	}
	e.uint(uint64(len(s.Texts)))
	for _, text := range s.Texts {
		e.uint(uint64(text.Text))
		e.text([]byte(text.Spelled))
		if e.full() != nil {
			return
		}
	}
}

// itemsHead takes what the sheets of a test, so many, do not tell.
func (d *decoder) itemsHead(rows int) *itemstats.Stored {
	s := &itemstats.Stored{Limit: limits()[d.atMost(len(limits())-1)], Rows: rows}
	for range d.atMost(itemstats.QuestionsMax) {
		q := itemstats.StoredQuestion{ID: exam.Text(d.uint()), Free: d.atMost(1) == 1}
		if q.Free {
			q.Classes = slices.Clone(d.bytes(d.uint()))
		}
		for range d.atMost(itemstats.ValuesMax) {
			q.Values = append(q.Values, itemstats.Value{Response: exam.Text(d.uint()), Awarded: d.marks(), Available: d.available()})
		}
		if d.err != nil {
			return s
		}
		s.Questions = append(s.Questions, q)
	}
	marks := int64(0)
	for range d.atMost(itemstats.CellsMax) {
		if marks += d.int(); marks < 0 || marks > int64(exam.MarksMax) {
			d.fail()
		}
		if d.err != nil {
			return s
		}
		s.Scores = append(s.Scores, int32(marks))
	}
	for range d.atMost(itemstats.TextsMax) {
		text := itemstats.StoredText{Text: exam.Text(d.uint()), Spelled: string(d.block(exam.TextBytesMax))}
		if d.err != nil {
			return s
		}
		s.Texts = append(s.Texts, text)
	}
	return s
}

// available takes marks that may not be known.
func (d *decoder) available() exam.Marks {
	v := d.uint()
	if v > uint64(exam.MarksMax)+1 {
		d.fail()
		return 0
	}
	return exam.Marks(v) - 1
}

// block takes bytes with their length, of which there are no more than most. They are the
// caller's.
func (d *decoder) block(most int) []byte {
	b := make([]byte, d.atMost(most))
	for rest := b; len(rest) > 0 && d.err == nil; {
		n := copy(rest, d.ahead())
		if n == 0 {
			d.fail()
		} else {
			d.rest = d.rest[n:]
		}
		rest = rest[n:]
	}
	return b
}

// discard takes the rest, whatever it is: it has a checksum to be looked at.
func (d *decoder) discard() {
	d.rest = nil
	if !d.ended && d.err == nil {
		_, d.err = io.Copy(io.Discard, d.from)
		d.ended = true
	}
}

// restoringItems are those of one test on their way from the checkpoint.
type restoringItems struct {
	test *testBook
	kept *itemstats.Test // when it is whole
}

// items reads what the tests of a book keep, in order of id, and counts it beside the
// reading: it is whole when filling is. It is nil if it is not wanted or not there.
func (d *decoder) items(b *book, version byte, wanted bool, filling *errgroup.Group) []*restoringItems {
	if version == 0 {
		return nil
	}
	if version != itemsVersion || !wanted {
		d.discard()
		return nil
	}
	all := make([]*restoringItems, 0, len(b.tests))
	for _, id := range slices.Sorted(maps.Keys(b.tests)) {
		if d.err != nil {
			return nil
		}
		t := b.tests[id]
		r := &restoringItems{test: t}
		all = append(all, r)
		stored := d.itemsHead(t.restored.rows)
		into, err := itemstats.Restore(stored)
		if err != nil || d.err != nil {
			d.fail()
			return nil
		}
		handed := make(chan []byte, handedOver)
		filling.Go(func() (err error) {
			for packed := range handed {
				if err == nil { // The channel has to be emptied in any case.
					err = into.Take(packed)
				}
			}
			<-t.restored.filled // The rows are read before, and need no one here.
			if err == nil {
				r.kept, err = into.End(t.kept.Len(), t.kept.Obtained)
			}
			return err
		})
		d.sheets(stored, func(packed []byte) { handed <- packed })
		close(handed)
	}
	return all
}

// sheets reads the sheets of a test, as they are packed.
func (d *decoder) sheets(s *itemstats.Stored, handOver func(packed []byte)) {
	if s.Limit == itemstats.Values {
		return
	}
	for first := 0; first < s.Rows && d.err == nil; first += itemstats.ChunkRows {
		if packed := d.block(itemstats.PackedBytesMax); d.err == nil {
			handOver(packed)
		}
	}
}

// adopt gives tests what they keep for item analysis, if there is something.
func (b *book) adopt(all []*restoringItems) {
	b.items = all != nil
	for _, r := range all {
		r.test.keepItems(r.kept)
	}
}

// compareItems compares what the tests keep for item analysis.
func (v *bookView) compareItems(d *decoder, version byte) error {
	switch version {
	case 0:
		return nil
	case itemsVersion:
	default:
		return &entry.VersionError{What: "item analysis in the checkpoint", Version: version}
	}
	for i := range v.tests {
		if err := v.tests[i].compareItems(d); err != nil {
			return err
		}
	}
	return nil
}

func (t *testView) compareItems(d *decoder) error {
	stored := d.itemsHead(t.rows.Len())
	// A state has one encoding.
	var theirs, ours encoder
	theirs.to, ours.to = new(bytes.Buffer), new(bytes.Buffer)
	theirs.itemsHead(stored)
	ours.itemsHead(&t.items)
	if theirs.flush() != nil || ours.flush() != nil || d.err != nil {
		return d.err
	}
	if !bytes.Equal(theirs.to.(*bytes.Buffer).Bytes(), ours.to.(*bytes.Buffer).Bytes()) {
		return differs("test %q: other questions, or other answers to them, have been seen", t.id)
	}
	var err error
	var want []byte
	n := 0
	d.sheets(stored, func(packed []byte) {
		if want = t.items.Pack(want[:0], n); err == nil && !bytes.Equal(packed, want) {
			first := n * itemstats.ChunkRows
			err = t.sheetDiffers(first + max(0, itemstats.FirstDifference(packed, want, min(itemstats.ChunkRows, stored.Rows-first))))
		}
		n++
	})
	if d.err != nil {
		return d.err
	}
	return err
}

// sheetDiffers names a sheet by the scan that it is of.
func (t *testView) sheetDiffers(row int) error {
	var at ledger.Arrival
	nth := 0
	_ = t.rows.Each(func(r ledger.Row) error { // It does not fail, because this does not.
		if nth == row {
			at = ledger.ArrivalOf(r.Arrival)
		}
		nth++
		return nil
	})
	return differs("test %q: other answers on the sheet at position %d, record %d", t.id, at.Position, at.Record+1)
}
