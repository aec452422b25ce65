package itemstats

import "markr/engine/exam"

// scores are the distinct marks that sheets of a test have had, in the order in which they
// came, and where each of them is.
type scores struct {
	values []int32
	whole  []int32 // by whole marks: the place and 1
	rest   map[int32]int32
}

// wholeMax is up to how many whole marks are looked up without a map.
const wholeMax = 1024

// find is the place of marks; ok is false if they are new.
func (s *scores) find(marks int32) (at int, ok bool) {
	if whole := marks / exam.MarksPerUnit; whole < wholeMax && whole*exam.MarksPerUnit == marks {
		if int(whole) >= len(s.whole) {
			return 0, false
		}
		return int(s.whole[whole]) - 1, s.whole[whole] != 0
	}
	place, ok := s.rest[marks]
	return int(place), ok
}

// add adds marks that are new.
func (s *scores) add(marks int32) {
	at := int32(len(s.values))
	s.values = append(s.values, marks)
	whole := marks / exam.MarksPerUnit
	if whole >= wholeMax || whole*exam.MarksPerUnit != marks {
		if s.rest == nil {
			s.rest = make(map[int32]int32)
		}
		s.rest[marks] = at
		return
	}
	for int(whole) >= len(s.whole) {
		s.whole = append(s.whole, 0)
	}
	s.whole[whole] = at + 1
}
