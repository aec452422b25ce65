package httpapi

import (
	"encoding/json"
	"strconv"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/summary"
	"markr/wal/entry"
)

// How many bins a histogram has.
const (
	binsDefault = 20
	binsMax     = 1000 // more than a screen has columns for
)

// histogramJSON is the answer to GET /results/{test}/histogram.
type histogramJSON struct {
	distributionJSON

	Bins []binJSON `json:"bins"`
}

// binJSON is a bin: scores from From on, below To; in the last one those of To, too.
type binJSON struct {
	From  percentage `json:"from"`
	To    percentage `json:"to"`
	Count int        `json:"count"`
}

// histogram answers GET /results/{test}/histogram.
func (s *Server) histogram(r *request) error {
	if err := r.checkParameters("bins", "at", "as-of"); err != nil {
		return err
	}
	bins, err := r.bins()
	if err != nil {
		return err
	}
	test, err := s.testAsked(r)
	if err != nil {
		return err
	}
	return r.resourceAt(histogramJSON{test.head(), newBinsJSON(test.Test, bins)})
}

// bins is how many bins are asked for.
func (r *request) bins() (int, error) {
	text, given := r.query("bins")
	if !given {
		return binsDefault, nil
	}
	bins, err := strconv.ParseUint(text, 10, 32)
	if err != nil || bins < 1 || bins > binsMax {
		return 0, errParameter("bins", "must be a whole number from 1 to "+strconv.Itoa(binsMax))
	}
	return int(bins), nil
}

func newBinsJSON(test *engine.Test, bins int) []binJSON {
	list := make([]binJSON, bins)
	for i, count := range test.Scores().Histogram(bins, test.Available) {
		list[i] = binJSON{percentage(summary.Share(i, bins)), percentage(summary.Share(i+1, bins)), count}
	}
	return list
}

// percentilesJSON is the answer to GET /results/{test}/percentiles.
type percentilesJSON struct {
	TestID      exam.TestID     `json:"test_id"`
	Position    entry.Position  `json:"position"`
	Denominator string          `json:"denominator"`
	Count       int             `json:"count"`
	Percentiles json.RawMessage `json:"percentiles"`
}

// percentilesDefault are those that are shown where none are asked for.
const percentilesDefault = "5,10,25,50,75,90,95"

// percentilesOf answers GET /results/{test}/percentiles.
func (s *Server) percentilesOf(r *request) error {
	if err := r.checkParameters("p", "at", "as-of"); err != nil {
		return err
	}
	percents, err := r.percents("p", percentilesDefault, "percentiles")
	if err != nil {
		return err
	}
	test, err := s.testAsked(r)
	if err != nil {
		return err
	}
	head := test.head()
	return r.resourceAt(percentilesJSON{
		head.TestID, head.Position, head.Denominator, head.Count, appendPercentileValues(nil, test.Test, percents),
	})
}
