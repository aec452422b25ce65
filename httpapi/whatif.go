package httpapi

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/wal/entry"
)

// whatIfJSON is the answer to GET /results/{test}/what-if.
type whatIfJSON struct {
	TestID    exam.TestID        `json:"test_id"`
	Position  entry.Position     `json:"position"`
	Sheets    int                `json:"sheets"`
	LeftOut   int                `json:"left_out"`
	Withdraw  []string           `json:"withdraw"`
	Key       []newKeyJSON       `json:"key"`
	Before    whatIfFiguresJSON  `json:"before"`
	After     whatIfFiguresJSON  `json:"after"`
	Raised    int                `json:"raised"`
	Lowered   int                `json:"lowered"`
	Unchanged int                `json:"unchanged"`
	Grades    []movedGradeJSON   `json:"grades"`
	Moves     []betweenGradeJSON `json:"moves"`
}

// newKeyJSON are the responses that would earn all marks of a question.
type newKeyJSON struct {
	Question  string   `json:"question"`
	Responses []string `json:"responses"`
}

// whatIfFiguresJSON are the figures of a test on one side of a change.
type whatIfFiguresJSON struct {
	Questions  int        `json:"questions"`
	Available  sumJSON    `json:"available"`
	Mean       percentage `json:"mean"`
	StdDev     percentage `json:"stddev"`
	Min        percentage `json:"min"`
	Max        percentage `json:"max"`
	P25        percentage `json:"p25"`
	P50        percentage `json:"p50"`
	P75        percentage `json:"p75"`
	Alpha      figureJSON `json:"alpha"`
	SEM        figureJSON `json:"sem"`
	ErrorRatio figureJSON `json:"error_ratio"`
}

// movedGradeJSON is a grade and how many have it; the last is of those below all boundaries.
type movedGradeJSON struct {
	Grade    *string     `json:"grade"`
	Boundary *percentage `json:"boundary"`
	Before   int         `json:"before"`
	After    int         `json:"after"`
}

// betweenGradeJSON is how many go from one grade to another; null is below all boundaries.
type betweenGradeJSON struct {
	From  *string `json:"from"`
	To    *string `json:"to"`
	Count int     `json:"count"`
}

// whatIf answers GET /results/{test}/what-if.
func (s *Server) whatIf(r *request) error {
	if err := r.checkParametersWith([]string{"withdraw", "key"}, "withdraw", "key", "boundaries"); err != nil {
		return err
	}
	var boundaries []itemstats.Boundary
	if _, given := r.query("boundaries"); given {
		list, err := r.boundaries()
		if err != nil {
			return err
		}
		for _, b := range list {
			boundaries = append(boundaries, itemstats.Boundary{Grade: b.grade, From: b.percent})
		}
	}
	a, change, w, err := s.lookAt(r, boundaries)
	if err != nil {
		return err
	}
	return r.resourceAt(newWhatIfJSON(&a, change, w))
}

// lookAt computes what the change that a request is about would do, in its turn.
func (s *Server) lookAt(r *request, boundaries []itemstats.Boundary) (a analysed, change *itemstats.Change, w *itemstats.WhatIf, err error) {
	end, err := s.content.whatIfs.take()
	if err != nil {
		return a, nil, nil, err
	}
	defer end()
	if a, err = s.itemsAsked(r); err != nil {
		return a, nil, nil, err
	}
	if change, err = a.change(r.queries("withdraw"), r.queries("key")); err != nil {
		return a, nil, nil, err
	}
	if w, err = a.WhatIf(change, boundaries); err != nil {
		return a, nil, nil, whatIfRefused(err)
	}
	return a, change, w, nil
}

// whatIfRefused is why a change cannot be looked at, to the client.
func whatIfRefused(err error) error {
	what := strings.Replace(err.Error(), "itemstats: ", "", 1)
	for _, asked := range []error{itemstats.ErrTwice, itemstats.ErrFree, itemstats.ErrNothingLeft} {
		if errors.Is(err, asked) {
			return refuse(codeInvalidParameter, "The change cannot be looked at: %s.", what)
		}
	}
	return err
}

// change reads what is considered. Either may hold a colon, so a key is QUESTION:RESPONSE
// for the first such question that there is.
func (a *analysed) change(withdraw, keys []string) (*itemstats.Change, error) {
	change := &itemstats.Change{Withdraw: withdraw}
	if a.Limit == itemstats.Values {
		return change, nil // It is refused, whatever it is.
	}
	for _, key := range keys {
		question, response, pair := strings.Cut(key, ":")
		if !pair || question == "" || response == "" {
			return nil, errParameter("key", "holds "+strconv.Quote(intake.CutValue([]byte(key)))+", which is not like 7:B, a question and a response")
		}
		for at := range key {
			if key[at] == ':' && at+1 < len(key) && a.Question(key[:at]) != nil {
				question, response = key[:at], key[at+1:]
				break
			}
		}
		at := slices.IndexFunc(change.Keys, func(k itemstats.NewKey) bool { return k.Question == question })
		if at < 0 {
			at = len(change.Keys)
			change.Keys = append(change.Keys, itemstats.NewKey{Question: question})
		}
		change.Keys[at].Responses = append(change.Keys[at].Responses, response)
	}
	return change, nil
}

func newWhatIfJSON(a *analysed, change *itemstats.Change, w *itemstats.WhatIf) whatIfJSON {
	answer := whatIfJSON{
		TestID: a.test, Position: a.position, Sheets: w.Sheets, LeftOut: w.LeftOut,
		Withdraw: append([]string{}, change.Withdraw...), Key: make([]newKeyJSON, 0, len(change.Keys)),
		Before: newWhatIfFiguresJSON(&w.Before), After: newWhatIfFiguresJSON(&w.After),
		Raised: w.Raised, Lowered: w.Lowered, Unchanged: w.Unchanged,
		Grades: make([]movedGradeJSON, 0, len(w.Grades)), Moves: make([]betweenGradeJSON, 0, len(w.Moves)),
	}
	for _, k := range change.Keys {
		answer.Key = append(answer.Key, newKeyJSON(k))
	}
	for _, g := range w.Grades {
		told := movedGradeJSON{Before: g.Before, After: g.After}
		if g.Boundary != nil {
			told.Grade, told.Boundary = &g.Boundary.Grade, new(percentage(g.Boundary.From.Float64()))
		}
		answer.Grades = append(answer.Grades, told)
	}
	for _, m := range w.Moves {
		answer.Moves = append(answer.Moves, betweenGradeJSON{answer.Grades[m.From].Grade, answer.Grades[m.To].Grade, m.Sheets})
	}
	return answer
}

func newWhatIfFiguresJSON(f *itemstats.Figures) whatIfFiguresJSON {
	return whatIfFiguresJSON{
		Questions: f.Questions, Available: sumJSON(f.Available),
		Mean: percentage(f.Mean), StdDev: percentage(f.StdDev), Min: percentage(f.Min), Max: percentage(f.Max),
		P25: percentage(f.P25), P50: percentage(f.P50), P75: percentage(f.P75),
		Alpha: figureJSON(f.Alpha), SEM: figureJSON(f.SEM), ErrorRatio: figureJSON(f.ErrorRatio),
	}
}
