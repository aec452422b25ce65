package mcqxml

import (
	"markr/engine/exam"
	"markr/engine/intake"
)

// Nine bytes in ten of a document are answers, all printed alike. quickAnswers
// reads them by comparing with what is always the same:
//
//	<answer question="12" marks-available="1" marks-awarded="0">C</answer>
//
// It is the scanner and readAnswer, folded into one for this shape and no
// other. Whatever looks different in any way is left where it is for them.

// quickAnswers goes over the answers at pos that have the usual shape, and the
// white space before them.
func (r *reader) quickAnswers() {
	if len(r.open) >= r.depthMax {
		return // The next element is too deep, which is for startTag to say.
	}
	text, i := r.text, r.pos
	answers := r.doc.Answers
	for {
		for i < len(text) && classes[text[i]]&classSpace != 0 {
			i++
		}
		answer, size := quickAnswer(text[i:])
		if size == 0 {
			r.pos, r.doc.Answers = i, answers
			return
		}
		i += size
		if r.doc.MarksOnly {
			continue
		}
		if answer.Awarded > answer.Available {
			r.doc.Findings.BadAnswers++
		}
		if len(answers) == cap(answers) {
			answers = intake.GrowAnswers(answers, i, len(text))
		}
		answers = append(answers, answer)
	}
}

// quickAnswer gives the answer at the start of text and its length, 0 if it has not
// the usual shape.
//
// What is always the same is compared in halves, because the compiler makes two
// loads of a comparison with up to 16 constant bytes, and a call of a longer one.
func quickAnswer(text []byte) (answer exam.Answer, size int) {
	const (
		question1, question2   = `<answer q`, `uestion="`
		available1, available2 = `" marks-a`, `vailable="`
		awarded1, awarded2     = `" marks-a`, `warded="`
		middle, end            = `">`, `</answer>`
	)
	rest := text
	if len(rest) < len(question1+question2) ||
		string(rest[:len(question1)]) != question1 ||
		string(rest[len(question1):len(question1+question2)]) != question2 {
		return answer, 0
	}
	answer.Question, _, rest = quickNumber(rest[len(question1+question2):])
	if len(rest) < len(available1+available2) ||
		string(rest[:len(available1)]) != available1 ||
		string(rest[len(available1):len(available1+available2)]) != available2 {
		return answer, 0
	}
	_, answer.Available, rest = quickNumber(rest[len(available1+available2):])
	if len(rest) < len(awarded1+awarded2) ||
		string(rest[:len(awarded1)]) != awarded1 ||
		string(rest[len(awarded1):len(awarded1+awarded2)]) != awarded2 {
		return answer, 0
	}
	_, answer.Awarded, rest = quickNumber(rest[len(awarded1+awarded2):])
	if len(rest) < len(middle) || string(rest[:len(middle)]) != middle {
		return answer, 0
	}
	rest = rest[len(middle):]
	i, response := 0, uint64(0)
	for i < len(rest) && classes[rest[i]]&className != 0 {
		response = response<<8 | uint64(rest[i])
		i++
	}
	if i > exam.TextBytesInline {
		return answer, 0
	}
	answer.Response, rest = exam.TextOfNumber(response, i), rest[i:]
	if len(rest) < len(end) || string(rest[:len(end)]) != end {
		return answer, 0
	}
	return answer, len(text) - len(rest) + len(end)
}

// quickNumber reads the digits at the start of text, of which there are 1 to 4: a
// whole number of marks, or a question's id. What follows is empty otherwise.
func quickNumber(text []byte) (digits exam.Text, marks exam.Marks, rest []byte) {
	var bytes uint64
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9' && i < 4:
			bytes = bytes<<8 | uint64(c)
			marks = marks*10 + exam.Marks(c-'0')
		case i == 0 || c >= '0' && c <= '9':
			return 0, 0, nil
		default:
			return exam.TextOfNumber(bytes, i), marks * exam.MarksPerUnit, text[i:]
		}
	}
	return 0, 0, nil
}
