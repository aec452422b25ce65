package mcqxml

import "markr/engine/intake"

// Exported for the tests in package mcqxml_test.
const (
	AttributesMax  = attributesMax
	JoinedBytesMax = joinedBytesMax
)

// IsNameRune says whether r may begin a name, and whether it may go on one.
func IsNameRune(r rune) (begins, goesOn bool) {
	if r < 0x80 {
		return classes[r]&classNameStart != 0, classes[r]&className != 0
	}
	return isWideNameStart(r), isWideName(r)
}

// Event is what the scanner saw, in full.
type Event struct {
	Kind       string // "start", "end", "text"
	Name       string
	Attributes []string // name, value, name, value, …
	Text       string   // of adjacent pieces, joined
}

// Events reads a document with the scanner alone, asking for all the text.
func Events(raw []byte) ([]Event, bool) {
	var events []Event
	doc := new(intake.Document)
	s := &scanner{depthMax: intake.DepthMaxDefault}
	if !s.openDocument(doc, raw, "") || !s.prolog() {
		return nil, false
	}
	s.wantText = true
	joined := newJoiner(doc)
	flush := func() {
		if text := joined.trimmed(); len(text) > 0 {
			events = append(events, Event{Kind: "text", Text: string(text)})
		}
		joined = newJoiner(doc)
	}
	for event := s.startTag(); ; event = s.next() {
		switch event {
		case eventStart:
			flush()
			start := Event{Kind: "start", Name: string(s.of(s.name))}
			for _, a := range s.attributes {
				value := newJoiner(doc)
				value.add(s.of(a.value), attributeValue)
				start.Attributes = append(start.Attributes, string(s.of(a.name)), string(value.trimmed()))
			}
			joined = newJoiner(doc)
			events = append(events, start)
		case eventEnd:
			flush()
			events = append(events, Event{Kind: "end"})
			if len(s.open) == 0 {
				return events, s.epilog()
			}
		case eventText:
			joined.add(s.of(s.piece.span), s.piece.kind)
		default:
			return nil, false
		}
	}
}
