package audit

import "fmt"

// Reprocessing is the rule that a reprocess has put in force.
type Reprocessing struct {
	Scoring            string `json:"scoring"`
	ScoringVersion     int    `json:"scoring_version"`
	Denominator        string `json:"denominator"`
	DenominatorVersion int    `json:"denominator_version"`
	// Uncounted are the positions of accepted documents that do not count any more,
	// because the decoder of the day refuses them; in order.
	Uncounted []uint64 `json:"uncounted,omitempty"`
}

// String is the rule, for a person, in a few words.
func (r *Reprocessing) String() string {
	text := fmt.Sprintf("scoring %s (version %d), percent of %s (version %d)",
		r.Scoring, r.ScoringVersion, r.Denominator, r.DenominatorVersion)
	if n := len(r.Uncounted); n > 0 {
		text += fmt.Sprintf(", %d accepted documents uncounted", n)
	}
	return text
}
