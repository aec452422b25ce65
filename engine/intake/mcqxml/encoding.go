package mcqxml

import "markr/engine/intake"

// encoding is a way to write text as bytes.
type encoding uint8

const (
	encodingUnknown encoding = iota
	encodingUTF8
	encodingASCII
	encodingLatin1
	encodingWindows1252
	encodingUTF16   // by name alone: the byte order mark must say which
	encodingUTF16BE // big endian
	encodingUTF16LE // little endian
)

// encodingNames are for people.
//
//nolint:gochecknoglobals // A table.
var encodingNames = [...]string{
	encodingUTF8: "UTF-8", encodingASCII: "US-ASCII", encodingLatin1: "ISO-8859-1",
	encodingWindows1252: "windows-1252",
	encodingUTF16:       "UTF-16", encodingUTF16BE: "UTF-16", encodingUTF16LE: "UTF-16",
}

// encodingNamed finds an encoding by the names the IANA registry gives it, in
// any case.
func encodingNamed(name []byte) encoding {
	// Lowered by hand, because strings.ToLower allocates for "UTF-8".
	var lower [24]byte
	if len(name) > len(lower) {
		return encodingUnknown
	}
	for i := range len(name) {
		lower[i] = name[i]
		if name[i] >= 'A' && name[i] <= 'Z' {
			lower[i] |= 0x20
		}
	}
	switch string(lower[:len(name)]) {
	case "utf-8", "utf8", "csutf8":
		return encodingUTF8
	case "us-ascii", "ascii", "ansi_x3.4-1968", "ansi_x3.4-1986", "iso_646.irv:1991", "iso646-us",
		"iso-ir-6", "us", "ibm367", "cp367", "csascii":
		return encodingASCII
	case "iso-8859-1", "iso_8859-1", "iso_8859-1:1987", "iso8859-1", "iso-ir-100", "latin1", "l1",
		"ibm819", "cp819", "csisolatin1":
		return encodingLatin1
	case "windows-1252", "cp1252", "cswindows1252":
		return encodingWindows1252
	case "utf-16", "utf16", "utf-16be", "utf-16le", "csutf16", "csutf16be", "csutf16le":
		return encodingUTF16
	}
	return encodingUnknown
}

// The encodings below are told by the first bytes of the document.
const (
	markUTF8    = "\xEF\xBB\xBF"
	markUTF16BE = "\xFE\xFF"
	markUTF16LE = "\xFF\xFE"
)

// sniffed is what the first bytes of a document say about its encoding: a byte
// order mark, or the shape of "<" or "<?xm" in an encoding that cannot be read
// without one. unreadable says why it is not read.
func sniffed(raw []byte) (found encoding, markBytes int, unreadable string) {
	switch {
	case startsWith(raw, markUTF8):
		return encodingUTF8, len(markUTF8), ""
	case startsWith(raw, "\xFF\xFE\x00\x00"), startsWith(raw, "\x00\x00\xFE\xFF"),
		startsWith(raw, "<\x00\x00\x00"), startsWith(raw, "\x00\x00\x00<"):
		return encodingUnknown, 0, "the document is UTF-32, which is not read"
	case startsWith(raw, markUTF16BE):
		return encodingUTF16BE, len(markUTF16BE), ""
	case startsWith(raw, markUTF16LE):
		return encodingUTF16LE, len(markUTF16LE), ""
	case startsWith(raw, "<\x00"), startsWith(raw, "\x00<"):
		return encodingUnknown, 0, "the document is UTF-16 without a byte order mark, which it must begin with"
	case startsWith(raw, "\x4C\x6F\xA7\x94"):
		return encodingUnknown, 0, "the document is EBCDIC, which is not read"
	}
	return encodingUnknown, 0, ""
}

// openDocument makes s ready to read raw: decides the encoding, transcodes into
// doc if it must, and reads the XML declaration. The order is that of RFC 7303: the
// byte order mark, then charset (the content type's parameter), then the
// declaration, then UTF-8.
//
// The first of them that is there decides alone. A declaration that says
// otherwise is not an error: programs that transcode documents on the way, or
// put a byte order mark before them, leave it as it was.
func (s *scanner) openDocument(doc *intake.Document, raw []byte, charset string) bool {
	s.reset(raw, 0)
	chosen, markBytes, unreadable := sniffed(raw)
	if unreadable != "" {
		s.refuse(intake.CodeUnsupportedEncoding, 0, "", unreadable)
		return false
	}
	body := raw[markBytes:]
	if chosen == encodingUTF16BE || chosen == encodingUTF16LE {
		s.readAs(chosen, "the byte order mark")
		s.text = transcodeUTF16(doc, body, chosen)
		_, ok := s.declaration()
		return ok
	}
	s.text = body
	by := "the byte order mark"
	if chosen == encodingUnknown && charset != "" {
		by = "the content type"
		if chosen = encodingNamed([]byte(charset)); !s.readable(chosen, placeNone, []byte(charset), by) {
			return false
		}
	}
	declared, ok := s.declaration()
	if !ok {
		return false
	}
	switch {
	case chosen != encodingUnknown:
	case declared.end == 0:
		chosen, by = encodingUTF8, ""
	default:
		by = "the XML declaration"
		if chosen = encodingNamed(s.of(declared)); !s.readable(chosen, declared.start, s.of(declared), by) {
			return false
		}
	}
	s.readAs(chosen, by)
	if s.transcoded {
		s.text = transcodeTable(doc, body, chosen)
	}
	return true
}

// readable says whether a document without byte order mark can be read in the
// encoding that by names, and records why not.
func (s *scanner) readable(chosen encoding, at int, name []byte, by string) bool {
	switch chosen {
	case encodingUnknown:
		s.refuse(intake.CodeUnsupportedEncoding, at, intake.CutValue(name), "is an encoding that is not read, named by "+by)
		return false
	case encodingUTF16:
		s.refuse(intake.CodeUnsupportedEncoding, at, intake.CutValue(name),
			"is the encoding named by "+by+", but the document does not begin with its byte order mark")
		return false
	default:
		return true
	}
}

// readAs notes the encoding for the checks and for people.
func (s *scanner) readAs(chosen encoding, by string) {
	s.ascii = chosen == encodingASCII
	s.transcoded = chosen != encodingASCII && chosen != encodingUTF8
	s.encoding = encodingNames[chosen]
	s.encodingBy = by
}
