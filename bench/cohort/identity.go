package cohort

import (
	"strconv"
	"time"
)

// studentNumberBase is the smallest student number. All have eight digits.
const studentNumberBase = 10_000_000

// setStudent fills in who a sheet belongs to.
//
// Every number is text of its own: one in fifty has two zeros in front, and one in
// a thousand is a neighbour's number with one zero in front, which is another
// student.
func (c *Cohort) setStudent(s *Sheet, student int) {
	draw := c.draw(topicStudent, student, 0)
	s.FirstName = firstNames[draw%uint64(len(firstNames))]
	s.LastName = lastNames[(draw>>16)%uint64(len(lastNames))]
	s.StudentNumber = c.StudentNumber(student)
}

// StudentNumber is the number on a student's sheets; students count from 0.
func (c *Cohort) StudentNumber(student int) string {
	draw := c.draw(topicStudent, student, 0)
	number, zeros := student, ""
	switch kind := (draw >> 32) % 1000; {
	case kind < 20:
		zeros = "00"
	case kind == 20 && student > 0:
		number, zeros = student-1, "0"
	}
	return zeros + strconv.Itoa(StudentNumber(number))
}

// StudentNumber is a permutation of the numbers of eight digits: neighbours in the
// list of students, counting from 0, are not neighbours by number. A load generator
// uses it to give students new numbers.
func StudentNumber(student int) int {
	// The factor has no divisor in common with 90 000 000.
	return studentNumberBase + int(uint64(student)*48_271_019%StudentsMax)
}

// TestID names a test, counting from 0: biology-2026-a, chemistry-2026-a, …, or as
// the options say.
func (c *Cohort) TestID(test int) string {
	if len(c.opts.TestIDs) > 0 {
		return c.opts.TestIDs[test]
	}
	subject := subjects[test%len(subjects)]
	return subject + "-" + strconv.Itoa(c.opts.Start.Year()) + "-" + paper(test/len(subjects))
}

// paper counts a, b, …, z, aa, ab, ….
func paper(n int) string {
	letter := string(rune('a' + n%26))
	if n < 26 {
		return letter
	}
	return paper(n/26-1) + letter
}

// scannedOn is when a slot passed the scanner: one sheet in about three seconds,
// each test starting half an hour after the one before.
func (c *Cohort) scannedOn(test, slot int) time.Time {
	const sheetSeconds = 3
	jitter := int(c.draw(topicScannedOn, test, slot) % sheetSeconds)
	return c.opts.Start.
		Add(time.Duration(test) * 30 * time.Minute).
		Add(time.Duration(slot*sheetSeconds+jitter) * time.Second)
}
