package mcqxml

import "markr/engine/intake"

// problem is what is wrong with a document, before anybody has counted lines.
type problem struct {
	code   intake.Code
	at     int // offset in the text, or placeNone
	record int
	field  string
	value  string
	reason string
}

// placeNone is the place of a problem that is not in the text, such as a bad
// charset parameter.
const placeNone = -1

// found says whether there is a problem.
func (p *problem) found() bool { return p.code != "" }

// documentError is p for the world: lines and columns are counted now, because
// only a refused document needs them.
func (p *problem) documentError(text []byte) *intake.DocumentError {
	e := &intake.DocumentError{
		Code: p.code, Record: p.record, Field: p.field, Value: p.value, Reason: p.reason,
	}
	if p.at != placeNone {
		e.Line, e.Column = intake.LineColumn(text, p.at)
	}
	return e
}
