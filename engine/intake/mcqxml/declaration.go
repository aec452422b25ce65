package mcqxml

import "bytes"

// declaration reads the XML declaration at the start of the text, if there is
// one. It returns where the encoding's name stands, empty if nowhere. The
// declaration is ASCII in every encoding we read, so it can be read before the
// encoding is known.
func (s *scanner) declaration() (encoding span, ok bool) {
	const start = "<?xml"
	text := s.text
	if !startsWith(text, start) {
		return span{}, true
	}
	i := len(start)
	if i < len(text) && (classes[text[i]]&className != 0 || classes[text[i]] == 0) {
		return span{}, true // <?xml-stylesheet …: not a declaration
	}
	version, i := s.declared(i, "version")
	switch {
	case i < 0:
		return span{}, false
	case version.end == 0:
		s.badDeclaration(i)
		return span{}, false
	case string(s.of(version)) != "1.0":
		s.malformed(version.start, s.shown(version), "is the version of XML, but only 1.0 is read")
		return span{}, false
	}
	if encoding, i = s.declared(i, "encoding"); i < 0 {
		return span{}, false
	}
	if encoding.end > 0 && !isEncodingName(s.of(encoding)) {
		s.malformed(encoding.start, s.shown(encoding), "cannot be the name of an encoding")
		return span{}, false
	}
	standalone, i := s.declared(i, "standalone")
	if i < 0 {
		return span{}, false
	}
	if value := s.of(standalone); standalone.end > 0 && string(value) != "yes" && string(value) != "no" {
		s.malformed(standalone.start, s.shown(standalone), "is the value of standalone, but only yes and no can be")
		return span{}, false
	}
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if !startsWith(text[i:], "?>") {
		s.badDeclaration(i)
		return span{}, false
	}
	s.pos = i + len("?>")
	return encoding, true
}

// declared reads what the declaration says of name at i: white space, the name,
// an equals sign, a value in quotes. Where that name is not next, the value is
// empty and ends at 0. The place after it is negative when the document is broken.
func (s *scanner) declared(i int, name string) (value span, next int) {
	text := s.text
	at := i
	for at < len(text) && isSpace(text[at]) {
		at++
	}
	if at == i || !startsWith(text[at:], name) {
		return span{}, i
	}
	at = s.equals(at + len(name))
	if at < 0 || at == len(text) || text[at] != '"' && text[at] != '\'' {
		s.badDeclaration(max(at, i))
		return span{}, -1
	}
	quote, start := text[at], at+1
	for at = start; at < len(text) && text[at] != quote; at++ {
		// What may stand in a value here are letters, digits and ". _ -": the
		// colon is the one more that a name may have.
		if classes[text[at]]&className == 0 || text[at] == ':' {
			s.badDeclaration(at)
			return span{}, -1
		}
	}
	if at == len(text) || at == start {
		s.badDeclaration(at)
		return span{}, -1
	}
	return span{start, at}, at + 1
}

// badDeclaration records that the XML declaration is wrong at i.
func (s *scanner) badDeclaration(i int) {
	if bytes.IndexByte(s.text[i:], '>') < 0 {
		s.cutShort("the XML declaration")
		return
	}
	s.malformed(i, "", "the XML declaration is not one: it has version, encoding and standalone, in this order, in quotes")
}

// isEncodingName is production [81], for what declared has let through.
func isEncodingName(name []byte) bool {
	first := name[0] | 0x20
	return first >= 'a' && first <= 'z'
}
