package exam

// Answer is what stands on a sheet as the answer to one question. An empty Response is
// a question that was left out. Marks that the document does not mention are
// [MarksUnknown].
type Answer struct {
	Question, Response Text
	Available, Awarded Marks
}

// MarksUnknown stands for marks that are not given.
const MarksUnknown Marks = -1

// Credited says whether an answer was worth something; known is false if the document
// does not say.
func (a *Answer) Credited() (credited, known bool) {
	return a.Awarded > 0, a.Awarded != MarksUnknown
}

// Oddity is a set of things that are odd about one sheet without making it wrong.
type Oddity uint8

// What may be odd about a sheet. Decoders say the first two; the others are found in
// its answers.
const (
	OddScannedOn Oddity = 1 << iota // scanned-on is there and not a date with a time zone
	OddAnswer                       // an answer without a usable question or marks
	OddSum                          // the marks obtained are not the sum of those awarded
	OddRepeated                     // a question is there twice
	OddAwarded                      // more marks awarded than available for a question
)
