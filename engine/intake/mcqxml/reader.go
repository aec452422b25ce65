package mcqxml

import (
	"bytes"
	"fmt"

	"markr/engine/exam"
	"markr/engine/intake"
)

// Names of the format's own elements and attributes.
const (
	nameRoot      = "mcq-test-results"
	nameRecord    = "mcq-test-result"
	nameFirst     = "first-name"
	nameLast      = "last-name"
	nameStudent   = "student-number"
	nameTest      = "test-id"
	nameAnswer    = "answer"
	nameSummary   = "summary-marks"
	nameScannedOn = "scanned-on"
	nameAvailable = "available"
	nameObtained  = "obtained"
	nameQuestion  = "question"
	nameItemMarks = "marks-available"
	nameAwarded   = "marks-awarded"
)

// reader reads scanner documents, one after another.
type reader struct {
	scanner
	doc        *intake.Document
	recordsMax int
	records    int // begun so far
	record     int // the one being read, from 1; 0 between records
	// wrong is the first thing found wrong with what the document says. It is
	// the answer only if the document turns out to be well-formed to its end.
	wrong problem

	described   int // the record that is asked about, from 1; 0 if none is
	description intake.Description
}

// sheet is the record being read.
type sheet struct {
	exam.Record
	at                     int // of its start tag
	student, test, summary bool
	first, last            exam.Text // names; the last of each that is there
}

func newReader(limits intake.Limits) *reader {
	r := &reader{recordsMax: limits.RecordsMax}
	r.depthMax = limits.DepthMax
	return r
}

// decode reads one document.
func (r *reader) decode(doc *intake.Document, raw []byte, charset string) *intake.DocumentError {
	r.doc, r.records, r.record, r.wrong = doc, 0, 0, problem{}
	if !r.openDocument(doc, raw, charset) || !r.prolog() || !r.root() || !r.epilog() {
		r.broken.record = r.record
		return r.broken.documentError(r.text)
	}
	if r.wrong.found() {
		return r.wrong.documentError(r.text)
	}
	if r.transcoded {
		doc.LetGo(len(r.text))
	}
	return nil
}

// release lets go of the document.
func (r *reader) release() { r.doc, r.text = nil, nil }

// root reads the root element.
func (r *reader) root() bool {
	at := r.pos
	if r.startTag() != eventStart {
		return false
	}
	name := r.of(r.name)
	if string(name) != nameRoot {
		if string(localName(name)) == nameRoot {
			r.foreign(at, nameRoot, name)
		} else {
			r.say(problem{
				code: intake.CodeWrongDocument, at: at, value: intake.CutValue(name),
				reason: "is not the root element of a scanner document, " + nameRoot,
			})
		}
		return r.skip()
	}
	r.checkNamespaces(nameRoot)
	for {
		switch r.next() {
		case eventEnd:
			if r.records == 0 {
				r.say(problem{code: intake.CodeEmptyDocument, at: at, reason: "the document holds no " + nameRecord})
			}
			return true
		case eventStart:
			if !r.child() {
				return false
			}
		default:
			return false
		}
	}
}

// child reads a child of the root element.
func (r *reader) child() bool {
	name := r.of(r.name)
	if string(name) == nameRecord {
		return r.readRecord()
	}
	if string(localName(name)) == nameRecord {
		r.foreign(r.tagStart(), nameRecord, name)
	}
	return r.skip()
}

// readRecord reads a record from behind its start tag to behind its end tag.
func (r *reader) readRecord() bool {
	at := r.tagStart()
	r.records++
	r.record = r.records
	if r.records > r.recordsMax {
		r.refuse(intake.CodeTooLarge, at, "",
			fmt.Sprintf("the document has more than the limit of %d records", r.recordsMax))
		return false
	}
	record := sheet{at: at}
	r.checkNamespaces(nameRecord)
	record.ScannedOn = r.scannedOn(&record)
	if r.record == r.described {
		r.description.Line, _ = intake.LineColumn(r.text, at)
	}
	for {
		r.quickAnswers()
		switch r.next() {
		case eventEnd:
			r.finish(&record)
			r.record = 0
			return true
		case eventStart:
			if !r.field(&record) {
				return false
			}
		default:
			return false
		}
	}
}

// field reads a child of a record.
func (r *reader) field(record *sheet) bool {
	switch name := r.of(r.name); string(name) {
	case nameAnswer:
		return r.readAnswer(record)
	case nameStudent:
		return r.readID(&record.Student, &record.student, nameStudent)
	case nameTest:
		return r.readID(&record.Test, &record.test, nameTest)
	case nameSummary:
		r.readSummary(record)
	case nameFirst:
		return r.readName(nameFirst, &record.first, &r.description.FirstName)
	case nameLast:
		return r.readName(nameLast, &record.last, &r.description.LastName)
	default:
		if local := localName(name); len(local) < len(name) && isField(local) {
			r.foreign(r.tagStart(), string(local), name)
		}
	}
	return r.skip()
}

// readName reads the name in the element just begun, own, to behind its end tag, and
// tells it if it is asked for.
func (r *reader) readName(own string, name *exam.Text, told *string) bool {
	r.checkNamespaces(own)
	if r.doc.MarksOnly {
		return r.skip()
	}
	text, _, ok := r.readText()
	*name = exam.TextOf(text)
	if r.record == r.described {
		*told = intake.CutValue(text)
	}
	return ok
}

// finish checks that the record is complete, and keeps it.
func (r *reader) finish(record *sheet) {
	switch {
	case !record.student:
		r.missingField(record.at, nameStudent)
	case !record.test:
		r.missingField(record.at, nameTest)
	case !record.summary:
		r.missingField(record.at, nameSummary)
	default:
		record.Names = exam.PrintOfNames(record.first, record.last)
		r.doc.AddRecord(record.Record)
	}
}

// isField says whether name is an element of the format inside a record.
func isField(name []byte) bool {
	switch string(name) {
	case nameAnswer, nameStudent, nameTest, nameSummary, nameFirst, nameLast:
		return true
	}
	return false
}

// tagStart is where the latest start tag begins.
func (r *reader) tagStart() int { return r.name.start - len("<") }

// skip goes to behind the end tag of the element just begun.
func (r *reader) skip() bool {
	for depth := 1; depth > 0; {
		switch r.next() {
		case eventStart:
			depth++
		case eventEnd:
			depth--
		default:
			return false
		}
	}
	return true
}

// say records something wrong with what the document says; the first counts.
func (r *reader) say(p problem) {
	if !r.wrong.found() {
		p.record = r.record
		r.wrong = p
	}
}

// foreign says that an element is the format's own but for a prefix.
func (r *reader) foreign(at int, field string, name []byte) {
	r.say(problem{
		code: intake.CodeWrongDocument, at: at, field: field, value: intake.CutValue(name),
		reason: "has a namespace; scanner documents have none",
	})
}

// checkNamespaces looks for namespace declarations in the latest start tag,
// which is the format's own.
func (r *reader) checkNamespaces(field string) {
	for i := range r.attributes {
		name := r.of(r.attributes[i].name)
		if name[0] == 'x' && (string(name) == "xmlns" || startsWith(name, "xmlns:")) {
			r.foreign(r.attributes[i].name.start, field, name)
		}
	}
}

// localName is name without its prefix.
func localName(name []byte) []byte { return name[bytes.LastIndexByte(name, ':')+1:] }
