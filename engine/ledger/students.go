package ledger

import (
	"encoding/binary"
	"hash/maphash"

	"markr/engine/exam"
)

// Student is a small number that stands for a student number, the same in all
// tests. They are given in order of first appearance, from 0.
type Student uint32

// Students gives student numbers small ones, and keeps each number once. It has one
// writer.
type Students struct {
	numbers column[number]
	long    long
	index   index
	seed    maphash.Seed
	moving  moving // for this index and those of all tests
}

// number is a student number: its length and, if it is short enough, its bytes; of
// a longer one the place in long. Numbers are mostly eight digits.
type number [16]byte

// The first byte has the length, and whether there is another number like it but for
// leading zeros.
const (
	shortBytesMax = len(number{}) - 1
	lengthMask    = 0x1f
	isLong        = lengthMask // instead of a length
	isAliased     = 0x20
)

func (n *number) length() int   { return int(n[0] & lengthMask) }
func (n *number) aliased() bool { return n[0]&isAliased != 0 }
func (n *number) markAliased()  { n[0] |= isAliased }

// NewStudents returns a Students that is empty.
func NewStudents() *Students {
	s := &Students{seed: maphash.MakeSeed()}
	s.index.moving = &s.moving
	return s
}

// Len is how many students there are.
func (s *Students) Len() int { return s.numbers.rows }

// Reserve makes room for so many students where there are none.
func (s *Students) Reserve(students int) { s.index.reserve(students) }

// blockRecords is how many records are taken in passes: many more than loads can be
// under way at once, few enough that what was touched is still there.
const blockRecords = 128

// block is what is known of the records at hand between passes.
type block struct {
	hashes   [blockRecords]uint64
	students [blockRecords]Student
}

// resolve finds the students of the records, and adds those that are new. There
// are at most blockRecords.
func (s *Students) resolve(b *block, records []exam.Record) {
	for i := range records {
		b.hashes[i] = s.hash(records[i].Student)
	}
	for i := range records {
		s.index.touch(b.hashes[i])
	}
	for i := range records {
		if row, ok := s.index.first(b.hashes[i]); ok {
			s.index.touched += uint32(s.numbers.at(row)[0])
		}
	}
	for i := range records {
		b.students[i] = s.resolveOne(b.hashes[i], records[i].Student)
	}
}

func (s *Students) resolveOne(hash uint64, text []byte) Student {
	if student, ok := s.find(hash, text); ok {
		return student
	}
	return s.add(hash, text)
}

// Find returns the student with a number. Like everything here it is the writer's.
func (s *Students) Find(text []byte) (Student, bool) {
	return s.find(s.hash(text), text)
}

func (s *Students) find(hash uint64, text []byte) (Student, bool) {
	t := s.index.of(hash)
	if t == nil {
		return 0, false
	}
	for row, place, ok := t.next(hash, t.place(hash)); ok; row, place, ok = t.next(hash, place) {
		if s.is(s.numbers.at(row), text) {
			return Student(row), true
		}
	}
	return 0, false
}

func (s *Students) add(hash uint64, text []byte) Student {
	row := uint32(s.numbers.rows)
	s.keep(text)
	s.index.add(hash, row, s.hashOf)
	s.markAliases(hash, row)
	return Student(row)
}

// keep appends a number.
func (s *Students) keep(text []byte) {
	var n number
	if len(text) <= shortBytesMax {
		n[0] = byte(len(text))
		copy(n[1:], text)
	} else {
		n[0] = isLong
		binary.LittleEndian.PutUint64(n[8:], s.long.add(text))
	}
	s.numbers.append(n)
}

func (s *Students) is(n *number, text []byte) bool {
	if length := n.length(); length != isLong {
		return length == len(text) && string(n[1:1+length]) == string(text)
	}
	return string(s.long.at(n.place())) == string(text)
}

func (s *Students) hashOf(row uint32) uint64 {
	return s.hash(s.long.number(s.numbers.at(row)))
}

// hash is the same for numbers that differ only by leading zeros: see significant.
func (s *Students) hash(text []byte) uint64 { return maphash.Bytes(s.seed, significant(text)) }

// place is a long number's in long.
func (n *number) place() uint64 { return binary.LittleEndian.Uint64(n[8:]) }

// long keeps what does not fit into 15 bytes: two bytes of length and the text.
type long struct{ chunks [][]byte }

const longChunkBytes = 64 << 10

// add keeps a text of at most exam.IDBytesMax bytes and returns its place.
func (l *long) add(text []byte) uint64 {
	last := len(l.chunks) - 1
	if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < 2+len(text) {
		l.chunks = append(l.chunks, make([]byte, 0, longChunkBytes))
		last++
	}
	place := uint64(last)<<32 | uint64(len(l.chunks[last]))
	l.chunks[last] = append(binary.LittleEndian.AppendUint16(l.chunks[last], uint16(len(text))), text...)
	return place
}

func (l *long) at(place uint64) []byte {
	b := l.chunks[place>>32][uint32(place):]
	return b[2 : 2+binary.LittleEndian.Uint16(b)]
}

// number is the text of a number.
func (l *long) number(n *number) []byte {
	length := n.length()
	if length == isLong {
		return l.at(n.place())
	}
	return n[1 : 1+length]
}

// StudentsView is the students as they were.
type StudentsView struct {
	numbers columnView[number]
	long    long
	rows    int
}

// View is the students as they are now. It costs a pointer a chunk.
func (s *Students) View() StudentsView {
	return StudentsView{
		numbers: s.numbers.view(),
		long:    long{append([][]byte(nil), s.long.chunks...)},
		rows:    s.numbers.rows,
	}
}

// Len is how many students there were.
func (v StudentsView) Len() int { return v.rows }

// Each calls fn with every number, in order. The bytes are fn's until it returns.
func (v StudentsView) Each(fn func(number []byte) error) error {
	return v.numbers.each(func(numbers []number) error {
		for i := range numbers {
			if err := fn(v.long.number(&numbers[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// Restore fills an empty Students with up to n numbers, as Each has given them. It stops
// where next has none, and says whether no two were alike. What it allocates is in
// proportion to what next has given, whatever n says: the index is made afterwards.
func (s *Students) Restore(n int, next func() (number []byte, ok bool)) (distinct bool) {
	for s.Len() < n {
		text, ok := next()
		if !ok {
			break
		}
		s.keep(text)
	}
	s.index.reserve(s.Len())
	var hashes [blockRecords]uint64
	for first := 0; first < s.Len(); first += blockRecords {
		block := hashes[:min(s.Len()-first, blockRecords)]
		for i := range block {
			block[i] = s.hashOf(uint32(first + i))
			s.index.touch(block[i])
		}
		for i, hash := range block {
			row := uint32(first + i)
			if _, known := s.find(hash, s.long.number(s.numbers.at(row))); known {
				return false
			}
			s.index.add(hash, row, s.hashOf)
			s.markAliases(hash, row)
		}
	}
	return true
}
