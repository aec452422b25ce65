package mcqxml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// element is a node of the tree that the model reads a document into.
type element struct {
	name       string
	attributes []xml.Attr
	text       string // of all its pieces
	children   []*element
}

// modelTree reads a document that is known to be well-formed.
func modelTree(document []byte) *element {
	top := &element{}
	open := []*element{top}
	for decoder := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.RawToken()
		if err != nil {
			return top.children[0]
		}
		parent := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			if token.Name.Space != "" {
				name = token.Name.Space + ":" + name
			}
			child := &element{name: name, attributes: token.Copy().Attr}
			parent.children = append(parent.children, child)
			open = append(open, child)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			parent.text += string(token)
		}
	}
}

// modelError is the first thing wrong, as far as the model tells it.
type modelError struct {
	code   intake.Code
	record int
	field  string
}

// modelDecode is the slow, clear version of the reader.
func modelDecode(document []byte) (records []string, findings intake.Findings, wrong *modelError) {
	say := func(code intake.Code, field string) {
		if wrong == nil {
			wrong = &modelError{code, len(records) + 1, field}
		}
	}
	trim := func(s string) string { return strings.Trim(s, " \t\r\n") }
	for _, record := range modelTree(document).children {
		if record.name != "mcq-test-result" {
			continue
		}
		values := map[string]string{}
		scanned := ""
		for _, a := range record.attributes {
			if a.Name.Space == "" && a.Name.Local == "scanned-on" {
				date, err := time.Parse(time.RFC3339Nano, trim(a.Value))
				if err != nil {
					findings.BadScannedOn++
				} else {
					scanned = " " + date.UTC().Format(time.RFC3339Nano)
				}
			}
		}
		for _, child := range record.children {
			switch _, seen := values[child.name]; {
			case child.name == "answer":
				if !modelAnswer(child) {
					findings.BadAnswers++
				}
			case child.name != "student-number" && child.name != "test-id" && child.name != "summary-marks":
			case seen:
				say(intake.CodeRepeatedField, child.name)
			case child.name == "summary-marks":
				marks, code, field := modelMarks(child)
				values[child.name] = marks
				if code != "" {
					say(code, field)
				}
			default:
				values[child.name] = trim(child.text)
				if exam.CheckID([]byte(trim(child.text))) != nil {
					say(intake.CodeInvalidValue, child.name)
				}
			}
		}
		for _, field := range []string{"student-number", "test-id", "summary-marks"} {
			if _, seen := values[field]; !seen {
				say(intake.CodeMissingField, field)
			}
		}
		records = append(records, fmt.Sprintf("record %q %q %s%s",
			values["student-number"], values["test-id"], values["summary-marks"], scanned))
	}
	if len(records) == 0 {
		wrong = &modelError{code: intake.CodeEmptyDocument}
	}
	return records, findings, wrong
}

func modelMarks(summary *element) (marks string, code intake.Code, field string) {
	found := map[string]exam.Marks{}
	for _, a := range summary.attributes {
		if a.Name.Space != "" || a.Name.Local != "available" && a.Name.Local != "obtained" {
			continue
		}
		value, err := exam.ParseMarks([]byte(strings.Trim(a.Value, " \t\r\n")))
		if err != nil || a.Name.Local == "available" && value == 0 {
			return "", intake.CodeInvalidValue, "summary-marks/" + a.Name.Local
		}
		found[a.Name.Local] = value
	}
	for _, need := range []string{"available", "obtained"} {
		if _, ok := found[need]; !ok {
			return "", intake.CodeMissingField, "summary-marks/" + need
		}
	}
	if found["obtained"] > found["available"] {
		return "", intake.CodeInvalidValue, "summary-marks/obtained"
	}
	return fmt.Sprintf("%v/%v", found["obtained"], found["available"]), "", ""
}

func modelAnswer(answer *element) bool {
	marks := map[string]exam.Marks{"marks-available": exam.MarksMax, "marks-awarded": 0}
	hasQuestion := false
	for _, a := range answer.attributes {
		value := []byte(strings.Trim(a.Value, " \t\r\n"))
		switch {
		case a.Name.Space != "":
		case a.Name.Local == "question":
			hasQuestion = true
			if exam.CheckID(value) != nil {
				return false
			}
		case a.Name.Local == "marks-available" || a.Name.Local == "marks-awarded":
			parsed, err := exam.ParseMarks(value)
			if err != nil {
				return false
			}
			marks[a.Name.Local] = parsed
		}
	}
	return hasQuestion && marks["marks-awarded"] <= marks["marks-available"]
}

// TestModel holds the decoder against the model on documents laid out at random.
// To see a failure again, run with the -rapid.seed or -rapid.failfile it prints.
func TestModel(t *testing.T) {
	t.Parallel()
	decoder := mcqxml.New(intake.Limits{})
	var doc intake.Document // one for all, as in the server
	rapid.Check(t, func(t *rapid.T) {
		document := []byte(randomDocument(t))
		if verdict := grammarVerdict(document); verdict != wellFormed {
			t.Fatalf("the generator is wrong: %q: %s", verdict, document)
		}
		records, findings, wrong := modelDecode(document)
		doc.Reset()
		err := decoder.Decode(&doc, document, "")
		if wrong != nil {
			e, ok := errors.AsType[*intake.DocumentError](err)
			if !ok || *wrong != (modelError{e.Code, e.Record, e.Field}) {
				t.Fatalf("%s\ngot  %v\nwant %+v", document, err, *wrong)
			}
			return
		}
		want := strings.Join(records, "\n") + "\n"
		if findings != (intake.Findings{}) {
			want += fmt.Sprintf("findings %d scanned-on, %d answers\n", findings.BadScannedOn, findings.BadAnswers)
		}
		if got := told(&doc, err); got != want {
			t.Fatalf("%s\ngot\n%s\nwant\n%s", document, got, want)
		}
	})
}
