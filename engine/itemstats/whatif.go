package itemstats

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"markr/engine/exam"
	"markr/engine/summary"
)

// Change is what somebody considers: to withdraw questions, and to give all marks of a
// question for other responses than those that earned them.
type Change struct {
	Withdraw []string
	Keys     []NewKey // one for each question
}

// NewKey are the right responses to a question. Each earns its available marks, and every
// other response none.
type NewKey struct {
	Question  string
	Responses []string
}

// Boundary is the lowest percentage of a grade.
type Boundary struct {
	Grade string
	From  summary.Percent
}

// WhatIf is a test before and after a change.
type WhatIf struct {
	Sheets, LeftOut            int
	Before, After              Figures
	Raised, Lowered, Unchanged int     // sheets, by percentage
	Grades                     []Grade // highest first, the last is of those below all boundaries
	Moves                      []Move  // of sheets that change the grade
}

// Figures are those of a test, in percent of what is available for its questions.
type Figures struct {
	summary.Aggregate

	Questions  int
	Available  int64 // thousandths
	Alpha      Figure
	SEM        Figure // marks
	ErrorRatio Figure // percent
}

// Grade is how many sheets have it. From and To of a Move are places in the list.
type Grade struct {
	Boundary      *Boundary // nil: below all
	Before, After int
}

// Move is how many sheets go from one grade to another.
type Move struct{ From, To, Sheets int }

// Why a change cannot be looked at.
var (
	ErrUnknownQuestion = errors.New("itemstats: no sheet has the question")
	ErrTwice           = errors.New("itemstats: a question is named twice")
	ErrFree            = errors.New("itemstats: the question has too many different responses for a key")
	ErrNothingLeft     = errors.New("itemstats: no marks are available for the questions that are left")
	ErrTooMuch         = errors.New("itemstats: the test has too many questions, or too many marks")
)

// altered is a question that a change is about.
type altered struct {
	q         *Question
	withdrawn bool
	deltas    [ValuesMax + 1]int32 // what a sheet gains, by code
}

// WhatIf computes what a change would do. One question is looked up in the table of
// values by scores; for several, or without the table, every sheet is looked at: some
// nanoseconds for each and question. The error is one of those above.
func (a *Analysis) WhatIf(change *Change, boundaries []Boundary) (*WhatIf, error) {
	if a.Limit == Values {
		return nil, ErrTooMuch
	}
	list, err := a.altered(change)
	if err != nil {
		return nil, err
	}
	after := a.available(list)
	switch {
	case a.Available <= 0 || after <= 0:
		return nil, ErrNothingLeft
	case a.Available > int64(exam.MarksMax) || gained(list) > int64(exam.MarksMax):
		return nil, ErrTooMuch
	}
	w := &WhatIf{Sheets: a.Sheets, LeftOut: a.LeftOut}
	both := a.joint(list)
	w.Before.Available, w.After.Available = a.Available, after
	w.Before.Questions, w.After.Questions = len(a.Questions), len(a.Questions)
	spreads := a.spreads
	for i := range list {
		spreads = spreads.minus(list[i].q.spread)
		if list[i].withdrawn {
			w.After.Questions--
		} else {
			spreads = spreads.plus(a.altersSpread(&list[i]))
		}
	}
	w.Before.compute(both, func(s shift) int32 { return s.marks }, a.spreads)
	w.After.compute(both, func(s shift) int32 { return s.marks + s.delta }, spreads)
	w.compare(both)
	w.grade(both, boundaries)
	return w, nil
}

func (a *Analysis) altered(change *Change) (list []altered, err error) {
	add := func(name string) (*altered, error) {
		q := a.Question(name)
		switch {
		case q == nil:
			return nil, fmt.Errorf("question %q: %w", name, ErrUnknownQuestion)
		case slices.ContainsFunc(list, func(x altered) bool { return x.q == q }):
			return nil, fmt.Errorf("question %q: %w", name, ErrTwice)
		}
		list = append(list, altered{q: q})
		return &list[len(list)-1], nil
	}
	for _, name := range change.Withdraw {
		x, err := add(name)
		if err != nil {
			return nil, err
		}
		x.withdrawn = true
		for code, v := range a.view.questions[x.q.at].values {
			x.deltas[code+1] = -int32(v.Awarded)
		}
	}
	for _, key := range change.Keys {
		x, err := add(key.Question)
		if err != nil {
			return nil, err
		}
		if x.q.Free {
			return nil, fmt.Errorf("question %q: %w", key.Question, ErrFree)
		}
		for code, v := range a.view.questions[x.q.at].values {
			x.deltas[code+1] = a.rightMarks(x.q, v, key.Responses) - int32(v.Awarded)
		}
	}
	return list, nil
}

// rightMarks is what a value earns under another key.
func (a *Analysis) rightMarks(q *Question, v Value, responses []string) int32 {
	right := func(r string) bool { return exam.TextOf([]byte(r)) == v.Response || a.view.Spell(v.Response) == r }
	if !slices.ContainsFunc(responses, right) {
		return 0
	}
	if v.Available != exam.MarksUnknown {
		return int32(v.Available)
	}
	return int32(max(q.Available, 0))
}

// available are the marks of the questions that are left.
func (a *Analysis) available(list []altered) int64 {
	left := a.Available
	for i := range list {
		if list[i].withdrawn {
			left -= int64(max(list[i].q.Available, 0))
		}
	}
	return left
}

// gained is the most that a sheet can gain.
func gained(list []altered) (sum int64) {
	for i := range list {
		sum += int64(max(slices.Max(list[i].deltas[:]), 0))
	}
	return sum
}

// altersSpread is n² times the variance of a question's marks after a change of its key.
func (a *Analysis) altersSpread(x *altered) wide {
	var sum uint64
	var squares wide
	for code, v := range a.view.questions[x.q.at].values {
		marks := uint64(int32(v.Awarded) + x.deltas[code+1])
		sum += marks * x.q.counts[code+1].sheets
		squares = squares.plus(product(marks*marks, x.q.counts[code+1].sheets))
	}
	return spreadOf(a.total.n, sum, squares)
}

// compute are the figures of one side. marksOf are the marks of a sheet there.
func (f *Figures) compute(both []shift, marksOf func(shift) int32, spreads wide) {
	var scores summary.Scores
	var m moments
	for _, s := range both {
		scores.AddN(summary.OfTest(exam.Marks(marksOf(s))), uint32(s.sheets))
		m.add(marksOf(s), s.sheets)
	}
	f.Aggregate = scores.Aggregate(exam.Marks(f.Available))
	spread := spreadOf(m.n, m.s1, wide{int64(m.s2[1]), m.s2[0]})
	f.Alpha, f.SEM, f.ErrorRatio = reliability(f.Questions, m.n, spread, spreads)
}

// compare counts whose percentage moves.
func (w *WhatIf) compare(both []shift) {
	for _, s := range both {
		// Percentages, multiplied by both denominators.
		highA, lowA := bits.Mul64(uint64(s.marks+s.delta), uint64(w.Before.Available))
		highB, lowB := bits.Mul64(uint64(s.marks), uint64(w.After.Available))
		switch {
		case highA > highB, highA == highB && lowA > lowB:
			w.Raised += int(s.sheets)
		case highA == highB && lowA == lowB:
			w.Unchanged += int(s.sheets)
		default:
			w.Lowered += int(s.sheets)
		}
	}
}

// grade counts grades and who changes them.
func (w *WhatIf) grade(both []shift, boundaries []Boundary) {
	if len(boundaries) == 0 {
		return
	}
	boundaries = slices.Clone(boundaries)
	slices.SortStableFunc(boundaries, func(x, y Boundary) int { return y.From.Compare(x.From) })
	w.Grades = make([]Grade, len(boundaries)+1)
	for i := range boundaries {
		w.Grades[i].Boundary = &boundaries[i]
	}
	of := func(marks int32, available int64) int {
		for i := range boundaries {
			if boundaries[i].From.Reached(exam.Marks(marks), exam.Marks(available)) {
				return i
			}
		}
		return len(boundaries)
	}
	moves := make(map[[2]int]int)
	for _, s := range both {
		from, to := of(s.marks, w.Before.Available), of(s.marks+s.delta, w.After.Available)
		w.Grades[from].Before += int(s.sheets)
		w.Grades[to].After += int(s.sheets)
		if from != to {
			moves[[2]int{from, to}] += int(s.sheets)
		}
	}
	for from := range w.Grades {
		for to := range w.Grades {
			if n := moves[[2]int{from, to}]; n > 0 {
				w.Moves = append(w.Moves, Move{from, to, n})
			}
		}
	}
}
