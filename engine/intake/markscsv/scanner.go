package markscsv

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"markr/engine/exam"
	"markr/engine/intake"
)

// fieldsMax is how many fields a line may have: a sheet of a thousand questions with
// four columns each. Without a bound one line could ask for memory in proportion to
// the document.
const fieldsMax = 4096

// scanner reads the lines of a table, straight from its bytes. It holds places, not
// texts.
type scanner struct {
	text      []byte // the whole document in UTF-8, without byte order mark
	pos       int    // everything before it has been read
	separator byte

	encoding   string // what the bytes are meant to be, for people
	encodingBy string // what said so; empty if nothing did
	ascii      bool   // bytes of 0x80 and above are errors
	transcoded bool   // the text is not the document's own bytes

	at     int     // where the latest line begins
	fields []field // of the latest line

	broken problem // why next gave false, unless it was the end
}

// field is one field of a line.
type field struct {
	at         int // where it begins, with its quote
	start, end int // what it says, without its quotes
	doubled    bool
}

// next reads the next line that is not empty. It is false at the end of the
// document, and when the document is broken.
func (s *scanner) next() bool {
	for n := 1; n > 0; s.pos += n {
		n = s.lineEnd(s.pos)
	}
	if s.pos == len(s.text) {
		return false
	}
	s.at, s.fields = s.pos, s.fields[:0]
	for i := s.pos; ; i++ {
		if len(s.fields) == fieldsMax {
			s.refuse(intake.CodeTooLarge, s.at, "", fmt.Sprintf("the line has more than the limit of %d fields", fieldsMax))
			return false
		}
		f, end := s.field(i)
		if end < 0 {
			return false
		}
		s.fields = append(s.fields, f)
		if end == len(s.text) || s.text[end] != s.separator {
			s.pos = end + s.lineEnd(end)
			return true
		}
		i = end
	}
}

// lineEnd is the length of the line end at i, 0 if there is none.
func (s *scanner) lineEnd(i int) int {
	switch {
	case i < len(s.text) && s.text[i] == '\n':
		return 1
	case i+1 < len(s.text) && s.text[i] == '\r' && s.text[i+1] == '\n':
		return 2
	}
	return 0
}

// field reads the field at i and returns the place after it, a separator or a line
// end, or a negative number when the document is broken.
func (s *scanner) field(i int) (field, int) {
	text := s.text
	if i < len(text) && text[i] == '"' {
		return s.quoted(i)
	}
	for end := i; ; end++ {
		if end == len(text) || text[end] == s.separator || text[end] == '\n' {
			return field{at: i, start: i, end: end}, end
		}
		switch c := text[end]; {
		case c >= utf8.RuneSelf:
			size := s.wide(end)
			if size == 0 {
				return field{}, -1
			}
			end += size - 1
		case c == '\r' && s.lineEnd(end) > 0:
			return field{at: i, start: i, end: end}, end
		case c == '\r':
			return field{}, s.bareReturn(end)
		case c == '"':
			return field{}, s.malformed(end, "a quote inside a field: the whole field must stand in quotes then, and the quote be written twice")
		case c < ' ' && c != '\t':
			return field{}, s.forbidden(end)
		}
	}
}

// quoted reads the field in quotes at i, as field does.
func (s *scanner) quoted(i int) (field, int) {
	text, f := s.text, field{at: i, start: i + 1}
	for end := i + 1; end < len(text); end++ {
		switch c := text[end]; {
		case c >= utf8.RuneSelf:
			size := s.wide(end)
			if size == 0 {
				return field{}, -1
			}
			end += size - 1
		case c == '"' && end+1 < len(text) && text[end+1] == '"':
			f.doubled = true
			end++
		case c == '"':
			f.end = end
			return f, s.behindQuote(end + 1)
		case c < ' ' && c != '\t' && c != '\r' && c != '\n':
			return field{}, s.forbidden(end)
		}
	}
	line, _ := intake.LineColumn(text, i)
	return field{}, s.malformed(len(text), "the document ends inside the quoted field begun in line "+strconv.Itoa(line))
}

// behindQuote checks that a quoted field ends at i, and returns i.
func (s *scanner) behindQuote(i int) int {
	switch {
	case i == len(s.text), s.text[i] == s.separator, s.lineEnd(i) > 0:
		return i
	case s.text[i] == '\r':
		return s.bareReturn(i)
	}
	return s.malformed(i, "something follows the quote that ends a field; a quote inside a field must be written twice")
}

// bareReturn refuses the carriage return at i, which no line feed follows.
func (s *scanner) bareReturn(i int) int {
	if i+1 == len(s.text) {
		return s.malformed(i+1, "the document ends inside a line end")
	}
	return s.malformed(i, "a carriage return without a line feed; lines end with either a line feed or both")
}

// wide gives the length of the character at i, whose first byte is not ASCII; 0
// when the document is broken.
func (s *scanner) wide(i int) int {
	r, size := utf8.DecodeRune(s.text[i:])
	if !s.ascii && (r != utf8.RuneError || size > 1) {
		return size
	}
	what := fmt.Sprintf("byte 0x%02X", s.text[i])
	if s.transcoded {
		what = "what stands here"
	}
	reason := what + " is not " + s.encoding
	if s.encodingBy != "" {
		reason += ", the encoding named by " + s.encodingBy
	}
	s.malformed(i, reason)
	return 0
}

// forbidden refuses the character at i, which no table may hold; it returns -1.
func (s *scanner) forbidden(i int) int {
	return s.malformed(i, fmt.Sprintf("U+%04X is a character that a table may not hold", s.text[i]))
}

// malformed records that the document is no table; it returns -1.
func (s *scanner) malformed(at int, reason string) int {
	return s.refuse(intake.CodeMalformedXML, at, "", reason)
}

// refuse records why the document is refused at once; it returns -1.
func (s *scanner) refuse(code intake.Code, at int, value, reason string) int {
	s.broken = problem{at: at, DocumentError: intake.DocumentError{
		Code: code, Value: intake.CutValue([]byte(value)), Reason: reason,
	}}
	return -1
}

// unquotedBytesMax is how much is kept of a text that had quotes written twice: more
// than any id may have, so that a longer one is still told to be too long.
const unquotedBytesMax = 2 * exam.IDBytesMax

// of gives what a field says without the white space around it, to be kept. It points
// into the text or, where quotes were written twice, into doc's arena.
func (s *scanner) of(doc *intake.Document, f field) []byte {
	said := trim(s.text[f.start:f.end:f.end])
	if !f.doubled {
		return said
	}
	single := doc.Take(unquotedBytesMax)
	for i := 0; i < len(said) && len(single) < unquotedBytesMax; i++ {
		single = append(single, said[i])
		if said[i] == '"' {
			i++
		}
	}
	return doc.Keep(single)
}

// trim cuts off the white space that XML's documents are trimmed of, too, and no
// other: an id with a no-break space before it is another id.
func trim(text []byte) []byte {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return slices.Clip(text)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
