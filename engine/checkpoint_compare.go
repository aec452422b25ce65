package engine

import (
	"bytes"
	"fmt"
	"io"

	"markr/engine/ledger"
	"markr/engine/scoring"
)

// A differenceError says that a checkpoint is one that the program could have made, of
// another log or of other marks. It names the first difference, and no student.
type differenceError struct{ what string }

// Error names the difference.
func (e *differenceError) Error() string {
	return "checkpoint: it does not say what the log says: " + e.what
}

func differs(format string, args ...any) error {
	return &differenceError{fmt.Sprintf(format, args...)}
}

// compare reads what a view has written, and says where it differs from this one. A
// state has one encoding, and it is read in step with what it should be, so no second
// state is made. Everything that answers depend on is in it; what is made of it while
// loading depends on nothing else.
func (v *bookView) compare(r io.Reader) error {
	d := &decoder{from: r}
	head, err := d.head()
	if err != nil {
		return err
	}
	if err := v.compareStudents(d); err != nil {
		return err
	}
	// Said only if nothing else differs: whatever does says more.
	other := v.comparePositions(d)
	if got := d.count(); d.err == nil && got != len(v.tests) {
		return differs("it has %d tests, the log has %d", got, len(v.tests))
	}
	for i := range v.tests {
		if err := v.tests[i].compare(d, v.rule); err != nil {
			return err
		}
	}
	// Which refused documents there were cannot be told from a log that has dropped some.
	if d.err == nil {
		d.refusals()
	}
	if d.err == nil {
		if err := v.compareItems(d, head.items); err != nil {
			return err
		}
	}
	if d.err == nil && len(d.ahead()) > 0 {
		d.fail()
	}
	if d.err == nil {
		return other
	}
	return d.err
}

func (v *bookView) compareStudents(d *decoder) error {
	if got := d.count(); d.err == nil && got != v.students.Len() {
		return differs("it has %d students, the log has %d", got, v.students.Len())
	}
	nth := 0
	return v.students.Each(func(number []byte) error {
		nth++
		if got := d.bytes(d.uint()); d.err == nil && !bytes.Equal(got, number) {
			return differs("student %d, in order of arrival, has another number", nth)
		}
		return d.err
	})
}

func (t *testView) compare(d *decoder, rule scoring.Rule) error {
	if got := d.bytes(d.uint()); d.err == nil && string(got) != string(t.id) {
		return differs("it has test %q in place of %q", got, t.id)
	}
	last := d.last()
	if d.err == nil && (last.ID != t.last.ID || last.Position != t.last.Position || !last.Received.Equal(t.last.Received)) {
		return differs("test %q: its last import is at position %d, by the log at %d", t.id, last.Position, t.last.Position)
	}
	if got := d.count(); d.err == nil && got != t.rows.Len() {
		return differs("test %q: %d students, by the log %d", t.id, got, t.rows.Len())
	}
	if err := t.compareRows(d, rule, true, t.rows.Each); err != nil {
		return err
	}
	if got := d.count(); d.err == nil && got != t.rows.Passed() {
		return differs("test %q: %d scans that are not kept, by the log %d", t.id, got, t.rows.Passed())
	}
	if err := t.compareRows(d, rule, false, t.rows.EachPassed); err != nil {
		return err
	}
	rises := t.rows.Rises()
	if got := d.count(); d.err == nil && got != len(rises) {
		return differs("test %q: its available marks have risen %d times, by the log %d", t.id, got, len(rises))
	}
	var rise ledger.Rise
	for _, want := range rises {
		rise.Arrival += d.uint()
		rise.Available += d.marks()
		if d.err == nil && rise.Available == want.Available && rise.Arrival != want.Arrival {
			return differs("test %q: another scan was the first with %v marks available", t.id, want.Available)
		}
		if d.err == nil && rise != want {
			return differs("test %q: %v marks available, by the log %v", t.id, rise.Available, want.Available)
		}
	}
	return t.compareQuality(d)
}

// compareRows compares rows, of scans that are kept or of those that are not.
func (t *testView) compareRows(d *decoder, rule scoring.Rule, isKept bool, each func(func(ledger.Row) error) error) error {
	var row ledger.Row
	return each(func(want ledger.Row) error {
		if !rule.NeedsAvailable() {
			want.Available = 0
		}
		if !rule.NeedsScannedOn() {
			want.ScannedOn = 0
		}
		if !isKept || rule.Denominator != scoring.OfSheet {
			want.Highest = 0
		}
		if row = d.row(row, rule, isKept); d.err != nil || row == want {
			return d.err
		}
		return t.rowDiffers(&row, &want)
	})
}

// rowDiffers names a mark by the scan that it comes from.
func (t *testView) rowDiffers(got, want *ledger.Row) error {
	what := "another scan, or more of it,"
	if got.Obtained != want.Obtained {
		what = fmt.Sprintf("%v marks obtained, by the log %v,", got.Obtained, want.Obtained)
	}
	at := ledger.ArrivalOf(want.Arrival)
	return differs("test %q: %s at position %d, record %d", t.id, what, at.Position, at.Record+1)
}
