package ledger

import (
	"bytes"

	"markr/engine/exam"
)

// prints is what all scans of a student in a test say of names and answers together.
type prints struct{ names, responses exam.Print }

// Odd is how many students of a test have something odd about them.
type Odd struct {
	Names   int // scans with different names
	Answers int // scans with different answers
	Zeros   int // a number that differs from another one's only by leading zeros
}

// Odd are the students with something odd about them.
func (t *Test) Odd() Odd { return t.odd }

// note adds what one more scan of the student in a row says.
func (t *Test) note(row uint32, record *exam.Record) {
	before := *t.prints.at(row)
	now := prints{before.names.Plus(record.Names), before.responses.Plus(record.Responses)}
	if now != before {
		*t.prints.change(row) = now
		t.odd.count(before, now)
	}
}

func (o *Odd) count(before, now prints) {
	if now.names == exam.PrintSeveral && before.names != exam.PrintSeveral {
		o.Names++
	}
	if now.responses == exam.PrintSeveral && before.responses != exam.PrintSeveral {
		o.Answers++
	}
}

// countAliases counts a student who is new to the test and has a number like another's
// but for leading zeros.
func (t *Test) countAliases(students *Students, hash uint64, student Student) {
	others := 0
	text := students.long.number(students.numbers.at(uint32(student)))
	students.aliases(hash, text, func(row uint32) {
		if Student(row) == student {
			return
		}
		if _, there := t.find(Student(row)); there {
			others++
		}
	})
	switch others {
	case 0:
	case 1:
		t.odd.Zeros += 2 // The other one was alone until now.
	default:
		t.odd.Zeros++
	}
}

// significant is a number without its leading zeros. A number's hash is that of this
// part, so that all that differ only by zeros are found together; there are at most
// exam.IDBytesMax of them.
func significant(text []byte) []byte { return bytes.TrimLeft(text, "0") }

// aliases calls fn with all students whose numbers are like text but for leading zeros,
// the same number included.
func (s *Students) aliases(hash uint64, text []byte, fn func(row uint32)) {
	t := s.index.of(hash)
	if t == nil {
		return
	}
	for row, place, ok := t.next(hash, t.place(hash)); ok; row, place, ok = t.next(hash, place) {
		if bytes.Equal(significant(s.long.number(s.numbers.at(row))), significant(text)) {
			fn(row)
		}
	}
}

// markAliases marks a student who is new, and the others with such a number, if there
// are any.
func (s *Students) markAliases(hash uint64, student uint32) {
	others := 0
	text := s.long.number(s.numbers.at(student))
	s.aliases(hash, text, func(row uint32) {
		if row != student {
			others++
			if n := s.numbers.at(row); !n.aliased() {
				s.numbers.change(row).markAliased()
			}
		}
	})
	if others > 0 {
		s.numbers.change(student).markAliased()
	}
}

// Differing calls fn with the rows of students whose scans have different names or,
// if names is false, different answers.
func (v View) Differing(names bool, fn func(Row)) {
	for chunk, part := range v.prints.chunks {
		for i, p := range part {
			if names && p.names == exam.PrintSeveral || !names && p.responses == exam.PrintSeveral {
				k := v.rows.chunks[chunk][i]
				fn(Row{Student: k.student, Obtained: k.obtained, Arrival: k.arrival})
			}
		}
	}
}

// Aliased calls fn with every group of students whose numbers, in this test, differ only
// by leading zeros: their rows and their numbers. numbers are those of a moment not before
// v's.
func (v View) Aliased(numbers StudentsView, fn func(rows []Row, numbers []string)) {
	type group struct {
		rows    []Row
		numbers []string
	}
	groups := make(map[string]*group)
	for _, part := range v.rows.chunks {
		for _, k := range part {
			n := &numbers.numbers.chunks[k.student>>chunkBits][k.student&chunkMask]
			if !n.aliased() {
				continue
			}
			text := numbers.long.number(n)
			g := groups[string(significant(text))]
			if g == nil {
				g = new(group)
				groups[string(significant(text))] = g
			}
			g.rows = append(g.rows, Row{Student: k.student, Obtained: k.obtained, Arrival: k.arrival})
			g.numbers = append(g.numbers, string(text))
		}
	}
	for _, g := range groups {
		if len(g.rows) > 1 { // Else the others are in another test.
			fn(g.rows, g.numbers)
		}
	}
}

// RestoreZeros sets what Restore does not find out. The error is [ErrRow] for a number
// that cannot be.
func (t *Test) RestoreZeros(students int) error {
	if students < 0 || students > t.rows.rows {
		return ErrRow
	}
	t.odd.Zeros = students
	return nil
}

// ArrivalAt is the arrival of a scan: the record with an index, from 0, of the document
// at a position.
func ArrivalAt(position uint64, record int) uint64 {
	return position<<arrivalRecordBits | uint64(record)
}
