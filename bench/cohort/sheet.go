package cohort

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Sheet is one scan of one student's answers to one test.
type Sheet struct {
	TestID        string
	StudentNumber string
	FirstName     string
	LastName      string
	ScannedOn     time.Time
	Rescan        bool     // the student's sheet was scanned before
	Folded        bool     // a fold hides some answers: they are absent
	Answers       []Answer // in order of the questions; valid until the next sheet
	Obtained      int      // what the answers that are there were awarded
	Available     int      // what the questions that are there are worth
}

// Answer is what a sheet shows for one question.
type Answer struct {
	Question int
	Choice   byte // 'A' and so on; 0 is a blank
	Awarded  int  // 0 or 1
}

// Sheets yields the sheets of document i, counting from 0.
func (c *Cohort) Sheets(i int) iter.Seq[*Sheet] {
	return func(yield func(*Sheet) bool) {
		test := i % c.opts.Tests
		from := i / c.opts.Tests * c.opts.RecordsPerDocument
		to := min(from+c.opts.RecordsPerDocument, c.scans())
		pile, questions := c.pileOf(test), c.questionsOf(test)
		answers := make([]Answer, 0, len(questions))
		sheet := Sheet{TestID: c.TestID(test)}
		source := rand.NewPCG(0, 0)
		for slot := from; slot < to; slot++ {
			at := pile.at(slot)
			c.setStudent(&sheet, at.student)
			sheet.ScannedOn = c.scannedOn(test, slot)
			sheet.Rescan, sheet.Folded = at.rescan, false
			// The paper is the same each time it is scanned: what is on it
			// depends on test and student alone.
			source.Seed(c.draw(topicSheet, test, at.student), c.opts.Seed)
			sheet.Answers = c.answer(answers, questions, c.ability(at.student, source), source)
			if at.folded {
				sheet.fold(c.draw(topicFoldExtent, test, slot))
			}
			sheet.addUp()
			if !yield(&sheet) {
				return
			}
		}
	}
}

// ability is a student's ability in one test, in thousandths of a standard
// deviation: mostly the student's own, partly of the day and the subject.
func (c *Cohort) ability(student int, source *rand.PCG) int {
	general := normal(c.draw(topicStudent, student, 1))
	special := normal(source.Uint64())
	return c.opts.Ability + (general*8+special*6)/10 // 0.8^2 + 0.6^2 = 1
}

// answer fills in a sheet.
func (c *Cohort) answer(dst []Answer, questions []question, ability int, source *rand.PCG) []Answer {
	dst = dst[:0]
	for i := range questions {
		q := &questions[i]
		chosen := q.best
		blank := false
		if (ability-q.difficulty)*q.discrimination/1000+normal(source.Uint64()) <= 0 {
			draw := source.Uint64()
			blank = below(draw, c.blankBelow)
			chosen = q.guess(uint32(draw), c.opts.Choices)
		}
		a := Answer{Question: i}
		if !blank {
			a.Choice = byte('A' + chosen)
			if chosen == q.key {
				a.Awarded = 1
			}
		}
		dst = append(dst, a)
	}
	return dst
}

// fold hides a run of answers, at least one of which earned a mark if any did: a
// folded scan shows too low a score. A sheet with a single answer has nowhere to
// fold.
func (s *Sheet) fold(draw uint64) {
	n := len(s.Answers)
	if n < 2 {
		return
	}
	s.Folded = true
	middle := int(draw % uint64(n))
	for range n {
		if s.Answers[middle].Awarded > 0 {
			break
		}
		middle = (middle + 1) % n
	}
	length := 1 + int((draw>>32)%uint64((n+1)/2)) // at most half, rounded up, so one is left
	from := min(max(0, middle-length/2), n-length)
	s.Answers = append(s.Answers[:from], s.Answers[from+length:]...)
}

func (s *Sheet) addUp() {
	s.Obtained, s.Available = 0, len(s.Answers)
	for i := range s.Answers {
		s.Obtained += s.Answers[i].Awarded
	}
}
