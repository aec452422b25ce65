package httpapi

import (
	"markr/engine"
	"markr/engine/exam"
	"markr/engine/summary"
)

// passesJSON is the answer to GET /results/{test}/passes: who would pass at a cut.
type passesJSON struct {
	distributionJSON

	Cuts       []cutJSON `json:"cuts"`
	NextCursor *string   `json:"next_cursor"`
}

// cutJSON is a cut: students pass who have that percentage or more. Marks are null where
// scores are fractions of the students' own available marks and the cut is one of those.
type cutJSON struct {
	Cut    percentage `json:"cut"`
	Marks  *marksJSON `json:"marks"`
	Passed int        `json:"passed"`
	Rate   percentage `json:"rate"`
	sidesJSON
}

// sidesJSON are the students whom one mark more or less would have moved across a bound.
type sidesJSON struct {
	Below int `json:"one_mark_below"` // in [bound - 1 mark, bound)
	Above int `json:"one_mark_above"` // in [bound, bound + 1 mark)
}

// passes answers GET /results/{test}/passes: at the cuts that are asked for, or at every
// score that students have.
func (s *Server) passes(r *request) error {
	if _, asked := r.query("cut"); asked {
		return s.passesAsked(r)
	}
	if err := r.checkParameters("cut", "limit", "cursor", "at", "as-of"); err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	test, err := s.testAsked(r)
	if err != nil {
		return err
	}
	after, err := r.afterScore(test.Test)
	if err != nil {
		return err
	}
	page, next := pageOfScores(test.Test, after, limit)
	answer := passesJSON{distributionJSON: test.head(), Cuts: make([]cutJSON, len(page))}
	for i := range page {
		cut := &answer.Cuts[i]
		*cut = newCutJSON(test.Test, summary.AtScore(page[i].Score, test.Available))
		cut.Cut, cut.Marks = percentage(summary.Percentage(page[i].Score, test.Available)), marksOf(page[i].Score)
	}
	answer.NextCursor = r.nextScores(test.Test, next, limit, "passes")
	return r.resourceAt(answer)
}

// passesAsked answers where cuts are asked for.
func (s *Server) passesAsked(r *request) error {
	if err := r.checkParameters("cut", "at", "as-of"); err != nil {
		return err
	}
	percents, err := r.percents("cut", "", "cuts")
	if err != nil {
		return err
	}
	test, err := s.testAsked(r)
	if err != nil {
		return err
	}
	answer := passesJSON{distributionJSON: test.head(), Cuts: make([]cutJSON, len(percents))}
	for i, percent := range percents {
		answer.Cuts[i] = newCutJSON(test.Test, summary.AtPercent(percent))
		answer.Cuts[i].Cut = percentage(percent.Float64())
	}
	return r.resourceAt(answer)
}

func newCutJSON(test *engine.Test, bound summary.Bound) cutJSON {
	passed := test.Count() - test.Scores().Below(bound, test.Available)
	marks := marksJSON(bound.Marks(test.Available))
	return cutJSON{
		Marks: &marks, Passed: passed, Rate: percentage(summary.Share(passed, test.Count())), sidesJSON: newSidesJSON(test, bound),
	}
}

func newSidesJSON(test *engine.Test, bound summary.Bound) sidesJSON {
	scores, of := test.Scores(), test.Available
	below := scores.Below(bound, of)
	return sidesJSON{
		Below: below - scores.Below(bound.Move(-exam.MarksPerUnit, of), of),
		Above: scores.Below(bound.Move(exam.MarksPerUnit, of), of) - below,
	}
}
