package qtixml

import (
	"slices"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// The namespaces of QTI Results Reporting 2.1, 2.2 and 3.0. What is read of them is
// the same in all three.
func spaces() []string {
	return []string{
		"http://www.imsglobal.org/xsd/imsqti_result_v2p1",
		"http://www.imsglobal.org/xsd/imsqti_result_v2p2",
		"http://www.imsglobal.org/xsd/imsqti_result_v3p0",
	}
}

// Names of elements, attributes and outcome variables, and of fields in errors.
const (
	nameRoot       = "assessmentResult"
	nameContext    = "context"
	nameSourced    = "sourcedId"
	nameTest       = "testResult"
	nameItem       = "itemResult"
	nameIdentifier = "identifier"
	nameStamp      = "datestamp"
	nameOutcome    = "outcomeVariable"
	nameMaximum    = "normalMaximum"
	nameValue      = "value"
	nameScore      = "SCORE"
	nameMaxScore   = "MAXSCORE"

	fieldStudent   = nameContext + "/" + nameSourced
	fieldTest      = nameTest + "/" + nameIdentifier
	fieldObtained  = nameTest + "/" + nameScore
	fieldAvailable = nameTest + "/" + nameMaxScore
)

// reader reads one result.
type reader struct {
	*mcqxml.Cursor

	doc    *intake.Document
	space  []byte // of the root
	record exam.Record
	// seen says which of the parts that must be there once were.
	seen struct{ context, test bool }

	description intake.Description
}

// result reads the root element.
func (r *reader) result() {
	at := r.At()
	r.space = r.Space()
	if string(r.Name()) != nameRoot || !slices.Contains(spaces(), string(r.space)) {
		r.Say(intake.CodeWrongDocument, at, "", r.Name(),
			"is not the root element of QTI Results Reporting 2.1, 2.2 or 3.0, "+nameRoot+" in its namespace")
		return // Close reads the rest.
	}
	r.Record(1)
	for r.Child() {
		switch {
		case r.Is(r.space, nameContext):
			if r.once(&r.seen.context, nameContext) {
				r.record.Student = r.id(nameSourced, fieldStudent)
			}
			r.Skip()
		case r.Is(r.space, nameTest):
			r.test()
		case r.Is(r.space, nameItem):
			r.item()
		default:
			r.Skip()
		}
	}
	if !r.seen.context {
		r.missing(at, nameContext)
	}
	if !r.seen.test {
		r.missing(at, nameTest)
	}
}

// once says whether the element is there for the first time.
func (r *reader) once(seen *bool, name string) bool {
	if *seen {
		r.Say(intake.CodeRepeatedField, r.At(), name, nil, "is given twice in one result")
		return false
	}
	*seen = true
	return true
}

// id reads an attribute that must be an id.
func (r *reader) id(attribute, field string) []byte {
	text, at, ok := r.Attribute(attribute)
	if !ok {
		r.missing(r.At(), field)
		return nil
	}
	if err := exam.CheckID(text); err != nil {
		r.Say(intake.CodeInvalidValue, at, field, text, err.Error())
	}
	return text
}

func (r *reader) missing(at int, field string) {
	r.Say(intake.CodeMissingField, at, field, nil, "is missing")
}

// test reads the element testResult.
func (r *reader) test() {
	at := r.At()
	if !r.once(&r.seen.test, nameTest) {
		r.Skip()
		return
	}
	r.record.Test = r.id(nameIdentifier, fieldTest)
	if stamp, _, ok := r.Attribute(nameStamp); ok {
		r.description.ScannedOn = intake.CutValue(stamp)
		if r.record.ScannedOn, ok = exam.ParseTimestamp(stamp); !ok {
			r.record.ScannedOn = exam.ScannedOnUnknown
			r.doc.Findings.BadScannedOn++
		}
	}
	found := r.outcomes()
	for _, o := range [...]struct {
		*outcome

		field string
	}{{&found.available, fieldAvailable}, {&found.obtained, fieldObtained}} {
		switch {
		case !o.there:
			r.missing(at, o.field)
		case o.again:
			r.Say(intake.CodeRepeatedField, o.at, o.field, nil, "is given twice in one result")
		case o.err != nil:
			r.Say(intake.CodeInvalidValue, o.at, o.field, o.text, o.err.Error())
		}
	}
	available, obtained := found.available, found.obtained
	switch {
	case available.marks == 0:
		r.Say(intake.CodeInvalidValue, available.at, fieldAvailable, available.text, "must be more than 0")
	case obtained.marks > available.marks:
		r.Say(intake.CodeInvalidValue, obtained.at, fieldObtained, obtained.text,
			"must not be more than "+nameMaxScore+", which is "+available.marks.String())
	}
	r.record.Available, r.record.Obtained = available.marks, obtained.marks
}

// item reads the element itemResult: an answer, usable in statistics of its question
// if it names the question, what it says of marks are marks, and no more are awarded
// than there are.
func (r *reader) item() {
	question, _, ok := r.Attribute(nameIdentifier)
	usable := ok && exam.CheckID(question) == nil
	found := r.outcomes()
	for _, o := range [...]*outcome{&found.available, &found.obtained} {
		usable = usable && !o.again && o.err == nil
	}
	if !usable || found.available.there && found.obtained.marks > found.available.marks {
		r.doc.Findings.BadAnswers++
	}
}
