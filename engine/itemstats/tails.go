package itemstats

// The upper and the lower group: 27 % of the sheets each, as Kelley (1939) found to tell
// the good from the weak most clearly where marks are distributed normally.

// tail is one of the two groups of sheets that are 27 % of all: those beyond a border, and
// a share of those on it.
type tail struct {
	border       int    // where in ascending
	share, among uint64 // of the sheets on the border
}

// findTails finds the two groups, of floor((27 n + 50) / 100) sheets each, at least one.
func (a *Analysis) findTails() {
	a.group = max(1, (27*a.total.n+50)/100)
	last := len(a.ascending) - 1
	a.lower = a.tail(func(i int) int { return i })
	a.upper = a.tail(func(i int) int { return last - i })
}

// tail finds the border of a group, going through the scores from its end of them.
func (a *Analysis) tail(nth func(int) int) tail {
	left := a.group
	for i := range a.ascending {
		sheets := uint64(a.view.slabs[a.ascending[nth(i)]].cells[0])
		if left <= sheets {
			return tail{nth(i), left, sheets}
		}
		left -= sheets
	}
	return tail{}
}

// inTails is what of something the sheets in the two groups have.
type inTails struct {
	above, upper uint64 // the border, and at it, with all sheets there
	below, lower uint64
}

// add counts what the sheets of a score have, by its place in ascending.
func (t *inTails) add(a *Analysis, place int, what uint64) {
	switch {
	case place > a.upper.border:
		t.above += what
	case place == a.upper.border:
		t.upper += what
	}
	switch {
	case place < a.lower.border:
		t.below += what
	case place == a.lower.border:
		t.lower += what
	}
}

// discrimination is D: the mean of what is counted in the upper group less that in the
// lower one, over a divisor. Of the sheets at a border each counts with the share of them
// that is in the group.
func (a *Analysis) discrimination(t *inTails, divisor uint64) Figure {
	upper := product(t.above, a.upper.among).plus(product(t.upper, a.upper.share))
	lower := product(t.below, a.lower.among).plus(product(t.lower, a.lower.share))
	difference := upper.times(a.lower.among).minus(lower.times(a.upper.among))
	return figure(false, difference, []wide{difference.abs()}, []wide{product(a.upper.among, a.lower.among), product(a.group, divisor)})
}
