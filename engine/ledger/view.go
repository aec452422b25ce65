package ledger

import (
	"errors"

	"markr/engine/exam"
	"markr/engine/scoring"
)

// ErrRow says that a row cannot be one of a test.
var ErrRow = errors.New("ledger: impossible row")

// Row is a student's kept scan as it is stored elsewhere. What the rule does not
// need is zero.
type Row struct {
	Student   Student
	Obtained  exam.Marks
	Arrival   uint64 // position and record, see RecordsMax; opaque
	Available exam.Marks
	ScannedOn int64
	Highest   exam.Marks
}

// View is a test as it was at one moment.
type View struct {
	rows      columnView[kept]
	available columnView[exam.Marks]
	scannedOn columnView[int64]
	highest   columnView[exam.Marks]
	length    int
	rule      scoring.Rule
	past      pastView
}

// View is the test as it is now. It costs a pointer a chunk, and later the copy of
// each chunk in which a scan is replaced.
func (t *Test) View() View {
	return View{
		t.rows.view(), t.available.view(), t.scannedOn.view(), t.highest.view(), t.rows.rows,
		t.rule, t.past.view(),
	}
}

// Len is how many students there were.
func (v View) Len() int { return v.length }

// Each calls fn with every row, in the order in which the students came.
func (v View) Each(fn func(Row) error) error {
	for chunk, rows := range v.rows.chunks {
		for i, k := range rows {
			row := Row{Student: k.student, Obtained: k.obtained, Arrival: k.arrival}
			if len(v.available.chunks) > 0 {
				row.Available = v.available.chunks[chunk][i]
			}
			if len(v.scannedOn.chunks) > 0 {
				row.ScannedOn = v.scannedOn.chunks[chunk][i]
			}
			if len(v.highest.chunks) > 0 {
				row.Highest = v.highest.chunks[chunk][i]
			}
			if err := fn(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reserve makes room for so many students in a test that has none.
func (t *Test) Reserve(students int) { t.index.reserve(students) }

// Restore adds the rows of students who are not there yet, in the order in which
// Each has given them. Several tests may be restored at once, when all students
// are there. The error is [ErrRow] for a row that no scan can have led to; see
// [Test.Restored] for what only the whole tells.
func (t *Test) Restore(students *Students, rows []Row) error {
	var scores tally
	// Not that of students: several tests may be restored at once.
	t.index.moving = new(moving)
	for i := range rows {
		if i%blockRecords == 0 {
			for j := range rows[i:min(i+blockRecords, len(rows))] {
				t.index.touch(rows[i+j].Student.hash())
			}
		}
		row := &rows[i]
		if _, known := t.find(row.Student); known || !t.possible(students, row) {
			return ErrRow
		}
		t.rows.append(kept{row.Student, row.Obtained, row.Arrival})
		if t.rule.NeedsAvailable() {
			t.available.append(row.Available)
		}
		if t.rule.NeedsScannedOn() {
			t.scannedOn.append(row.ScannedOn)
		}
		if t.wantsHighest() {
			t.highest.append(row.Highest)
		}
		last := uint32(t.rows.rows - 1)
		t.index.add(row.Student.hash(), last, t.hashOf)
		scores.add(&t.scores, t.score(last))
	}
	scores.flush(&t.scores)
	return nil
}

// possible says whether a scan can have led to a row.
func (t *Test) possible(students *Students, row *Row) bool {
	switch {
	case int(row.Student) >= students.Len(), row.Obtained < 0, row.Obtained > exam.MarksMax:
		return false
	case t.rule.NeedsAvailable() && (row.Available < row.Obtained || row.Available == 0 || row.Available > exam.MarksMax):
		return false
	case t.wantsHighest() && (row.Highest < row.Obtained || row.Highest == 0 || row.Highest > exam.MarksMax):
		return false
	}
	return true
}

// Restored says whether all that has been restored fits together, in a log that has come
// to a position: no scan is of a later document, no marks are above those that were
// available, and whoever has a scan that is not kept has one that is. The error is
// [ErrRow].
func (t *Test) Restored(through uint64) error {
	rises := t.past.rises
	if len(rises) == 0 || t.rows.rows == 0 {
		return ErrRow
	}
	fits := func(obtained, available exam.Marks, arrival uint64) bool {
		position := arrival >> arrivalRecordBits
		return position > 0 && position <= through && arrival >= rises[0].Arrival &&
			(max(obtained, available) <= rises[0].Available || max(obtained, available) <= availableAt(rises, arrival))
	}
	for at := range uint32(t.rows.rows) {
		k, available := t.rows.at(at), exam.Marks(0)
		if t.rule.NeedsAvailable() {
			available = *t.available.at(at)
		}
		if !fits(k.obtained, available, k.arrival) || t.wantsHighest() && *t.highest.at(at) > t.Available {
			return ErrRow
		}
	}
	for at := range uint32(t.Passed()) {
		available := exam.Marks(0)
		if t.rule.NeedsAvailable() {
			available = *t.past.available.at(at)
		}
		_, known := t.find(*t.past.students.at(at))
		if !known || !fits(*t.past.obtained.at(at), available, *t.past.arrivals.at(at)) {
			return ErrRow
		}
	}
	if rises[len(rises)-1].Arrival>>arrivalRecordBits > through {
		return ErrRow
	}
	return nil
}
