package quality

import (
	"slices"

	"markr/engine/exam"
)

// Key is a response to a question, and where it was credited and where not: the first
// scan of each kind, 0 if there is none. In an [Inspection] a scan is the record's
// index plus one, in a [Test] its arrival.
type Key struct {
	Question, Response exam.Text
	Credited, Not      uint64
}

// Conflict says whether the response was credited on one sheet and not on another.
func (k *Key) Conflict() bool { return k.Credited != 0 && k.Not != 0 }

// join adds what another document says of the same response. It is commutative,
// associative and idempotent: a minimum.
func (k *Key) join(other Key) {
	k.Credited, k.Not = first(k.Credited, other.Credited), first(k.Not, other.Not)
}

// first is the smaller of two arrivals, of which 0 is none.
func first(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// KeysMax is how many responses of a test are looked at: those with the smallest
// hashes, which are the same whatever the order in which they come. More than 200
// questions have, with 20 responses each; only tests with free answers have more.
const KeysMax = 4096

// keySet are keys, in order of their hashes, which are beside them: every document has all
// its keys looked up.
type keySet struct {
	list      []Key
	hashes    []uint64
	conflicts int
}

func (k *Key) hash() uint64 { return exam.Mix(uint64(k.Question), uint64(k.Response)) }

// compare is an order in which what a sender chooses is spread evenly.
func compare(a, b *Key) int {
	if a.Question == b.Question && a.Response == b.Response {
		return 0
	}
	x, y := a.hash(), b.hash()
	switch {
	case x < y, x == y && (a.Question < b.Question || a.Question == b.Question && a.Response < b.Response):
		return -1
	}
	return 1
}

func (s *keySet) add(k Key) {
	hash := k.hash()
	at, found := slices.BinarySearch(s.hashes, hash)
	if found { // Others may have the same hash.
		for at < len(s.list) && s.hashes[at] == hash && compare(&s.list[at], &k) < 0 {
			at++
		}
		found = at < len(s.list) && compare(&s.list[at], &k) == 0
	}
	switch {
	case found:
		known := &s.list[at]
		before := known.Conflict()
		known.join(k)
		if known.Conflict() && !before {
			s.conflicts++
		}
		return
	case at >= KeysMax:
		return
	case len(s.list) == KeysMax:
		if s.list[KeysMax-1].Conflict() {
			s.conflicts--
		}
		s.list, s.hashes = s.list[:KeysMax-1], s.hashes[:KeysMax-1]
	}
	s.list, s.hashes = slices.Insert(s.list, at, k), slices.Insert(s.hashes, at, hash)
	if k.Conflict() {
		s.conflicts++
	}
}

// table finds the keys of a document, by open addressing.
type table struct {
	slots []Key // Question is 0 where there is none
	used  []uint32
}

const (
	tableMin = 256
	tableMax = 2 * KeysMax
)

// note notes a response of a record; it is false if there is no more room.
func (t *table) note(question, response exam.Text, credited bool, arrival uint64) bool {
	if 2*len(t.used) >= len(t.slots) && !t.grow() {
		return false
	}
	mask := uint64(len(t.slots) - 1)
	for at := exam.Mix(uint64(question), uint64(response)) & mask; ; at = (at + 1) & mask {
		k := &t.slots[at]
		if k.Question == 0 {
			k.Question, k.Response = question, response
			t.used = append(t.used, uint32(at))
		} else if k.Question != question || k.Response != response {
			continue
		}
		switch {
		case credited && k.Credited == 0:
			k.Credited = arrival
		case !credited && k.Not == 0:
			k.Not = arrival
		}
		return true
	}
}

func (t *table) grow() bool {
	if len(t.slots) >= tableMax {
		return false
	}
	keys := t.take(nil)
	t.slots = make([]Key, max(tableMin, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for _, k := range keys {
		at := exam.Mix(uint64(k.Question), uint64(k.Response)) & mask
		for t.slots[at].Question != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = k
		t.used = append(t.used, uint32(at))
	}
	return true
}

// take appends what is in the table to keys, in the order in which it came, and empties
// it.
func (t *table) take(keys []Key) []Key {
	for _, at := range t.used {
		keys = append(keys, t.slots[at])
		t.slots[at] = Key{}
	}
	t.used = t.used[:0]
	return keys
}
