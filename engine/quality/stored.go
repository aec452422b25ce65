package quality

import (
	"errors"
	"slices"
)

// ErrStored says that something stored cannot be what a test has been.
var ErrStored = errors.New("quality: impossible state of a test")

// Stored is all of a Test, to be written down.
type Stored struct {
	Scans                [scanKinds]StoredScans
	Available, Questions StoredTally
	Keys                 []Key
}

// StoredScans are how many scans there are of a kind, and those that are listed, in
// order.
type StoredScans struct {
	Count  int
	Newest []uint64
}

// StoredTally are how many scans were counted, and the values they have.
type StoredTally struct {
	Scans int
	List  []Tallied
}

// Store is a copy of what is known now.
func (t *Test) Store() Stored {
	s := Stored{
		Available: StoredTally{t.available.scans, slices.Clone(t.available.list)},
		Questions: StoredTally{t.questions.scans, slices.Clone(t.questions.list)},
		Keys:      slices.Clone(t.keys.list),
	}
	for i := range t.scans {
		s.Scans[i] = StoredScans{t.scans[i].count, slices.Clone(t.scans[i].listed())}
	}
	return s
}

// Restore makes a Test of what was stored. The error is [ErrStored].
func Restore(s *Stored) (Test, error) {
	var t Test
	for i := range s.Scans {
		scans := &s.Scans[i]
		if scans.Count < len(scans.Newest) || len(scans.Newest) > ScansMax || !slices.IsSorted(scans.Newest) {
			return Test{}, ErrStored
		}
		t.scans[i] = scanSet{scans.Count, scans.Newest}
	}
	if !t.available.restore(&s.Available) || !t.questions.restore(&s.Questions) || len(s.Keys) > KeysMax {
		return Test{}, ErrStored
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if k.Question == 0 || i > 0 && compare(&s.Keys[i-1], k) >= 0 {
			return Test{}, ErrStored
		}
		if k.Conflict() {
			t.keys.conflicts++
		}
		t.keys.hashes = append(t.keys.hashes, k.hash())
	}
	t.keys.list = s.Keys
	return t, nil
}

func (t *tally) restore(s *StoredTally) bool {
	if len(s.List) > TalliedMax {
		return false
	}
	sum := 0
	for i := range s.List {
		x := &s.List[i]
		if x.Scans < 1 || i > 0 && s.List[i-1].Value >= x.Value {
			return false
		}
		t.most = max(t.most, x.Scans)
		sum += x.Scans
	}
	t.list, t.scans = s.List, s.Scans
	return sum <= s.Scans
}
