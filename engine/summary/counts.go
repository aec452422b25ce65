package summary

import "markr/engine/exam"

// A Count is how many students have the same obtained marks.
type Count struct {
	Obtained exam.Marks
	Students int
}

// Counts appends the students at each score, in order of score. It is false, and
// nothing is appended, if there are more than most distinct scores, or if scores are
// of a sheet, where the same marks are different scores.
func (d Distribution) Counts(dst []Count, most int) ([]Count, bool) {
	if d.root == nil {
		return dst, true
	}
	if d.root.at(0).of != 0 {
		return dst, false
	}
	all, ok := d.root.list(dst, len(dst)+most)
	if !ok {
		return dst, false
	}
	return all, true
}

func (n *node) list(dst []Count, most int) (_ []Count, ok bool) {
	if len(dst)+len(n.counts) > most {
		return dst, false
	}
	for i, students := range n.counts {
		dst = append(dst, Count{Obtained: exam.Marks(n.scores[i].obtained), Students: int(students)})
	}
	for _, child := range n.children {
		if dst, ok = child.list(dst, most); !ok {
			return dst, false
		}
	}
	return dst, true
}

// Moves appends what has to be added to the counts from to make to of them: the scores
// whose numbers differ, in order, with the difference.
func Moves(dst, from, to []Count) []Count {
	for len(from) > 0 || len(to) > 0 {
		switch {
		case len(to) == 0 || (len(from) > 0 && from[0].Obtained < to[0].Obtained):
			dst = append(dst, Count{from[0].Obtained, -from[0].Students})
			from = from[1:]
		case len(from) == 0 || to[0].Obtained < from[0].Obtained:
			dst = append(dst, to[0])
			to = to[1:]
		default:
			if moved := to[0].Students - from[0].Students; moved != 0 {
				dst = append(dst, Count{to[0].Obtained, moved})
			}
			from, to = from[1:], to[1:]
		}
	}
	return dst
}
