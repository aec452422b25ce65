package engine

import (
	"bytes"
	"errors"

	"markr/engine/exam"
	"markr/engine/quality"
	"markr/wal/entry"
)

// What is known of the quality of the scans, in a checkpoint. DESIGN.md has the bytes.

// positions writes runs of positions: how far one begins behind the end of the one
// before, and how long it is; a length of 0 ends them.
func (e *encoder) positions(p *quality.Positions) {
	var end uint64
	p.EachRun(func(from, to uint64) {
		e.uint(from - end)
		e.uint(to - from)
		end = to
		if e.full() != nil {
			return // It is told in the end.
		}
	})
	e.uint(0)
	e.uint(0)
}

func (d *decoder) positions(p *quality.Positions, last entry.Position) {
	var end uint64
	for {
		skipped, length := d.uint(), d.uint()
		if length == 0 || d.err != nil {
			return
		}
		// None of them can overflow: the last position bounds both.
		if skipped > uint64(last) || length > uint64(last) || end+skipped+length > uint64(last)+1 {
			d.fail()
			return
		}
		p.AddRun(end+skipped, end+skipped+length)
		end += skipped + length
	}
}

// quality writes what is odd about the scans of a test.
func (e *encoder) quality(s *quality.Stored) {
	for i := range s.Scans {
		scans := &s.Scans[i]
		e.uint(uint64(scans.Count))
		e.uint(uint64(len(scans.Newest)))
		var before uint64
		for _, arrival := range scans.Newest {
			e.uint(arrival - before)
			before = arrival
		}
	}
	for _, tally := range []*quality.StoredTally{&s.Available, &s.Questions} {
		e.uint(uint64(tally.Scans))
		e.uint(uint64(len(tally.List)))
		for _, x := range tally.List {
			e.uint(x.Value)
			e.uint(uint64(x.Scans))
			e.uint(x.First)
		}
	}
	e.uint(uint64(len(s.Keys)))
	for _, k := range s.Keys {
		e.uint(uint64(k.Question))
		e.uint(uint64(k.Response))
		e.uint(k.Credited)
		e.uint(k.Not)
		if e.full() != nil {
			return // It is told in the end.
		}
	}
}

func (d *decoder) quality(into *quality.Test) {
	var s quality.Stored
	for i := range s.Scans {
		scans := &s.Scans[i]
		scans.Count = d.count()
		var before uint64
		for range d.atMost(quality.ScansMax) {
			before += d.uint()
			scans.Newest = append(scans.Newest, before)
		}
	}
	for _, tally := range []*quality.StoredTally{&s.Available, &s.Questions} {
		tally.Scans = d.count()
		for range d.atMost(quality.TalliedMax) {
			tally.List = append(tally.List, quality.Tallied{Value: d.uint(), Scans: d.count(), First: d.uint()})
		}
	}
	for range d.atMost(quality.KeysMax) {
		s.Keys = append(s.Keys, quality.Key{
			Question: exam.Text(d.uint()), Response: exam.Text(d.uint()), Credited: d.uint(), Not: d.uint(),
		})
	}
	restored, err := quality.Restore(&s)
	if err != nil {
		d.fail()
		return
	}
	*into = restored
}

// atMost takes a number of things of which there are no more than most.
func (d *decoder) atMost(most int) int {
	n := d.uint()
	if n > uint64(most) {
		d.fail()
		return 0
	}
	return int(n)
}

// restoreZeros gives the tests what their rows, which are there now, do not tell, and
// forgets what they were only for.
func (b *book) restoreZeros() error {
	for _, t := range b.tests {
		t.restored = restoredRows{}
		if err := t.kept.RestoreZeros(t.zeros); err != nil {
			return err
		}
	}
	return nil
}

// counts are all findings of a test.
func (t *testBook) counts() quality.Counts {
	c := t.quality.Counts()
	odd := t.kept.Odd()
	c[quality.DifferentNames], c[quality.DifferentAnswers], c[quality.LeadingZeros] = odd.Names, odd.Answers, odd.Zeros
	return c
}

// comparePositions compares the positions that were looked at.
func (v *bookView) comparePositions(d *decoder) error {
	var got quality.Positions
	d.positions(&got, v.position)
	if d.err == nil && !got.Equal(&v.taken) {
		return differs("it has looked at other documents for their quality")
	}
	return d.err
}

// compareQuality compares what is odd about a test.
func (t *testView) compareQuality(d *decoder) error {
	if got := d.count(); d.err == nil && got != t.zeros {
		return differs("test %q: %d numbers like others but for zeros, by the log %d", t.id, got, t.zeros)
	}
	var got quality.Test
	d.quality(&got)
	// A state has one encoding.
	var theirs, ours encoder
	stored := got.Store()
	theirs.to, ours.to = new(bytes.Buffer), new(bytes.Buffer)
	theirs.quality(&stored)
	ours.quality(&t.quality)
	if err := errors.Join(theirs.flush(), ours.flush()); err != nil {
		return err
	}
	if d.err == nil && !bytes.Equal(theirs.to.(*bytes.Buffer).Bytes(), ours.to.(*bytes.Buffer).Bytes()) {
		return differs("test %q: other things are odd about its scans", t.id)
	}
	return d.err
}
