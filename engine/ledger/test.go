package ledger

import (
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/engine/summary"
)

// An arrival is a scan's place in the order of all scans: the position of its
// document and its index there, in one number that sorts as they do. A document of
// 1 GiB, the longest that is kept, holds fewer than 2^24 records; 2^40 positions last
// for a thousand years of 30,000 documents a second.
const (
	arrivalRecordBits = 24
	// RecordsMax is how many records of one document can be told apart.
	RecordsMax = 1 << arrivalRecordBits
)

// kept is a student's kept scan of a test, as far as every rule needs it.
type kept struct {
	student  Student
	obtained exam.Marks
	arrival  uint64
}

// Test keeps the kept scan of every student of one test. It has one writer.
type Test struct {
	rule   scoring.Rule
	rows   column[kept]
	index  index
	scores summary.Scores

	// Sheets is told of each row whose kept scan changes, in order; nil: nobody is.
	Sheets Sheets

	// Available is the highest of all scans.
	Available exam.Marks

	// What only some rules need is kept under those alone; see wants.
	available column[exam.Marks] // of the kept scan
	scannedOn column[int64]      // of the kept scan
	highest   column[exam.Marks] // available, of all the student's scans

	prints column[prints] // of all the student's scans
	odd    Odd

	past past
}

// Sheets keeps what a scan says beside its marks.
type Sheets interface {
	// Keep is told that a row's kept scan is the record with an index in the document that
	// is being taken: of the next row, or of one that has a kept scan already.
	Keep(row uint32, record int)
}

// NewTest returns a test without students, under a rule that stays. Its students
// are those of one Students, always.
func NewTest(rule scoring.Rule) *Test { return &Test{rule: rule} }

// wantsHighest: a score is a fraction of the student's own highest available.
func (t *Test) wantsHighest() bool { return t.rule.Denominator == scoring.OfSheet }

// Len is how many students there are.
func (t *Test) Len() int { return t.rows.rows }

// Obtained are the marks of the kept scan in a row.
func (t *Test) Obtained(row uint32) exam.Marks { return t.rows.at(row).obtained }

// Scores are the scores as they are now.
func (t *Test) Scores() summary.Distribution { return t.scores.Freeze() }

// Effects say what scans did.
type Effects struct {
	Added     int // brought a student who was not there
	Raised    int // moved a student's score
	Unchanged int // the rest
}

// Plus adds up.
func (e Effects) Plus(f Effects) Effects {
	return Effects{e.Added + f.Added, e.Raised + f.Raised, e.Unchanged + f.Unchanged}
}

// Take takes the scans of a run of records that are all of this test. The first of
// them is the record with index first in the document at a position. Taking one
// again changes nothing.
func (t *Test) Take(students *Students, records []exam.Record, position uint64, first int) Effects {
	var done Effects
	var b block
	var added tally
	t.index.moving = &students.moving
	for len(records) > 0 {
		n := min(len(records), blockRecords)
		students.resolve(&b, records[:n])
		t.touch(b.students[:n])
		for i := range n {
			did := t.take(b.students[i], &records[i], position<<arrivalRecordBits|uint64(first+i), &added)
			if did.Added > 0 && students.numbers.at(uint32(b.students[i])).aliased() {
				t.countAliases(students, b.hashes[i], b.students[i])
			}
			done = done.Plus(did)
		}
		records, first = records[n:], first+n
	}
	added.flush(&t.scores)
	return done
}

// hash spreads students over the table: Fibonacci hashing (Knuth, The Art of
// Computer Programming, 6.4). They are numbers of our own giving, so nobody can
// choose them badly.
func (s Student) hash() uint64 { return (uint64(s) + 1) * 0x9E3779B97F4A7C15 }

func (t *Test) touch(students []Student) {
	for _, student := range students {
		t.index.touch(student.hash())
	}
	for _, student := range students {
		if row, ok := t.index.first(student.hash()); ok {
			t.index.touched += uint32(t.rows.at(row).student)
		}
	}
}

func (t *Test) find(student Student) (row uint32, ok bool) {
	hash := student.hash()
	table := t.index.of(hash)
	if table == nil {
		return 0, false
	}
	for row, place, ok := table.next(hash, table.place(hash)); ok; row, place, ok = table.next(hash, place) {
		if t.rows.at(row).student == student {
			return row, true
		}
	}
	return 0, false
}

// take considers one scan.
func (t *Test) take(student Student, record *exam.Record, arrival uint64, added *tally) Effects {
	if record.Available > t.Available {
		t.Available = record.Available
	}
	t.past.rise(arrival, record.Available)
	row, known := t.find(student)
	if !known {
		t.add(kept{student, record.Obtained, arrival}, record)
		added.add(&t.scores, t.score(uint32(t.rows.rows-1)))
		return Effects{Added: 1}
	}
	t.note(row, record)
	if t.rows.at(row).arrival == arrival {
		return Effects{Unchanged: 1}
	}
	before := t.score(row)
	better := t.rule.Policy.Better(scoring.Scan{
		Obtained: record.Obtained, Available: record.Available, ScannedOn: record.ScannedOn,
		Position: arrival >> arrivalRecordBits, Record: uint32(arrival % RecordsMax),
	}, t.scan(row))
	if better {
		t.passKept(row)
		t.keep(row, kept{student, record.Obtained, arrival}, record)
	} else {
		t.pass(kept{student, record.Obtained, arrival}, record.Available, record.ScannedOn)
	}
	if t.wantsHighest() && record.Available > *t.highest.at(row) {
		*t.highest.change(row) = record.Available
	}
	after := t.score(row)
	if before == after {
		return Effects{Unchanged: 1}
	}
	added.flush(&t.scores) // The one before may be there.
	t.scores.Remove(before)
	t.scores.Add(after)
	return Effects{Raised: 1}
}

func (t *Test) add(k kept, record *exam.Record) {
	row := uint32(t.rows.rows)
	t.rows.append(k)
	t.prints.append(prints{record.Names, record.Responses})
	if t.rule.NeedsAvailable() {
		t.available.append(record.Available)
	}
	if t.rule.NeedsScannedOn() {
		t.scannedOn.append(record.ScannedOn)
	}
	if t.wantsHighest() {
		t.highest.append(record.Available)
	}
	t.index.add(k.student.hash(), row, t.hashOf)
	if t.Sheets != nil {
		t.Sheets.Keep(row, int(k.arrival%RecordsMax))
	}
}

func (t *Test) hashOf(row uint32) uint64 { return t.rows.at(row).student.hash() }

func (t *Test) keep(row uint32, k kept, record *exam.Record) {
	*t.rows.change(row) = k
	if t.rule.NeedsAvailable() {
		*t.available.change(row) = record.Available
	}
	if t.rule.NeedsScannedOn() {
		*t.scannedOn.change(row) = record.ScannedOn
	}
	if t.Sheets != nil {
		t.Sheets.Keep(row, int(k.arrival%RecordsMax))
	}
}

// scan is what the rule may look at of a kept scan; the rest is zero.
func (t *Test) scan(row uint32) scoring.Scan {
	k := t.rows.at(row)
	s := scoring.Scan{Obtained: k.obtained, Position: k.arrival >> arrivalRecordBits, Record: uint32(k.arrival % RecordsMax)}
	if t.rule.NeedsAvailable() {
		s.Available = *t.available.at(row)
	}
	if t.rule.NeedsScannedOn() {
		s.ScannedOn = *t.scannedOn.at(row)
	}
	return s
}

func (t *Test) score(row uint32) summary.Score {
	obtained := t.rows.at(row).obtained
	if t.wantsHighest() {
		return summary.OfSheet(obtained, *t.highest.at(row))
	}
	return summary.OfTest(obtained)
}
