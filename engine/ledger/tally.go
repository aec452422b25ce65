package ledger

import "markr/engine/summary"

// tally counts scores before they go into the tree: of a block of scans many have
// the same, and a walk down the tree costs as much for one student as for all of
// them.
type tally struct {
	scores [tallyPlaces]summary.Score
	counts [tallyPlaces]uint32
}

const tallyPlaces = 64

// add counts a student. Another score in its place goes into the tree.
func (t *tally) add(scores *summary.Scores, s summary.Score) {
	place := s.Hash() % tallyPlaces
	if t.counts[place] > 0 && t.scores[place] != s {
		scores.AddN(t.scores[place], t.counts[place])
		t.counts[place] = 0
	}
	t.scores[place] = s
	t.counts[place]++
}

// flush puts what is left into the tree.
func (t *tally) flush(scores *summary.Scores) {
	for place, count := range t.counts {
		if count > 0 {
			scores.AddN(t.scores[place], count)
			t.counts[place] = 0
		}
	}
}
