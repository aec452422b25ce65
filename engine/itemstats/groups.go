package itemstats

import "markr/engine/exam"

// groupCount is in how many groups of the same size sheets are told apart by their marks.
const groupCount = 5

// fifth is one of the groups. Sheets with the same marks belong to all groups that they
// would be in in some order, each with the share of them that are in it on average. Ranks
// are in fifths of a sheet, so that a group's ends are whole.
type fifth struct {
	from, to    uint64 // ranks
	first, last int    // scores that are in it, by place in ascending
	sheets      []uint64
	before      []uint64 // ranks below each score
}

func (a *Analysis) fifths() []fifth {
	sheets, before := make([]uint64, len(a.ascending)), make([]uint64, len(a.ascending))
	var rank uint64
	for i, at := range a.ascending {
		sheets[i], before[i] = uint64(a.view.slabs[at].cells[0]), rank
		rank += groupCount * sheets[i]
	}
	list := make([]fifth, groupCount)
	for g := range list {
		f := fifth{from: uint64(g) * a.total.n, to: uint64(g+1) * a.total.n, sheets: sheets, before: before}
		for f.first+1 < len(before) && before[f.first+1] <= f.from {
			f.first++
		}
		for f.last+1 < len(before) && before[f.last+1] < f.to {
			f.last++
		}
		list[g] = f
	}
	return list
}

// within is how much of a score's ranks are in the group, in fifths of a sheet.
func (f *fifth) within(i int) uint64 {
	return min(f.to, f.before[i]+groupCount*f.sheets[i]) - max(f.from, f.before[i])
}

// share is the sum of what sheets of each score have, as much of it as is in the group,
// times a factor, over groupCount and a divisor.
func (f *fifth) share(of []uint64, times, over uint64) Figure {
	// Only the scores at both ends are not in it with all their sheets.
	var whole uint64
	for i := f.first + 1; i < f.last; i++ {
		whole += of[i]
	}
	first, last := f.sheets[f.first], f.sheets[f.last]
	sum := product(whole*groupCount, first).times(last)
	sum = sum.plus(product(of[f.first], f.within(f.first)).times(last))
	if f.last > f.first {
		sum = sum.plus(product(of[f.last], f.within(f.last)).times(first))
	}
	return figure(false, wide{}, []wide{sum, wideOf(int64(times))}, []wide{product(first, last), product(over, groupCount)})
}

func (a *Analysis) groups(q *Question) []Group {
	marks := make([]uint64, len(a.ascending))
	values, first := a.view.questions[q.at].values, a.view.offsets[q.at]
	for i, at := range a.ascending {
		for code, sheets := range a.view.slabs[at].cells[first : int(first)+len(values)] {
			marks[i] += uint64(sheets) * uint64(values[code].Awarded)
		}
	}
	var list []Group
	for _, f := range a.fifths() {
		list = append(list, Group{
			From: a.view.scores[a.ascending[f.first]], To: a.view.scores[a.ascending[f.last]],
			Sheets: ratio(wideOf(int64(a.total.n)), wideOf(groupCount)).Value,
			Mean:   f.share(marks, groupCount, a.total.n*exam.MarksPerUnit),
		})
	}
	return list
}
