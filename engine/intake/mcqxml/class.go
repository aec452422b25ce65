package mcqxml

import "unicode/utf8"

// What a byte may be, as bits of an entry of classes. Bytes of 0x80 and above
// have no bits: they are parts of characters, and take the slow way.
const (
	classSpace     = 1 << iota // S: space, tab, carriage return, line feed
	classNameStart             // NameStartChar
	className                  // NameChar
	classText                  // stands for itself in text
	classValue                 // stands for itself in an attribute value, in either quotes
	classChar                  // Char
)

// classes tells what each byte may be. It is a table because one load and one
// test per byte is what the scanner's speed rests on; BenchmarkDecode shows it.
//
//nolint:gochecknoglobals // A table, never written after it is made.
var classes = makeClasses()

func makeClasses() (table [256]uint8) {
	for c := range byte(utf8.RuneSelf) {
		space := c == ' ' || c == '\t' || c == '\r' || c == '\n'
		if c < ' ' && !space {
			continue
		}
		class := uint8(classChar)
		if space {
			class |= classSpace
		}
		if c != '<' && c != '&' && c != ']' {
			class |= classText
		}
		if c != '<' && c != '&' && c != '"' && c != '\'' {
			class |= classValue
		}
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if letter || c == '_' || c == ':' {
			class |= classNameStart | className
		}
		if c >= '0' && c <= '9' || c == '-' || c == '.' {
			class |= className
		}
		table[c] = class
	}
	return table
}

func isSpace(c byte) bool { return classes[c]&classSpace != 0 }

// isChar is production [2]: what may stand in a document at all.
func isChar(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF ||
		r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD ||
		r >= 0x10000 && r <= 0x10FFFF
}

// isWideNameStart is production [4] of the fifth edition, above ASCII.
func isWideNameStart(r rune) bool {
	switch {
	case r < 0x300:
		return r >= 0xC0 && r != 0xD7 && r != 0xF7
	case r < 0x2000:
		return r >= 0x370 && r != 0x37E
	case r < 0x3001:
		return r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF
	case r < 0x10000:
		return r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD
	default:
		return r <= 0xEFFFF
	}
}

// isWideName is production [4a] of the fifth edition, above ASCII.
func isWideName(r rune) bool {
	return isWideNameStart(r) || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}
