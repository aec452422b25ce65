package mcqxml_test

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"markr/engine/intake"
)

// This file is the slow, clear version of the scanner: the productions of XML
// 1.0, fifth edition, as regular expressions, and a stack. What it takes, the
// scanner must take, and nothing else.

// Verdicts on a document's form.
const (
	wellFormed = intake.Code("")
	malformed  = intake.CodeMalformedXML
	hasDTD     = intake.CodeDTDForbidden
	tooDeep    = intake.CodeTooDeep
)

// The productions, with their numbers.
const (
	charClass     = `\t\n\r\x20-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}` // [2]
	space         = `[ \t\r\n]`                                                // [3]
	nameStartSet  = `:A-Z_a-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}-\x{200D}\x{2070}-\x{218F}\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}`
	nameSet       = nameStartSet + `\-.0-9\x{B7}\x{300}-\x{36F}\x{203F}-\x{2040}`                                    // [4a]
	name          = `[` + nameStartSet + `][` + nameSet + `]*`                                                       // [5]
	reference     = `&(?:amp|lt|gt|apos|quot|#[0-9]+|#x[0-9a-fA-F]+);`                                               // [67]
	value         = `(?:"(?:[^<&"]|` + reference + `)*"|'(?:[^<&']|` + reference + `)*')`                            // [10]
	equals        = space + `*=` + space + `*`                                                                       // [25]
	attributes    = `(?:` + space + `+` + name + equals + value + `)*` + space + `*`                                 // [41]
	startTag      = `<` + name + attributes + `/?>`                                                                  // [40], [44]
	endTag        = `</` + name + space + `*>`                                                                       // [42]
	comment       = `<!--(?:[^-]|-[^-])*-->`                                                                         // [15]
	instruction   = `<\?` + name + `(?:` + space + `(?s:.*?))?\?>`                                                   // [16]
	cdata         = `<!\[CDATA\[(?s:.*?)\]\]>`                                                                       // [18]
	text          = `(?:[^<&]|` + reference + `)+`                                                                   // [14]
	declaration   = `<\?xml` + space + `+version` + equals + version + encodingPart + standalone + space + `*\?>`    // [23]
	version       = `(?:"1\.0"|'1\.0')`                                                                              // [24], of our version
	encodingPart  = `(?:` + space + `+encoding` + equals + `(?:"(` + encodingName + `)"|'(` + encodingName + `)'))?` // [80]
	encodingName  = `[A-Za-z][A-Za-z0-9._\-]*`                                                                       // [81]
	standalone    = `(?:` + space + `+standalone` + equals + `(?:"(?:yes|no)"|'(?:yes|no)'))?`                       // [32]
	oneAttribute  = `(` + name + `)` + equals + value                                                                // [41]
	anyReference  = `&#(x?)([0-9a-fA-F]+);`                                                                          // [66]
	forbiddenChar = `[^` + charClass + `]`
)

var (
	tokenPattern       = regexp.MustCompile(`^(?:(` + startTag + `)|(` + endTag + `)|(` + comment + `)|(` + instruction + `)|(` + cdata + `)|(` + text + `))`)
	declarationPattern = regexp.MustCompile(`^` + declaration)
	declarationStart   = regexp.MustCompile(`^<\?xml(?:[^` + nameSet + `]|$)`)
	attributePattern   = regexp.MustCompile(oneAttribute)
	namePattern        = regexp.MustCompile(`^</?(` + name + `)`)
	referencePattern   = regexp.MustCompile(anyReference)
	reservedPattern    = regexp.MustCompile(`^<\?(?i:xml)(?:[^` + nameSet + `]|$)`)
	anyName            = regexp.MustCompile(name)
	startTagStart      = regexp.MustCompile(`^<[^/!?]`)
	forbiddenPattern   = regexp.MustCompile(forbiddenChar)
)

// Kinds of tokens, as groups of tokenPattern.
const (
	tokenStart = 1 + iota
	tokenEnd
	tokenComment
	tokenInstruction
	tokenCDATA
	tokenText
)

// grammarVerdict says what is to be said of a document in UTF-8, by the grammar.
func grammarVerdict(document []byte) intake.Code {
	document = bytes.TrimPrefix(document, []byte("\xEF\xBB\xBF"))
	clean, dirty := cleanPrefix(document)
	rest := clean
	if declarationStart.Match(rest) {
		declared := declarationPattern.Find(rest)
		if declared == nil {
			return malformed
		}
		rest = rest[len(declared):]
	}
	var open []string
	roots := 0
	for len(rest) > 0 {
		if bytes.HasPrefix(rest, []byte("<!DOCTYPE")) {
			return hasDTD
		}
		inside := len(open) > 0
		// The limit comes before the name, so what is behind '<' may be anything.
		if len(open) >= intake.DepthMaxDefault && startTagStart.Match(document[len(clean)-len(rest):]) {
			return tooDeep
		}
		match := tokenPattern.FindSubmatchIndex(rest)
		if match == nil {
			return malformed
		}
		token, kind := rest[:match[1]], 1
		for match[2*kind] < 0 {
			kind++
		}
		rest = rest[match[1]:]
		good := !hasBadReference(kind, token)
		switch kind {
		case tokenStart:
			if !inside {
				roots++
			}
			good = good && roots == 1 && !hasRepeatedAttribute(token)
			if !bytes.HasSuffix(token, []byte("/>")) {
				open = append(open, string(namePattern.FindSubmatch(token)[1]))
			}
		case tokenEnd:
			good = inside && open[len(open)-1] == string(namePattern.FindSubmatch(token)[1])
			if good {
				open = open[:len(open)-1]
			}
		case tokenInstruction:
			good = !reservedPattern.Match(token)
		case tokenCDATA:
			good = inside
		case tokenText:
			good = good && !bytes.Contains(token, []byte("]]>")) && (inside || len(bytes.Trim(token, " \t\r\n")) == 0)
		}
		if !good {
			return malformed
		}
	}
	if dirty || roots != 1 || len(open) > 0 {
		return malformed
	}
	return wellFormed
}

// cleanPrefix cuts a document off before the first thing that is no character.
func cleanPrefix(document []byte) (clean []byte, dirty bool) {
	for i := 0; i < len(document); {
		r, size := utf8.DecodeRune(document[i:])
		if r == utf8.RuneError && size == 1 || forbiddenPattern.Match(document[i:i+size]) {
			return document[:i], true
		}
		i += size
	}
	return document, false
}

func hasRepeatedAttribute(tag []byte) bool {
	seen := make(map[string]bool)
	for _, match := range attributePattern.FindAllSubmatch(tag, -1) {
		if seen[string(match[1])] {
			return true
		}
		seen[string(match[1])] = true
	}
	return false
}

// hasBadReference looks for references to what is no character.
func hasBadReference(kind int, token []byte) bool {
	if kind != tokenStart && kind != tokenText {
		return false
	}
	for _, match := range referencePattern.FindAllSubmatch(token, -1) {
		base := 10
		if len(match[1]) > 0 {
			base = 16
		}
		// A number that does not fit is as bad as NUL.
		number, err := strconv.ParseInt(string(match[2]), base, 32)
		if err != nil || number > utf8.MaxRune || number >= 0xD800 && number < 0xE000 ||
			forbiddenPattern.MatchString(string(rune(number))) {
			return true
		}
	}
	return false
}

// isReadAsUTF8 says whether a document is one that both we and the grammar read
// as UTF-8.
func isReadAsUTF8(document []byte) bool {
	for _, start := range []string{"\xFE\xFF", "\xFF\xFE", "\x00\x00", "\x00<", "<\x00", "\x4C\x6F\xA7\x94"} {
		if bytes.HasPrefix(document, []byte(start)) {
			return false
		}
	}
	if bytes.HasPrefix(document, []byte("\xEF\xBB\xBF")) {
		return true
	}
	match := declarationPattern.FindSubmatch(document)
	if match == nil {
		return true
	}
	declared := strings.ToLower(string(match[1]) + string(match[2]))
	return declared == "" || declared == "utf-8" || declared == "utf8"
}
