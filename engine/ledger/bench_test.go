package ledger_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
)

// sitting makes documents of 100 records of one test, all students new to it, in an
// order that has nothing to do with the one in which the students came.
type sitting struct {
	records  [100]exam.Record
	numbers  [100][8]byte
	students uint64
	at       uint64
}

func newSitting(students int) *sitting {
	s := &sitting{students: uint64(students)}
	for i := range s.records {
		s.records[i] = exam.Record{Test: []byte("t"), Student: s.numbers[i][:], Available: 20_000}
	}
	return s
}

// next is a document of the students that come next. 7919 is prime, so each comes
// once.
func (s *sitting) next() []exam.Record {
	for i := range s.records {
		student := s.at * 7919 % s.students
		s.at++
		strconv.AppendUint(s.numbers[i][:0], 10_000_000+student, 10)
		s.records[i].Obtained = exam.Marks(student*2654435761>>7%21) * 1000
	}
	return s.records[:]
}

// fill seats all students in a test.
func fill(students *ledger.Students, test *ledger.Test, n int) {
	s := newSitting(n)
	for position := range n / 100 {
		test.Take(students, s.next(), uint64(position+1), 0)
	}
}

// BenchmarkTake takes documents of 100 records into a test that fills up, with so
// many students known from other tests; the plain version beside it.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		students := ledger.NewStudents()
		fill(students, ledger.NewTest(scoring.Rule{}), n)
		b.Run(fmt.Sprintf("by=ledger/students=%d", n), func(b *testing.B) {
			var test *ledger.Test
			var s *sitting
			var longest time.Duration
			for i := 0; b.Loop(); i++ {
				if i%(n/100) == 0 {
					test, s = ledger.NewTest(scoring.Rule{}), newSitting(n)
				}
				records := s.next()
				from := time.Now()
				if test.Take(students, records, uint64(i+1), 0).Added != 100 {
					b.Fatal("not new")
				}
				longest = max(longest, time.Since(from))
			}
			b.ReportMetric(float64(longest.Microseconds()), "longest-us")
		})
		b.Run(fmt.Sprintf("by=maps/students=%d", n), func(b *testing.B) {
			var test *model
			var s *sitting
			for i := 0; b.Loop(); i++ {
				if i%(n/100) == 0 {
					test, s = newModel(scoring.Rule{}), newSitting(n)
				}
				if test.take(s.next(), uint64(i+1), 0).Added != 100 {
					b.Fatal("not new")
				}
			}
		})
	}
}

// BenchmarkRetake takes documents of students who are all there, with worse marks.
func BenchmarkRetake(b *testing.B) {
	const n = 1_000_000
	students, test := ledger.NewStudents(), ledger.NewTest(scoring.Rule{})
	fill(students, test, n)
	s := newSitting(n)
	for i := 0; b.Loop(); i++ {
		records := s.next()
		if test.Take(students, records, uint64(n+i), 0).Unchanged != 100 {
			b.Fatal("changed")
		}
	}
}

// BenchmarkMemory weighs a million students in ten tests.
func BenchmarkMemory(b *testing.B) {
	const n, tests = 1_000_000, 10
	for b.Loop() {
		before := heap()
		students := ledger.NewStudents()
		all := make([]*ledger.Test, tests)
		for i := range all {
			all[i] = ledger.NewTest(scoring.Rule{})
			fill(students, all[i], n)
		}
		marks := float64(n * tests)
		b.ReportMetric(float64(heap()-before-8*n)/marks, "bytes/mark") // beyond the numbers' own digits
		from := time.Now()
		runtime.GC()
		b.ReportMetric(time.Since(from).Seconds()*1e3, "gc-ms")
		if all[0].Len() != n || students.Len() != n {
			b.Fatal("wrong number")
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkRestore restores a million rows, as a checkpoint does.
func BenchmarkRestore(b *testing.B) {
	const n = 1_000_000
	students, test := ledger.NewStudents(), ledger.NewTest(scoring.Rule{})
	fill(students, test, n)
	rows := dump(test.View())
	for b.Loop() {
		again := ledger.NewTest(scoring.Rule{})
		again.Reserve(n)
		if err := again.Restore(students, rows); err != nil || again.Len() != n {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}
