package mcqxml

import (
	"unicode/utf8"

	"markr/engine/intake"
)

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
		e.Line, e.Column = lineColumn(text, p.at)
	}
	return e
}

// lineColumn counts line and column of the offset at, both from 1. A line ends
// with a line feed, a carriage return, or the two together; a column is a
// character, and so is a byte that belongs to none.
func lineColumn(text []byte, at int) (line, column int) {
	line, start := 1, 0
	for i := range at {
		switch text[i] {
		case '\n':
			line, start = line+1, i+1
		case '\r':
			if i+1 < len(text) && text[i+1] == '\n' {
				continue
			}
			line, start = line+1, i+1
		}
	}
	return line, utf8.RuneCount(text[start:at]) + 1
}
