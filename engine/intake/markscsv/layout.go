package markscsv

import (
	"fmt"

	"markr/engine/intake"
)

// A column is what a column of a table may be.
type column uint8

// The columns, in the order they have in a table without a header line.
const (
	columnTest column = iota
	columnStudent
	columnAvailable
	columnObtained
	columnFirstName
	columnLastName
	columnScannedOn
	columns // how many there are

	columnsRequired = columnObtained + 1
)

// String is the column's name, in header lines and in errors.
func (c column) String() string {
	return [...]string{"test-id", "student-number", "available", "obtained", "first-name", "last-name", "scanned-on"}[c]
}

// columnNamed says which column a name in a header line stands for, and whether it is
// the column's own name. Case, spaces, hyphens and underscores make no difference.
//
// The names must never become more or fewer: a column that was ignored in a document
// that is kept would count. Another list needs a parameter that is kept and says so.
func columnNamed(name []byte) (c column, own, ok bool) {
	var folded [24]byte // longer than any name
	n := 0
	for _, b := range name {
		switch {
		case b == ' ' || b == '-' || b == '_':
			continue
		case n == len(folded):
			return 0, false, false
		case b >= 'A' && b <= 'Z':
			b |= 0x20
		}
		folded[n] = b
		n++
	}
	switch string(folded[:n]) {
	case "testid":
		return columnTest, true, true
	case "test", "exam", "examid", "assessment", "assessmentid":
		return columnTest, false, true
	case "studentnumber":
		return columnStudent, true, true
	case "studentid", "studentno", "candidatenumber", "candidateid", "candidateno":
		return columnStudent, false, true
	case "available":
		return columnAvailable, true, true
	case "marksavailable", "maxmarks", "maximummarks", "maxscore", "maximumscore", "possiblepoints", "pointspossible":
		return columnAvailable, false, true
	case "obtained":
		return columnObtained, true, true
	case "marksobtained", "marks", "score", "totalscore", "earnedpoints", "pointsearned":
		return columnObtained, false, true
	case "firstname":
		return columnFirstName, true, true
	case "givenname", "forename":
		return columnFirstName, false, true
	case "lastname":
		return columnLastName, true, true
	case "surname", "familyname":
		return columnLastName, false, true
	case "scannedon":
		return columnScannedOn, true, true
	case "scandate", "scantime":
		return columnScannedOn, false, true
	}
	return 0, false, false
}

// columnNone is the place of a column that is not there.
const columnNone = -1

// A layout says which column of a table is what.
type layout interface {
	// hasHeader says whether the first line has the names of the columns.
	hasHeader() bool
	// separators lists those that a table may have.
	separators() string
	// fits says how many of the columns that are looked for a first line has.
	fits(r *reader) int
	// places finds the columns by the first line, or says what is wrong with it.
	places(r *reader) (places, bool)
}

// places are where the columns of a table stand, counting from 0, or columnNone.
type places struct {
	of   [columns]int
	test []byte // where no column says it
	// questions, in the order of their numbers, say what a sheet is worth where the
	// columns available and obtained do not.
	questions []question
	profile   *Profile // nil without one
}

// Header lines, as the parameter and a profile say it.
const (
	headerPresent = "present"
	headerAbsent  = "absent"
)

// separatorsAll are those that a header line may show.
const separatorsAll = ",;\t"

// orderedLayout is that of a table without a header line: all columns in their
// order, at least those that are required.
type orderedLayout struct{}

func (orderedLayout) hasHeader() bool    { return false }
func (orderedLayout) separators() string { return separatorsAll }
func (orderedLayout) fits(r *reader) int { return min(len(r.fields), int(columns)) }

func (orderedLayout) places(r *reader) (places, bool) {
	if n := len(r.fields); n < int(columnsRequired) || n > int(columns) {
		return places{}, r.say(intake.CodeWrongDocument, r.at, "", "", fmt.Sprintf(
			"the line has %d fields; without a header line a table has %d to %d: test-id, student-number, available, obtained, "+
				"first-name, last-name, scanned-on", n, columnsRequired, columns))
	}
	var found places
	for c := range columns {
		found.of[c] = int(c)
		if int(c) >= len(r.fields) {
			found.of[c] = columnNone
		}
	}
	return found, true
}

// namedLayout is that of a table whose header line has names that everybody uses.
type namedLayout struct{}

func (namedLayout) hasHeader() bool    { return true }
func (namedLayout) separators() string { return separatorsAll }

func (namedLayout) fits(r *reader) int {
	fit := 0
	for _, at := range r.named() {
		if at.first != columnNone {
			fit++
		}
	}
	return fit
}

func (l namedLayout) places(r *reader) (places, bool) {
	if l.fits(r) == 0 {
		return places{}, r.say(intake.CodeWrongDocument, r.at, "", string(r.said(0)),
			"begins a header line that has none of the names of a table of marks: test-id, student-number, available, obtained")
	}
	found := places{}
	for c, at := range r.named() {
		name := column(c).String()
		switch {
		case at.second != columnNone:
			return places{}, r.say(intake.CodeRepeatedField, r.fields[at.second].at, name, string(r.said(at.second)),
				"names a column that the header line has named already")
		case at.first == columnNone && column(c) < columnsRequired:
			return places{}, r.say(intake.CodeMissingField, r.at, name, "", "is missing in the header line")
		}
		found.of[c] = at.first
	}
	return found, true
}

// naming is where a header line names a column, first and again.
type naming struct {
	first, second int
	own           bool // by the column's own name
}

// named finds the columns that the header line names. A column's own name wins over
// the others that it is known by.
func (r *reader) named() [columns]naming {
	var found [columns]naming
	for c := range found {
		found[c] = naming{first: columnNone, second: columnNone}
	}
	for i := range r.fields {
		c, own, ok := columnNamed(r.said(i))
		if !ok {
			continue
		}
		switch at := &found[c]; {
		case at.first == columnNone, own && !at.own:
			*at = naming{first: i, second: columnNone, own: own}
		case own == at.own && at.second == columnNone:
			at.second = i
		}
	}
	return found
}
