package qtixml

import "markr/engine/exam"

// An outcome is an outcome variable that is a number of marks.
type outcome struct {
	there bool // it has a value
	again bool // more than one
	at    int  // of the last value
	text  []byte
	marks exam.Marks
	err   error // why it is none
}

// set notes a value.
func (o *outcome) set(at int, text []byte) {
	o.again = o.there
	o.there, o.at, o.text = true, at, text
	o.marks, o.err = exam.ParseMarks(text)
}

// outcomes are those that count of a result.
type outcomes struct{ available, obtained outcome }

// outcomes reads the children of a result to its end. What is available is MAXSCORE
// or, where there is none, the normalMaximum of SCORE.
func (r *reader) outcomes() outcomes {
	var found outcomes
	var normal outcome
	for r.Child() {
		if !r.Is(r.space, nameOutcome) {
			r.Skip()
			continue
		}
		identifier, _, _ := r.Attribute(nameIdentifier)
		var into *outcome
		switch string(identifier) {
		case nameScore:
			into = &found.obtained
			if maximum, at, ok := r.Attribute(nameMaximum); ok {
				normal.set(at, maximum)
			}
		case nameMaxScore:
			into = &found.available
		default:
			r.Skip()
			continue
		}
		for r.Child() {
			at := r.At()
			if r.Is(r.space, nameValue) {
				into.set(at, r.Text())
			} else {
				r.Skip()
			}
		}
	}
	if !found.available.there {
		found.available = normal
	}
	return found
}
