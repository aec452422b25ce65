package summary_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/summary"
)

// A cohort is scores by definition: one fraction of the available marks for each student,
// and nothing that counts or sums ahead. It is the oracle of all that a distribution tells.
type cohort struct {
	scores    []*big.Rat
	available exam.Marks
	sheets    bool
	summary.Distribution
}

// drawCohort makes one up: few or many distinct scores, whole marks or thousandths, of the
// test or of sheets.
func drawCohort(t *rapid.T, name string, sheets bool) *cohort {
	c := &cohort{available: exam.Marks(rapid.SampledFrom([]int32{1, 7, 20_000, 30_500, 100_000, 1_000_000_000}).Draw(t, name+" available")), sheets: sheets}
	step := exam.Marks(rapid.SampledFrom([]int32{1, 500, 1000}).Draw(t, name+" step"))
	var scores summary.Scores
	for range rapid.IntRange(1, 150).Draw(t, name+" students") {
		of := c.available
		if sheets {
			of = exam.Marks(rapid.Int32Range(1, int32(c.available)).Draw(t, "of"))
		}
		obtained := exam.Marks(rapid.Int32Range(0, int32(of/step)).Draw(t, "obtained")) * step
		score := summary.OfTest(obtained)
		if sheets {
			score = summary.OfSheet(obtained, of)
		}
		scores.Add(score)
		c.scores = append(c.scores, big.NewRat(int64(obtained), int64(of)))
	}
	slices.SortFunc(c.scores, (*big.Rat).Cmp)
	c.Distribution = scores.Freeze()
	return c
}

// score is a fraction as a score of the cohort.
func (c *cohort) score(x *big.Rat) summary.Score {
	if c.sheets {
		return summary.OfSheet(exam.Marks(x.Num().Int64()), exam.Marks(x.Denom().Int64()))
	}
	marks := new(big.Rat).Mul(x, big.NewRat(int64(c.available), 1))
	return summary.OfTest(exam.Marks(marks.Num().Int64()))
}

// below is how many scores are below x, and how many are x.
func (c *cohort) below(x *big.Rat) (below, same int) {
	for _, score := range c.scores {
		switch score.Cmp(x) {
		case -1:
			below++
		case 0:
			same++
		}
	}
	return below, same
}

// floats round once, at the end, from many more bits than 53.
const oracleBits = 4000

func toFloat(x *big.Rat) *big.Float { return new(big.Float).SetPrec(oracleBits).SetRat(x) }

// moments are the mean, and the sum of the squared deviations from it.
func (c *cohort) moments() (mean, deviations *big.Rat) {
	mean, deviations = new(big.Rat), new(big.Rat)
	for _, x := range c.scores {
		mean.Add(mean, x)
	}
	mean.Quo(mean, big.NewRat(int64(len(c.scores)), 1))
	for _, x := range c.scores {
		d := new(big.Rat).Sub(x, mean)
		deviations.Add(deviations, d.Mul(d, d))
	}
	return mean, deviations
}

// standard is base + by (x - mean) / sd.
func (c *cohort) standard(x *big.Rat, base, by int64) float64 {
	mean, deviations := c.moments()
	variance := new(big.Rat).Quo(deviations, big.NewRat(int64(len(c.scores)), 1))
	difference := new(big.Rat).Mul(new(big.Rat).Sub(x, mean), big.NewRat(by, 1))
	z := toFloat(difference)
	z.Quo(z, new(big.Float).SetPrec(oracleBits).Sqrt(toFloat(variance)))
	value, _ := z.Add(z, new(big.Float).SetInt64(base)).Float64()
	return value
}

// bothDenominators checks a property of cohorts whose scores are of the test, and of those
// whose scores are of sheets.
func bothDenominators(t *testing.T, property func(t *rapid.T, sheets bool)) {
	t.Helper()
	for _, sheets := range []bool{false, true} {
		t.Run(fmt.Sprintf("sheets=%v", sheets), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { property(t, sheets) })
		})
	}
}

// Where every score stands, in order, is what counting says: and so is where a score stands
// that nobody has.
func TestStandings(t *testing.T) {
	t.Parallel()
	bothDenominators(t, func(t *rapid.T, sheets bool) {
		c := drawCohort(t, "cohort", sheets)
		distinct := slices.CompactFunc(slices.Clone(c.scores), func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })
		check := func(s summary.Standing, x *big.Rat) {
			below, same := c.below(x)
			if s.Score != c.score(x) || s.Below != below || s.Students != same || s.All != len(c.scores) {
				t.Fatalf("%v: %+v, want %d below and %d there", x, s, below, same)
			}
			rank := big.NewRat(int64(100*(2*below+same)), int64(2*len(c.scores)))
			want, _ := rank.Float64()
			stanine := 1
			for _, bound := range []int64{4, 11, 23, 40, 60, 77, 89, 96} {
				if rank.Cmp(big.NewRat(bound, 1)) >= 0 {
					stanine++
				}
			}
			if s.PercentileRank() != want || s.Stanine() != stanine {
				t.Fatalf("%v: rank %v and stanine %d, want %v and %d", x, s.PercentileRank(), s.Stanine(), want, stanine)
			}
		}
		if got := c.Distinct(); got != len(distinct) {
			t.Fatalf("%d distinct scores, want %d", got, len(distinct))
		}
		i := 0
		for s := range c.Each(nil) {
			check(s, distinct[i])
			check(c.Standing(s.Score), distinct[i])
			i++
		}
		if i != len(distinct) {
			t.Fatalf("%d scores, want %d", i, len(distinct))
		}
		// From somewhere on, and no further than asked for.
		from := rapid.IntRange(0, len(distinct)-1).Draw(t, "from")
		after := c.score(distinct[from])
		for s := range c.Each(&after) {
			from++
			check(s, distinct[from])
			if rapid.IntRange(0, 9).Draw(t, "enough") == 0 {
				from = len(distinct) - 1
				break
			}
		}
		if from != len(distinct)-1 {
			t.Fatalf("the scores after %v end at %d of %d", after, from, len(distinct))
		}
		marks := exam.Marks(rapid.Int32Range(0, int32(c.available)).Draw(t, "marks"))
		check(c.Standing(c.ScoreOf(marks, c.available)), big.NewRat(int64(marks), int64(c.available)))
	})
}

// Bounds, wherever they come from, have the students below them that counting finds; and so
// have the bins of a histogram.
func TestBounds(t *testing.T) {
	t.Parallel()
	bothDenominators(t, func(t *rapid.T, sheets bool) {
		c := drawCohort(t, "cohort", sheets)
		of := big.NewRat(int64(c.available), 1)
		percent, err := summary.ParsePercent(fmt.Sprintf("%d.%06d", rapid.IntRange(0, 99).Draw(t, "whole"), rapid.SampledFrom([]int{0, 0, 500_000, 1, 999_999}).Draw(t, "millionths")))
		if err != nil {
			t.Fatal(err)
		}
		x, _ := new(big.Rat).SetString(percent.String())
		x.Quo(x, big.NewRat(100, 1))
		if got, _ := new(big.Rat).Mul(x, big.NewRat(100, 1)).Float64(); got != percent.Float64() {
			t.Fatalf("%v is %v", percent, percent.Float64())
		}
		bound := summary.AtPercent(percent)
		if rapid.Bool().Draw(t, "at a score") {
			x = c.scores[rapid.IntRange(0, len(c.scores)-1).Draw(t, "score")]
			bound = summary.AtScore(c.score(x), c.available)
		}
		check := func(bound summary.Bound, x *big.Rat) {
			if below, _ := c.below(x); c.Below(bound, c.available) != below {
				t.Fatalf("%d are below %v, want %d", c.Below(bound, c.available), x, below)
			}
		}
		check(bound, x)
		moved := exam.Marks(rapid.SampledFrom([]int32{-1000, 1000, -1, 1, 999_999_000, -999_999_000}).Draw(t, "moved"))
		check(bound.Move(moved, c.available), new(big.Rat).Add(x, new(big.Rat).Quo(big.NewRat(int64(moved), 1), of)))
		marks := bound.Marks(c.available)
		least := new(big.Rat).Mul(x, of)
		if at := big.NewRat(int64(marks), 1); at.Cmp(least) < 0 || marks > 0 && big.NewRat(int64(marks)-1, 1).Cmp(least) >= 0 {
			t.Fatalf("%v marks are the fewest that reach %v", marks, least)
		}
		bins := rapid.SampledFrom([]int{1, 2, 3, 7, 20, 21, 1000}).Draw(t, "bins")
		histogram := c.Histogram(bins, c.available)
		for i, got := range histogram {
			from, _ := c.below(big.NewRat(int64(i), int64(bins)))
			to, _ := c.below(big.NewRat(int64(i+1), int64(bins)))
			if i == bins-1 {
				to = len(c.scores)
			}
			if got != to-from {
				t.Fatalf("bin %d of %d has %d, want %d", i, bins, got, to-from)
			}
		}
	})
}

// z, T and the effect size are the float64 nearest to what the definitions say.
func TestNorms(t *testing.T) {
	t.Parallel()
	bothDenominators(t, func(t *rapid.T, sheets bool) {
		c, other := drawCohort(t, "cohort", sheets), drawCohort(t, "other", sheets)
		norms := c.Norms(c.available)
		_, deviations := c.moments()
		x := c.scores[rapid.IntRange(0, len(c.scores)-1).Draw(t, "score")]
		z, zOK := norms.Z(c.score(x))
		score, tOK := norms.T(c.score(x))
		if spread := deviations.Sign() > 0; zOK != spread || tOK != spread || norms.Spread() != spread {
			t.Fatalf("defined: %v, %v and %v, want %v", zOK, tOK, norms.Spread(), spread)
		}
		if zOK && (z != c.standard(x, 0, 1) || score != c.standard(x, 50, 10)) {
			t.Fatalf("%v has z %v and T %v, want %v and %v", x, z, score, c.standard(x, 0, 1), c.standard(x, 50, 10))
		}
		e := norms.Effect(other.Norms(other.available))
		difference, size, defined := c.effect(other)
		if e.MeanDifference != difference || e.Size != size || e.Defined != defined {
			t.Fatalf("effect %+v, want %v, %v and %v", e, difference, size, defined)
		}
	})
}

// effect is what differs, by definition.
func (c *cohort) effect(other *cohort) (difference, size float64, defined bool) {
	mean, deviations := c.moments()
	otherMean, otherDeviations := other.moments()
	moved := new(big.Rat).Sub(otherMean, mean)
	difference, _ = new(big.Rat).Mul(moved, big.NewRat(100, 1)).Float64()
	pooled := new(big.Rat).Add(deviations, otherDeviations)
	freedom := int64(len(c.scores) + len(other.scores) - 2)
	if pooled.Sign() == 0 || freedom == 0 {
		return difference, 0, false
	}
	pooled.Quo(pooled, big.NewRat(freedom, 1))
	d := toFloat(moved)
	size, _ = d.Quo(d, new(big.Float).SetPrec(oracleBits).Sqrt(toFloat(pooled))).Float64()
	return difference, size, true
}

// A distribution of very many scores is several levels deep, and is walked as one of few.
func TestManyDistinctScores(t *testing.T) {
	t.Parallel()
	const distinct, available = 20_000, 60_000
	var all summary.Scores
	for i := range distinct {
		all.Add(summary.OfTest(exam.Marks(3 * (i * 7919 % distinct)))) // 0, 3, 6, … in some order
	}
	d := all.Freeze()
	if d.Distinct() != distinct {
		t.Errorf("%d distinct scores", d.Distinct())
	}
	for at := 0; at <= available; at += 101 {
		score := summary.OfTest(exam.Marks(at))
		below := (at + 2) / 3
		if got := d.Below(summary.AtScore(score, available), available); got != below {
			t.Fatalf("%d below %d, want %d", got, at, below)
		}
		next := at/3 + 1
		for s := range d.Each(&score) {
			if want := summary.OfTest(exam.Marks(3 * next)); s.Score != want || s.Below != next || s.Students != 1 {
				t.Fatalf("%+v comes after %d, want %v", s, at, want)
			}
			if next++; next > at/3+200 {
				break
			}
		}
		if next != min(at/3+201, distinct) {
			t.Fatalf("the scores after %d end before %d", at, next)
		}
	}
	for i, count := range d.Histogram(100, available) {
		if count != distinct/100 {
			t.Errorf("bin %d has %d", i, count)
		}
	}
}

// Of two students one is one deviation above, and one below: z is ±1 and T 60 and 40, to
// the last bit, and one in the middle has exactly 0 and 50.
func TestNormsOfFew(t *testing.T) {
	t.Parallel()
	for _, scores := range [][]summary.Score{
		{summary.OfTest(3000), summary.OfTest(7000)},
		{summary.OfSheet(1000, 3000), summary.OfSheet(6000, 7000)},
	} {
		var all summary.Scores
		for _, s := range scores {
			all.Add(s)
		}
		norms := all.Freeze().Norms(20_000)
		for i, want := range []float64{-1, 1} {
			z, _ := norms.Z(scores[i])
			score, _ := norms.T(scores[i])
			if z != want || score != 50+10*want {
				t.Errorf("%v: z %v and T %v", scores[i], z, score)
			}
		}
	}
	var sheets summary.Scores
	for _, s := range []summary.Score{summary.OfSheet(1, 3), summary.OfSheet(1, 2), summary.OfSheet(2, 3)} {
		sheets.Add(s)
	}
	norms := sheets.Freeze().Norms(1)
	z, ok := norms.Z(summary.OfSheet(1, 2))
	score, _ := norms.T(summary.OfSheet(1, 2))
	if z != 0 || score != 50 || !ok {
		t.Errorf("in the middle: z %v and T %v", z, score)
	}
	if _, ok := (summary.Distribution{}).Norms(1).Z(summary.OfTest(1)); ok {
		t.Error("nobody has a deviation")
	}
	if s := (summary.Distribution{}).Standing(summary.OfTest(1)); cmp.Or(s.Stanine(), s.Below, s.All) != 0 || s.PercentileRank() != 0 {
		t.Errorf("among nobody: %+v", s)
	}
}
