package quality

import (
	"cmp"
	"slices"
)

// Tallied is something that all sheets of a test should have alike, the number of scans
// that have it, and the first of them.
type Tallied struct {
	Value uint64
	Scans int
	First uint64 // its arrival
}

// TalliedMax is how many values of a test are told apart: the smallest ones. Whether a
// value is among them does not depend on the order in which they come, and one that is
// in the end was so all the time, so its count is right.
const TalliedMax = 1024

// tally counts scans by such a thing.
type tally struct {
	list  []Tallied // in order of Value
	scans int
	most  int // of any value's scans
	last  int // where the value of the scan before is
}

func (t *tally) add(value, arrival uint64) {
	t.scans++
	at := t.last
	if at >= len(t.list) || t.list[at].Value != value {
		var found bool
		at, found = slices.BinarySearchFunc(t.list, value, func(x Tallied, v uint64) int { return cmp.Compare(x.Value, v) })
		if !found && !t.insert(at, value) {
			return
		}
		t.last = at
	}
	x := &t.list[at]
	x.Scans++
	x.First = first(x.First, arrival)
	t.most = max(t.most, x.Scans)
}

// insert makes room for a value; it is false if there is none.
func (t *tally) insert(at int, value uint64) bool {
	if at >= TalliedMax {
		return false
	}
	if len(t.list) == TalliedMax {
		t.list = t.list[:TalliedMax-1]
		t.most = 0
		for i := range t.list {
			t.most = max(t.most, t.list[i].Scans)
		}
	}
	t.list = slices.Insert(t.list, at, Tallied{Value: value})
	return true
}

// off is how many scans do not have what most have.
func (t *tally) off() int { return t.scans - t.most }

// Common is the value that most scans have; of several the smallest.
func Common(list []Tallied) (common Tallied) {
	for _, x := range list {
		if x.Scans > common.Scans {
			common = x
		}
	}
	return common
}
