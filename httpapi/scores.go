package httpapi

import (
	"encoding/binary"
	"net/url"
	"strconv"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/summary"
	"markr/wal/entry"
)

// scoresJSON is the answer to GET /results/{test}/scores: the scores that students have.
type scoresJSON struct {
	distributionJSON

	Distinct   int         `json:"distinct"`
	Scores     []scoreJSON `json:"scores"`
	NextCursor *string     `json:"next_cursor"`
}

// scoreJSON is where one score stands. Marks are null where a score is a fraction of the
// student's own available marks, z and T where all students have the same score.
type scoreJSON struct {
	Marks           *marksJSON  `json:"marks"`
	Percentage      percentage  `json:"percentage"`
	Count           int         `json:"count"`
	CumulativeCount int         `json:"cumulative_count"`
	PercentileRank  percentage  `json:"percentile_rank"`
	Z               *percentage `json:"z"`
	T               *percentage `json:"t"`
	Stanine         int         `json:"stanine"`
}

// oneScoreJSON is the answer to GET /results/{test}/scores/{marks}.
type oneScoreJSON struct {
	TestID      exam.TestID    `json:"test_id"`
	Position    entry.Position `json:"position"`
	Denominator string         `json:"denominator"`
	Available   marksJSON      `json:"available"`
	Students    int            `json:"students"`
	scoreJSON
}

// scores answers GET /results/{test}/scores.
func (s *Server) scores(r *request) error {
	if err := r.checkParameters("limit", "cursor", "at", "as-of"); err != nil {
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
	answer := scoresJSON{distributionJSON: test.head(), Distinct: test.Scores().Distinct(), Scores: make([]scoreJSON, len(page))}
	for i := range page {
		answer.Scores[i] = newScoreJSON(test.Test, &page[i])
	}
	answer.NextCursor = r.nextScores(test.Test, next, limit, "scores")
	return r.resourceAt(answer)
}

// pageOfScores are up to limit scores above after, and the last of them if there are more.
func pageOfScores(test *engine.Test, after *summary.Score, limit int) (page []summary.Standing, next *summary.Score) {
	for standing := range test.Scores().Each(after) {
		if len(page) == limit {
			return page, &page[limit-1].Score
		}
		page = append(page, standing)
	}
	return page, nil
}

// nextScores is the cursor of the next page of a list of scores, nil if there is none; the
// Link header has it, too.
func (r *request) nextScores(test *engine.Test, next *summary.Score, limit int, list string) *string {
	if next == nil {
		return nil
	}
	filter := url.Values{}
	for _, name := range []string{"at", "as-of"} {
		if value, given := r.query(name); given {
			filter.Set(name, value)
		}
	}
	return r.nextPage("/results/"+url.PathEscape(string(test.ID))+"/"+list, filter, limit, scoresCursor(*next))
}

func newScoreJSON(test *engine.Test, s *summary.Standing) scoreJSON {
	shown := scoreJSON{
		Percentage: percentage(summary.Percentage(s.Score, test.Available)),
		Count:      s.Students, CumulativeCount: s.Below + s.Students,
		PercentileRank: percentage(s.PercentileRank()), Stanine: s.Stanine(), Marks: marksOf(s.Score),
	}
	norms := test.Norms()
	if z, ok := norms.Z(s.Score); ok {
		t, _ := norms.T(s.Score)
		shown.Z, shown.T = (*percentage)(&z), (*percentage)(&t)
	}
	return shown
}

// marksOf are the marks of a score, nil for one that is a fraction of a sheet's own.
func marksOf(s summary.Score) *marksJSON {
	obtained, of := s.Fraction()
	if of != 0 {
		return nil
	}
	return (*marksJSON)(&obtained)
}

// score answers GET /results/{test}/scores/{marks}, whether anybody has them or not.
func (s *Server) score(r *request) error {
	if err := r.checkParameters("at", "as-of"); err != nil {
		return err
	}
	text := r.param("marks")
	marks, err := exam.ParseMarks([]byte(text))
	if err != nil {
		return errMarks(text, err.Error())
	}
	test, err := s.testAsked(r)
	if err != nil {
		return err
	}
	if marks > test.Available {
		return errMarks(text, "are more than the "+test.Available.String()+" that are available")
	}
	standing := test.Scores().Standing(test.Scores().ScoreOf(marks, test.Available))
	head := test.head()
	answer := oneScoreJSON{
		TestID: head.TestID, Position: head.Position, Denominator: head.Denominator, Available: head.Available,
		Students: head.Count, scoreJSON: newScoreJSON(test.Test, &standing),
	}
	answer.Marks = (*marksJSON)(&marks)
	return r.resourceAt(answer)
}

// errMarks: the marks in a path are not what they have to be.
func errMarks(text, wrong string) error {
	return refuse(codeInvalidParameter, "The marks %s in the path %s.", strconv.Quote(intake.CutValue([]byte(text))), wrong)
}

// scoresCursor goes on after a score. Its key is what it was made of.
func scoresCursor(after summary.Score) string {
	obtained, of := after.Fraction()
	key := binary.BigEndian.AppendUint32(nil, uint32(obtained))
	return sealCursor(cursorOfScores, binary.BigEndian.AppendUint32(key, uint32(of)))
}

// parseScoresCursor is the score that the cursor goes on after.
func parseScoresCursor(cursor string) (summary.Score, error) {
	key, err := openCursor(cursorOfScores, cursor)
	if err != nil {
		return summary.Score{}, err
	}
	if len(key) != 8 {
		return summary.Score{}, errInvalidCursor
	}
	obtained, of := binary.BigEndian.Uint32(key), binary.BigEndian.Uint32(key[4:])
	if max(obtained, of) > uint32(exam.MarksMax) {
		return summary.Score{}, errInvalidCursor
	}
	if of == 0 {
		return summary.OfTest(exam.Marks(obtained)), nil
	}
	return summary.OfSheet(exam.Marks(obtained), exam.Marks(of)), nil
}

// afterScore is the score that a list of a test's scores goes on after, nil from the
// beginning.
func (r *request) afterScore(test *engine.Test) (*summary.Score, error) {
	cursor, given := r.query("cursor")
	if !given {
		return nil, nil //nolint:nilnil // No score.
	}
	after, err := parseScoresCursor(cursor)
	if err != nil {
		return nil, err
	}
	if _, of := after.Fraction(); (of != 0) != test.Scores().OfSheets() {
		return nil, engine.ErrRollGone // Scores were fractions of something else.
	}
	return &after, nil
}
