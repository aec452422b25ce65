package exam

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Text is what stands for a short text, such as a question's name or a response, in
// eight bytes that can be compared and counted. Up to [TextBytesInline] bytes it is the
// text itself; of a longer one it is 56 bits of a hash that is the same in every run
// and every program, so two of them are taken for one with a probability of 2^-56. The
// zero Text is the empty one.
//
//	+--------+------------------------------------------+
//	| length | the bytes, as a big-endian number         |
//	+--------+------------------------------------------+
//	| 0xff   | 56 bits of the hash of the first 512 bytes |
//	+--------+------------------------------------------+
//
// As numbers they are in an order in which "2" comes before "10".
type Text uint64

const (
	// TextBytesInline is how long a text may be to be its own Text.
	TextBytesInline = 7
	// TextBytesMax is how much of a text counts: texts that differ only behind it are
	// the same.
	TextBytesMax = 512

	textLengthShift = 56
	textHashed      = 0xff << textLengthShift
	textMask        = 1<<textLengthShift - 1
)

// TextOf is the Text of a text.
func TextOf(text []byte) Text {
	if len(text) > TextBytesInline {
		return textHashed | Text(xxhash.Sum64(text[:min(len(text), TextBytesMax)])&textMask)
	}
	var number uint64
	for _, b := range text {
		number = number<<8 | uint64(b)
	}
	return TextOfNumber(number, len(text))
}

// TextOfNumber is the Text of length bytes, at most [TextBytesInline], given as a
// big-endian number.
func TextOfNumber(bytes uint64, length int) Text {
	return Text(bytes | uint64(length)<<textLengthShift)
}

// Inline is the text itself, if it is short enough to be in t.
func (t Text) Inline() (text string, ok bool) {
	length := int(t >> textLengthShift)
	if length > TextBytesInline {
		return "", false
	}
	b := make([]byte, length)
	for i := range b {
		b[i] = byte(t >> (8 * (length - 1 - i)))
	}
	return string(b), true
}

// String is for tests and people.
func (t Text) String() string {
	if text, ok := t.Inline(); ok {
		return text
	}
	return fmt.Sprintf("#%014x", uint64(t&textMask))
}
