package itemstats

import "markr/engine/exam"

// Analysis is what the kept sheets of a test say of it and of its questions. The marks of a
// sheet are the sum of those awarded for its questions. A question is one that some sheet
// which is analysed has; what was only on scans that lost, or on sheets that are left out,
// is none. A sheet without a question has 0 marks on it.
//
// The formulae, with n sheets and k questions, x the marks on a question, X those of a sheet,
// R = X - x, and variances of the population:
//
//   - Skewness and Kurtosis: G1 and G2 of Joanes and Gill (1998), so k3/k2^1.5 and k4/k2².
//   - Alpha: k/(k-1) (1 - Σ var x / var X), Cronbach (1951). KR20 and KR21: Kuder and
//     Richardson (1937); the first is the same number.
//   - SEM: sd X sqrt(1 - alpha). ErrorRatio: 100 sqrt(1 - alpha), as Moodle has it.
//   - Conditional: sqrt(X (k - X) / (k - 1)), Lord (1955).
//
// A figure that is not defined, for want of sheets, questions or variance, says so.
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
	Questions       []Question // by ID: "2" comes before "10"

	view         *View
	total        moments
	spread       wide   // n² times the variance of the total
	spreads      wide   // the sum of the questions'
	ascending    []int  // places of the scores that sheets have, in order
	group        uint64 // sheets in each of the tails
	upper, lower tail
	unit         int64 // divides all marks
}

// Conditional is the standard error of measurement at a score.
type Conditional struct {
	Marks int32 // thousandths
	SEM   Figure
}

// Question is what the sheets say of one question. As formulae (see [Analysis]):
//
//   - Facility: 100 mean x / Available.
//   - ItemTotal, ItemRest: Pearson's r of x with X, and with R; the second is Moodle's
//     discrimination index over 100.
//   - Reliability: ItemTotal sd x, Gulliksen (1950).
//   - Discrimination27: the mean of x in the upper 27 % of sheets by X less that in the lower
//     27 %, over Available, Kelley (1939). Sheets on a border count in proportion.
//   - Efficiency: 100 cov(x, R) over what it would be with both in the same order, Moodle's
//     discriminative efficiency.
//   - IntendedWeight: 100 Available over that of all. EffectiveWeight: 100 sqrt(cov(x, X))
//     over the sum of those that are not negative; both Moodle's.
//   - AlphaIfDeleted: Alpha of the other questions.
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
	NegativeRest     bool     // ItemRest is below 0
	SuspectKey       bool     // and a wrong response goes better with R than the right ones
	KeyConflict      bool     // a response was credited on some sheets and not on others
	NonFunctioning   bool     // one of its wrong responses is, see [Option]
	NoVariance       bool     // all sheets have the same marks on it

	at     int
	counts []valueCount // by code, the first is of sheets without the question
	a      uint64       // the sum of its marks
	spread wide         // n² times its variance
	total  wide         // n² times the covariance with the total
	rest   wide         // n² times the variance of the rest
	tails  inTails      // its marks
}

// valueCount is a value's part of the sheets.
type valueCount struct {
	sheets uint64
	marks  uint64 // total marks of those sheets
}

// sheetsMax is up to how many sheets no number overflows.
const sheetsMax = 1 << 28

// Bytes is about what the analysis takes in memory, with the view that it was made of, but
// without what that shares with the test.
func (a *Analysis) Bytes() int {
	const whole, question, viewed, cell, pointer, conditional = 700, 440, 58, 16, 8, 24
	n := whole + viewed*len(a.view.questions) + conditional*len(a.Conditional)
	n += pointer * (len(a.ascending) + len(a.view.slabs) + len(a.view.chunks))
	for i := range a.Questions {
		n += question + cell*len(a.Questions[i].counts)
	}
	return n
}

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
	a.describeTest()
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
