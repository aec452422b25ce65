package itemstats

import (
	"math/big"
	"slices"

	"markr/engine/exam"
)

// Analysis is what the kept sheets of a test say of it and of its questions. Marks are the
// sums of those awarded for the questions.
type Analysis struct {
	Limit     Limit
	Rows      int // students, with and without answers
	Sheets    int // that are analysed
	LeftOut   int // sheets with an answer without marks, or with more marks than there may be
	Differing int // analysed sheets whose marks obtained are not the sum of their answers'

	Available       int64 // marks of all questions together, thousandths
	Mean            Figure
	StdDev, StdDevS Figure // of the population, and of a sample
	Skewness        Figure
	Kurtosis        Figure
	Alpha           Figure
	KR20, KR21      Figure // of right-or-wrong questions; KR21 if all are worth the same
	SEM             Figure // marks
	ErrorRatio      Figure // percent
	Conditional     []Conditional
	Questions       []Question // in order of name
	view            *View
	total           moments
	spread          wide // n² times the variance of the total
	spreads         wide // the sum of the questions'
	ascending       []int
	upper, lower    tail
	unit            int64 // divides all marks
}

// Conditional is the standard error of measurement at a score.
type Conditional struct {
	Marks int32 // thousandths
	SEM   Figure
}

// Question is what the sheets say of one question.
type Question struct {
	ID               exam.Text
	Name             string
	Available        exam.Marks // its maximum; MarksUnknown if no sheet says
	Sheets           int        // that have it
	Omitted          int        // sheets without it, or without a response
	Facility         Figure     // percent
	Mean             Figure     // marks
	StdDev, StdDevS  Figure     // marks
	ItemTotal        Figure
	ItemRest         Figure
	Reliability      Figure // marks
	Discrimination27 Figure
	Efficiency       Figure // percent
	IntendedWeight   Figure // percent
	EffectiveWeight  Figure // percent
	AlphaIfDeleted   Figure
	Key              []string // responses that were credited
	Free             bool     // responses are not told apart
	NegativeRest     bool
	SuspectKey       bool
	KeyConflict      bool
	NonFunctioning   bool // one of its wrong responses is
	NoVariance       bool

	at     int
	counts []valueCount // by code, the first is of sheets without the question
	a      uint64       // the sum of its marks
	spread wide         // n² times its variance
	total  wide         // n² times the covariance with the total
	rest   wide         // n² times the variance of the rest
	tails  [4]uint64    // its marks: above, at the upper border, below, at the lower border
}

// valueCount is a value's part of the sheets.
type valueCount struct {
	sheets uint64
	marks  uint64 // total marks of those sheets
}

// tail is one of the two groups of sheets that are 27 % of all: those beyond a border, and
// a share of those on it.
type tail struct {
	border       int    // where in ascending
	share, among uint64 // of the sheets on the border
}

// sheetsMax is up to how many sheets no number overflows.
const sheetsMax = 1 << 28

// Analyse computes all figures. It takes some hundred µs for 100 questions, however many
// students there are.
func (v *View) Analyse() *Analysis {
	a := &Analysis{Limit: v.Limit(), Rows: v.rows, LeftOut: v.leftOut, Differing: v.differing, view: v}
	if v.mode == nothing {
		return a
	}
	a.count()
	n := a.total.n
	a.Sheets = int(n)
	if n > sheetsMax {
		a.Limit, a.Sheets = Values, 0
		return a
	}
	a.questions()
	if n == 0 {
		return a
	}
	a.spread = spreadOf(n, a.total.s1, wide{int64(a.total.s2[1]), a.total.s2[0]})
	for i := range a.Questions {
		q := &a.Questions[i]
		q.sum(n, a.total.s1, a.spread, v.questions[q.at].values)
		a.spreads = a.spreads.plus(q.spread)
		a.Available += int64(max(q.Available, 0))
	}
	a.figures()
	weights := a.weights()
	histogram := histogram{unit: a.unit}
	for i := range a.Questions {
		q := &a.Questions[i]
		a.describe(q)
		q.EffectiveWeight = weights[i]
		if v.mode == byScore {
			a.describeByScore(q, &histogram)
		}
		a.describeResponses(q)
	}
	return a
}

func spreadOf(n, sum uint64, squares wide) wide { return squares.times(n).minus(product(sum, sum)) }

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
	group := max(1, (27*a.total.n+50)/100)
	a.lower = a.tail(group, len(a.ascending), func(i int) int { return i })
	a.upper = a.tail(group, len(a.ascending), func(i int) int { return len(a.ascending) - 1 - i })
}

// tail finds the border of a group of so many sheets.
func (a *Analysis) tail(group uint64, scores int, nth func(int) int) tail {
	for i := range scores {
		sheets := uint64(a.view.slabs[a.ascending[nth(i)]].cells[0])
		if group <= sheets {
			return tail{nth(i), group, sheets}
		}
		group -= sheets
	}
	return tail{}
}

func divisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// questions counts the values of all questions, in one pass over the table.
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
		switch {
		case place > a.upper.border:
			q.tails[0] += marks
		case place == a.upper.border:
			q.tails[1] = marks
		}
		switch {
		case place < a.lower.border:
			q.tails[2] += marks
		case place == a.lower.border:
			q.tails[3] = marks
		}
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

// figures are those of the test.
func (a *Analysis) figures() {
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

// shape is skewness and kurtosis as k-statistics give them: k3/k2^1.5 and k4/k2².
func (a *Analysis) shape() {
	n := new(big.Int).SetUint64(a.total.n)
	s1, s2 := new(big.Int).SetUint64(a.total.s1), bigOf(a.total.s2[:]...)
	s3, s4 := bigOf(a.total.s3[:]...), bigOf(a.total.s4[:]...)
	mul := func(factors ...*big.Int) *big.Int {
		p := big.NewInt(1)
		for _, f := range factors {
			p.Mul(p, f)
		}
		return p
	}
	small := big.NewInt
	less := func(k int64) *big.Int { return new(big.Int).Sub(n, small(k)) }
	// n², n³ and n⁴ times the central moments.
	c2 := a.spread.big()
	c3 := mul(n, n, s3)
	c3.Sub(c3, mul(small(3), n, s1, s2)).Add(c3, mul(small(2), s1, s1, s1))
	c4 := mul(n, n, n, s4)
	c4.Sub(c4, mul(small(4), n, n, s1, s3)).Add(c4, mul(small(6), n, s1, s1, s2)).Sub(c4, mul(small(3), s1, s1, s1, s1))
	if a.total.n < 3 || c2.Sign() == 0 {
		return
	}
	a.Skewness = Figure{exactlyOf(true, mul(c3, c3, n, less(1)), mul(c2, c2, c2, less(2), less(2))), true}
	if c3.Sign() < 0 {
		a.Skewness.Value = -a.Skewness.Value
	}
	if a.total.n < 4 {
		return
	}
	// (n-1) ((n+1) (c4/c2² - 3) + 6) / ((n-2) (n-3))
	square := mul(c2, c2)
	excess := new(big.Int).Sub(c4, mul(small(3), square))
	excess.Mul(excess, less(-1)).Add(excess, mul(small(6), square))
	a.Kurtosis = bigRatio(mul(excess, less(1)), mul(square, less(2), less(3)))
}

func bigProduct(a, b wide) *big.Int { return new(big.Int).Mul(a.big(), b.big()) }

func bigRatio(n, d *big.Int) Figure {
	if d.Sign() == 0 {
		return Figure{}
	}
	return Figure{exactlyOf(false, n, d), true}
}
