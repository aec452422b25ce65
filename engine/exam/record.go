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
}

// ScannedOnUnknown stands for a scanned-on that is absent or not a date: before
// every real one, so that a sheet with a date is later than one without.
const ScannedOnUnknown = -1 << 63
