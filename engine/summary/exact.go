package summary

import (
	"math"
	"math/big"
	"math/bits"
)

// uint128 is an unsigned integer of 128 bits.
type uint128 struct{ high, low uint64 }

func product(a, b uint64) uint128 {
	high, low := bits.Mul64(a, b)
	return uint128{high, low}
}

func (a uint128) plus(b uint128) uint128 {
	low, carry := bits.Add64(a.low, b.low, 0)
	high, _ := bits.Add64(a.high, b.high, carry)
	return uint128{high, low}
}

func (a uint128) minus(b uint128) uint128 {
	low, borrow := bits.Sub64(a.low, b.low, 0)
	high, _ := bits.Sub64(a.high, b.high, borrow)
	return uint128{high, low}
}

func (a uint128) big() *big.Int {
	n := new(big.Int).SetUint64(a.high)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(a.low))
}

// quotient returns the float64 nearest to n/d, ties to even. d is not 0.
//
// It divides once, to a quotient of 63 or 64 bits, and sets that quotient's last
// bit if anything was left over. The bit is far below the 53 that survive, so the
// one rounding, in the conversion to float64, sees on which side of a tie the
// exact value is.
func quotient(n uint128, d uint64) float64 {
	if n.high == 0 && n.low == 0 {
		return 0
	}
	shift := bits.LeadingZeros64(n.high)
	if n.high == 0 {
		shift = 64 + bits.LeadingZeros64(n.low)
	}
	high, low := n.high, n.low
	if shift >= 64 {
		high, low = low, 0
	}
	high = high<<(shift%64) | low>>(64-shift%64)
	low <<= shift % 64
	shiftD := bits.LeadingZeros64(d)
	d <<= shiftD
	exponent := shiftD - shift
	var lost uint64
	if high >= d {
		lost = low & 1
		low = high<<63 | low>>1
		high >>= 1
		exponent++
	}
	q, r := bits.Div64(high, low, d)
	if r|lost != 0 {
		q |= 1
	}
	return math.Ldexp(float64(q), exponent)
}

// rootOfQuotient returns the float64 nearest to the square root of n/d, ties to
// even. n is not negative, d is greater than 0.
func rootOfQuotient(n, d *big.Int) float64 {
	if n.Sign() == 0 {
		return 0
	}
	// Scale by an even power of two so that the root has 64 bits or more.
	half := max(0, 66-(n.BitLen()-d.BitLen())/2)
	scaled := new(big.Int).Lsh(n, 2*uint(half))
	scaled, rest := scaled.QuoRem(scaled, d, new(big.Int))
	root := new(big.Int).Sqrt(scaled)
	exact := rest.Sign() == 0 && new(big.Int).Mul(root, root).Cmp(scaled) == 0
	drop := root.BitLen() - 64
	top := new(big.Int).Rsh(root, uint(drop)).Uint64()
	if !exact || root.TrailingZeroBits() < uint(drop) {
		top |= 1
	}
	return math.Ldexp(float64(top), drop-half)
}

// offsetRoot returns the float64 nearest to offset + sqrt(n/d), or to offset - sqrt(n/d) if
// it is to be subtracted; ties to even. n is not negative, d is greater than 0.
//
// The root is cut off below 2^-cut, which is so small that the sum has 64 bits or more
// before that: what is not 0 of it is at least 1/(2 (|offset| + 1 + sqrt(n/d)) d), because
// offset² d - n is an integer.
func offsetRoot(offset int64, subtract bool, n, d *big.Int) float64 {
	cut := uint(d.BitLen()+max(0, n.BitLen()-d.BitLen())/2) + 80
	scaled, rest := new(big.Int).Lsh(n, 2*cut), new(big.Int)
	scaled.QuoRem(scaled, d, rest)
	root := new(big.Int).Sqrt(scaled)
	exact := rest.Sign() == 0 && new(big.Int).Mul(root, root).Cmp(scaled) == 0
	// The value is sum, or between sum and sum + 1 if it is not exact.
	sum := new(big.Int).Lsh(big.NewInt(offset), cut)
	switch {
	case !subtract:
		sum.Add(sum, root)
	case exact:
		sum.Sub(sum, root)
	default:
		sum.Sub(sum, root).Sub(sum, big.NewInt(1))
	}
	negative := sum.Sign() < 0
	if negative && !exact {
		sum.Add(sum, big.NewInt(1)) // Towards 0, as for those that are not negative.
	}
	sum.Abs(sum)
	drop := max(0, sum.BitLen()-64)
	top := new(big.Int).Rsh(sum, uint(drop)).Uint64()
	if !exact || sum.TrailingZeroBits() < uint(drop) {
		top |= 1
	}
	value := math.Ldexp(float64(top), drop-int(cut))
	if negative {
		return -value
	}
	return value
}
