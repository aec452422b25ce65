package markscsv

import (
	"bytes"

	"markr/engine/intake"
	"markr/engine/intake/charset"
)

// open makes s ready to read raw: decides the encoding and transcodes into doc if
// it must. A byte order mark decides, else named (the content type's charset
// parameter), else it is UTF-8.
func (s *scanner) open(doc *intake.Document, raw []byte, named string) bool {
	chosen, markBytes := charset.Marked(raw)
	by := "the byte order mark"
	switch {
	case bytes.HasPrefix(raw, []byte("\xFF\xFE\x00\x00")), bytes.HasPrefix(raw, []byte("\x00\x00\xFE\xFF")):
		return s.unreadable(placeStart, "", "the document is UTF-32, which is not read")
	case chosen != charset.Unknown:
	case len(raw) > 1 && (raw[0] == 0) != (raw[1] == 0):
		return s.unreadable(placeStart, "", "the document is UTF-16 without a byte order mark, which it must begin with")
	case named == "":
		chosen, by = charset.UTF8, ""
	default:
		by = "the content type"
		switch chosen = charset.Named([]byte(named)); chosen {
		case charset.Unknown:
			return s.unreadable(placeNone, named, "is an encoding that is not read, named by "+by)
		case charset.UTF16:
			return s.unreadable(placeNone, named,
				"is the encoding named by "+by+", but the document does not begin with its byte order mark")
		default:
		}
	}
	text, ok := charset.Decode(doc, raw[markBytes:], chosen)
	if s.text = text; !ok {
		return false
	}
	s.pos, s.broken = 0, problem{}
	s.encoding, s.encodingBy = chosen.String(), by
	s.ascii = chosen == charset.ASCII
	s.transcoded = chosen != charset.ASCII && chosen != charset.UTF8
	return true
}

func (s *scanner) unreadable(at int, value, reason string) bool {
	s.text = nil
	s.refuse(intake.CodeUnsupportedEncoding, at, value, reason)
	return false
}
