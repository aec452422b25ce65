package scoring

import "markr/engine/exam"

// Scan is what a policy may look at: one record of one accepted document.
type Scan struct {
	Obtained  exam.Marks
	Available exam.Marks
	ScannedOn int64  // Unix nanoseconds, or exam.ScannedOnUnknown
	Position  uint64 // of its document in the log
	Record    uint32 // index in its document, from 0
}

// before says whether a arrived before b. No two scans share an arrival, so this
// is a total order, and every policy built on it picks one scan out of a set
// whatever the order it sees them in.
func (a Scan) before(b Scan) bool {
	if a.Position != b.Position {
		return a.Position < b.Position
	}
	return a.Record < b.Record
}

// Better says whether a is kept rather than b. For every policy it is a strict
// total order on scans with different arrivals; keeping the better of two is
// therefore commutative, associative and idempotent.
func (p Policy) Better(a, b Scan) bool {
	switch p {
	case Highest:
		if a.Obtained != b.Obtained {
			return a.Obtained > b.Obtained
		}
	case MostComplete:
		if a.Available != b.Available {
			return a.Available > b.Available
		}
		if a.Obtained != b.Obtained {
			return a.Obtained > b.Obtained
		}
	case Latest:
		if a.ScannedOn != b.ScannedOn {
			return a.ScannedOn > b.ScannedOn
		}
		return b.before(a)
	case First:
	}
	return a.before(b)
}
