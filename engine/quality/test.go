package quality

import (
	"slices"

	"markr/engine/exam"
)

// Test is what is odd about the scans of one test, beside what the ledger knows of its
// students. It has one writer. The zero Test is ready.
type Test struct {
	scans                [scanKinds]scanSet
	available, questions tally
	keys                 keySet
}

// The kinds that are about single scans are next to each other.
const (
	firstScanKind = SumMismatch
	scanKinds     = int(BadScannedOn-SumMismatch) + 1
)

func oddities() [scanKinds]exam.Oddity {
	return [scanKinds]exam.Oddity{
		SumMismatch - firstScanKind: exam.OddSum, AwardedAbove - firstScanKind: exam.OddAwarded,
		RepeatedQuestions - firstScanKind: exam.OddRepeated, BadAnswers - firstScanKind: exam.OddAnswer,
		BadScannedOn - firstScanKind: exam.OddScannedOn,
	}
}

// Take takes a run of records of the test and its keys. arrival is that of the first
// of them, the others follow. No scan may be taken twice.
func (t *Test) Take(records []exam.Record, arrival uint64, keys []Key, firstRecord int) {
	for i := range records {
		r := &records[i]
		at := arrival + uint64(i)
		t.available.add(uint64(r.Available), at)
		if r.Questions != 0 {
			t.questions.add(uint64(r.Questions), at)
		}
		if r.Odd != 0 {
			for n, odd := range oddities() {
				if r.Odd&odd != 0 {
					t.scans[n].add(at)
				}
			}
		}
	}
	base := arrival - uint64(firstRecord) - 1 // Records of keys are counted from 1.
	for _, k := range keys {
		if k.Credited != 0 {
			k.Credited += base
		}
		if k.Not != 0 {
			k.Not += base
		}
		t.keys.add(k)
	}
}

// Counts are the findings; those that the ledger has are 0.
func (t *Test) Counts() (c Counts) {
	for n := range t.scans {
		c[int(firstScanKind)+n] = t.scans[n].count
	}
	c[SeveralAvailable] = t.available.off()
	c[DifferentQuestions] = t.questions.off()
	c[KeyConflict] = t.keys.conflicts
	return c
}

// ScansMax is how many scans are listed of one kind, the newest. All are counted.
const ScansMax = 1000

// scanSet is a set of scans: how many, and the newest by arrival.
type scanSet struct {
	count  int
	newest []uint64 // in order of arrival
}

func (s *scanSet) add(arrival uint64) {
	s.count++
	if n := len(s.newest); n == 0 || s.newest[n-1] < arrival {
		s.newest = append(s.newest, arrival)
	} else {
		at, _ := slices.BinarySearch(s.newest, arrival)
		s.newest = slices.Insert(s.newest, at, arrival)
	}
	// Half as much again is kept so that not every addition moves all.
	if len(s.newest) >= ScansMax+ScansMax/2 {
		s.newest = append(s.newest[:0], s.listed()...)
	}
}

func (s *scanSet) listed() []uint64 { return s.newest[max(0, len(s.newest)-ScansMax):] }

// Scans are the newest scans of a kind that is about scans, newest first.
func (t *Test) Scans(k Kind) []uint64 {
	n := int(k) - int(firstScanKind)
	if n < 0 || n >= scanKinds {
		return nil
	}
	list := slices.Clone(t.scans[n].listed())
	slices.Reverse(list)
	return list
}

// Available are the marks that were available, and Questions the sets of questions,
// with the scans that have them, in order of value.
func (t *Test) Available() []Tallied { return slices.Clone(t.available.list) }

// Questions are the sets of questions: see Available.
func (t *Test) Questions() []Tallied { return slices.Clone(t.questions.list) }

// Conflicts are the keys that are in conflict, in order of question and response.
func (t *Test) Conflicts() []Key {
	var list []Key
	for i := range t.keys.list {
		if t.keys.list[i].Conflict() {
			list = append(list, t.keys.list[i])
		}
	}
	slices.SortFunc(list, func(a, b Key) int {
		if a.Question < b.Question || a.Question == b.Question && a.Response < b.Response {
			return -1
		}
		return 1
	})
	return list
}
