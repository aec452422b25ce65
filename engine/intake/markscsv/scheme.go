package markscsv

import (
	"bytes"
	"fmt"
	"slices"

	"markr/engine/exam"
	"markr/engine/intake"
)

// A row is what a line is.
type row uint8

const (
	rowSheet  row = iota
	rowKey        // the right responses
	rowPoints     // the marks available
	rowKinds      // how many there are
)

// String is the row's name in a profile and in errors.
func (k row) String() string { return [...]string{"sheet", "key-row", "points-row"}[k] }

// rowsKeptMax is how many lines of a kind that are no sheets a table may have: one for
// each test in it. Without a bound they could ask for many times the memory of the
// document.
const rowsKeptMax = 100

// A keptRow is a line that is no sheet.
type keptRow struct {
	fields []field
	at     int
}

// schemes are what a table says of how sheets are marked, for each test or, under the
// empty name, for all.
type schemes [rowKinds]map[string]keptRow

// row says what the line is.
func (r *reader) row() row {
	p := r.places.profile
	if p == nil {
		return rowSheet
	}
	for kind, at := range [rowKinds]*Row{rowKey: p.KeyRow, rowPoints: p.PointsRow} {
		if at == nil {
			continue
		}
		if student := r.places.of[columnStudent]; at.Line == r.lines && at.Line > 0 ||
			at.StudentNumber != "" && student < len(r.fields) && string(r.said(student)) == at.StudentNumber {
			return row(kind)
		}
	}
	return rowSheet
}

// collect goes over the table for the lines that say how sheets are marked, because
// they may stand anywhere. False means that there is no use in going on.
func (r *reader) collect(from int) bool {
	p := r.places.profile
	if p == nil || p.KeyRow == nil && p.PointsRow == nil {
		return true
	}
	r.rows(from, func() {
		kind := r.row()
		if kind == rowSheet || r.wrong.found() {
			return
		}
		test := ""
		if at := r.places.of[columnTest]; at != columnNone {
			test = string(r.of(r.doc, r.fields[at]))
		}
		of := r.schemes[kind]
		switch _, again := of[test]; {
		case again:
			r.say(intake.CodeRepeatedField, r.at, kind.String(), test, "is given twice for one test")
			return
		case len(of) == rowsKeptMax:
			r.refuse(intake.CodeTooLarge, r.at, "", fmt.Sprintf("the document has more than the limit of %d lines of the kind %v", rowsKeptMax, kind))
			r.pos = len(r.text)
			return
		case of == nil:
			of = make(map[string]keptRow)
			r.schemes[kind] = of
		}
		of[test] = keptRow{slices.Clone(r.fields), r.at}
	})
	return !r.broken.found()
}

// kept finds the line of a kind for a test.
func (r *reader) kept(kind row, test []byte) ([]field, bool) {
	line, ok := r.schemes[kind][string(test)]
	if !ok {
		line, ok = r.schemes[kind][""]
	}
	if !ok {
		r.say(intake.CodeMissingField, r.at, kind.String(), string(test), "is missing: the table has no such line for this test")
	}
	return line.fields, ok
}

// sum marks the sheet in the line by its answers.
func (r *reader) sum(test []byte) (available, obtained exam.Marks) {
	var key, points []field
	if r.places.profile.KeyRow != nil {
		var ok bool
		if key, ok = r.kept(rowKey, test); !ok {
			return 0, 0
		}
	}
	if r.places.profile.PointsRow != nil {
		var ok bool
		if points, ok = r.kept(rowPoints, test); !ok {
			return 0, 0
		}
	}
	for i := range r.places.questions {
		most, awarded := r.mark(&r.places.questions[i], key, points)
		// Both fit: a line has 4096 fields, and this stops at the first sum above
		// the most there may be.
		available, obtained = available+most, obtained+awarded
		if available > exam.MarksMax {
			r.say(intake.CodeInvalidValue, r.at, columnAvailable.String(), available.String(), exam.ErrMarksRange.Error())
			return 0, 0
		}
		if r.wrong.found() {
			return 0, 0
		}
	}
	if available == 0 {
		r.say(intake.CodeInvalidValue, r.at, columnAvailable.String(), "0", "must be more than 0: none of the questions counts")
	}
	return available, obtained
}

// mark says what an answer of the sheet in the line is worth. A question without a key
// or without marks available is none of the test's: the form has more room than the
// test has questions.
func (r *reader) mark(q *question, key, points []field) (available, awarded exam.Marks) {
	var right field
	profile := r.places.profile
	switch {
	case q.key != columnNone:
		right = r.fields[q.key]
	case key != nil:
		right = key[q.response]
	}
	answer := r.textOf(right)
	if q.awarded == columnNone && len(answer) == 0 {
		return 0, 0
	}
	lead := q.awarded
	if lead == columnNone {
		lead = q.response
	}
	switch {
	case q.available != columnNone:
		available = r.marksIn(r.fields[q.available], q.number, "available")
	case points != nil:
		if available = r.marksIn(points[lead], q.number, "points-row"); r.wrong.found() {
			r.wrong.Record = 0 // It stands in no sheet.
		}
	case profile.Questions.Marks != "":
		available, _ = exam.ParseMarks([]byte(profile.Questions.Marks)) // was checked
	default:
		available = exam.MarksPerUnit
	}
	switch {
	case q.awarded != columnNone:
		awarded = r.marksIn(r.fields[q.awarded], q.number, "awarded")
		if awarded > available {
			r.invalid(q.awarded, questionName(q.number, "awarded"),
				"must not be more than the marks available for the question, which are "+available.String())
		}
	case bytes.EqualFold(r.textOf(r.fields[q.response]), answer):
		awarded = available
	}
	return available, awarded
}

// textOf is what a field of any line says.
func (r *reader) textOf(f field) []byte { return trim(r.text[f.start:f.end]) }

// marksIn reads a field of any line that must be a number of marks, or nothing, which
// is 0.
func (r *reader) marksIn(f field, question int, kind string) exam.Marks {
	text := r.textOf(f)
	if len(text) == 0 {
		return 0
	}
	marks, err := exam.ParseMarks(text)
	if err != nil {
		r.say(intake.CodeInvalidValue, f.at, questionName(question, kind), string(r.of(r.doc, f)), err.Error())
	}
	return marks
}

// lookAtAnswers counts the answers that cannot be used where the marks come from the
// columns available and obtained: they refuse nothing, as in scanner documents.
func (r *reader) lookAtAnswers() {
	for i := range r.places.questions {
		q := &r.places.questions[i]
		if q.awarded == columnNone {
			continue
		}
		awarded, err := exam.ParseMarks(r.said(q.awarded))
		bad := err != nil && len(r.said(q.awarded)) > 0
		if q.available != columnNone && !bad {
			available, err := exam.ParseMarks(r.said(q.available))
			bad = err != nil || awarded > available
		}
		if bad {
			r.doc.Findings.BadAnswers++
		}
	}
}
