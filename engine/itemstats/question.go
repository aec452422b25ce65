package itemstats

import (
	"math/big"
	"slices"

	"markr/engine/exam"
)

// describe computes what needs no table by scores.
func (a *Analysis) describe(q *Question) {
	n, k := a.total.n, len(a.Questions)
	wideN := wideOf(int64(n))
	sum := product(q.a, 1)
	if q.Available > 0 {
		available := wideOf(int64(q.Available))
		q.Facility = figure(false, wide{}, []wide{sum, wideOf(100)}, []wide{wideN, available})
		q.IntendedWeight = ratio(available.times(100), wideOf(a.Available))
	}
	q.Mean = ratio(sum, product(n, exam.MarksPerUnit))
	q.StdDev = deviation(q.spread, n, n)
	q.StdDevS = deviation(q.spread, n, n-1)
	q.ItemTotal = correlation(q.total, q.spread, a.spread)
	q.ItemRest = correlation(q.total.minus(q.spread), q.spread, q.rest)
	if a.spread.sign() > 0 {
		q.Reliability = figure(true, q.total, []wide{q.total.abs(), q.total.abs()}, []wide{wideN, wideN, a.spread, marksSquared()})
	}
	q.NegativeRest = q.ItemRest.Defined && q.total.minus(q.spread).sign() < 0
	q.NoVariance = q.spread.sign() == 0
	if k > 2 {
		q.AlphaIfDeleted = alpha(k-1, q.rest, a.spreads.minus(q.spread))
	}
}

// correlation is Pearson's r from n² times a covariance and two variances.
func correlation(both, a, b wide) Figure {
	return figure(true, both, []wide{both.abs(), both.abs()}, []wide{a, b})
}

// weights are the effective weights of the questions: 100 sqrt(K) over the sum of all
// sqrt(K), K being the covariance with the total where it is not negative.
func (a *Analysis) weights() []Figure {
	sum := double{}
	roots := make([]double, len(a.Questions))
	for i := range a.Questions {
		if total := a.Questions[i].total; total.sign() > 0 {
			roots[i] = total.double().root()
			sum = sum.plusDouble(roots[i])
		}
	}
	figures := make([]Figure, len(roots))
	for i := range figures {
		if a.Questions[i].total.sign() < 0 || sum.high == 0 {
			continue
		}
		figures[i].Defined = true
		if roots[i].high == 0 {
			continue
		}
		var sure bool
		// Adding up 512 roots is off by 512 times as much as one of them.
		if figures[i].Value, sure = roots[i].times(double{100, 0}).over(sum).nearest(smallError * QuestionsMax); !sure {
			figures[i].Value = a.weightExactly(i)
		}
	}
	return figures
}

// weightExactly is a weight from roots of 2048 bits.
func (a *Analysis) weightExactly(i int) float64 {
	root := func(i int) *big.Float {
		r := new(big.Float).SetPrec(exactBits).SetInt(a.Questions[i].total.big())
		return r.Sqrt(r)
	}
	sum := new(big.Float).SetPrec(exactBits)
	for j := range a.Questions {
		if a.Questions[j].total.sign() > 0 {
			sum.Add(sum, root(j))
		}
	}
	own := root(i)
	value, _ := own.Quo(own.Mul(own, big.NewFloat(100)), sum).Float64()
	return value
}

// describeByScore computes what needs the table.
func (a *Analysis) describeByScore(q *Question, h *histogram) {
	if q.Available > 0 {
		q.Discrimination27 = a.discrimination(&q.tails, uint64(q.Available))
	}
	both := q.total.minus(q.spread)
	most := h.pair(a, q)
	// n Σ x R of the marks in order, less Σ x Σ R.
	reachable := most.times(a.total.n).minus(product(q.a, a.total.s1-q.a))
	q.Efficiency = figure(false, both, []wide{both.abs(), wideOf(100)}, []wide{reachable})
}

// histogram is memory to put the rest scores of a question into order.
type histogram struct {
	unit  int64
	dense []uint64
	pairs []restScore
}

type restScore struct {
	marks  int64
	sheets uint64
}

// denseMax is up to how many units scores are counted in an array.
const denseMax = 1 << 14

// pair is the sum of the products of a question's marks and the rest scores, if both were
// in the same order: the largest that can be.
func (h *histogram) pair(a *Analysis, q *Question) (sum wide) {
	h.rest(a, q)
	type share struct{ marks, sheets uint64 }
	shares := make([]share, 0, 8)
	add := func(marks, sheets uint64) {
		if sheets > 0 {
			shares = append(shares, share{marks, sheets})
		}
	}
	add(0, q.counts[0].sheets)
	for code, v := range a.view.questions[q.at].values {
		add(uint64(v.Awarded), q.counts[code+1].sheets)
	}
	slices.SortFunc(shares, func(x, y share) int { return int(int64(x.marks) - int64(y.marks)) })
	at := 0
	for _, r := range h.pairs {
		for r.sheets > 0 {
			n := min(r.sheets, shares[at].sheets)
			sum = sum.plus(product(shares[at].marks*uint64(r.marks), n))
			r.sheets -= n
			if shares[at].sheets -= n; shares[at].sheets == 0 {
				at++
			}
		}
	}
	return sum
}

// rest sets the rest scores, in order.
func (h *histogram) rest(a *Analysis, q *Question) {
	v := a.view
	h.pairs = h.pairs[:0]
	units := int64(v.scores[a.ascending[len(a.ascending)-1]])/h.unit + 1
	isDense := units <= denseMax
	if isDense && len(h.dense) < int(units) {
		h.dense = make([]uint64, units)
	}
	values := v.questions[q.at].values
	first := v.offsets[q.at]
	awarded := make([]int64, 0, 16)
	for _, value := range values {
		awarded = append(awarded, int64(value.Awarded)/h.unit)
	}
	for _, at := range a.ascending {
		score, cells := int64(v.scores[at])/h.unit, v.slabs[at].cells
		without := uint64(cells[0])
		for code, sheets := range cells[first : int(first)+len(values)] {
			without -= uint64(sheets)
			switch {
			case sheets == 0:
			case isDense:
				h.dense[score-awarded[code]] += uint64(sheets)
			default:
				h.pairs = append(h.pairs, restScore{(score - awarded[code]) * h.unit, uint64(sheets)})
			}
		}
		switch {
		case without == 0:
		case isDense:
			h.dense[score] += without
		default:
			h.pairs = append(h.pairs, restScore{score * h.unit, without})
		}
	}
	if !isDense {
		slices.SortFunc(h.pairs, func(x, y restScore) int { return int(x.marks - y.marks) })
		return
	}
	for score, sheets := range h.dense[:units] {
		if sheets > 0 {
			h.pairs = append(h.pairs, restScore{int64(score) * h.unit, sheets})
			h.dense[score] = 0
		}
	}
}
