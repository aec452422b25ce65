package exam

import "math/bits"

// Print is a fingerprint of one thing that all scans of a student should have alike,
// and of what is known of it over several scans. Two things that differ have the same
// with a probability of 1 in 65,534.
//
// Prints are a flat lattice: nothing known below, several above, and between them what
// is one and the same. [Print.Plus] joins two of them; it is commutative, associative
// and idempotent, so what is known of a student does not depend on the order in which
// scans come, nor on how often they do.
type Print uint16

// The ends of the lattice.
const (
	PrintNone    Print = 0      // no scan says anything
	PrintSeveral Print = 0xffff // two scans differ
)

// PrintOf is the fingerprint of something with this hash.
func PrintOf(hash uint64) Print {
	high, _ := bits.Mul64(hash, uint64(PrintSeveral)-1)
	return Print(high) + 1
}

// Plus is what two scans, or two sets of them, say together.
func (p Print) Plus(q Print) Print {
	switch {
	case p == q, q == PrintNone:
		return p
	case p == PrintNone:
		return q
	}
	return PrintSeveral
}

// PrintOfNames is the fingerprint of a first and a last name, PrintNone if both are
// empty.
func PrintOfNames(first, last Text) Print {
	if first == 0 && last == 0 {
		return PrintNone
	}
	return PrintOf(Mix(uint64(first), uint64(last)))
}

// Mix spreads two numbers over 64 bits, the same in every run. It is no defence against
// somebody who looks for two pairs that give the same.
func Mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0x9E3779B97F4A7C15, bits.RotateLeft64(b, 29)^0xD6E8FEB86659FD93)
	high, low = bits.Mul64(high^low, 0xA0761D6478BD642F)
	return high ^ low
}
