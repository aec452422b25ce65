package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/wal/entry"
)

// comparedMax is how many tests are compared at once: as many as one picture shows.
const comparedMax = 10

// effectSource says which effect size is answered.
const effectSource = "Cohen's d, pooled standard deviation (Cohen 1988)"

// comparisonJSON is the answer to GET /comparison: tests beside the first of them.
type comparisonJSON struct {
	Position    entry.Position `json:"position"`
	Denominator string         `json:"denominator"`
	EffectSize  string         `json:"effect_size"`
	Tests       []comparedJSON `json:"tests"`
}

// comparedJSON is one test of them. The last two are null for the first test, and the last
// where it is not defined.
type comparedJSON struct {
	TestID         exam.TestID   `json:"test_id"`
	Available      marksJSON     `json:"available"`
	Aggregate      aggregateJSON `json:"aggregate"`
	Histogram      []binJSON     `json:"histogram"`
	MeanDifference *percentage   `json:"mean_difference"`
	EffectSize     *percentage   `json:"effect_size"`
}

// comparison answers GET /comparison.
func (s *Server) comparison(r *request) error {
	if err := r.checkParameters("tests", "bins"); err != nil {
		return err
	}
	ids, err := r.tests()
	if err != nil {
		return err
	}
	bins, err := r.bins()
	if err != nil {
		return err
	}
	state := s.engine.State()
	if state == nil {
		return engine.ErrNotReady
	}
	answer := comparisonJSON{
		Position: state.Position(), Denominator: state.Rule().Rule.Denominator.String(), EffectSize: effectSource,
	}
	first := state.Test(ids[0])
	for i, id := range ids {
		test := state.Test(id)
		if test == nil {
			return refuse(codeUnknownTest, "No accepted document has named the test %s.", strconv.Quote(intake.CutValue([]byte(id))))
		}
		compared := comparedJSON{
			TestID: id, Available: marksJSON(test.Available), Aggregate: newAggregateJSON(test.Aggregate()), Histogram: newBinsJSON(test, bins),
		}
		if i > 0 {
			effect := first.Norms().Effect(test.Norms())
			compared.MeanDifference = (*percentage)(&effect.MeanDifference)
			if effect.Defined {
				compared.EffectSize = (*percentage)(&effect.Size)
			}
		}
		answer.Tests = append(answer.Tests, compared)
	}
	return r.resourceAt(answer)
}

// tests reads the parameter: ids with commas between them. In an id a comma is %2C and a
// per cent sign %25, before the whole is encoded as a query.
func (r *request) tests() ([]exam.TestID, error) {
	const name = "tests"
	list, _ := r.query(name)
	var ids []exam.TestID
	for text := range strings.SplitSeq(list, ",") {
		id, err := url.PathUnescape(text)
		switch {
		case err != nil:
			return nil, errParameter(name, "holds "+strconv.Quote(intake.CutValue([]byte(text)))+", in which a per cent sign is not written %25")
		case slices.Contains(ids, exam.TestID(id)):
			return nil, errParameter(name, "names "+strconv.Quote(intake.CutValue([]byte(id)))+" more than once")
		}
		ids = append(ids, exam.TestID(id))
	}
	if len(ids) < 2 || len(ids) > comparedMax {
		return nil, errParameter(name, "must name 2 to "+strconv.Itoa(comparedMax)+" tests, with commas between them")
	}
	return ids, nil
}
