package mcqxml

import (
	"slices"

	"markr/engine/exam"
	"markr/engine/intake"
)

// Names of fields in errors.
const (
	fieldAvailable = nameSummary + "/" + nameAvailable
	fieldObtained  = nameSummary + "/" + nameObtained
)

// readID reads the text of student-number or test-id into id, to behind its end
// tag.
func (r *reader) readID(id *[]byte, seen *bool, field string) bool {
	at := r.tagStart()
	if *seen {
		r.repeatedField(at, field)
		return r.skip()
	}
	*seen = true
	r.checkNamespaces(field)
	text, ok := r.fieldText()
	if !ok {
		return false
	}
	if err := exam.CheckID(text); err != nil {
		r.invalid(at, field, text, err.Error())
	}
	*id = text
	return true
}

// fieldText reads the text of the element just begun, as readText does, for good.
func (r *reader) fieldText() (text []byte, ok bool) {
	text, joined, ok := r.readText()
	if joined {
		text = r.doc.Keep(text)
	}
	return text, ok
}

// readText reads the text of the element just begun, to behind its end tag: its pieces
// as one, without the white space around it. Elements inside it are unknown, and so
// ignored with what is in them. If it had to be joined it is good until the next
// reading: it stands in the part of the arena that nobody keeps.
func (r *reader) readText() (text []byte, isJoined, ok bool) {
	var joined joiner
	r.wantText = true
	for {
		switch r.next() {
		case eventText:
			piece := r.of(r.piece.span)
			switch {
			case joined.text != nil:
				joined.add(piece, r.piece.kind)
			case len(text) == 0 && isPlain(piece, r.piece.kind):
				// The usual case: one piece, used where it stands. White space
				// before it goes, as if it were not there.
				text = trimLeft(piece)
			default:
				joined = newJoiner(r.doc)
				joined.add(text, characterData)
				joined.add(piece, r.piece.kind)
			}
		case eventStart:
			r.wantText = false
			if !r.skip() {
				return nil, false, false
			}
			r.wantText = true
		case eventEnd:
			r.wantText = false
			if joined.text != nil {
				return joined.trimmed(), true, true
			}
			return slices.Clip(trim(text)), false, true
		default:
			return nil, false, false
		}
	}
}

// readSummary reads the attributes of summary-marks into record.
func (r *reader) readSummary(record *sheet) {
	at := r.tagStart()
	if record.summary {
		r.repeatedField(at, nameSummary)
		return
	}
	record.summary = true
	r.checkNamespaces(nameSummary)
	var available, obtained *attribute
	for i := range r.attributes {
		a := &r.attributes[i]
		switch string(r.of(a.name)) {
		case nameAvailable:
			available = a
			record.Available = r.readMarks(a, fieldAvailable)
			if record.Available == 0 {
				r.invalid(a.name.start, fieldAvailable, r.number(a), "must be more than 0")
			}
		case nameObtained:
			obtained = a
			record.Obtained = r.readMarks(a, fieldObtained)
		}
	}
	// Where one of them is not good, that was said, and is what counts.
	switch {
	case available == nil:
		r.missingField(at, fieldAvailable)
	case obtained == nil:
		r.missingField(at, fieldObtained)
	case record.Obtained > record.Available:
		r.invalid(obtained.name.start, fieldObtained, r.number(obtained),
			"must not be more than "+nameAvailable+", which is "+record.Available.String())
	}
}

// readMarks reads an attribute that must be a number of marks. Where it is not,
// it says so and gives 0.
func (r *reader) readMarks(a *attribute, field string) exam.Marks {
	marks, err := r.marks(a)
	if err != nil {
		r.invalid(a.name.start, field, r.number(a), err.Error())
	}
	return marks
}

// marks parses an attribute as a number of marks.
func (r *reader) marks(a *attribute) (exam.Marks, error) {
	// What stands there is nearly always the number itself. Where it is not,
	// references may hide one.
	marks, err := exam.ParseMarks(r.of(a.value))
	if err != nil {
		marks, err = exam.ParseMarks(r.number(a))
	}
	return marks, err
}

// readAnswer reads the answer whose start tag was just read, to behind its end tag. It
// could be used in statistics of its question if it names the question, by text that
// could be an id; if what it says of marks are marks; and if no more are awarded than
// were available. Marks it does not mention do no harm.
func (r *reader) readAnswer(record *sheet) bool {
	r.checkNamespaces(nameAnswer)
	if r.doc.MarksOnly {
		return r.skip()
	}
	answer, ok := r.answerMarks()
	if !ok {
		r.doc.Findings.BadAnswers++
		record.Odd |= exam.OddAnswer
		return r.skip()
	}
	if answer.Available != exam.MarksUnknown && answer.Awarded > answer.Available {
		r.doc.Findings.BadAnswers++
	}
	text, _, ok := r.readText()
	answer.Response = r.doc.TextOf(text)
	r.doc.Answers = append(r.doc.Answers, answer)
	return ok
}

// answerMarks reads the attributes of an answer; ok is false if they make none.
func (r *reader) answerMarks() (answer exam.Answer, ok bool) {
	answer.Available, answer.Awarded = exam.MarksUnknown, exam.MarksUnknown
	for i := range r.attributes {
		a := &r.attributes[i]
		var err error
		switch string(r.of(a.name)) {
		case nameQuestion:
			question := r.value(a)
			err = exam.CheckID(question)
			answer.Question = r.doc.TextOf(question)
		case nameItemMarks:
			answer.Available, err = r.marks(a)
		case nameAwarded:
			answer.Awarded, err = r.marks(a)
		}
		if err != nil {
			return answer, false
		}
	}
	return answer, answer.Question != 0
}

// scannedOn reads the date in the record's start tag, which is just read.
func (r *reader) scannedOn(record *sheet) int64 {
	for i := range r.attributes {
		a := &r.attributes[i]
		if string(r.of(a.name)) != nameScannedOn {
			continue
		}
		value := r.value(a)
		if r.record == r.described {
			r.description.ScannedOn = intake.CutValue(value)
		}
		nanoseconds, ok := exam.ParseTimestamp(value)
		if !ok {
			r.doc.Findings.BadScannedOn++
			record.Odd |= exam.OddScannedOn
			break
		}
		return nanoseconds
	}
	return exam.ScannedOnUnknown
}

// value gives an attribute's value without the white space around it. It is
// good until the next call: where there are references, it stands in the part
// of the arena that nobody keeps.
func (r *reader) value(a *attribute) []byte {
	raw := trim(r.of(a.value))
	if isPlain(raw, attributeValue) {
		return raw
	}
	joined := newJoiner(r.doc)
	joined.add(raw, attributeValue)
	return joined.trimmed()
}

// number gives an attribute's value as value does. Where it has to be joined,
// leading zeros are left out, of which there may be any number.
func (r *reader) number(a *attribute) []byte {
	raw := trim(r.of(a.value))
	if isPlain(raw, attributeValue) {
		return raw
	}
	joined := newJoiner(r.doc)
	joined.number = true
	joined.add(raw, attributeValue)
	return joined.trimmed()
}

// invalid says that a field's value cannot be.
func (r *reader) invalid(at int, field string, value []byte, reason string) {
	r.say(problem{
		code: intake.CodeInvalidValue, at: at, field: field, value: intake.CutValue(value), reason: reason,
	})
}

// missingField says that a field is not there.
func (r *reader) missingField(at int, field string) {
	r.say(problem{code: intake.CodeMissingField, at: at, field: field, reason: "is missing"})
}

// repeatedField says that a field is there again.
func (r *reader) repeatedField(at int, field string) {
	r.say(problem{code: intake.CodeRepeatedField, at: at, field: field, reason: "is given twice in one record"})
}
