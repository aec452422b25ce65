package mcqxml

import (
	"bytes"
	"unicode/utf8"

	"markr/engine/intake"
)

const (
	commentStart = "<!--"
	cdataStart   = "<![CDATA["
	cdataEnd     = "]]>"
	doctypeStart = "<!DOCTYPE"
)

// skipMarkup goes over the comment, processing instruction or CDATA section at
// pos, which begins with "<!" or "<?".
func (s *scanner) skipMarkup() bool {
	rest := s.text[s.pos:]
	end := -1
	switch {
	case rest[1] == '?':
		end = s.instructionEnd()
	case startsWith(rest, commentStart):
		end = s.commentEnd(s.pos + len(commentStart))
	case startsWith(rest, cdataStart) && len(s.open) > 0:
		end = s.cdataEnd(s.pos + len(cdataStart))
	case startsWith(rest, doctypeStart):
		s.refuse(intake.CodeDTDForbidden, s.pos, "",
			"a document type declaration (DOCTYPE) is not allowed")
	case startsWith(rest, cdataStart):
		s.outsideRoot()
	case isCutShort(rest, commentStart), isCutShort(rest, cdataStart), isCutShort(rest, doctypeStart):
		s.cutShort("a tag")
	default:
		s.malformed(s.pos, "<!", "must begin a comment or a CDATA section")
	}
	if end < 0 {
		return false
	}
	s.pos = end
	return true
}

// commentEnd goes over a comment's text from i, and its "-->".
func (s *scanner) commentEnd(i int) int {
	for {
		if i = s.until(i, '-', "a comment"); i < 0 {
			return -1
		}
		switch rest := s.text[i:]; {
		case startsWith(rest, "-->"):
			return i + len("-->")
		case isCutShort(rest, "-->"):
			s.cutShort("a comment")
			return -1
		case startsWith(rest, "--"):
			s.malformed(i, "--", "may not stand in a comment")
			return -1
		}
		i++
	}
}

// cdataEnd goes over a CDATA section's text from i, and its "]]>".
func (s *scanner) cdataEnd(i int) int {
	for {
		if i = s.until(i, ']', "a CDATA section"); i < 0 {
			return -1
		}
		if startsWith(s.text[i:], cdataEnd) {
			return i + len(cdataEnd)
		}
		i++
	}
}

// instructionEnd goes over the processing instruction at pos, and its "?>".
func (s *scanner) instructionEnd() int {
	const inside = "a processing instruction"
	start := s.pos + len("<?")
	i := s.nameEnd(start)
	if i <= start {
		s.noName(i, "cannot begin the name of a processing instruction")
		return -1
	}
	target := s.text[start:i]
	switch {
	case string(target) == "xml":
		s.malformed(s.pos, "<?xml", "may stand only at the very start of the document, once")
		return -1
	case bytes.EqualFold(target, []byte("xml")) && len(target) == len("xml"):
		s.malformed(s.pos, "<?"+string(target), "is a reserved name for a processing instruction")
		return -1
	case startsWith(s.text[i:], "?>"):
		return i + len("?>")
	case i == len(s.text), isCutShort(s.text[i:], "?>"):
		s.cutShort(inside)
		return -1
	case !isSpace(s.text[i]):
		s.noName(i, "cannot follow the name of a processing instruction")
		return -1
	}
	for {
		if i = s.until(i, '?', inside); i < 0 {
			return -1
		}
		if startsWith(s.text[i:], "?>") {
			return i + len("?>")
		}
		i++
	}
}

// reference goes over the reference at i and returns the place after it, or a
// negative number when the document is broken.
func (s *scanner) reference(i int) int {
	if i+1 < len(s.text) && s.text[i+1] == '#' {
		return s.characterReference(i)
	}
	end := s.nameEnd(i + 1)
	switch {
	case end < 0:
		return -1
	case end == len(s.text):
		s.cutShort("a reference")
		return -1
	case end == i+1 || s.text[end] != ';':
		s.malformed(i, "&", "must begin a reference; write &amp; where '&' is just a character")
		return -1
	}
	if entity(s.text[i+1:end]) == 0 {
		s.malformed(i, s.shown(span{i, end + 1}), "is an undeclared entity")
		return -1
	}
	return end + 1
}

// entity gives the character of a predefined entity, or 0.
func entity(name []byte) rune {
	switch string(name) {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "apos":
		return '\''
	case "quot":
		return '"'
	}
	return 0
}

// characterReference goes over the reference at i, which begins with "&#".
func (s *scanner) characterReference(i int) int {
	r, size := parseCharacterReference(s.text[i:])
	switch {
	case i+size == len(s.text) && s.text[len(s.text)-1] != ';':
		s.cutShort("a reference")
	case size == 0:
		s.malformed(i, "&#", "must be followed by digits, or by x and hexadecimal digits, and a semicolon")
	case !isChar(r):
		s.malformed(i, s.shown(span{i, i + size}), "is a reference to a character that XML forbids")
	default:
		return i + size
	}
	return -1
}

// parseCharacterReference reads the reference at the start of text, which
// begins with "&#". A number beyond Unicode gives a character beyond Unicode.
// Where the text ends too early, size is all of it; where it is no reference, 0.
func parseCharacterReference(text []byte) (r rune, size int) {
	i, base := len("&#"), rune(10)
	if i < len(text) && text[i] == 'x' {
		i, base = i+1, 16
	}
	start := i
	for ; i < len(text); i++ {
		digit := digitValue(text[i])
		if digit >= base {
			break
		}
		r = min(r*base+digit, utf8.MaxRune+1)
	}
	switch {
	case i == len(text):
		return r, i
	case i == start || text[i] != ';':
		return 0, 0
	}
	return r, i + 1
}

// digitValue is the value of a hexadecimal digit, or 16.
func digitValue(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 16
}

// startsWith is bytes.HasPrefix for a string.
func startsWith(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
}

// isCutShort says whether text is the beginning of markup, and no more.
func isCutShort(text []byte, markup string) bool {
	return len(text) < len(markup) && string(text) == markup[:len(text)]
}
