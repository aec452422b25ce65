package mcqxml

import (
	"markr/engine/intake"
	"markr/engine/intake/charset"
)

// sniffed is what the first bytes of a document say about its encoding: a byte
// order mark, or the shape of "<" or "<?xm" in an encoding that cannot be read
// without one. unreadable says why it is not read.
func sniffed(raw []byte) (found charset.Encoding, markBytes int, unreadable string) {
	switch {
	case startsWith(raw, "\xFF\xFE\x00\x00"), startsWith(raw, "\x00\x00\xFE\xFF"),
		startsWith(raw, "<\x00\x00\x00"), startsWith(raw, "\x00\x00\x00<"):
		return charset.Unknown, 0, "the document is UTF-32, which is not read"
	case startsWith(raw, "<\x00"), startsWith(raw, "\x00<"):
		return charset.Unknown, 0, "the document is UTF-16 without a byte order mark, which it must begin with"
	case startsWith(raw, "\x4C\x6F\xA7\x94"):
		return charset.Unknown, 0, "the document is EBCDIC, which is not read"
	}
	found, markBytes = charset.Marked(raw)
	return found, markBytes, ""
}

// openDocument makes s ready to read raw: decides the encoding, transcodes into
// doc if it must, and reads the XML declaration. The order is that of RFC 7303: the
// byte order mark, then named (the content type's charset parameter), then the
// declaration, then UTF-8.
//
// The first of them that is there decides alone. A declaration that says
// otherwise is not an error: programs that transcode documents on the way, or
// put a byte order mark before them, leave it as it was.
func (s *scanner) openDocument(doc *intake.Document, raw []byte, named string) bool {
	s.reset(raw, 0)
	chosen, markBytes, unreadable := sniffed(raw)
	if unreadable != "" {
		s.refuse(intake.CodeUnsupportedEncoding, 0, "", unreadable)
		return false
	}
	body := raw[markBytes:]
	if chosen == charset.UTF16BE || chosen == charset.UTF16LE {
		s.readAs(chosen, "the byte order mark")
		text, ok := charset.Decode(doc, body, chosen)
		if !ok {
			s.reset(nil, 0)
			return false
		}
		s.text = text
		_, ok = s.declaration()
		return ok
	}
	s.text = body
	by := "the byte order mark"
	if chosen == charset.Unknown && named != "" {
		by = "the content type"
		if chosen = charset.Named([]byte(named)); !s.readable(chosen, placeNone, []byte(named), by) {
			return false
		}
	}
	declared, ok := s.declaration()
	if !ok {
		return false
	}
	switch {
	case chosen != charset.Unknown:
	case declared.end == 0:
		chosen, by = charset.UTF8, ""
	default:
		by = "the XML declaration"
		if chosen = charset.Named(s.of(declared)); !s.readable(chosen, declared.start, s.of(declared), by) {
			return false
		}
	}
	s.readAs(chosen, by)
	if s.transcoded {
		text, ok := charset.Decode(doc, body, chosen)
		if !ok {
			s.reset(nil, 0)
			return false
		}
		s.text = text
	}
	return true
}

// readable says whether a document without byte order mark can be read in the
// encoding that by names, and records why not.
func (s *scanner) readable(chosen charset.Encoding, at int, name []byte, by string) bool {
	switch chosen {
	case charset.Unknown:
		s.refuse(intake.CodeUnsupportedEncoding, at, intake.CutValue(name), "is an encoding that is not read, named by "+by)
		return false
	case charset.UTF16:
		s.refuse(intake.CodeUnsupportedEncoding, at, intake.CutValue(name),
			"is the encoding named by "+by+", but the document does not begin with its byte order mark")
		return false
	default:
		return true
	}
}

// readAs notes the encoding for the checks and for people.
func (s *scanner) readAs(chosen charset.Encoding, by string) {
	s.ascii = chosen == charset.ASCII
	s.transcoded = chosen != charset.ASCII && chosen != charset.UTF8
	s.encoding = chosen.String()
	s.encodingBy = by
}
