package markscsv

import (
	"fmt"

	"markr/engine/exam"
	"markr/engine/intake"
)

// reader reads tables, one after another.
type reader struct {
	scanner
	doc        *intake.Document
	recordsMax int
	records    int // begun so far
	record     int // the one being read, from 1; 0 where none is
	lines      int // begun so far that are not empty, without the header line
	width      int // how many fields a line has
	places     places
	schemes    schemes
	// wrong is the first thing found wrong with what the document says. It is the
	// answer only if the document turns out to be a table to its end.
	wrong problem

	described   int // the record that is asked about, from 1; 0 if none is
	description intake.Description
}

// decode reads one document as c does, and describes one record of it, from 1; 0 none.
func (r *reader) decode(doc *intake.Document, raw []byte, charset string, c *chosen, described int) *intake.DocumentError {
	*r = reader{scanner: scanner{fields: r.fields}, doc: doc, recordsMax: c.limits.RecordsMax, described: described}
	l := c.layout
	if r.open(doc, raw, charset) && r.begin(l) {
		start := r.pos
		if !l.hasHeader() {
			start = placeStart
		}
		if r.collect(start) {
			r.rows(start, r.take)
		}
		if !r.broken.found() && !r.wrong.found() && r.records == 0 {
			r.say(intake.CodeEmptyDocument, placeStart, "", "", "the table holds no sheet")
		}
	}
	// Where the first line is wrong, the rest may still be no table at all.
	for !r.broken.found() && r.next() {
	}
	switch {
	case r.broken.found():
		r.broken.Record = r.record
		return r.broken.told(r.text)
	case r.wrong.found():
		return r.wrong.told(r.text)
	case r.transcoded:
		doc.LetGo(len(r.text))
	}
	return nil
}

// release lets go of the document.
func (r *reader) release() { *r = reader{scanner: scanner{fields: r.fields[:0]}} }

// begin reads the first line: with it, which separator the table has, and where its
// columns are. False means that something is wrong.
func (r *reader) begin(l layout) bool {
	if len(trim(r.text)) == 0 {
		r.malformed(placeStart, "empty body: there is no document")
		return false
	}
	// Where none fits, the first is as good as any to tell what is wrong.
	best, bestFit := l.separators()[0], 0
	for _, separator := range []byte(l.separators()) {
		r.try(separator)
		if !r.next() {
			if r.broken.Code == intake.CodeTooLarge {
				return false
			}
			continue
		}
		if fit := l.fits(r); fit > bestFit {
			best, bestFit = separator, fit
		}
	}
	r.try(best)
	if !r.next() {
		return false
	}
	r.width = len(r.fields)
	var ok bool
	r.places, ok = l.places(r)
	return ok
}

// try goes to the start of the document, to read it with another separator.
func (r *reader) try(separator byte) {
	r.separator, r.pos, r.broken = separator, placeStart, problem{}
}

// rows calls visit for each line from a place on that is not blank. It stops when the
// document is broken.
func (r *reader) rows(from int, visit func()) {
	r.pos, r.lines, r.records = from, 0, 0
	for {
		r.record = r.records + 1 // What breaks the next line breaks this record.
		if !r.next() {
			break
		}
		if r.blank() {
			continue
		}
		r.lines++
		if r.row() == rowSheet {
			r.records++
		} else {
			r.record = 0
		}
		switch {
		case len(r.fields) != r.width:
			r.malformed(r.at, fmt.Sprintf("the line has %d fields, and the first line %d", len(r.fields), r.width))
			return
		case r.records > r.recordsMax:
			r.refuse(intake.CodeTooLarge, r.at, "", fmt.Sprintf("the document has more than the limit of %d records", r.recordsMax))
			return
		}
		visit()
	}
	if !r.broken.found() {
		r.record = 0
	}
}

// blank says whether the line says nothing: it is white space, or one of the empty rows
// that spreadsheets write after the last. One that is too short may be a line cut off.
func (r *reader) blank() bool {
	if len(r.fields) != 1 && len(r.fields) != r.width {
		return false
	}
	for i := range r.fields {
		if len(r.said(i)) > 0 {
			return false
		}
	}
	return true
}

// take reads the record in the line.
func (r *reader) take() {
	if r.record == 0 || r.wrong.found() {
		return // A key, or there is nothing to be made of the rest but to look at its form.
	}
	record := exam.Record{Test: r.places.test, ScannedOn: exam.ScannedOnUnknown}
	if at := r.places.of[columnTest]; at != columnNone {
		record.Test = r.id(columnTest, at)
	}
	record.Student = r.id(columnStudent, r.places.of[columnStudent])
	if r.wrong.found() {
		return
	}
	if r.places.of[columnObtained] != columnNone {
		record.Available, record.Obtained = r.summary()
		r.lookAtAnswers()
	} else {
		record.Available, record.Obtained = r.sum(record.Test)
	}
	record.ScannedOn = r.scannedOn()
	if r.record == r.described {
		r.describe()
	}
	if !r.wrong.found() {
		r.doc.Records = append(r.doc.Records, record)
	}
}

// describe keeps what the line says beside what counts.
func (r *reader) describe() {
	said := func(c column) string {
		if at := r.places.of[c]; at != columnNone {
			return intake.CutValue(r.of(r.doc, r.fields[at]))
		}
		return ""
	}
	r.description = intake.Description{
		FirstName: said(columnFirstName), LastName: said(columnLastName), ScannedOn: said(columnScannedOn),
	}
	r.description.Line, _ = intake.LineColumn(r.text, r.at)
}

// said is what a field says, for comparing. It must not be kept: where quotes are
// written twice they are still twice.
func (r *reader) said(i int) []byte { return trim(r.text[r.fields[i].start:r.fields[i].end]) }

// id reads a field that must be an id.
func (r *reader) id(c column, at int) []byte {
	text := r.of(r.doc, r.fields[at])
	if err := exam.CheckID(text); err != nil {
		r.invalid(at, c.String(), err.Error())
	}
	return text
}

// summary reads the columns available and obtained.
func (r *reader) summary() (available, obtained exam.Marks) {
	at := r.places.of[columnAvailable]
	available = r.marks(at, columnAvailable.String())
	if available == 0 {
		r.invalid(at, columnAvailable.String(), "must be more than 0")
	}
	at = r.places.of[columnObtained]
	obtained = r.marks(at, columnObtained.String())
	if obtained > available {
		r.invalid(at, columnObtained.String(), "must not be more than available, which is "+available.String())
	}
	return available, obtained
}

// marks reads a field that must be a number of marks. Where it is not, it says so and
// gives 0.
func (r *reader) marks(at int, name string) exam.Marks {
	marks, err := exam.ParseMarks(r.said(at))
	if err != nil {
		r.invalid(at, name, err.Error())
	}
	return marks
}

// scannedOn reads the time of the scan, if there is one.
func (r *reader) scannedOn() int64 {
	at := r.places.of[columnScannedOn]
	if at == columnNone {
		return exam.ScannedOnUnknown
	}
	text := r.said(at)
	if len(text) == 0 {
		return exam.ScannedOnUnknown
	}
	nanoseconds, ok := exam.ParseTimestamp(text)
	if !ok {
		r.doc.Findings.BadScannedOn++
		return exam.ScannedOnUnknown
	}
	return nanoseconds
}

// invalid says that a field's value cannot be.
func (r *reader) invalid(at int, name, reason string) {
	r.say(intake.CodeInvalidValue, r.fields[at].at, name, string(r.of(r.doc, r.fields[at])), reason)
}

// say records something wrong with what the document says; the first counts. It
// returns false.
func (r *reader) say(code intake.Code, at int, name, value, reason string) bool {
	if !r.wrong.found() {
		r.wrong = problem{at: at, DocumentError: intake.DocumentError{
			Code: code, Record: r.record, Field: name, Value: intake.CutValue([]byte(value)), Reason: reason,
		}}
	}
	return false
}
