package summary_test

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/summary"
)

// fraction is a score as the oracle sees it.
type fraction struct{ obtained, available exam.Marks }

func (f fraction) rat() *big.Rat {
	return big.NewRat(100*int64(f.obtained), int64(f.available))
}

// oracle computes the figures from sorted fractions with math/big, one rounding
// at the end.
type oracle []*big.Rat

func newOracle(scores []fraction) oracle {
	o := make(oracle, len(scores))
	for i, s := range scores {
		o[i] = s.rat()
	}
	slices.SortFunc(o, (*big.Rat).Cmp)
	return o
}

func (o oracle) aggregate() summary.Aggregate {
	n := big.NewRat(int64(len(o)), 1)
	sum, squares := new(big.Rat), new(big.Rat)
	for _, x := range o {
		sum.Add(sum, x)
		squares.Add(squares, new(big.Rat).Mul(x, x))
	}
	mean := new(big.Rat).Quo(sum, n)
	variance := new(big.Rat).Quo(squares, n)
	variance.Sub(variance, new(big.Rat).Mul(mean, mean))
	return summary.Aggregate{
		Mean: nearest(mean), StdDev: nearestRoot(variance),
		Min: nearest(o[0]), Max: nearest(o[len(o)-1]),
		P25: o.percentile(25, 1), P50: o.percentile(50, 1), P75: o.percentile(75, 1),
		Count: len(o),
	}
}

// percentile interpolates at rank (n-1) p/(100 q).
func (o oracle) percentile(p, q int64) float64 {
	rank := big.NewRat(int64(len(o)-1)*p, 100*q)
	k := new(big.Int).Quo(rank.Num(), rank.Denom())
	low := o[k.Int64()]
	part := new(big.Rat).Sub(rank, new(big.Rat).SetInt(k))
	if part.Sign() == 0 {
		return nearest(low)
	}
	value := new(big.Rat).Sub(o[k.Int64()+1], low)
	return nearest(value.Mul(value, part).Add(value, low))
}

func nearest(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// nearestRoot takes the root of 2000 bits, far more than any tie here needs.
func nearestRoot(r *big.Rat) float64 {
	f := new(big.Float).SetPrec(2000).SetRat(r)
	root, _ := f.Sqrt(f).Float64()
	return root
}

func ofTest(scores []fraction) summary.Distribution {
	var c summary.Scores
	for _, s := range scores {
		c.Add(summary.OfTest(s.obtained))
	}
	return c.Freeze()
}

func ofSheet(scores []fraction) summary.Distribution {
	var c summary.Scores
	for _, s := range scores {
		c.Add(summary.OfSheet(s.obtained, s.available))
	}
	return c.Freeze()
}

func equal(t interface{ Fatalf(string, ...any) }, got, want summary.Aggregate) {
	if got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestKnownFigures(t *testing.T) {
	t.Parallel()
	f := func(available exam.Marks, want summary.Aggregate, obtained ...exam.Marks) {
		t.Helper()
		scores := make([]fraction, len(obtained))
		for i, o := range obtained {
			scores[i] = fraction{o, available}
		}
		equal(t, ofTest(scores).Aggregate(available), want)
		equal(t, newOracle(scores).aggregate(), want)
	}
	f(20000, summary.Aggregate{Mean: 65, Min: 65, Max: 65, P25: 65, P50: 65, P75: 65, Count: 1}, 13000)
	f(20000, summary.Aggregate{Count: 2}, 0, 0)
	f(4000, summary.Aggregate{Mean: 62.5, StdDev: 27.95084971874737, Min: 25, Max: 100, P25: 43.75, P50: 62.5, P75: 81.25, Count: 4},
		1000, 2000, 3000, 4000)
	f(3000, summary.Aggregate{Mean: 200.0 / 3, StdDev: 0, Min: 200.0 / 3, Max: 200.0 / 3, P25: 200.0 / 3, P50: 200.0 / 3, P75: 200.0 / 3, Count: 3},
		2000, 2000, 2000)
	// All marks at their upper bound: nothing overflows.
	f(exam.MarksMax, summary.Aggregate{Mean: 50, StdDev: 50, Min: 0, Max: 100, P25: 0, P50: 50, P75: 100, Count: 4},
		0, 0, exam.MarksMax, exam.MarksMax)
}

// The published figures are the float64 nearest to the exact value.
func TestAgainstOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		available := exam.Marks(rapid.IntRange(1, int(exam.MarksMax)).Draw(t, "available"))
		scores := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fraction {
			return fraction{exam.Marks(rapid.IntRange(0, int(available)).Draw(t, "obtained")), available}
		}), 1, 40).Draw(t, "scores")
		d := ofTest(scores)
		o := newOracle(scores)
		equal(t, d.Aggregate(available), o.aggregate())
		millionths := rapid.Int64Range(0, 100_000_000).Draw(t, "percent")
		p, err := summary.ParsePercent(big.NewRat(millionths, 1_000_000).FloatString(6))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := d.Percentile(p, available), o.percentile(millionths, 1_000_000); got != want {
			t.Fatalf("p%s = %v, want %v", p, got, want)
		}
		// A sheet's own denominator, when all are alike, changes nothing.
		equal(t, ofSheet(scores).Aggregate(available), d.Aggregate(available))
	})
}

func TestSheetsAgainstOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fraction {
			available := rapid.OneOf(rapid.IntRange(1, 12), rapid.IntRange(1, int(exam.MarksMax))).Draw(t, "available")
			return fraction{exam.Marks(rapid.IntRange(0, available).Draw(t, "obtained")), exam.Marks(available)}
		}), 1, 30).Draw(t, "scores")
		d := ofSheet(scores)
		o := newOracle(scores)
		equal(t, d.Aggregate(1), o.aggregate())
		p, _ := summary.ParsePercent("99.9")
		if got, want := d.Percentile(p, 1), o.percentile(999, 10); got != want {
			t.Fatalf("p99.9 = %v, want %v", got, want)
		}
	})
}

// A frozen distribution keeps its answers whatever happens afterwards, and the
// tree answers like a sorted list, with few and with many distinct scores.
func TestScoresAgainstSortedList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		distinct := rapid.SampledFrom([]int{1, 21, 70, 5000}).Draw(t, "distinct")
		var c summary.Scores
		var model []fraction
		type frozen struct {
			d    summary.Distribution
			want []fraction
		}
		var kept []frozen
		steps := rapid.IntRange(1, 600).Draw(t, "steps")
		random := rapid.IntRange(0, 5*distinct)
		for range steps {
			switch choice := random.Draw(t, "choice"); {
			case choice < distinct || len(model) == 0:
				s := fraction{exam.Marks(choice % distinct), exam.Marks(distinct)}
				c.Add(summary.OfTest(s.obtained))
				model = append(model, s)
			case choice < 3*distinct:
				i := choice % len(model)
				c.Remove(summary.OfTest(model[i].obtained))
				model[i].obtained = exam.Marks((choice * 7919) % distinct)
				c.Add(summary.OfTest(model[i].obtained))
			case choice < 4*distinct:
				i := choice % len(model)
				c.Remove(summary.OfTest(model[i].obtained))
				model = slices.Delete(slices.Clone(model), i, i+1)
			default:
				if len(kept) < 8 {
					kept = append(kept, frozen{c.Freeze(), slices.Clone(model)})
				}
			}
		}
		kept = append(kept, frozen{c.Freeze(), model})
		for _, k := range kept {
			if len(k.want) == 0 {
				equal(t, k.d.Aggregate(exam.Marks(distinct)), summary.Aggregate{})
				continue
			}
			equal(t, k.d.Aggregate(exam.Marks(distinct)), newOracle(k.want).aggregate())
		}
	})
}

func TestParsePercent(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		p, err := summary.ParsePercent(text)
		if want == "" {
			if err == nil {
				t.Errorf("ParsePercent(%q) = %s, want an error", text, p)
			}
			return
		}
		if err != nil || p.String() != want {
			t.Errorf("ParsePercent(%q) = %s, %v, want %s", text, p, err, want)
		}
	}
	f("0", "0")
	f("10", "10")
	f("99.9", "99.9")
	f("099.900", "99.9")
	f("100", "100")
	f("100.000000", "100")
	f("0.000001", "0.000001")
	for _, bad := range []string{"", ".", "5.", ".5", "-1", "+1", "1e1", "100.000001", "0.0000001", "1_0", "NaN", " 1", "1,5", "99999999999999999999"} {
		f(bad, "")
	}
}
