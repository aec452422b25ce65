package httpapi

import (
	"bytes"
	"fmt"
	"mime"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	encodings "golang.org/x/text/encoding/unicode"
)

// shownLine is a line of a document. Of the offending one, At is the character that is
// wrong.
type shownLine struct {
	Number            int
	Wrong             bool
	Before, At, After string
}

// declaredEncoding finds the encoding in an XML declaration.
var declaredEncoding = regexp.MustCompile(`^\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']`)

// documentText is a document as text, for people to look at, and whether that is all of it:
// what cannot be decoded, or cannot stand in a page, is replaced, and then the text must
// not be handed in as the document. The order is that of RFC 7303, as decoders have it:
// the byte order mark, the content type, the declaration, UTF-8.
func documentText(raw []byte, mediaType string) (text string, whole bool) {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte("\xFE\xFF")), bytes.HasPrefix(raw, []byte("\xFF\xFE")):
		from = encodings.UTF16(encodings.BigEndian, encodings.UseBOM)
	default:
		from = namedEncoding(raw, mediaType)
	}
	if from != nil {
		if decoded, err := from.NewDecoder().Bytes(raw); err == nil {
			raw = decoded
		}
	}
	text = strings.ToValidUTF8(string(raw), "\uFFFD")
	whole = !strings.ContainsFunc(text, func(c rune) bool {
		return c == utf8.RuneError || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c >= 0x7F && c < 0xA0
	})
	return text, whole
}

// namedEncoding is the encoding that a content type or a declaration names, nil if
// neither names one, or one that is not known or is UTF-8.
func namedEncoding(raw []byte, mediaType string) encoding.Encoding {
	name := ""
	if _, params, err := mime.ParseMediaType(mediaType); err == nil {
		name = params["charset"]
	}
	if name == "" {
		const declarationBytesMax = 256
		if m := declaredEncoding.FindSubmatch(raw[:min(len(raw), declarationBytesMax)]); m != nil {
			name = string(m[1])
		}
	}
	found, err := htmlindex.Get(name)
	if err != nil || found == encodings.UTF8 {
		return nil
	}
	return found
}

// linesAround is the line with a number and some before and after it, with what is
// wrong in it. Lines end as decoders count them: with a line feed, a carriage return, or
// the two together.
func linesAround(text string, line, column int) []shownLine {
	var lines []shownLine
	for number := 1; number <= line+contextLines; number++ {
		end := strings.IndexAny(text, "\r\n")
		content := text
		if end >= 0 {
			content = text[:end]
		}
		if number >= line-contextLines {
			lines = append(lines, newShownLine(number, content, number == line, column))
		}
		if end < 0 {
			break
		}
		text = strings.TrimPrefix(text[end:], "\r")
		text = strings.TrimPrefix(text, "\n")
	}
	return lines
}

func newShownLine(number int, content string, wrong bool, column int) shownLine {
	shown := shownLine{Number: number, Wrong: wrong}
	if !wrong {
		shown.Before = visible(cutAfter(content, lineCharsMax))
		return shown
	}
	// A line may be as long as the document, so characters are counted, not copied.
	at := 0
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(content[at:])
		at += size
	}
	_, size := utf8.DecodeRuneInString(content[at:])
	shown.Before = visible(cutBefore(content[:at], lineCharsMax/2))
	shown.At = visible(content[at : at+size])
	shown.After = visible(cutAfter(content[at+size:], lineCharsMax/2))
	return shown
}

const cutMark = "…"

// cutAfter is the beginning of a text, at most so many characters of it.
func cutAfter(text string, chars int) string {
	for i := range text {
		if chars--; chars < 0 {
			return text[:i] + cutMark
		}
	}
	return text
}

// cutBefore is the end of a text, at most so many characters of it.
func cutBefore(text string, chars int) string {
	at := len(text)
	for ; chars > 0 && at > 0; chars-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	if at > 0 {
		return cutMark + text[at:]
	}
	return text
}

// visible writes characters that cannot be seen, or that change the order in which
// others are seen, by their numbers. Line ends and tabs stay, and so does one form of
// the former.
func visible(text string) string {
	hidden := func(c rune) bool {
		return c != '\n' && c != '\t' && c != ' ' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || unicode.Is(unicode.Co, c) ||
			unicode.Is(unicode.Zl, c) || unicode.Is(unicode.Zp, c))
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b strings.Builder
	for _, c := range text {
		if hidden(c) {
			fmt.Fprintf(&b, "‹U+%04X›", c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}
