package itemstats_test

import (
	"fmt"
	"math/big"
	"testing"

	"markr/engine/exam"
	"markr/engine/itemstats"
)

// compared tells of figures that are not the float64 nearest to the true value.
type compared struct {
	testing.TB

	where string
}

func (c compared) want(what string, got itemstats.Figure, want *float64) {
	c.Helper()
	g := value(got)
	if (g == nil) != (want == nil) || g != nil && *g != *want {
		show := func(f *float64) string {
			if f == nil {
				return "undefined"
			}
			return fmt.Sprint(*f)
		}
		c.Errorf("%s: %s is %s, and by definition %s", c.where, what, show(g), show(want))
	}
}

// Every figure of every cohort is what its definition gives.
func TestAgainstDefinitions(t *testing.T) {
	t.Parallel()
	for _, c := range cohorts() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := again(random(t), c.generate(random(t)))
			checkFigures(t, o)
		})
	}
}

func checkFigures(t *testing.T, o *office) {
	t.Helper()
	b := newBatch(o.kept)
	a := o.test.View().Analyse()
	n, k := int64(len(b.total)), int64(len(b.items))
	if a.Sheets != int(n) || len(a.Questions) != int(k) || a.Rows != len(o.kept) {
		t.Fatalf("%d sheets of %d rows, %d questions; want %d of %d, %d", a.Sheets, a.Rows, len(a.Questions), n, len(o.kept), k)
	}
	is := compared{t, "test"}
	v := variance(b.total)
	is.want("mean", a.Mean, nearest(mean(b.total)))
	is.want("standard deviation", a.StdDev, root(v, 1))
	is.want("standard deviation of a sample", a.StdDevS, root(over(times(v, rat(n)), rat(n-1)), 1))
	is.want("alpha", a.Alpha, nearest(plainAlpha(b.items)))
	if alpha := plainAlpha(b.items); alpha != nil {
		is.want("SEM", a.SEM, root(times(v, minus(rat(1), alpha)), 1))
		is.want("error ratio", a.ErrorRatio, root(times(rat(10_000), minus(rat(1), alpha)), 1))
	}
	skewness, kurtosis := b.shape()
	is.want("skewness", a.Skewness, skewness)
	is.want("kurtosis", a.Kurtosis, kurtosis)
	available := int64(0)
	for _, m := range b.available {
		available += int64(max(m, 0))
	}
	for q := range b.items {
		checkQuestion(t, b, a, q, available)
	}
	checkDichotomous(t, b, a)
}

func checkDichotomous(t *testing.T, b *batch, a *itemstats.Analysis) {
	t.Helper()
	k := int64(len(b.items))
	for q, item := range b.items {
		for _, x := range item {
			if x.Sign() != 0 && x.Cmp(marksOf(b.available[q])) != 0 || b.available[q] != b.available[0] {
				compared{t, "test"}.want("KR-20", a.KR20, nil)
				return
			}
		}
	}
	if k < 2 {
		return
	}
	// In questions, not marks.
	m := marksOf(b.available[0])
	p := new(big.Rat)
	for _, item := range b.items {
		share := over(mean(item), m)
		p.Add(p, times(share, minus(rat(1), share)))
	}
	v := over(variance(b.total), times(m, m))
	kk := big.NewRat(k, k-1)
	average := over(mean(b.total), m)
	kr := func(loss *big.Rat) *float64 {
		if loss == nil {
			return nil
		}
		return nearest(times(kk, minus(rat(1), loss)))
	}
	is := compared{t, "test"}
	is.want("KR-20", a.KR20, kr(over(p, v)))
	is.want("KR-21", a.KR21, kr(over(times(average, minus(rat(k), average)), times(rat(k), v))))
	for _, c := range a.Conditional {
		x := over(marksOf(exam.Marks(c.Marks)), m)
		is.want("conditional SEM", c.SEM, root(times(m, m, over(times(x, minus(rat(k), x)), rat(k-1))), 1))
	}
}

func checkQuestion(t *testing.T, b *batch, a *itemstats.Analysis, at int, available int64) {
	t.Helper()
	q := &a.Questions[at]
	if q.ID != b.questions[at] {
		t.Fatalf("question %v in place of %v", q.ID, b.questions[at])
	}
	is := compared{t, "question " + q.Name}
	x, rest, n := b.items[at], b.rest(at), int64(len(b.total))
	m := marksOf(b.available[at])
	v := variance(x)
	is.want("facility", q.Facility, nearest(over(times(rat(100), mean(x)), m)))
	is.want("mean", q.Mean, nearest(mean(x)))
	is.want("standard deviation", q.StdDev, root(v, 1))
	is.want("standard deviation of a sample", q.StdDevS, root(over(times(v, rat(n)), rat(n-1)), 1))
	is.want("item-total", q.ItemTotal, pearson(x, b.total))
	is.want("item-rest", q.ItemRest, pearson(x, rest))
	c := covariance(x, b.total)
	is.want("reliability index", q.Reliability, root(over(times(c, c), variance(b.total)), c.Sign()))
	is.want("D27", q.Discrimination27, nearest(over(b.difference(x), m)))
	is.want("efficiency", q.Efficiency, nearest(b.efficiency(at)))
	is.want("intended weight", q.IntendedWeight, nearest(over(times(rat(100), m), big.NewRat(available, exam.MarksPerUnit))))
	is.want("effective weight", q.EffectiveWeight, b.effective(at))
	is.want("alpha if deleted", q.AlphaIfDeleted, nearest(plainAlpha(b.without(at))))
	if q.Free {
		return
	}
	d := a.Detail(q.Name)
	sheets := 0
	for _, o := range d.Options {
		sheets += o.Sheets
		text := exam.TextOf([]byte(o.Response))
		chosen := b.chooses(at, text)
		is := compared{t, is.where + " option " + o.Response}
		is.want("share", o.Share, nearest(times(rat(100), mean(chosen))))
		is.want("option-total", o.OptionTotal, pearson(chosen, b.total))
		is.want("option-rest", o.OptionRest, pearson(chosen, rest))
		is.want("D27", o.Discrimination27, nearest(b.difference(chosen)))
		for g := range int64(5) {
			w := b.weights(big.NewRat(g*n, 5), big.NewRat((g+1)*n, 5))
			is.want(fmt.Sprint("share of group ", g+1), o.ByGroup[g], nearest(times(weighted(w, chosen), big.NewRat(500, n))))
		}
	}
	if sheets != int(n) {
		t.Errorf("question %s: the options have %d sheets of %d", q.Name, sheets, n)
	}
	for g := range int64(5) {
		w := b.weights(big.NewRat(g*n, 5), big.NewRat((g+1)*n, 5))
		is.want(fmt.Sprint("mean of group ", g+1), d.Groups[g].Mean, nearest(times(weighted(w, x), big.NewRat(5, n))))
	}
}
