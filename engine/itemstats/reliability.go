package itemstats

import (
	"math/big"

	"markr/engine/exam"
)

// describeTest computes the figures of the whole test.
func (a *Analysis) describeTest() {
	n := a.total.n
	k := len(a.Questions)
	a.Mean = ratio(product(a.total.s1, 1), product(n, exam.MarksPerUnit))
	a.StdDev = deviation(a.spread, n, n)
	a.StdDevS = deviation(a.spread, n, n-1)
	a.shape()
	if k < 2 {
		return
	}
	a.Alpha, a.SEM, a.ErrorRatio = reliability(k, n, a.spread, a.spreads)
	right, alike := a.dichotomous()
	if !right {
		return
	}
	a.KR20 = a.Alpha
	if alike {
		// M (k-M) / (k var), in units of the marks m that each question is worth.
		m := uint64(a.Questions[0].Available)
		all := product(uint64(k)*m, n).minus(product(a.total.s1, 1)) // k n m - Σ
		spent := bigProduct(product(a.total.s1, 1), all)
		whole := bigProduct(wideOf(int64(k)), a.spread)
		a.KR21 = bigRatio(new(big.Int).Mul(big.NewInt(int64(k)), new(big.Int).Sub(whole, spent)), new(big.Int).Mul(big.NewInt(int64(k-1)), whole))
		a.conditional(m, k)
	}
}

// reliability is alpha, the standard error of measurement in marks, and the error ratio in
// percent.
func reliability(k int, n uint64, spread, spreads wide) (a, sem, errorRatio Figure) {
	if k < 2 || spread.sign() <= 0 {
		return Figure{}, Figure{}, Figure{}
	}
	// 1 - alpha = (k Σv - v) / ((k-1) v): never negative, as no deviation of a sum is above
	// the sum of the deviations.
	loss, wideN, less := spreads.times(uint64(k)).minus(spread), wideOf(int64(n)), wideOf(int64(k-1))
	return alpha(k, spread, spreads), figure(true, wide{}, []wide{loss}, []wide{less, wideN, wideN, marksSquared()}),
		figure(true, wide{}, []wide{loss, wideOf(100 * 100)}, []wide{less, spread})
}

func marksSquared() wide { return wideOf(exam.MarksPerUnit * exam.MarksPerUnit) }

// deviation is the root of a spread over n and m.
func deviation(spread wide, n, m uint64) Figure {
	return figure(true, wide{}, []wide{spread}, []wide{product(n, m), marksSquared()})
}

// alpha is Cronbach's, of k questions whose variances add up to spreads, with a total of that
// spread.
func alpha(k int, spread, spreads wide) Figure {
	if k < 2 {
		return Figure{}
	}
	common := spread.minus(spreads)
	return figure(false, common, []wide{wideOf(int64(k)), common.abs()}, []wide{wideOf(int64(k - 1)), spread})
}

// dichotomous says whether every question is right or wrong, and whether all are worth the
// same.
func (a *Analysis) dichotomous() (right, alike bool) {
	alike = true
	for i := range a.Questions {
		q := &a.Questions[i]
		if q.Available <= 0 {
			return false, false
		}
		alike = alike && q.Available == a.Questions[0].Available
		for code, v := range a.view.questions[q.at].values {
			if q.counts[code+1].sheets > 0 && v.Awarded != 0 && v.Awarded != q.Available {
				return false, false
			}
		}
	}
	return true, alike
}

// conditional is Lord's (1955) standard error at each score: sqrt(X (k-X) / (k-1)).
func (a *Analysis) conditional(m uint64, k int) {
	for _, at := range a.ascending {
		marks := a.view.scores[at]
		a.Conditional = append(a.Conditional, Conditional{marks, figure(true, wide{},
			[]wide{wideOf(int64(marks)), wideOf(int64(m)*int64(k) - int64(marks))},
			[]wide{wideOf(int64(k - 1)), marksSquared()})})
	}
}
