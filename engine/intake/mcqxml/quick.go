package mcqxml

import "markr/engine/exam"

// Nine bytes in ten of a document are answers, all printed alike. quickAnswers
// reads them by comparing with what is always the same:
//
//	<answer question="12" marks-available="1" marks-awarded="0">C</answer>
//
// It is the scanner and usableAnswer, folded into one for this shape and no
// other. Whatever looks different in any way is left where it is for them.
const (
	answerQuestion  = `<answer question="`
	answerAvailable = `" marks-available="`
	answerAwarded   = `" marks-awarded="`
	answerText      = `">`
	answerEnd       = `</answer>`
)

// quickAnswers goes over the answers at pos that have the usual shape, and the
// white space before them.
func (r *reader) quickAnswers() {
	if len(r.open) >= r.depthMax {
		return // The next element is too deep, which is for startTag to say.
	}
	text, i := r.text, r.pos
	for {
		for i < len(text) && classes[text[i]]&classSpace != 0 {
			i++
		}
		end, good := quickAnswer(text[i:])
		if end == 0 {
			r.pos = i
			return
		}
		if !good {
			r.doc.Findings.BadAnswers++
		}
		i += end
	}
}

// quickAnswer gives the length of the answer at the start of text, 0 if it has
// not the usual shape, and whether it is usable.
func quickAnswer(text []byte) (size int, usable bool) {
	if !startsWith(text, answerQuestion) {
		return 0, false
	}
	i := len(answerQuestion)
	_, digits := quickNumber(text[i:])
	if digits == 0 || !startsWith(text[i+digits:], answerAvailable) {
		return 0, false
	}
	i += digits + len(answerAvailable)
	available, digits := quickNumber(text[i:])
	if digits == 0 || !startsWith(text[i+digits:], answerAwarded) {
		return 0, false
	}
	i += digits + len(answerAwarded)
	awarded, digits := quickNumber(text[i:])
	if digits == 0 || !startsWith(text[i+digits:], answerText) {
		return 0, false
	}
	i += digits + len(answerText)
	for i < len(text) && classes[text[i]]&className != 0 {
		i++
	}
	if !startsWith(text[i:], answerEnd) {
		return 0, false
	}
	return i + len(answerEnd), awarded <= available
}

// quickNumber reads the digits at the start of text, of which there are 1 to 4:
// a whole number of marks, or a question's id. Otherwise digits is 0.
func quickNumber(text []byte) (value exam.Marks, digits int) {
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		if digits == 4 {
			return 0, 0
		}
		value = value*10 + exam.Marks(text[digits]-'0')
		digits++
	}
	return value, digits
}
