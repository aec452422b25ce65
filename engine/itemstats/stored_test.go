package itemstats_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"markr/engine/exam"
	"markr/engine/itemstats"
)

// written is what a test stores, as whoever writes it down has it.
type written struct {
	stored itemstats.Stored
	packed [][]byte
}

func write(test *itemstats.Test) written {
	w := written{stored: test.Store()}
	for first := 0; first < w.stored.Rows && w.stored.Limit != itemstats.Values; first += itemstats.ChunkRows {
		w.packed = append(w.packed, w.stored.Pack(nil, first/itemstats.ChunkRows))
	}
	return w
}

// read makes a test of it, for rows of a ledger.
func (w written) read(rows int, obtained func(uint32) exam.Marks) (*itemstats.Test, error) {
	r, err := itemstats.Restore(&itemstats.Stored{
		Limit: w.stored.Limit, Questions: slices.Clone(w.stored.Questions), Scores: w.stored.Scores, Texts: w.stored.Texts, Rows: w.stored.Rows,
	})
	if err != nil {
		return nil, err
	}
	for _, packed := range w.packed {
		if err := r.Take(packed); err != nil {
			return nil, err
		}
	}
	return r.End(rows, obtained)
}

func (o *office) obtained(row uint32) exam.Marks { return o.kept[row].obtained }

// restored is an office whose test was written down and read again.
func (o *office) restored(t *testing.T) *office {
	t.Helper()
	w := write(&o.test)
	test, err := w.read(len(o.kept), o.obtained)
	if err != nil {
		t.Fatal(err)
	}
	if again := write(test); !reflect.DeepEqual(again.packed, w.packed) || !reflect.DeepEqual(again.stored.Questions, w.stored.Questions) {
		t.Fatal("what was read is written in another way")
	}
	other := &office{rows: o.rows, kept: o.kept}
	other.test = *test
	return other
}

// A test that was written down and read is the same: whatever is told, and whatever comes
// of the scans that are taken afterwards. What is written stays, whatever comes.
func TestStored(t *testing.T) {
	t.Parallel()
	limits := map[string]itemstats.Limit{"sums": itemstats.Scores, "too much": itemstats.Values}
	for _, c := range append(cohorts(),
		cohort{name: "sums", students: 300, scans: 350, questions: 400, responses: 3, marks: 1_000_000, decimals: true, absent: 9, wrong: 8},
		cohort{name: "too much", students: 20, scans: 30, questions: itemstats.QuestionsMax + 20, responses: 2, marks: 1000, absent: 5},
	) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := random(t)
			scans := c.generate(r)
			plain, stopped := newOffice(), newOffice()
			for len(scans) > 0 {
				n := 1 + r.IntN(min(len(scans), 1+c.scans/2))
				plain.take(scans[:n]...)
				stopped.take(scans[:n]...)
				scans = scans[n:]
				before := write(&stopped.test)
				next := stopped.restored(t)
				same(t, next, plain)
				// Who goes on changes nothing of what was written.
				better := slices.Clone(stopped.kept)
				for i := range better {
					better[i].obtained += 1000
				}
				late := &office{test: stopped.test, rows: stopped.rows, kept: slices.Clone(stopped.kept)}
				late.take(better...)
				for i, packed := range before.packed {
					if !bytes.Equal(before.stored.Pack(nil, i), packed) {
						t.Fatal("what was written has changed")
					}
				}
				stopped = next
			}
			if stopped.test.Limit() != limits[c.name] {
				t.Errorf("the limit is %q", stopped.test.Limit())
			}
			sameWhatIf(t, r, stopped, plain)
		})
	}
}

// same compares all integers and all sheets.
func same(t *testing.T, got, want *office) {
	t.Helper()
	g, w := got.test.View(), want.test.View()
	if g.Sums() != w.Sums() {
		t.Fatalf("restored:\n%s\nwant\n%s", g.Sums(), w.Sums())
	}
	if g.Sheets() != w.Sheets() {
		t.Fatalf("restored sheets:\n%s\nwant\n%s", g.Sheets(), w.Sheets())
	}
	if !reflect.DeepEqual(g.Analyse().Questions, w.Analyse().Questions) || got.test.Limit() != want.test.Limit() {
		t.Fatal("other figures are told")
	}
}

// sameWhatIf compares what follows from changes.
func sameWhatIf(t *testing.T, r *rand.Rand, got, want *office) {
	t.Helper()
	g, w := got.test.View().Analyse(), want.test.View().Analyse()
	for range 5 {
		var change itemstats.Change
		for range 1 + r.IntN(3) {
			if len(w.Questions) > 0 {
				change.Withdraw = append(change.Withdraw, w.Questions[r.IntN(len(w.Questions))].Name)
			}
		}
		theirs, err := g.WhatIf(&change, nil)
		ours, err2 := w.WhatIf(&change, nil)
		if !reflect.DeepEqual(theirs, ours) || (err == nil) != (err2 == nil) {
			t.Fatalf("%+v: restored %+v, %v, want %+v, %v", change, theirs, err, ours, err2)
		}
	}
}

// What no test can have kept is refused.
func TestStoredImpossible(t *testing.T) {
	t.Parallel()
	r := random(t)
	o := newOffice()
	o.take(cohorts()[1].generate(r)...)
	sound := write(&o.test)
	if _, err := sound.read(len(o.kept), o.obtained); err != nil {
		t.Fatal(err)
	}
	f := func(what string, change func(*written)) {
		t.Helper()
		w := written{sound.stored, [][]byte{slices.Clone(sound.packed[0])}}
		w.stored.Questions, w.stored.Scores = slices.Clone(w.stored.Questions), slices.Clone(w.stored.Scores)
		for i := range w.stored.Questions {
			w.stored.Questions[i].Values = slices.Clone(w.stored.Questions[i].Values)
		}
		change(&w)
		if _, err := w.read(len(o.kept), o.obtained); !errors.Is(err, itemstats.ErrStored) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("a limit that there is none of", func(w *written) { w.stored.Limit = "colours" })
	f("values beyond the limit that was reached", func(w *written) { w.stored.Limit = itemstats.Values })
	f("scores beyond the limit that was reached", func(w *written) { w.stored.Limit = itemstats.Scores })
	f("a question twice", func(w *written) { w.stored.Questions[1].ID = w.stored.Questions[0].ID })
	f("a value twice", func(w *written) { w.stored.Questions[0].Values[1] = w.stored.Questions[0].Values[0] })
	f("a response that is not told apart", func(w *written) { w.stored.Questions[0].Free = true })
	f("negative marks", func(w *written) { w.stored.Questions[0].Values[0].Awarded = -1 })
	f("more marks than there are", func(w *written) { w.stored.Questions[0].Values[0].Awarded = exam.MarksMax + 1 })
	f("a class of a value that is told apart", func(w *written) { w.stored.Questions[0].Classes = []uint8{1} })
	f("a score that is not there", func(w *written) { w.stored.Scores = w.stored.Scores[1:] })
	f("a score twice", func(w *written) { w.stored.Scores[1] = w.stored.Scores[0] })
	f("more scores than a table has", func(w *written) {
		for n := range int32(itemstats.CellsMax / 16) {
			w.stored.Scores = append(w.stored.Scores, 500_000_000+n)
		}
	})
	f("a short text that is spelled", func(w *written) { w.stored.Texts = append(w.stored.Texts, itemstats.StoredText{Text: question(1)}) })
	f("a row less", func(w *written) { w.stored.Rows-- })
	f("a row more", func(w *written) { w.stored.Rows++ })
	f("no sheets", func(w *written) { w.packed = nil })
	f("sheets twice", func(w *written) { w.packed = append(w.packed, w.packed[0]) })
	f("a cut column", func(w *written) { w.packed[0] = w.packed[0][:len(w.packed[0])-1] })
	f("a column more", func(w *written) { w.packed[0] = append(w.packed[0], w.packed[0]...) })
	f("three bits for each", func(w *written) { w.packed[0][0] = 3 })
	f("other marks on the sheet", func(w *written) { w.packed[0][1] ^= 3 })
	f("answers on sheets without any", func(w *written) { w.packed[0] = append([]byte{0}, w.packed[0][1+len(o.kept)/4:]...) })
}

// Sheets are packed alike however much memory they have, and the first that is another is
// found.
func TestFirstDifference(t *testing.T) {
	t.Parallel()
	o := newOffice()
	scans := cohorts()[0].generate(random(t))
	o.take(scans...)
	a := write(&o.test)
	rows := a.stored.Rows
	changed := o.kept[rows/2]
	changed.obtained += 500
	o.take(changed)
	b := write(&o.test)
	if got := itemstats.FirstDifference(a.packed[0], b.packed[0], rows); got != rows/2 {
		t.Errorf("the sheets differ at %d, want %d", got, rows/2)
	}
	if got := itemstats.FirstDifference(a.packed[0], a.packed[0], rows); got != -1 {
		t.Errorf("the same sheets differ at %d", got)
	}
}

// BenchmarkStored packs a million sheets of 20 questions, and restores them.
func BenchmarkStored(b *testing.B) {
	const rows = 1_000_000
	test := seated(b, rows, 20)
	packed := write(test)
	size := 0
	for _, p := range packed.packed {
		size += len(p)
	}
	kept := test.View().Analyse()
	obtained := test.SumOf
	b.Run("pack", func(b *testing.B) {
		var to []byte
		for b.Loop() {
			s := test.Store()
			for n := range len(packed.packed) {
				to = s.Pack(to[:0], n)
			}
		}
		b.ReportMetric(float64(size)/rows, "bytes/sheet")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/sheet")
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			again, err := packed.read(rows, obtained)
			if err != nil || again.View().Analyse().Sheets != kept.Sheets {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/sheet")
	})
}
