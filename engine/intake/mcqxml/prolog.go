package mcqxml

import "unicode/utf8"

// prolog goes over what may stand before the root element and stops at its
// start tag.
func (s *scanner) prolog() bool {
	start := s.pos
	if !s.misc() {
		return false
	}
	if s.pos < len(s.text) {
		if s.text[s.pos+1] == '/' {
			s.malformed(s.pos, "</", "closes nothing: no element is open")
			return false
		}
		return true
	}
	if len(trim(s.text)) == 0 {
		s.malformed(0, "", "empty body: there is no document")
		return false
	}
	if start == s.pos {
		s.malformed(s.pos, "", "the document ends after the XML declaration")
		return false
	}
	s.malformed(s.pos, "", "the document ends before its root element")
	return false
}

// epilog goes over what may stand after the root element, to the end.
func (s *scanner) epilog() bool {
	if !s.misc() {
		return false
	}
	if s.pos == len(s.text) {
		return true
	}
	if s.text[s.pos+1] == '/' {
		s.malformed(s.pos, "</", "closes nothing: the root element has ended")
	} else {
		s.malformed(s.pos, "<", "begins a second root element; a document has one")
	}
	return false
}

// misc goes over white space, comments and processing instructions, to a tag or
// the end.
func (s *scanner) misc() bool {
	for {
		for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
			s.pos++
		}
		switch {
		case s.pos == len(s.text):
			return true
		case s.text[s.pos] != '<':
			s.outsideRoot()
			return false
		case s.pos+1 == len(s.text):
			s.cutShort("a tag")
			return false
		case s.text[s.pos+1] != '!' && s.text[s.pos+1] != '?':
			return true
		case !s.skipMarkup():
			return false
		}
	}
}

// outsideRoot records that something other than comments, processing
// instructions and white space stands outside the root element.
func (s *scanner) outsideRoot() {
	switch c := s.text[s.pos]; {
	case c >= utf8.RuneSelf:
		if _, size := s.wide(s.pos); size == 0 {
			return
		}
	case classes[c]&classChar == 0:
		s.forbidden(s.pos, rune(c))
		return
	}
	s.malformed(s.pos, "", "there is text outside the root element")
}
