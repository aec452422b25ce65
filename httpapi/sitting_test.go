package httpapi_test

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A sitting is a test by definition: the marks of each student, as the export has them, and
// nothing that counts or sums ahead. It is the oracle of what is answered about scores.
type sitting struct {
	scores    []*big.Rat // fractions of what is available, ascending
	available *big.Rat
	sheets    bool
}

// sittingOf reads a test's export.
func (o office) sittingOf(t testing.TB, test string) *sitting {
	t.Helper()
	var page rollPage
	o.get(t, "/results/"+test+"/students").into(t, &page)
	s := &sitting{available: rational(t, page.Available), sheets: page.Denominator == "sheet"}
	for _, row := range page.Students {
		s.scores = append(s.scores, new(big.Rat).Quo(rational(t, row.Obtained), rational(t, row.Available)))
	}
	slices.SortFunc(s.scores, (*big.Rat).Cmp)
	return s
}

func rational(t testing.TB, number json.Number) *big.Rat {
	t.Helper()
	x, ok := new(big.Rat).SetString(number.String())
	if !ok {
		t.Fatalf("%s is no number", number)
	}
	return x
}

// below is how many students are below a fraction.
func (s *sitting) below(x *big.Rat) int {
	n := 0
	for _, score := range s.scores {
		if score.Cmp(x) < 0 {
			n++
		}
	}
	return n
}

// moved is a fraction so many marks on.
func (s *sitting) moved(x *big.Rat, marks int64) *big.Rat {
	return new(big.Rat).Add(x, new(big.Rat).Quo(big.NewRat(marks, 1), s.available))
}

// shown is a fraction as the API writes percentages.
func shown(x *big.Rat) json.Number {
	value, _ := new(big.Rat).Mul(x, big.NewRat(100, 1)).Float64()
	return json.Number(decimal(value))
}

func decimal(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func (s *sitting) share(part int) json.Number {
	return shown(big.NewRat(int64(part), int64(len(s.scores))))
}

// percent is a percentage as a fraction.
func percent(text string) *big.Rat {
	x, _ := new(big.Rat).SetString(text)
	return x.Quo(x, big.NewRat(100, 1))
}

// lowest are the fewest marks that reach a fraction, to the thousandth, as they are written.
func (s *sitting) lowest(x *big.Rat) json.Number {
	thousandths := new(big.Rat).Mul(new(big.Rat).Mul(x, s.available), big.NewRat(1000, 1))
	whole, rest := new(big.Int).QuoRem(thousandths.Num(), thousandths.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	value, _ := new(big.Rat).SetFrac(whole, big.NewInt(1000)).Float64()
	return json.Number(strconv.FormatFloat(value, 'f', -1, 64))
}

// norms are z and T, null where there is no spread.
func (s *sitting) norms(x *big.Rat) (z, t *json.Number) {
	const bits = 2000
	n := big.NewRat(int64(len(s.scores)), 1)
	mean, variance := new(big.Rat), new(big.Rat)
	for _, score := range s.scores {
		mean.Add(mean, score)
	}
	mean.Quo(mean, n)
	for _, score := range s.scores {
		d := new(big.Rat).Sub(score, mean)
		variance.Add(variance, d.Mul(d, d))
	}
	if variance.Sign() == 0 {
		return nil, nil
	}
	deviation := new(big.Float).SetPrec(bits).SetRat(variance.Quo(variance, n))
	deviation.Sqrt(deviation)
	standard := func(base, by int64) *json.Number {
		d := new(big.Float).SetPrec(bits).SetRat(new(big.Rat).Mul(new(big.Rat).Sub(x, mean), big.NewRat(by, 1)))
		d.Quo(d, deviation).Add(d, new(big.Float).SetInt64(base))
		value, _ := d.Float64()
		return new(json.Number(decimal(value)))
	}
	return standard(0, 1), standard(50, 10)
}

// scoreShown is a score as it is listed.
type scoreShown struct {
	Marks           *json.Number `json:"marks"`
	Percentage      json.Number  `json:"percentage"`
	Count           int          `json:"count"`
	CumulativeCount int          `json:"cumulative_count"`
	PercentileRank  json.Number  `json:"percentile_rank"`
	Z               *json.Number `json:"z"`
	T               *json.Number `json:"t"`
	Stanine         int          `json:"stanine"`
}

// score is where a fraction stands; marks are those that it is shown with.
func (s *sitting) score(x *big.Rat, marks *json.Number) scoreShown {
	below := s.below(x)
	same := 0
	for _, score := range s.scores {
		if score.Cmp(x) == 0 {
			same++
		}
	}
	rank := big.NewRat(int64(2*below+same), int64(2*len(s.scores)))
	stanine := 1
	for _, bound := range []string{"4", "11", "23", "40", "60", "77", "89", "96"} {
		if rank.Cmp(percent(bound)) >= 0 {
			stanine++
		}
	}
	z, t := s.norms(x)
	return scoreShown{marks, shown(x), same, below + same, shown(rank), z, t, stanine}
}

// distinct are the scores that students have, once each.
func (s *sitting) distinct() []*big.Rat {
	return slices.CompactFunc(slices.Clone(s.scores), func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })
}

// marks are those of a distinct score as it is listed: null of sheets.
func (s *sitting) marks(x *big.Rat) *json.Number {
	if s.sheets {
		return nil
	}
	return new(s.lowest(x))
}

type cutShown struct {
	Cut    json.Number  `json:"cut"`
	Marks  *json.Number `json:"marks"`
	Passed int          `json:"passed"`
	Rate   json.Number  `json:"rate"`
	Below  int          `json:"one_mark_below"`
	Above  int          `json:"one_mark_above"`
}

func (s *sitting) cut(x *big.Rat, marks *json.Number) cutShown {
	below := s.below(x)
	passed := len(s.scores) - below
	return cutShown{
		shown(x), marks, passed, s.share(passed),
		below - s.below(s.moved(x, -1)), s.below(s.moved(x, 1)) - below,
	}
}

// effect is how another test differs: its mean, and Cohen's d, nil where it is not defined.
func (s *sitting) effect(other *sitting) (difference, effect any) {
	const bits = 2000
	pooled, means := new(big.Rat), [2]*big.Rat{}
	for i, of := range []*sitting{s, other} {
		mean := new(big.Rat)
		for _, x := range of.scores {
			mean.Add(mean, x)
		}
		means[i] = mean.Quo(mean, big.NewRat(int64(len(of.scores)), 1))
		for _, x := range of.scores {
			d := new(big.Rat).Sub(x, mean)
			pooled.Add(pooled, d.Mul(d, d))
		}
	}
	moved := new(big.Rat).Sub(means[1], means[0])
	difference = shown(moved)
	freedom := int64(len(s.scores) + len(other.scores) - 2)
	if freedom == 0 || pooled.Sign() == 0 {
		return difference, nil
	}
	deviation := new(big.Float).SetPrec(bits).SetRat(pooled.Quo(pooled, big.NewRat(freedom, 1)))
	d := new(big.Float).SetPrec(bits).SetRat(moved)
	value, _ := d.Quo(d, deviation.Sqrt(deviation)).Float64()
	return difference, json.Number(decimal(value))
}
