package itemstats

import (
	"cmp"
	"slices"

	"markr/engine/exam"
)

// Option is one response to a question.
type Option struct {
	Response         string
	Omitted          bool
	Sheets           int
	Share            Figure // percent of the sheets
	ShareAnswered    Figure // percent of those with a response
	Credited         bool   // on some sheet
	Mean             Figure // marks that it got
	OptionTotal      Figure
	OptionRest       Figure
	Discrimination27 Figure
	ByGroup          []Figure // percent of each group
	NonFunctioning   bool
}

// Group is a fifth of the sheets, by their marks.
type Group struct {
	From, To int32   // thousandths
	Sheets   float64 // sheets that have the same marks are shared between groups
	Mean     Figure  // marks on the question
}

// Detail is what the sheets say of the responses to one question.
type Detail struct {
	*Question

	Options []Option
	Groups  []Group
}

// response is what is counted of one response.
type response struct {
	text            exam.Text
	sheets          uint64
	marks           uint64 // total
	own             uint64 // on the question
	credited, wrong bool   // on some sheet
}

// responses adds up values with the same response, in order of their names and the one that
// was left out last. None of them has no sheet.
func (a *Analysis) responses(q *Question) []response {
	list := make([]response, 0, 8)
	if c := q.counts[0]; c.sheets > 0 {
		list = append(list, response{0, c.sheets, c.marks, 0, false, true})
	}
	for code, v := range a.view.questions[q.at].values {
		c := q.counts[code+1]
		if c.sheets == 0 {
			continue
		}
		at := slices.IndexFunc(list, func(r response) bool { return r.text == v.Response })
		if at < 0 {
			at = len(list)
			list = append(list, response{text: v.Response})
		}
		r := &list[at]
		r.sheets, r.marks, r.own = r.sheets+c.sheets, r.marks+c.marks, r.own+c.sheets*uint64(v.Awarded)
		r.credited, r.wrong = r.credited || v.Awarded > 0, r.wrong || v.Awarded == 0
	}
	slices.SortFunc(list, func(x, y response) int { return cmp.Compare(x.text-1, y.text-1) })
	return list
}

// withRest is n² times the covariance of choosing a response and the rest.
func (a *Analysis) withRest(q *Question, r *response) wide {
	return product(a.total.n, r.marks-r.own).minus(product(r.sheets, a.total.s1-q.a))
}

// chosen is n² times the variance of choosing a response.
func (a *Analysis) chosen(r *response) wide { return product(r.sheets, a.total.n-r.sheets) }

// nonFunctioning: a wrong response that fewer than 5 % choose, or rather the better ones
// (Tarrant et al., 2009).
func (a *Analysis) nonFunctioning(q *Question, r *response) bool {
	return !r.credited && r.text != 0 && (r.sheets*100 < 5*a.total.n || q.rest.sign() > 0 && a.withRest(q, r).sign() > 0)
}

// describeResponses finds what is to be said of a question because of its responses.
func (a *Analysis) describeResponses(q *Question) {
	if q.Free {
		return
	}
	list := a.responses(q)
	var best, credited Figure // option-rest correlations
	for i := range list {
		r := &list[i]
		if r.credited && r.text != 0 {
			q.Key = append(q.Key, a.view.Spell(r.text))
		}
		q.KeyConflict = q.KeyConflict || r.credited && r.wrong && r.text != 0
		q.NonFunctioning = q.NonFunctioning || a.nonFunctioning(q, r)
		if !q.NegativeRest || r.text == 0 {
			continue
		}
		rest := correlation(a.withRest(q, r), a.chosen(r), q.rest)
		into := &best
		if r.credited {
			into = &credited
		}
		if rest.Defined && (!into.Defined || rest.Value > into.Value) {
			*into = rest
		}
	}
	q.SuspectKey = best.Defined && best.Value > 0 && (!credited.Defined || best.Value > credited.Value)
}

// Question is the question of a name; nil if there is none. Of a long name what is told of
// it will do, too.
func (a *Analysis) Question(name string) *Question {
	id := exam.TextOf([]byte(name))
	at := slices.IndexFunc(a.Questions, func(q Question) bool { return q.ID == id })
	if at < 0 {
		at = slices.IndexFunc(a.Questions, func(q Question) bool { return q.Name == name })
	}
	if at < 0 {
		return nil
	}
	return &a.Questions[at]
}

// Detail is what there is to tell of a question beside the list; nil if there is none of
// that name.
func (a *Analysis) Detail(name string) *Detail {
	q := a.Question(name)
	if q == nil {
		return nil
	}
	d := &Detail{Question: q}
	if a.total.n == 0 {
		return d
	}
	if a.Limit == NoLimit {
		d.Groups = a.groups(q)
	}
	if q.Free {
		return d
	}
	list := a.responses(q)
	for i := range list {
		d.Options = append(d.Options, a.option(q, &list[i]))
	}
	return d
}

func (a *Analysis) option(q *Question, r *response) Option {
	o := Option{
		Response: a.view.Spell(r.text), Omitted: r.text == 0, Sheets: int(r.sheets), Credited: r.credited,
		Share:          ratio(product(r.sheets, 100), wideOf(int64(a.total.n))),
		Mean:           ratio(product(r.own, 1), product(r.sheets, exam.MarksPerUnit)),
		OptionTotal:    correlation(product(a.total.n, r.marks).minus(product(r.sheets, a.total.s1)), a.chosen(r), a.spread),
		OptionRest:     correlation(a.withRest(q, r), a.chosen(r), q.rest),
		NonFunctioning: a.nonFunctioning(q, r),
	}
	if !o.Omitted {
		o.ShareAnswered = ratio(product(r.sheets, 100), wideOf(int64(a.total.n)-int64(q.Omitted)))
	}
	if a.Limit != NoLimit {
		return o
	}
	byScore := a.choosers(q, r.text)
	var tails inTails
	for place, sheets := range byScore {
		tails.add(a, place, sheets)
	}
	o.Discrimination27 = a.discrimination(&tails, 1)
	for _, g := range a.fifths() {
		o.ByGroup = append(o.ByGroup, g.share(byScore, 100*groupCount, a.total.n))
	}
	return o
}

// choosers are how many sheets of each score have a response.
func (a *Analysis) choosers(q *Question, text exam.Text) []uint64 {
	list := make([]uint64, len(a.ascending))
	values, first := a.view.questions[q.at].values, a.view.offsets[q.at]
	for i, at := range a.ascending {
		cells := a.view.slabs[at].cells
		without := uint64(cells[0])
		for code, sheets := range cells[first : int(first)+len(values)] {
			without -= uint64(sheets)
			if values[code].Response == text {
				list[i] += uint64(sheets)
			}
		}
		if text == 0 {
			list[i] += without
		}
	}
	return list
}
