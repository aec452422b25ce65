package quality

import (
	"math/bits"
	"slices"
)

// Positions is a set of positions in a log: a bit for each. With it a document that is
// taken again is known.
type Positions struct{ words []uint64 }

// Add adds a position; it is false if it was there.
func (p *Positions) Add(position uint64) bool {
	word, bit := int(position/64), uint64(1)<<(position%64)
	for len(p.words) <= word {
		p.words = append(p.words, 0)
	}
	if p.words[word]&bit != 0 {
		return false
	}
	p.words[word] |= bit
	return true
}

// Clone is the set as it is now.
func (p *Positions) Clone() Positions { return Positions{append([]uint64(nil), p.words...)} }

// Equal says whether both have the same positions.
func (p *Positions) Equal(q *Positions) bool {
	same := min(len(p.words), len(q.words))
	for _, words := range [...][]uint64{p.words[same:], q.words[same:]} {
		if slices.ContainsFunc(words, func(word uint64) bool { return word != 0 }) {
			return false
		}
	}
	return slices.Equal(p.words[:same], q.words[:same])
}

// EachRun calls fn with every run of positions that are in the set: where it begins,
// and where the next that is not begins.
func (p *Positions) EachRun(fn func(from, to uint64)) {
	for at := p.next(0, false); at < p.end(); {
		to := p.next(at, true)
		fn(at, to)
		at = p.next(to, false)
	}
}

func (p *Positions) end() uint64 { return uint64(len(p.words)) * 64 }

// next is the first position from at on that is not in the set, or that is.
func (p *Positions) next(at uint64, not bool) uint64 {
	for at < p.end() {
		word := p.words[at/64]
		if not {
			word = ^word
		}
		if word >>= at % 64; word != 0 {
			return at + uint64(bits.TrailingZeros64(word))
		}
		at = (at/64 + 1) * 64
	}
	return p.end()
}

// AddRun adds the positions from from to before to.
func (p *Positions) AddRun(from, to uint64) {
	for at := from; at < to; at++ {
		p.Add(at)
	}
}
