package summary_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/summary"
)

// The percentile rank is 100 (students below + half of those at the score) / all,
// rounded once.
func TestPercentileRank(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		marks := rapid.SliceOfN(rapid.Int32Range(0, 400), 1, 900).Draw(t, "marks")
		var scores summary.Scores
		for _, m := range marks {
			scores.Add(summary.OfTest(exam.Marks(m)))
		}
		asked := rapid.Int32Range(0, 400).Draw(t, "asked")
		halves := int64(0)
		for _, m := range marks {
			switch {
			case m < asked:
				halves += 2
			case m == asked:
				halves++
			}
		}
		want, _ := big.NewRat(100*halves, 2*int64(len(marks))).Float64()
		if got := scores.Freeze().PercentileRank(summary.OfTest(exam.Marks(asked))); got != want {
			t.Fatalf("percentile rank of %d among %d: %v, want %v", asked, len(marks), got, want)
		}
	})
	if got := (summary.Distribution{}).PercentileRank(summary.OfTest(1)); got != 0 {
		t.Errorf("percentile rank among nobody: %v", got)
	}
}
