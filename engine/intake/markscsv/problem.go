package markscsv

import "markr/engine/intake"

// problem is what is wrong with a document, before anybody has counted lines.
type problem struct {
	intake.DocumentError

	at int // offset in the text, or placeNone
}

// Places of problems that are not at what a field says.
const (
	placeStart = 0
	placeNone  = -1 // not in the text, such as a bad charset parameter
)

// found says whether there is a problem.
func (p *problem) found() bool { return p.Code != "" }

// told is p for the world.
func (p *problem) told(text []byte) *intake.DocumentError {
	e := p.DocumentError
	if p.at != placeNone {
		e.Line, e.Column = intake.LineColumn(text, p.at)
	}
	return &e
}
