package mcqxml_test

import (
	"fmt"
	"strings"
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// answersOf tells the answers and oddities of a document, a line a record.
func answersOf(t *testing.T, raw string) []string {
	t.Helper()
	registry, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	var doc intake.Document
	if err := registry.Decode(&doc, []byte(raw), mcqxml.MediaType); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := range doc.Records {
		var b strings.Builder
		for _, a := range doc.AnswersOf(&doc.Records[i]) {
			fmt.Fprintf(&b, "%s=%s %d/%d; ", doc.Spell(a.Question), doc.Spell(a.Response), a.Awarded, a.Available)
		}
		fmt.Fprintf(&b, "odd %b", doc.Records[i].Odd)
		lines = append(lines, b.String())
	}
	return lines
}

func sheetOf(answers string, obtained int) string {
	return `<mcq-test-result><student-number>1</student-number><test-id>t</test-id>` + answers +
		fmt.Sprintf(`<summary-marks available="20" obtained="%d"/></mcq-test-result>`, obtained)
}

// However an answer is written, the same comes out of it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 30)
	for answer, want := range map[string]string{
		`<answer question="0" marks-available="1" marks-awarded="1">D</answer>`:                         "0=D 1000/1000; odd 0",
		`<answer marks-awarded='1' question=' &#48; ' marks-available='1.0'><!-- -->D<x>E</x></answer>`: "0=D 1000/1000; odd 0",
		`<answer question="12" marks-available="2" marks-awarded="1"></answer>`:                         "12= 1000/2000; odd 0",
		`<answer question="12"/>`: "12= -1/-1; odd 0",
		`<answer question="q-1234567" marks-awarded="1">B<!-- -->` + long + `</answer>`: "q-1234567=" + intake.CutValue([]byte("B"+long)) + " 1000/-1; odd 0",
		`<answer question="1" marks-available="1" marks-awarded="1">somewhat</answer>`:  "1=somewhat 1000/1000; odd 0",
		`<answer question="1" marks-available="1" marks-awarded="2">A</answer>`:         fmt.Sprintf("1=A 2000/1000; odd %b", exam.OddAwarded|exam.OddSum),
		`<answer question="1" marks-available="1" marks-awarded="x">A</answer>`:         fmt.Sprintf("odd %b", exam.OddAnswer),
		`<answer marks-available="1" marks-awarded="1">A</answer>`:                      fmt.Sprintf("odd %b", exam.OddAnswer),
		`<answer question="1" marks-available="1" marks-awarded="0">A</answer>`:         fmt.Sprintf("1=A 0/1000; odd %b", exam.OddSum),
		`<answer question="1" marks-awarded="1">A</answer><answer question="1" marks-awarded="0">B</answer>`: fmt.Sprintf("1=A 1000/-1; 1=B 0/-1; odd %b",
			exam.OddRepeated),
	} {
		if got := answersOf(t, "<mcq-test-results>"+sheetOf(answer, 1)+"</mcq-test-results>"); got[0] != want {
			t.Errorf("%s:\n%s\nwant %s", answer, got[0], want)
		}
	}
}

// Each record has its own answers, also one that has none, and names and answers are
// the same however they are written and ordered.
func TestPrints(t *testing.T) {
	t.Parallel()
	const one = `<answer question="1" marks-available="1" marks-awarded="1">A</answer>`
	const two = `<answer question="2" marks-available="1" marks-awarded="0">B</answer>`
	const other = `<answer question="2" marks-available="1" marks-awarded="0">C</answer>`
	const name = `<first-name>J</first-name><last-name>Au</last-name>`
	raw := "<mcq-test-results>" + sheetOf(one+two, 1) + sheetOf("", 1) + sheetOf(two+name+one, 1) + sheetOf(one+other, 1) +
		sheetOf(one+`<last-name> A<!-- -->u </last-name><first-name>&#74;</first-name>`, 1) + sheetOf(`<first-name>Au</first-name>`, 1) + "</mcq-test-results>"
	var doc intake.Document
	registry, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // A document is used again.
		doc.Reset()
		if err := registry.Decode(&doc, []byte(raw), mcqxml.MediaType); err != nil {
			t.Fatal(err)
		}
		r := doc.Records
		if r[0].Answers != 2 || r[1].Answers != 0 || r[2].Answers != 2 || r[4].Answers != 1 || r[4].FirstAnswer != 6 {
			t.Errorf("answers: %+v", r)
		}
		if r[0].Responses != r[2].Responses || r[0].Questions != r[2].Questions || r[0].Responses == r[3].Responses ||
			r[0].Questions != r[3].Questions || r[0].Questions == r[4].Questions {
			t.Errorf("fingerprints: %+v", r)
		}
		if r[1].Responses != exam.PrintNone || r[1].Questions != 0 || r[1].Odd != 0 || r[0].Names != exam.PrintNone {
			t.Errorf("a record that says nothing: %+v", r[1])
		}
		if r[2].Names == exam.PrintNone || r[2].Names != r[4].Names || r[2].Names == r[5].Names {
			t.Errorf("names: %+v", r)
		}
	}
}
