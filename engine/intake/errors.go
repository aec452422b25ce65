package intake

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrUnknownMediaType says that no decoder reads documents of this media type.
var ErrUnknownMediaType = errors.New("no decoder for this media type")

// ErrNoRecord says that a document has no record with this index.
var ErrNoRecord = errors.New("no such record")

// Code names a kind of refusal. Codes are part of the API: stable and
// machine-readable.
type Code string

// The codes a decoder may give, in SPEC order.
const (
	CodeMalformedXML        Code = "malformed_xml"
	CodeUnsupportedEncoding Code = "unsupported_encoding"
	CodeDTDForbidden        Code = "dtd_forbidden"
	CodeTooDeep             Code = "too_deep"
	CodeTooLarge            Code = "too_large"
	CodeWrongDocument       Code = "wrong_document"
	CodeEmptyDocument       Code = "empty_document"
	CodeMissingField        Code = "missing_field"
	CodeRepeatedField       Code = "repeated_field"
	CodeInvalidValue        Code = "invalid_value"
)

// Codes lists every code, in SPEC order.
func Codes() []Code {
	return []Code{
		CodeMalformedXML, CodeUnsupportedEncoding, CodeDTDForbidden, CodeTooDeep, CodeTooLarge,
		CodeWrongDocument, CodeEmptyDocument, CodeMissingField, CodeRepeatedField, CodeInvalidValue,
	}
}

// DocumentError is the first thing found wrong with a document, told to somebody
// with the paper in hand.
type DocumentError struct {
	Code   Code
	Record int    // counting from 1; 0 when the problem is in no record
	Line   int    // counting from 1; 0 when the problem is in no line
	Column int    // in characters, counting from 1
	Field  string // "student-number", "summary-marks/obtained", …; may be empty
	Value  string // the offending text, cut to ValueCharsMax characters
	Reason string // what is wrong, as the end of a sentence
}

// ValueCharsMax is how many characters of an offending value are shown.
const ValueCharsMax = 64

// Error tells place, field, value and reason in one line.
func (e *DocumentError) Error() string {
	var b strings.Builder
	if e.Record > 0 {
		fmt.Fprintf(&b, "record %d, ", e.Record)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	}
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteByte(' ')
	}
	if e.Value != "" {
		fmt.Fprintf(&b, "%q ", e.Value)
	}
	b.WriteString(e.Reason)
	return b.String()
}

// CutValue cuts text to [ValueCharsMax] characters and replaces what is not UTF-8.
func CutValue(text []byte) string {
	// Four bytes are the longest character; looking no further keeps a huge
	// value from being copied.
	if len(text) > ValueCharsMax*utf8.UTFMax {
		text = text[:ValueCharsMax*utf8.UTFMax]
	}
	runes := []rune(strings.ToValidUTF8(string(text), "\uFFFD"))
	if len(runes) > ValueCharsMax {
		runes = runes[:ValueCharsMax]
	}
	return string(runes)
}
