package exam

// Record is one scanned sheet, as far as it counts. Test and Student point into
// memory owned by whoever decoded the document; keep a copy, not the slice.
type Record struct {
	Test      []byte
	Student   []byte
	Obtained  Marks
	Available Marks
	// ScannedOn is the sheet's scanned-on as Unix nanoseconds, or
	// [ScannedOnUnknown] when it is absent or not a date.
	ScannedOn int64

	// What does not count, and is looked at for data quality and statistics of questions.
	// All of it may be zero: then the document does not tell.

	// FirstAnswer and Answers are where the sheet's answers begin among those of its
	// document, and how many there are.
	FirstAnswer, Answers uint32
	Names                Print  // of the student's names
	Responses            Print  // of what was answered to which question
	Questions            uint32 // fingerprint of the set of questions; 0 if there are none
	Odd                  Oddity
}

// ScannedOnUnknown stands for a scanned-on that is absent or not a date: before
// every real one, so that a sheet with a date is later than one without.
const ScannedOnUnknown = -1 << 63
