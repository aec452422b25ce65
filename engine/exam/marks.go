package exam

import (
	"errors"
	"strconv"
)

// Marks is a number of marks in thousandths: 12.5 marks is 12500. The range is
// 0 to [MarksMax]; an int32 holds it with room to spare.
type Marks int32

const (
	// MarksPerUnit is how many Marks make one whole mark.
	MarksPerUnit = 1000
	// MarksMax is 1 000 000 marks, the most a sheet may carry.
	MarksMax Marks = 1_000_000 * MarksPerUnit
	// MarksDecimalsMax is how many digits may follow the point.
	MarksDecimalsMax = 3
)

// Reasons why a text is not a number of marks. Their texts are shown to people.
var (
	ErrMarksSyntax   = errors.New("must be digits, optionally a point and up to three digits")
	ErrMarksDecimals = errors.New("has more than three digits after the point")
	ErrMarksRange    = errors.New("must not be more than 1000000")
)

// ParseMarks reads an exact decimal: one or more digits, optionally a point and
// one to three digits. White space is the caller's to trim. No sign, exponent,
// separator, hexadecimal, infinity or NaN; leading zeros do no harm.
func ParseMarks(text []byte) (Marks, error) {
	var value int64
	tooLarge := false
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		value = value*10 + int64(text[i]-'0')
		if value > int64(MarksMax)/MarksPerUnit {
			// Keep looking: a later character may make it a syntax error, and
			// the value must not overflow meanwhile.
			tooLarge, value = true, 0
		}
	}
	if i == 0 {
		return 0, ErrMarksSyntax
	}
	value *= MarksPerUnit
	if i < len(text) {
		fraction := text[i+1:]
		if text[i] != '.' || len(fraction) == 0 {
			return 0, ErrMarksSyntax
		}
		scale := int64(MarksPerUnit / 10)
		for _, digit := range fraction {
			if digit < '0' || digit > '9' {
				return 0, ErrMarksSyntax
			}
			value += int64(digit-'0') * scale
			scale /= 10
		}
		if len(fraction) > MarksDecimalsMax {
			return 0, ErrMarksDecimals
		}
	}
	if tooLarge || value > int64(MarksMax) {
		return 0, ErrMarksRange
	}
	return Marks(value), nil
}

// String is the shortest exact decimal: "12.5", "20", "0.125".
func (m Marks) String() string {
	return strconv.FormatFloat(float64(m)/MarksPerUnit, 'f', -1, 64)
}
