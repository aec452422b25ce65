package mcqxml

import (
	"bytes"
	"unicode/utf8"

	"markr/engine/exam"
	"markr/engine/intake"
)

// joinedBytesMax is how much of a joined text is kept: more than any value may
// have, so that a longer one is still told to be too long, and enough to show
// its beginning. It bounds the memory for a text in a million pieces.
const joinedBytesMax = 2 * exam.IDBytesMax

// joiner puts the pieces of a text together as XML says: references replaced,
// every line end a line feed, in attributes a space. It leaves out the white
// space before the text, and all that comes after joinedBytesMax.
type joiner struct {
	text   []byte
	number bool // leading zeros go too, because they may be any number
	cut    bool // something other than white space was left out at the end
}

// newJoiner makes a joiner that works in doc's arena; what it joins is lost
// unless kept.
func newJoiner(doc *intake.Document) joiner {
	return joiner{text: doc.Take(joinedBytesMax)}
}

// add appends a piece, which the scanner has found to be well-formed.
func (j *joiner) add(piece []byte, kind textKind) {
	for i := 0; i < len(piece); {
		c := piece[i]
		switch {
		case c == '&' && kind != cdataSection:
			r, size := referenced(piece[i:])
			var buffer [utf8.UTFMax]byte
			for _, b := range utf8.AppendRune(buffer[:0], r) {
				j.addByte(b)
			}
			i += size
			continue
		case c == '\r':
			c = '\n'
			if i+1 < len(piece) && piece[i+1] == '\n' {
				i++
			}
		}
		if kind == attributeValue && isSpace(c) {
			c = ' '
		}
		j.addByte(c)
		i++
	}
}

func (j *joiner) addByte(c byte) {
	switch {
	case len(j.text) == 0 && isSpace(c):
	case j.number && len(j.text) == 1 && j.text[0] == '0' && c >= '0' && c <= '9':
		j.text[0] = c
	case len(j.text) < joinedBytesMax:
		j.text = append(j.text, c)
	case !isSpace(c):
		j.cut = true
	}
}

// trimmed gives the text without the white space after it.
func (j *joiner) trimmed() []byte {
	if j.cut {
		return j.text // It goes on, so what it ends with here is not its end.
	}
	return trimRight(j.text)
}

// referenced reads the well-formed reference at the start of text.
func referenced(text []byte) (r rune, size int) {
	if text[1] == '#' {
		return parseCharacterReference(text)
	}
	end := bytes.IndexByte(text, ';')
	return entity(text[1:end]), end + 1
}

// isPlain says whether a piece of text means itself.
func isPlain(piece []byte, kind textKind) bool {
	for _, c := range piece {
		if c == '\r' || c == '&' && kind != cdataSection || c < ' ' && kind == attributeValue {
			return false
		}
	}
	return true
}

// trim cuts off white space as XML has it, and no other: an id with a no-break
// space before it is another id.
func trim(text []byte) []byte { return trimRight(trimLeft(text)) }

func trimLeft(text []byte) []byte {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	return text
}

func trimRight(text []byte) []byte {
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}
