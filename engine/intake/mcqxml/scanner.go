package mcqxml

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"markr/engine/intake"
	"markr/engine/intake/charset"
)

// scanner checks that a document is well-formed, straight from its bytes, and
// stops at what a reader may want to know. It holds places, not texts, so it
// needs no memory per element.
type scanner struct {
	text []byte // the whole document in UTF-8, without byte order mark
	pos  int    // everything before it has been checked

	encoding   string // what the bytes are meant to be, for people
	encodingBy string // what said so; empty if nothing did
	ascii      bool   // bytes of 0x80 and above are errors
	transcoded bool   // the text is not the document's own bytes

	depthMax int
	open     []span // names of the open elements, outermost first

	name       span        // of the latest start tag
	attributes []attribute // of the latest start tag
	index      nameIndex   // of a start tag with many attributes
	empty      bool        // the latest start tag was <name/>: its end comes next

	wantText bool // whether next stops at text
	piece    piece

	broken problem // why next gave eventBroken
}

// span is a place in the text.
type span struct{ start, end int }

// attribute is one attribute of a start tag; value is what stands between the
// quotes, references and all.
type attribute struct{ name, value span }

// piece is a stretch of text without markup.
type piece struct {
	span
	kind textKind
}

// textKind says what the characters of a text mean.
type textKind uint8

const (
	characterData  textKind = iota // references count
	cdataSection                   // & is just a character
	attributeValue                 // references count, and white space is spaces
)

// event is what next stopped at.
type event uint8

const (
	eventBroken event = iota // the document is refused; broken says why
	eventStart               // a start tag: name, attributes
	eventEnd                 // an end tag, or the end of <name/>
	eventText                // some text, only where wanted: piece
)

// reset makes s ready for a document whose text begins at pos.
func (s *scanner) reset(text []byte, pos int) {
	s.text, s.pos = text, pos
	s.open, s.attributes = s.open[:0], s.attributes[:0]
	s.name, s.piece, s.broken = span{}, piece{}, problem{}
	s.empty, s.wantText = false, false
	s.readAs(charset.UTF8, "")
}

// of gives the bytes at a place. The capacity ends with them, so that nobody
// who appends writes into the document.
func (s *scanner) of(at span) []byte { return s.text[at.start:at.end:at.end] }

// next moves on to the next event inside the root element.
func (s *scanner) next() event {
	if s.empty {
		s.empty = false
		s.open = s.open[:len(s.open)-1]
		return eventEnd
	}
	for {
		start := s.pos
		if !s.characters() {
			return eventBroken
		}
		if s.wantText && s.pos > start {
			s.piece = piece{span: span{start, s.pos}}
			return eventText
		}
		if s.pos+1 == len(s.text) {
			return s.cutShort("a tag")
		}
		switch s.text[s.pos+1] {
		case '/':
			return s.endTag()
		case '!', '?':
			start = s.pos
			if !s.skipMarkup() {
				return eventBroken
			}
			if s.wantText && s.text[start+2] == '[' {
				s.piece = piece{span{start + len(cdataStart), s.pos - len(cdataEnd)}, cdataSection}
				return eventText
			}
		default:
			return s.startTag()
		}
	}
}

// characters goes over character data and references to the next '<'. Inside
// the root element the document cannot end in text.
func (s *scanner) characters() bool {
	text, i := s.text, s.pos
	for {
		for i < len(text) && classes[text[i]]&classText != 0 {
			i++
		}
		switch {
		case i == len(text):
			s.unclosed()
			return false
		case text[i] == '<':
			s.pos = i
			return true
		case text[i] != ']':
			if i = s.special(i); i < 0 {
				return false
			}
		case i+2 < len(text) && text[i+1] == ']' && text[i+2] == '>':
			s.malformed(i, "]]>", "may not stand in text; write ]]&gt;")
			return false
		default:
			i++
		}
	}
}

// special goes over what is not plain at i, in text or in an attribute value: a
// reference or a character beyond ASCII. It returns the place after it, or a
// negative number when the document is broken.
func (s *scanner) special(i int) int {
	switch c := s.text[i]; {
	case c == '&':
		return s.reference(i)
	case c < utf8.RuneSelf:
		return s.forbidden(i, rune(c))
	}
	_, size := s.wide(i)
	if size == 0 {
		return -1
	}
	return i + size
}

// wide reads the character at i, whose first byte is not ASCII. A size of 0
// means that the document is broken.
func (s *scanner) wide(i int) (r rune, size int) {
	r, size = utf8.DecodeRune(s.text[i:])
	switch {
	case s.ascii, r == utf8.RuneError && size == 1:
		s.undecoded(i)
		return 0, 0
	case !isChar(r):
		s.forbidden(i, r)
		return 0, 0
	}
	return r, size
}

// undecoded records that the byte at i means nothing in the encoding.
func (s *scanner) undecoded(i int) {
	what := fmt.Sprintf("byte 0x%02X", s.text[i])
	if s.transcoded {
		what = "what stands here"
	}
	reason := what + " is not " + s.encoding
	if s.encodingBy != "" {
		reason += ", the encoding named by " + s.encodingBy
	}
	s.malformed(i, "", reason)
}

// until goes from i over any characters to the next stop, which is ASCII, and
// returns its place, or a negative number when the document is broken. inside
// names what the document may not end in.
func (s *scanner) until(i int, stop byte, inside string) int {
	text := s.text
	for {
		for i < len(text) && text[i] != stop && classes[text[i]]&classChar != 0 {
			i++
		}
		switch {
		case i == len(text):
			s.cutShort(inside)
			return -1
		case text[i] == stop:
			return i
		case text[i] < utf8.RuneSelf:
			return s.forbidden(i, rune(text[i]))
		}
		_, size := s.wide(i)
		if size == 0 {
			return -1
		}
		i += size
	}
}

// shown is what stands at a place, cut for people: the text may be as long as
// the document.
func (s *scanner) shown(at span) string { return intake.CutValue(s.of(at)) }

// malformed records that the document is not well-formed. It returns
// eventBroken, for those who want to return that.
func (s *scanner) malformed(at int, value, reason string) event {
	return s.refuse(intake.CodeMalformedXML, at, value, reason)
}

// refuse records why the document is refused at once.
func (s *scanner) refuse(code intake.Code, at int, value, reason string) event {
	s.broken = problem{code: code, at: at, value: intake.CutValue([]byte(value)), reason: reason}
	return eventBroken
}

// forbidden records a character that no document may hold; it returns -1.
func (s *scanner) forbidden(at int, r rune) int {
	s.malformed(at, "", fmt.Sprintf("U+%04X is a character that XML forbids", r))
	return -1
}

// cutShort records that the document ends where it may not.
func (s *scanner) cutShort(inside string) event {
	return s.malformed(len(s.text), "", "the document ends inside "+inside)
}

// unclosed records that the document ends with elements open.
func (s *scanner) unclosed() {
	top := s.open[len(s.open)-1]
	line, _ := intake.LineColumn(s.text, top.start)
	s.malformed(len(s.text), "</"+s.shown(top)+">",
		"is missing: the document ends inside the element begun in line "+strconv.Itoa(line))
}
