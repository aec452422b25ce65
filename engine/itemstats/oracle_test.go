package itemstats_test

import (
	"math/big"
	"slices"

	"markr/engine/exam"
	"markr/engine/itemstats"
)

// The oracle computes every figure by its definition, from the sheets, in exact fractions.
// It shares nothing with what it is held against. A value that is undefined is nil.

type rats = []*big.Rat

func rat(n int64) *big.Rat          { return big.NewRat(n, 1) }
func marksOf(m exam.Marks) *big.Rat { return big.NewRat(int64(m), exam.MarksPerUnit) }
func plus(a, b *big.Rat) *big.Rat   { return new(big.Rat).Add(a, b) }
func minus(a, b *big.Rat) *big.Rat  { return new(big.Rat).Sub(a, b) }
func times(a *big.Rat, b ...*big.Rat) *big.Rat {
	p := new(big.Rat).Set(a)
	for _, f := range b {
		p.Mul(p, f)
	}
	return p
}

func over(a, b *big.Rat) *big.Rat {
	if a == nil || b == nil || b.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(a, b)
}

func mean(x rats) *big.Rat {
	sum := new(big.Rat)
	for _, v := range x {
		sum.Add(sum, v)
	}
	return over(sum, rat(int64(len(x))))
}

func covariance(x, y rats) *big.Rat {
	mx, my := mean(x), mean(y)
	var products rats
	for i := range x {
		products = append(products, times(minus(x[i], mx), minus(y[i], my)))
	}
	return mean(products)
}

func variance(x rats) *big.Rat { return covariance(x, x) }

// root is the float64 nearest to a root, with its sign.
func root(square *big.Rat, sign int) *float64 {
	if square == nil {
		return nil
	}
	f := new(big.Float).SetPrec(3000).SetRat(square)
	v, _ := f.Sqrt(f).Float64()
	if sign < 0 {
		v = -v
	}
	return &v
}

func nearest(r *big.Rat) *float64 {
	if r == nil {
		return nil
	}
	v, _ := r.Float64()
	return &v
}

func pearson(x, y rats) *float64 {
	c, vx, vy := covariance(x, y), variance(x), variance(y)
	return root(over(times(c, c), times(vx, vy)), c.Sign())
}

// plainAlpha is Cronbach's.
func plainAlpha(items []rats) *big.Rat {
	k := int64(len(items))
	if k < 2 {
		return nil
	}
	total := make(rats, len(items[0]))
	sum := new(big.Rat)
	for i := range total {
		total[i] = new(big.Rat)
	}
	for _, item := range items {
		sum.Add(sum, variance(item))
		for s := range item {
			total[s].Add(total[s], item[s])
		}
	}
	v := variance(total)
	return over(times(big.NewRat(k, 1), minus(v, sum)), times(rat(k-1), v))
}

// batch is all that is computed from.
type batch struct {
	questions []exam.Text
	answers   []map[exam.Text]exam.Answer // by sheet
	items     []rats                      // by question, by sheet
	total     rats
	available []exam.Marks // by question
	shares    map[string]rats
}

func newBatch(kept []scan) *batch {
	b := &batch{shares: make(map[string]rats)}
	known := make(map[exam.Text]exam.Marks)
	for _, s := range kept {
		if len(s.answers) == 0 || slices.ContainsFunc(s.answers, func(a exam.Answer) bool { return a.Awarded == exam.MarksUnknown }) {
			continue
		}
		sheet, total := make(map[exam.Text]exam.Answer), new(big.Rat)
		for _, a := range s.answers {
			if _, twice := sheet[a.Question]; twice {
				continue
			}
			sheet[a.Question] = a
			total.Add(total, marksOf(a.Awarded))
			if most, ok := known[a.Question]; !ok || a.Available > most {
				known[a.Question] = a.Available
			}
		}
		b.answers, b.total = append(b.answers, sheet), append(b.total, total)
	}
	for q := range known {
		b.questions = append(b.questions, q)
	}
	slices.Sort(b.questions)
	for _, q := range b.questions {
		item := make(rats, len(b.answers))
		for s, sheet := range b.answers {
			item[s] = marksOf(sheet[q].Awarded) // 0 if it is not there.
		}
		b.items, b.available = append(b.items, item), append(b.available, known[q])
	}
	return b
}

func (b *batch) rest(q int) rats {
	rest := make(rats, len(b.total))
	for s := range rest {
		rest[s] = minus(b.total[s], b.items[q][s])
	}
	return rest
}

// weights are how much of each sheet is in the ranks from low to high, in order of total:
// for sheets with the same total, the mean over all orders.
func (b *batch) weights(low, high *big.Rat) rats {
	key := low.String() + " " + high.String()
	if w, known := b.shares[key]; known {
		return w
	}
	w := make(rats, len(b.total))
	b.shares[key] = w
	for s, x := range b.total {
		below, same := int64(0), int64(0)
		for _, y := range b.total {
			switch x.Cmp(y) {
			case 1:
				below++
			case 0:
				same++
			}
		}
		from, to := rat(below), rat(below+same)
		if from.Cmp(low) < 0 {
			from = low
		}
		if to.Cmp(high) > 0 {
			to = high
		}
		w[s] = new(big.Rat)
		if to.Cmp(from) > 0 {
			w[s] = over(minus(to, from), rat(same))
		}
	}
	return w
}

func weighted(w, x rats) *big.Rat {
	sum := new(big.Rat)
	for s := range w {
		sum.Add(sum, times(w[s], x[s]))
	}
	return sum
}

// difference is the weighted sum of the upper 27 % less that of the lower, over a group.
func (b *batch) difference(x rats) *big.Rat {
	n := int64(len(b.total))
	g := max(1, (27*n+50)/100)
	return over(minus(weighted(b.weights(rat(n-g), rat(n)), x), weighted(b.weights(rat(0), rat(g)), x)), rat(g))
}

// efficiency is the covariance of item and rest over the largest that there is when both
// are in order.
func (b *batch) efficiency(q int) *big.Rat {
	x, r := slices.Clone(b.items[q]), b.rest(q)
	is := covariance(x, r)
	byValue := func(a, b *big.Rat) int { return a.Cmp(b) }
	slices.SortFunc(x, byValue)
	slices.SortFunc(r, byValue)
	return over(times(rat(100), is), covariance(x, r))
}

func (b *batch) without(q int) []rats {
	items := slices.Clone(b.items)
	return slices.Delete(items, q, q+1)
}

// chooses is 1 for sheets with a response to a question, 0 for others.
func (b *batch) chooses(q int, response exam.Text) rats {
	x := make(rats, len(b.answers))
	for s, sheet := range b.answers {
		x[s] = new(big.Rat)
		if sheet[b.questions[q]].Response == response {
			x[s].SetInt64(1)
		}
	}
	return x
}

// effective is the effective weight: of roots, in 3000 bits.
func (b *batch) effective(q int) *float64 {
	sum := new(big.Float).SetPrec(3000)
	var own *big.Float
	for i := range b.items {
		c := covariance(b.items[i], b.total)
		if c.Sign() < 0 {
			continue
		}
		f := new(big.Float).SetPrec(3000).SetRat(c)
		f.Sqrt(f)
		sum.Add(sum, f)
		if i == q {
			own = f
		}
	}
	if own == nil || sum.Sign() == 0 {
		return nil
	}
	v, _ := new(big.Float).Quo(new(big.Float).Mul(own, big.NewFloat(100)), sum).Float64()
	return &v
}

// central is the mean of a power of the distances from the mean.
func central(x rats, power int) *big.Rat {
	m := mean(x)
	var list rats
	for _, v := range x {
		p := rat(1)
		for range power {
			p.Mul(p, minus(v, m))
		}
		list = append(list, p)
	}
	return mean(list)
}

// shape is skewness and kurtosis: G1 and G2 of Joanes and Gill (1998).
func (b *batch) shape() (skewness, kurtosis *float64) {
	n := int64(len(b.total))
	m2, m3, m4 := central(b.total, 2), central(b.total, 3), central(b.total, 4)
	if n >= 3 {
		skewness = root(over(times(m3, m3, rat(n), rat(n-1)), times(m2, m2, m2, rat(n-2), rat(n-2))), m3.Sign())
	}
	if g2 := over(m4, times(m2, m2)); n >= 4 && g2 != nil {
		inner := plus(times(rat(n+1), minus(g2, rat(3))), rat(6))
		kurtosis = nearest(times(inner, big.NewRat(n-1, (n-2)*(n-3))))
	}
	return skewness, kurtosis
}

func value(f itemstats.Figure) *float64 {
	if !f.Defined {
		return nil
	}
	return &f.Value
}
