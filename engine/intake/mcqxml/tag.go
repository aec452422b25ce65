package mcqxml

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"markr/engine/intake"
)

// attributesMax is how many attributes an element may have. The format knows
// three; the rest is room for what a scanner's maker may have added. Without a
// bound one element could ask for memory in proportion to the document.
const attributesMax = 1024

// startTag reads the tag at pos, whose '<' is followed by no '/', '!' or '?'.
func (s *scanner) startTag() event {
	if len(s.open) >= s.depthMax {
		return s.refuse(intake.CodeTooDeep, s.pos, "",
			fmt.Sprintf("elements are nested deeper than the limit of %d", s.depthMax))
	}
	text := s.text
	i := s.nameEnd(s.pos + 1)
	if i <= s.pos+1 {
		return s.noName(i, "cannot begin the name of a tag; write &lt; where '<' is just a character")
	}
	s.name = span{s.pos + 1, i}
	s.attributes = s.attributes[:0]
	for {
		before := i
		for i < len(text) && classes[text[i]]&classSpace != 0 {
			i++
		}
		if i == len(text) {
			return s.cutShort("a start tag")
		}
		switch text[i] {
		case '>':
			s.open = append(s.open, s.name)
			s.pos = i + 1
			return eventStart
		case '/':
			if i+1 == len(text) {
				return s.cutShort("a start tag")
			}
			if text[i+1] != '>' {
				return s.malformed(i, "/", "must be followed by '>' in a tag")
			}
			s.open = append(s.open, s.name)
			s.empty = true
			s.pos = i + 2
			return eventStart
		}
		if i = s.attribute(i, i > before); i < 0 {
			return eventBroken
		}
	}
}

// attribute reads the attribute at i and returns the place after it, or a
// negative number when the document is broken.
func (s *scanner) attribute(i int, spaced bool) int {
	text := s.text
	if a, ok := plainAttribute(text, i); ok && spaced {
		return s.addAttribute(a)
	}
	name := span{start: i}
	if name.end = s.nameEnd(i); name.end <= i {
		s.noName(name.end, "cannot begin the name of an attribute")
		return -1
	}
	if !spaced {
		s.malformed(i, s.shown(name), "must have white space before it")
		return -1
	}
	i = s.equals(name.end)
	switch {
	case i == len(text):
		s.cutShort("a start tag")
		return -1
	case i < 0:
		s.malformed(name.start, s.shown(name), "is an attribute without a value")
		return -1
	case text[i] != '"' && text[i] != '\'':
		s.malformed(i, s.shown(name), "must have its value in quotes")
		return -1
	}
	value := span{start: i + 1}
	if value.end = s.valueEnd(i+1, text[i]); value.end < 0 {
		return -1
	}
	return s.addAttribute(attribute{name, value})
}

// plainAttribute reads the attribute at i if it is as plain as nearly all are,
// name="value" in ASCII without references, and says whether it is. It decides
// nothing: what is not plain is read again, slowly.
func plainAttribute(text []byte, i int) (a attribute, ok bool) {
	if i == len(text) || classes[text[i]]&classNameStart == 0 {
		return a, false
	}
	a.name.start = i
	for i < len(text) && classes[text[i]]&className != 0 {
		i++
	}
	a.name.end = i
	if i+1 >= len(text) || text[i] != '=' {
		return a, false
	}
	quote := text[i+1]
	a.value.start = i + 2
	for i += 2; i < len(text) && classes[text[i]]&classValue != 0; i++ {
	}
	a.value.end = i
	return a, i < len(text) && text[i] == quote && (quote == '"' || quote == '\'')
}

// equals goes from i over an equals sign and the white space around it. It
// returns a negative number when there is no such sign, and the end of the text
// when the document ends before the next thing.
func (s *scanner) equals(i int) int {
	text := s.text
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i == len(text) {
		return i
	}
	if text[i] != '=' {
		return -1
	}
	for i++; i < len(text) && isSpace(text[i]); i++ {
	}
	return i
}

// valueEnd goes over an attribute's value from i to its closing quote.
func (s *scanner) valueEnd(i int, quote byte) int {
	text := s.text
	for {
		for i < len(text) && classes[text[i]]&classValue != 0 {
			i++
		}
		switch {
		case i == len(text):
			s.cutShort("an attribute's value")
			return -1
		case text[i] == quote:
			return i
		case text[i] == '"' || text[i] == '\'':
			i++
		case text[i] == '<':
			s.malformed(i, "<", "may not stand in an attribute's value; write &lt;")
			return -1
		default:
			if i = s.special(i); i < 0 {
				return -1
			}
		}
	}
}

// addAttribute keeps an attribute of the tag being read, unless it was there
// already or is one too many. It returns the place after it, or a negative
// number when the document is broken.
func (s *scanner) addAttribute(a attribute) int {
	if len(s.attributes) > indexedFrom {
		if len(s.attributes) == attributesMax {
			s.refuse(intake.CodeTooLarge, a.name.start, "",
				fmt.Sprintf("an element has more than the limit of %d attributes", attributesMax))
			return -1
		}
		if s.index.repeated(s, a.name) {
			return s.repeatedAttribute(a)
		}
	} else {
		name := s.text[a.name.start:a.name.end]
		for i := range s.attributes {
			other := s.attributes[i].name
			if other.end-other.start == len(name) && string(s.text[other.start:other.end]) == string(name) {
				return s.repeatedAttribute(a)
			}
		}
	}
	s.attributes = append(s.attributes, a)
	return a.value.end + len(`"`)
}

// repeatedAttribute records that an attribute was there before; it returns -1.
func (s *scanner) repeatedAttribute(a attribute) int {
	s.malformed(a.name.start, s.shown(a.name), "is given twice in one tag")
	return -1
}

// endTag reads the tag at pos, which begins with "</".
func (s *scanner) endTag() event {
	top := s.open[len(s.open)-1]
	name := s.text[top.start:top.end]
	// Almost every end tag is the open element's name and '>'.
	i := s.pos + len("</")
	if rest := s.text[i:]; len(rest) > len(name) && rest[len(name)] == '>' && string(rest[:len(name)]) == string(name) {
		s.open = s.open[:len(s.open)-1]
		s.pos = i + len(name) + 1
		return eventEnd
	}
	end := s.nameEnd(i)
	if end <= i {
		return s.noName(end, "cannot begin the name of an end tag")
	}
	given := span{i, end}
	for i = end; i < len(s.text) && isSpace(s.text[i]); i++ {
	}
	switch {
	case i == len(s.text):
		return s.cutShort("an end tag")
	case s.text[i] != '>':
		return s.malformed(i, "</"+s.shown(given), "may have nothing after its name but '>'")
	case !bytes.Equal(s.of(given), name):
		line, _ := intake.LineColumn(s.text, top.start)
		return s.malformed(s.pos, "</"+s.shown(given)+">",
			"does not close "+s.shown(top)+", begun in line "+strconv.Itoa(line))
	}
	s.open = s.open[:len(s.open)-1]
	s.pos = i + 1
	return eventEnd
}

// nameEnd returns the place after the name at i: i itself when no name begins
// there, a negative number when the document is broken.
func (s *scanner) nameEnd(i int) int {
	text, start := s.text, i
	if i < len(text) && classes[text[i]]&classNameStart != 0 {
		for i++; i < len(text) && classes[text[i]]&className != 0; i++ {
		}
	}
	if i == len(text) || text[i] < utf8.RuneSelf {
		return i
	}
	return s.wideNameEnd(start, i)
}

// wideNameEnd goes on with a name where it stops being ASCII, at i.
func (s *scanner) wideNameEnd(start, i int) int {
	for i < len(s.text) {
		if s.text[i] < utf8.RuneSelf {
			// A digit may go on a name, not begin one.
			if i == start || classes[s.text[i]]&className == 0 {
				break
			}
			i++
			continue
		}
		r, size := s.wide(i)
		if size == 0 {
			return -1
		}
		if i == start && !isWideNameStart(r) || i > start && !isWideName(r) {
			break
		}
		i += size
	}
	return i
}

// noName records why there is no name before i, unless nameEnd, which returned
// i, has recorded something worse.
func (s *scanner) noName(i int, reason string) event {
	switch {
	case i < 0:
		return eventBroken
	case i == len(s.text):
		return s.cutShort("a tag")
	case classes[s.text[i]]&classChar == 0 && s.text[i] < utf8.RuneSelf:
		s.forbidden(i, rune(s.text[i]))
		return eventBroken
	}
	_, size := utf8.DecodeRune(s.text[i:])
	return s.malformed(i, s.shown(span{i, i + size}), reason)
}
