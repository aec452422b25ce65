package itemstats

import "markr/engine/exam"

// Value is what a sheet has for a question. A response that was left out is 0; Available
// may be [exam.MarksUnknown], Awarded never is.
type Value struct {
	Response           exam.Text
	Awarded, Available exam.Marks
}

// What is told apart. Each limit is on a number that only grows with the scans that were
// seen, so whether it is passed does not depend on their order.
const (
	// ValuesMax is how many values of a question are told apart, of all scans that were ever
	// seen. With more, its responses are not: see [answered]. With more than so many
	// different marks, the test has no analysis.
	ValuesMax = 120
	// QuestionsMax is how many questions a test may have; with more it has no analysis.
	QuestionsMax = 512
	// CellsMax is how many cells the table of values by scores may have: 4 bytes each. With
	// more, sums are kept in its place.
	CellsMax = 1 << 20
)

// answered is any response, of a question whose responses are not told apart. No text has
// this number: its length is 0, and its bytes are not.
const answered exam.Text = 1

// class is the value as it is kept of a question whose responses are not told apart.
func (v Value) class() Value {
	if v.Response != 0 {
		v.Response = answered
	}
	return v
}

// The marks of a sheet in memory: the sum of those awarded, and a bit for sheets whose
// marks obtained are another number. Negative ones are of sheets that do not count.
const (
	noAnswers int32 = -1 // the sheet has none
	leftOut   int32 = -2 // an answer without marks, or more marks than a sheet may carry

	differs   int32 = 1 << 30 // more than exam.MarksMax
	marksMask       = differs - 1
)
