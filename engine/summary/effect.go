package summary

import "math/big"

// Effect is how two cohorts differ.
type Effect struct {
	// MeanDifference is the mean of the second less that of the first, in percentage points.
	MeanDifference float64
	// Size is Cohen's d: that difference over the pooled standard deviation,
	//
	//	sqrt(((n1 - 1) s1² + (n2 - 1) s2²) / (n1 + n2 - 2)),
	//
	// s being the deviations of samples (Cohen, Statistical Power Analysis for the Behavioral
	// Sciences, 1988, 2.5). It is defined where there are three students or more in all, and
	// the scores of one cohort are not all the same.
	Size    float64
	Defined bool
}

// Effect compares other, the second, with n, the first. Neither is of nobody.
func (n *Norms) Effect(other *Norms) Effect {
	e := Effect{Defined: (n.Spread() || other.Spread()) && n.d.Count()+other.d.Count() > 2}
	first, second := n.moments.Load(), other.moments.Load()
	for {
		var low, high Effect
		bounded := effectBetween(first, second, e.Defined, &low, &high)
		var differs, sized bool
		e.MeanDifference, differs = decide(low.MeanDifference+0, high.MeanDifference+0) // Never -0.
		e.Size, sized = decide(low.Size, high.Size)
		if bounded && differs && sized {
			return e
		}
		var sharper, otherSharper bool
		first, sharper = n.sharpen(first)
		second, otherSharper = other.sharpen(second)
		if !sharper && !otherSharper {
			return e
		}
	}
}

// effectBetween encloses the effect. It says whether it knows anything of the size, if that
// is asked for.
func effectBetween(first, second *moments, sized bool, low, high *Effect) (bounded bool) {
	hundred := big.NewRat(100, 1)
	firstLow, firstHigh := first.mean()
	secondLow, secondHigh := second.mean()
	least, most := secondLow.Sub(secondLow, firstHigh), secondHigh.Sub(secondHigh, firstLow)
	low.MeanDifference, _ = new(big.Rat).Mul(least, hundred).Float64()
	high.MeanDifference, _ = new(big.Rat).Mul(most, hundred).Float64()
	if !sized {
		return true
	}
	leastSpread, mostSpread := first.deviations()
	otherLeast, otherMost := second.deviations()
	freedom := new(big.Rat).SetInt(new(big.Int).Add(first.n, second.n))
	freedom.Sub(freedom, big.NewRat(2, 1))
	leastSpread.Add(leastSpread, otherLeast).Quo(leastSpread, freedom)
	mostSpread.Add(mostSpread, otherMost).Quo(mostSpread, freedom)
	if leastSpread.Sign() <= 0 {
		return false
	}
	over := func(difference, ifNegative, otherwise *big.Rat) float64 {
		spread := otherwise
		if difference.Sign() < 0 {
			spread = ifNegative
		}
		square := new(big.Rat).Mul(difference, difference)
		square.Quo(square, spread)
		return offsetRoot(0, difference.Sign() < 0, square.Num(), square.Denom()) + 0
	}
	low.Size, high.Size = over(least, leastSpread, mostSpread), over(most, mostSpread, leastSpread)
	return true
}

// mean is the mean as a fraction of what is available.
func (m *moments) mean() (low, high *big.Rat) {
	of := new(big.Int).Mul(m.n, m.unit)
	return new(big.Rat).SetFrac(m.low.x, of), new(big.Rat).SetFrac(m.high.x, of)
}

// deviations is the sum of the squared deviations from the mean, as fractions of what is
// available.
func (m *moments) deviations() (low, high *big.Rat) {
	least, most := m.spread()
	of := new(big.Int).Mul(m.unit, m.unit)
	of.Mul(of, m.n)
	return new(big.Rat).SetFrac(least, of), new(big.Rat).SetFrac(most, of)
}
