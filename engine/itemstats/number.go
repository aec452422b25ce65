package itemstats

import (
	"math"
	"math/big"
	"math/bits"
)

// wide is a signed integer of 128 bits.
type wide struct {
	high int64
	low  uint64
}

func wideOf(n int64) wide { return wide{n >> 63, uint64(n)} }

func product(a, b uint64) wide {
	high, low := bits.Mul64(a, b)
	return wide{int64(high), low}
}

func (a wide) plus(b wide) wide {
	low, carry := bits.Add64(a.low, b.low, 0)
	high, _ := bits.Add64(uint64(a.high), uint64(b.high), carry)
	return wide{int64(high), low}
}

func (a wide) minus(b wide) wide {
	low, borrow := bits.Sub64(a.low, b.low, 0)
	high, _ := bits.Sub64(uint64(a.high), uint64(b.high), borrow)
	return wide{int64(high), low}
}

// times is a n; the result fits.
func (a wide) times(n uint64) wide {
	high, low := bits.Mul64(a.low, n)
	return wide{int64(high + uint64(a.high)*n), low}
}

func (a wide) sign() int {
	switch {
	case a.high < 0:
		return -1
	case a.high == 0 && a.low == 0:
		return 0
	}
	return 1
}

func (a wide) abs() wide {
	if a.high < 0 {
		return wide{}.minus(a)
	}
	return a
}

func (a wide) big() *big.Int {
	b := a.abs()
	n := bigOf(b.low, uint64(b.high))
	if a.high < 0 {
		n.Neg(n)
	}
	return n
}

func spreadOf(n, sum uint64, squares wide) wide { return squares.times(n).minus(product(sum, sum)) }

// Figure is a number that may be undefined.
type Figure struct {
	Value   float64
	Defined bool
}

// ratio is n over d; undefined if d is 0.
func ratio(n, d wide) Figure { return figure(false, n, []wide{n.abs()}, []wide{d}) }

// figure is the float64 nearest to the product of some integers, none of them negative, over
// that of others, or to its root; negative if sign is. It is undefined if the divisor is not
// above 0.
func figure(root bool, sign wide, numerator, denominator []wide) Figure {
	n, d := double{1, 0}, double{1, 0}
	for _, w := range numerator {
		if w.sign() == 0 {
			n = double{}
			continue
		}
		n = n.times(w.double())
	}
	for _, w := range denominator {
		if w.sign() <= 0 {
			return Figure{}
		}
		d = d.times(w.double())
	}
	if n.high == 0 {
		return Figure{0, true}
	}
	value := n.over(d)
	if root {
		value = value.root()
	}
	nearest, sure := value.nearest(smallError)
	if !sure {
		nearest = exactly(root, numerator, denominator)
	}
	if sign.sign() < 0 {
		nearest = -nearest
	}
	return Figure{nearest, true}
}

// exactBits is a precision in which no root of a quotient of these integers, of at most 600
// bits each side, can be taken for what is halfway between two float64.
const exactBits = 2048

// exactly is figure without shortcuts.
func exactly(root bool, numerator, denominator []wide) float64 {
	n, d := big.NewInt(1), big.NewInt(1)
	for _, w := range numerator {
		n.Mul(n, w.big())
	}
	for _, w := range denominator {
		d.Mul(d, w.big())
	}
	return exactlyOf(root, n, d)
}

func exactlyOf(root bool, n, d *big.Int) float64 {
	if !root {
		value, _ := new(big.Rat).SetFrac(n, d).Float64()
		return value
	}
	of := func(i *big.Int) *big.Float { return new(big.Float).SetPrec(exactBits).SetInt(i) }
	value, _ := new(big.Float).Sqrt(of(n).Quo(of(n), of(d))).Float64()
	return value
}

func bigProduct(a, b wide) *big.Int { return new(big.Int).Mul(a.big(), b.big()) }

func bigRatio(n, d *big.Int) Figure {
	if d.Sign() == 0 {
		return Figure{}
	}
	return Figure{exactlyOf(false, n, d), true}
}

// double is a number as the sum of two float64, the second much smaller: 106 bits, in a few
// operations. Each of its operations is off by less than 2^-101 of the result (Joldes,
// Muller and Popescu, 2017), so what some ten of them give is off by less than
// smallError.
type double struct{ high, low float64 }

const smallError = 0x1p-96

func sumOf(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

// quick is sumOf for a not smaller than b.
func quick(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

// double is a number that is not negative.
func (a wide) double() double {
	const word = math.MaxUint32
	sum := double{float64(a.low & word), 0}.plus(float64(a.low>>32) * 0x1p32)
	if high := uint64(a.high); high != 0 {
		sum = sum.plus(float64(high&word) * 0x1p64).plus(float64(high>>32) * 0x1p96)
	}
	return sum
}

func (a double) plus(b float64) double {
	s := sumOf(a.high, b)
	return quick(s.high, s.low+a.low)
}

func (a double) plusDouble(b double) double {
	s, t := sumOf(a.high, b.high), sumOf(a.low, b.low)
	s = quick(s.high, s.low+t.high)
	return quick(s.high, s.low+t.low)
}

func (a double) times(b double) double {
	p := a.high * b.high
	e := math.FMA(a.high, b.high, -p)
	return quick(p, e+(a.high*b.low+a.low*b.high))
}

func (a double) over(b double) double {
	q := a.high / b.high
	// What is left over after q, in full.
	p := b.times(double{q, 0})
	rest := a.plusDouble(double{-p.high, -p.low})
	r := rest.high / b.high
	p = b.times(double{r, 0})
	rest = rest.plusDouble(double{-p.high, -p.low})
	s := quick(q, r)
	return quick(s.high, s.low+rest.high/b.high)
}

func (a double) root() double {
	// A step of Newton's from 53 right bits gives twice as many, another mends its rounding.
	r := math.Sqrt(a.high)
	square := double{r, 0}.times(double{r, 0})
	rest := a.plusDouble(double{-square.high, -square.low})
	s := quick(r, rest.high/(2*r))
	square = s.times(s)
	rest = a.plusDouble(double{-square.high, -square.low})
	return quick(s.high, s.low+rest.high/(2*s.high))
}

// nearest is the float64 nearest to the number, and whether that is sure if the number is
// off by so much of itself.
func (a double) nearest(off float64) (value float64, sure bool) {
	fraction, _ := math.Frexp(a.high)
	if fraction == 0.5 && a.low != 0 {
		return a.high, false // The next one below is nearer than that above.
	}
	half := (math.Nextafter(a.high, math.Inf(1)) - a.high) / 2
	return a.high, half-math.Abs(a.low) > off*a.high
}
