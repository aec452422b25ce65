package intake

import (
	"slices"

	"markr/engine/exam"
)

// AddAnswer adds an answer to the record that is being read, for decoders of every
// format. A response that is not known, or was left out, is empty; marks that are not
// given are [exam.MarksUnknown]. The slices are the caller's again afterwards.
func (d *Document) AddAnswer(question, response []byte, available, awarded exam.Marks) {
	if d.MarksOnly {
		return
	}
	d.Answers = append(d.Answers, exam.Answer{
		Question: d.TextOf(question), Response: d.TextOf(response), Available: available, Awarded: awarded,
	})
}

// GrowAnswers makes room for more answers, when so many were found in the first read
// bytes of a document of so many: for long ones as many as there are likely to be, so
// that they are moved once and not time after time.
func GrowAnswers(answers []exam.Answer, read, of int) []exam.Answer {
	const few = 4096
	more := few
	if n := len(answers); n >= few && read > 0 {
		more = max(few, int(float64(n)*float64(of-read)/float64(read)*1.01))
	}
	return slices.Grow(answers, more)
}

// AddRecord adds a record that has been read to its end; the answers added since the
// one before are its own.
func (d *Document) AddRecord(record exam.Record) {
	record.FirstAnswer, record.Answers = uint32(d.answered), uint32(len(d.Answers)-d.answered)
	d.answered = len(d.Answers)
	d.Records = append(d.Records, record)
}

// AnswersOf are the answers of a record.
func (d *Document) AnswersOf(record *exam.Record) []exam.Answer {
	return d.Answers[record.FirstAnswer : record.FirstAnswer+record.Answers]
}

// TextOf is exam.TextOf, and sees to it that Spell knows the text.
func (d *Document) TextOf(text []byte) exam.Text {
	t := exam.TextOf(text)
	if len(text) > exam.TextBytesInline {
		d.texts.keep(t, text)
	}
	return t
}

// Spell is the text that t stands for in this document, of a long one its beginning as
// [CutValue] cuts it.
func (d *Document) Spell(t exam.Text) string {
	if text, ok := t.Inline(); ok {
		return text
	}
	return d.texts.find(t)
}

// texts are the texts of a document that are too long to be their own exam.Text. They
// are looked for only when somebody asks.
type texts struct {
	bytes  []byte
	places []textPlace
	recent [recentTexts]exam.Text // those in places already, by their low bits
}

type textPlace struct {
	text       exam.Text
	start, end int
}

const (
	recentTexts = 64
	// textBytesKept is as much as may be shown of a text.
	textBytesKept = 4 * ValueCharsMax
	textsKept     = 1 << 20
)

func (t *texts) keep(text exam.Text, spelled []byte) {
	// The names of questions are the same in every record.
	if t.recent[text%recentTexts] == text {
		return
	}
	t.recent[text%recentTexts] = text
	start := len(t.bytes)
	t.bytes = append(t.bytes, spelled[:min(len(spelled), textBytesKept)]...)
	t.places = append(t.places, textPlace{text, start, len(t.bytes)})
}

func (t *texts) find(text exam.Text) string {
	for _, place := range t.places {
		if place.text == text {
			return CutValue(t.bytes[place.start:place.end])
		}
	}
	return text.String()
}

func (t *texts) reset() {
	if len(t.places) == 0 {
		return
	}
	if cap(t.bytes) > textsKept {
		*t = texts{}
	}
	t.bytes, t.places = t.bytes[:0], t.places[:0]
	clear(t.recent[:])
}
