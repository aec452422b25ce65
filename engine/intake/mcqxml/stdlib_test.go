package mcqxml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// encoding/xml in strict mode, and what must be added to it to have XML 1.0.
//
// It misses these rules, so a document that it takes and that breaks one of them
// is refused by us alone:
//
//  1. one root; outside it only comments, instructions and white space;
//  2. no DOCTYPE (a rule of the contract), and "<!" begins nothing else but
//     comments and CDATA sections;
//  3. the XML declaration stands at the very start, once, and has its form;
//     no other instruction is named xml;
//  4. white space between attributes, and after an instruction's name;
//  5. no attribute twice;
//  6. comments and instructions hold characters, in valid UTF-8;
//  7. no reference to a surrogate, which it reads as U+FFFD;
//  8. no nesting beyond 64 (a rule of the contract).
//
// It is stricter in one thing, names: it knows the tables of the second edition,
// and takes no name with two colons. A document with names that need more is not
// compared; the grammar still is.

// stdlibResult is what encoding/xml made of a document.
type stdlibResult struct {
	verdict intake.Code
	events  []mcqxml.Event
	// incomparable says that the document was refused for a name that the
	// fifth edition may allow.
	incomparable bool
}

// stdlib reads a document in UTF-8 with encoding/xml, and adds the rules.
func stdlib(document []byte) stdlibResult {
	document = bytes.TrimPrefix(document, []byte("\xEF\xBB\xBF"))
	rest := document
	if declarationStart.Match(document) {
		declared := declarationPattern.Find(document)
		if declared == nil {
			return stdlibResult{verdict: malformed} // rule 3
		}
		rest = rest[len(declared):]
	}
	var result stdlibResult
	decoder := xml.NewDecoder(bytes.NewReader(rest))
	raw := xml.NewDecoder(bytes.NewReader(rest)) // for names with their prefixes
	depth, roots, before := 0, 0, int64(0)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && depth == 0 && roots == 1 {
			return result
		}
		if err != nil {
			// A DOCTYPE or a tag that is too deep is refused for that, whatever
			// is wrong in it.
			result.verdict = malformed
			switch failed := rest[before:]; {
			case bytes.HasPrefix(failed, []byte("<!DOCTYPE")):
				result.verdict = hasDTD
			case depth >= intake.DepthMaxDefault && startTagStart.Match(failed):
				result.verdict = tooDeep
			}
			result.incomparable = hasUnusualName(rest[before:])
			return result
		}
		source := rest[before:decoder.InputOffset()]
		before = decoder.InputOffset()
		rawToken, _ := raw.RawToken()
		if result.verdict = ruleBroken(token, source, depth, &roots); result.verdict != wellFormed {
			return result
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		result.events = addEvent(result.events, rawToken)
	}
}

// ruleBroken holds a token, which stands in source, to the rules that
// encoding/xml misses.
func ruleBroken(token xml.Token, source []byte, depth int, roots *int) intake.Code {
	match := tokenPattern.FindSubmatchIndex(source)
	is := func(kind int) bool { return match != nil && match[1] == len(source) && match[2*kind] >= 0 }
	switch token := token.(type) {
	case xml.StartElement:
		if depth >= intake.DepthMaxDefault {
			return tooDeep
		}
		if depth == 0 {
			*roots++
		}
		if !is(tokenStart) || *roots > 1 || hasRepeatedAttribute(source) || hasBadReference(tokenStart, source) {
			return malformed
		}
	case xml.EndElement:
		if len(source) > 0 && !is(tokenEnd) { // <a/> ends without source
			return malformed
		}
	case xml.CharData:
		if depth == 0 && (len(bytes.Trim(source, " \t\r\n")) > 0) || is(tokenText) && hasBadReference(tokenText, source) {
			return malformed
		}
	case xml.Comment:
		if _, dirty := cleanPrefix(source); dirty || !is(tokenComment) {
			return malformed
		}
	case xml.ProcInst:
		if _, dirty := cleanPrefix(source); dirty || !is(tokenInstruction) || strings.EqualFold(token.Target, "xml") {
			return malformed
		}
	case xml.Directive:
		if bytes.HasPrefix(source, []byte("<!DOCTYPE")) {
			return hasDTD
		}
		return malformed
	}
	return wellFormed
}

// hasUnusualName says whether what encoding/xml stumbled over may be a name that
// it does not know: one with more than ASCII in it, or with two colons.
func hasUnusualName(source []byte) bool {
	source, _ = cleanPrefix(source)
	for _, match := range anyName.FindAll(source, -1) {
		if bytes.Count(match, []byte(":")) > 1 || bytes.ContainsFunc(match, func(r rune) bool { return r >= 0x80 }) {
			return true
		}
	}
	return false
}

// addEvent adds what encoding/xml saw to what it saw before. Texts are cut and
// trimmed as the reader does it.
func addEvent(events []mcqxml.Event, token xml.Token) []mcqxml.Event {
	fullName := func(name xml.Name) string {
		if name.Space == "" {
			return name.Local
		}
		return name.Space + ":" + name.Local
	}
	switch token := token.(type) {
	case xml.StartElement:
		event := mcqxml.Event{Kind: "start", Name: fullName(token.Name)}
		for _, a := range token.Attr {
			event.Attributes = append(event.Attributes, fullName(a.Name), a.Value)
		}
		return append(events, event)
	case xml.EndElement:
		return append(events, mcqxml.Event{Kind: "end"})
	case xml.CharData:
		if last := len(events) - 1; last >= 0 && events[last].Kind == "text" {
			events[last].Text += string(token)
			return events
		}
		return append(events, mcqxml.Event{Kind: "text", Text: string(token)})
	}
	return events
}

// readable gives events as the reader would see them: texts trimmed and cut,
// empty ones not there. Every white space in an attribute is made a space, which
// encoding/xml leaves to its user, and which we do but for references.
func readable(events []mcqxml.Event) []mcqxml.Event {
	cut := func(text string) string {
		text = strings.Trim(text, " \t\r\n")
		return strings.TrimRight(text[:min(len(text), mcqxml.JoinedBytesMax)], " \t\r\n")
	}
	var seen []mcqxml.Event
	for _, event := range events {
		for i := 1; i < len(event.Attributes); i += 2 {
			event.Attributes[i] = cut(strings.NewReplacer("\n", " ", "\t", " ", "\r", " ").Replace(event.Attributes[i]))
		}
		event.Text = cut(event.Text)
		if event.Kind != "text" || event.Text != "" {
			seen = append(seen, event)
		}
	}
	return seen
}
