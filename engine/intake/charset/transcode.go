package charset

import (
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"markr/engine/intake"
)

// undecodable stands in transcoded text for bytes that mean nothing in their
// encoding. It is never part of UTF-8, so whoever reads the text stumbles over it in
// its place, after whatever is wrong before it.
const undecodable = 0xFF

// Decode gives raw, without its byte order mark, as UTF-8: itself in UTF-8 and
// US-ASCII, and where it is the same in both, else in doc's arena, measured first and
// allocated to size, if there is room. Bytes that
// mean nothing in the encoding are left to be found by whoever reads the text as
// UTF-8: each stands in it as a byte that cannot. If there is no room the decoder has
// nothing to read.
func Decode(doc *intake.Document, raw []byte, from Encoding) (text []byte, ok bool) {
	switch from {
	case Latin1, Windows1252:
		return transcodeTable(doc, raw, from)
	case UTF16BE, UTF16LE:
		return transcodeUTF16(doc, raw, from)
	default:
		return raw, true
	}
}

// transcodeTable gives raw, in an encoding of one byte per character, as UTF-8.
func transcodeTable(doc *intake.Document, raw []byte, from Encoding) (text []byte, ok bool) {
	table := charmap.ISO8859_1
	if from == Windows1252 {
		table = charmap.Windows1252
	}
	// Measured first, so that the text is allocated once and to size.
	size := 0
	for _, b := range raw {
		size++
		if b >= utf8.RuneSelf {
			size += utf8.RuneLen(table.DecodeByte(b)) - 1
		}
	}
	if size == len(raw) {
		return raw, true // No byte means anything else in UTF-8, or nothing.
	}
	if text, ok = doc.TakeText(size); !ok {
		return nil, false
	}
	for _, b := range raw {
		if b < utf8.RuneSelf {
			text = append(text, b)
			continue
		}
		if r := table.DecodeByte(b); r != utf8.RuneError {
			text = utf8.AppendRune(text, r)
		} else {
			text = append(text, undecodable)
		}
	}
	return doc.Keep(text), true
}

// transcodeUTF16 gives raw, without its byte order mark, as UTF-8.
func transcodeUTF16(doc *intake.Document, raw []byte, order Encoding) (text []byte, ok bool) {
	high, low := 0, 1
	if order == UTF16LE {
		high, low = 1, 0
	}
	unit := func(i int) rune { return rune(raw[i+high])<<8 | rune(raw[i+low]) }
	size := 0
	for i := 0; i+1 < len(raw); i += 2 {
		switch r := unit(i); {
		case r < utf8.RuneSelf:
			size++
		case r < 0x800 || utf16.IsSurrogate(r):
			size += 2 // A pair makes four bytes.
		default:
			size += 3
		}
	}
	if text, ok = doc.TakeText(size + 1); !ok {
		return nil, false
	}
	for i := 0; i < len(raw); i += 2 {
		if i+1 == len(raw) {
			text = append(text, undecodable) // Half a character at the end.
			break
		}
		r := unit(i)
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if i+3 < len(raw) {
				second = unit(i + 2)
			}
			if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
				text = append(text, undecodable)
				continue
			}
			i += 2
		}
		text = utf8.AppendRune(text, r)
	}
	return doc.Keep(text), true
}
