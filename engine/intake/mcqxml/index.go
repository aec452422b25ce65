package mcqxml

import "hash/maphash"

const (
	// indexedFrom is the number of attributes up to which comparing each with
	// each is quicker than hashing.
	indexedFrom = 16
	// indexSlots is a power of two, and keeps the table at most half full.
	indexSlots = 2 * attributesMax
)

// nameIndex finds repeated attribute names in constant time each, so that a tag
// full of attributes cannot make the check quadratic. The seed is drawn at
// random, so that nobody can choose names that collide.
type nameIndex struct {
	seed  maphash.Seed
	slots []uint16 // 1 + the number of an attribute, 0 for none
}

// repeated says whether the tag being read has an attribute of this name, and
// enters it as the next one if not.
func (x *nameIndex) repeated(s *scanner, name span) bool {
	if len(s.attributes) == indexedFrom+1 {
		if x.slots == nil {
			x.seed, x.slots = maphash.MakeSeed(), make([]uint16, indexSlots)
		}
		clear(x.slots)
		for i := range s.attributes {
			x.enter(s, s.attributes[i].name, i)
		}
	}
	return !x.enter(s, name, len(s.attributes))
}

// enter puts the name of attribute number into the table, unless it is there.
func (x *nameIndex) enter(s *scanner, name span, number int) bool {
	text := s.of(name)
	slot := maphash.Bytes(x.seed, text) % indexSlots
	for x.slots[slot] != 0 {
		if string(s.of(s.attributes[x.slots[slot]-1].name)) == string(text) {
			return false
		}
		slot = (slot + 1) % indexSlots
	}
	x.slots[slot] = uint16(number + 1)
	return true
}
