// Package charset turns the bytes of a document into text, for decoders of every
// format: UTF-8, UTF-16 with a byte order mark, ISO-8859-1, US-ASCII and
// windows-1252. Which of them a document is in is for its format to say.
package charset

// Encoding is a way to write text as bytes.
type Encoding uint8

// The encodings that are read, and Unknown for any other.
const (
	Unknown Encoding = iota
	UTF8
	ASCII
	Latin1
	Windows1252
	UTF16   // by name alone: the byte order mark must say which
	UTF16BE // big endian
	UTF16LE // little endian
)

// names are for people.
//
//nolint:gochecknoglobals // A table.
var names = [...]string{
	UTF8: "UTF-8", ASCII: "US-ASCII", Latin1: "ISO-8859-1",
	Windows1252: "windows-1252",
	UTF16:       "UTF-16", UTF16BE: "UTF-16", UTF16LE: "UTF-16",
}

// Named finds an encoding by the names the IANA registry gives it, in any case.
func Named(name []byte) Encoding {
	// Lowered by hand, because strings.ToLower allocates for "UTF-8".
	var lower [24]byte
	if len(name) > len(lower) {
		return Unknown
	}
	for i := range len(name) {
		lower[i] = name[i]
		if name[i] >= 'A' && name[i] <= 'Z' {
			lower[i] |= 0x20
		}
	}
	switch string(lower[:len(name)]) {
	case "utf-8", "utf8", "csutf8":
		return UTF8
	case "us-ascii", "ascii", "ansi_x3.4-1968", "ansi_x3.4-1986", "iso_646.irv:1991", "iso646-us",
		"iso-ir-6", "us", "ibm367", "cp367", "csascii":
		return ASCII
	case "iso-8859-1", "iso_8859-1", "iso_8859-1:1987", "iso8859-1", "iso-ir-100", "latin1", "l1",
		"ibm819", "cp819", "csisolatin1":
		return Latin1
	case "windows-1252", "cp1252", "cswindows1252":
		return Windows1252
	case "utf-16", "utf16", "utf-16be", "utf-16le", "csutf16", "csutf16be", "csutf16le":
		return UTF16
	}
	return Unknown
}

// String is the encoding's usual name, empty for Unknown.
func (e Encoding) String() string { return names[e] }

// Byte order marks.
const (
	markUTF8    = "\xEF\xBB\xBF"
	markUTF16BE = "\xFE\xFF"
	markUTF16LE = "\xFF\xFE"
)

// Marked is the encoding that the byte order mark at the start of raw names, and
// the mark's length; Unknown and 0 if there is none.
func Marked(raw []byte) (found Encoding, markBytes int) {
	begins := func(mark string) bool { return len(raw) >= len(mark) && string(raw[:len(mark)]) == mark }
	switch {
	case begins(markUTF8):
		return UTF8, len(markUTF8)
	case begins(markUTF16BE):
		return UTF16BE, len(markUTF16BE)
	case begins(markUTF16LE):
		return UTF16LE, len(markUTF16LE)
	}
	return Unknown, 0
}
