package exam

import (
	"errors"
	"unicode/utf8"
)

// TestID names a test. It is text, not a number: "0042" and "42" are two tests.
type TestID string

// StudentNumber names a student. It is text: "002299" and "2299" are two
// students. It is personal data: it never appears in a log line or a metric.
type StudentNumber string

// IDBytesMax is the longest id, in bytes of UTF-8.
const IDBytesMax = 256

// Reasons why a text is not an id. Their texts are shown to people.
var (
	ErrIDEmpty   = errors.New("must not be empty")
	ErrIDLong    = errors.New("must not be longer than 256 bytes")
	ErrIDControl = errors.New("must not contain control characters")
	ErrIDUTF8    = errors.New("must be UTF-8")
)

// CheckID says whether text, already trimmed of white space, may name a test or
// a student: 1 to [IDBytesMax] bytes of UTF-8 without control characters
// (Unicode category Cc).
func CheckID(text []byte) error {
	switch {
	case len(text) == 0:
		return ErrIDEmpty
	case len(text) > IDBytesMax:
		return ErrIDLong
	}
	ascii := true
	for _, b := range text {
		if b < 0x20 || b == 0x7f {
			return ErrIDControl
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	if ascii {
		return nil
	}
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return ErrIDUTF8
		}
		if r >= 0x80 && r < 0xa0 {
			return ErrIDControl
		}
		rest = rest[size:]
	}
	return nil
}
