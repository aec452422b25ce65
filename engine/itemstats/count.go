package itemstats

import (
	"slices"

	"markr/engine/exam"
)

// count finds the moments of the total, and where its tails are.
func (a *Analysis) count() {
	v := a.view
	if v.mode == bySum {
		a.total = v.sums.all
		return
	}
	a.ascending = make([]int, 0, len(v.scores))
	var unit uint64
	for at, marks := range v.scores {
		if sheets := v.slabs[at].cells[0]; sheets > 0 {
			a.ascending = append(a.ascending, at)
			a.total.add(marks, uint64(sheets))
			unit = divisor(unit, uint64(marks))
		}
	}
	slices.SortFunc(a.ascending, func(x, y int) int { return int(v.scores[x]) - int(v.scores[y]) })
	for i := range v.questions {
		for _, value := range v.questions[i].values {
			unit = divisor(unit, uint64(value.Awarded))
		}
	}
	a.unit = int64(max(unit, 1))
	a.findTails()
}

func divisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// questions counts the values of all questions, in one pass over the table. Those that no
// sheet has any more go.
func (a *Analysis) questions() {
	v := a.view
	a.Questions = make([]Question, 0, len(v.questions))
	cells := uint32(1)
	if len(v.offsets) > 0 {
		cells = v.offsets[len(v.questions)]
	}
	counts := make([]valueCount, int(cells)+len(v.questions))
	for _, at := range v.order {
		q := &v.questions[at]
		// One more in front, for sheets without the question.
		first := int(v.offsets[at]) + int(at)
		a.Questions = append(a.Questions, Question{
			ID: q.id, Name: v.Spell(q.id), Free: q.free, Available: exam.MarksUnknown, at: int(at), counts: counts[first : first+1+len(q.values)],
		})
	}
	switch v.mode {
	case bySum:
		for i := range a.Questions {
			q := &a.Questions[i]
			for code := range q.counts[1:] {
				s := v.sums.values[int(v.offsets[q.at])+code]
				q.counts[code+1] = valueCount(s)
			}
		}
	default:
		for place, at := range a.ascending {
			a.countScore(place, v.slabs[at].cells, uint64(v.scores[at]))
		}
	}
	for i := range a.Questions {
		q := &a.Questions[i]
		var known valueCount
		for _, c := range q.counts[1:] {
			known.sheets, known.marks = known.sheets+c.sheets, known.marks+c.marks
		}
		q.counts[0] = valueCount{a.total.n - known.sheets, a.total.s1 - known.marks}
	}
	a.Questions = slices.DeleteFunc(a.Questions, func(q Question) bool { return q.counts[0].sheets == a.total.n })
}

// countScore counts the sheets with one score.
func (a *Analysis) countScore(place int, cells []uint32, score uint64) {
	for i := range a.Questions {
		q := &a.Questions[i]
		values := a.view.questions[q.at].values
		first := a.view.offsets[q.at]
		var marks uint64
		for code, sheets := range cells[first : int(first)+len(values)] {
			if sheets == 0 {
				continue
			}
			c := &q.counts[code+1]
			c.sheets += uint64(sheets)
			c.marks += uint64(sheets) * score
			marks += uint64(sheets) * uint64(values[code].Awarded)
		}
		q.tails.add(a, place, marks)
	}
}

// sum adds up a question's marks, and finds its maximum.
func (q *Question) sum(n, total uint64, spread wide, values []Value) {
	var squares, products wide
	for code, v := range values {
		c := q.counts[code+1]
		if c.sheets == 0 {
			continue
		}
		x := uint64(v.Awarded)
		q.a += x * c.sheets
		squares = squares.plus(product(x*x, c.sheets))
		products = products.plus(product(c.marks, x))
		q.Available = max(q.Available, v.Available)
		q.Sheets += int(c.sheets)
		if v.Response == 0 {
			q.Omitted += int(c.sheets)
		}
	}
	q.Omitted += int(q.counts[0].sheets)
	q.spread = spreadOf(n, q.a, squares)
	q.total = products.times(n).minus(product(q.a, total))
	q.rest = spread.minus(q.total).minus(q.total).plus(q.spread)
}
