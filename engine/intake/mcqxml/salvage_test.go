package mcqxml_test

import (
	"fmt"
	"strings"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// What can be read of a record is told, also where the document is broken behind it.
func TestSalvage(t *testing.T) {
	t.Parallel()
	const first = `<mcq-test-results><mcq-test-result scanned-on="2017"><first-name>J&amp;ne</first-name><last-name/>` +
		`<student-number>1</student-number><answer question="0" marks-awarded="1">D</answer><answer/>` +
		`<summary-marks available="20" obtained="-1"/></mcq-test-result>`
	const second = `<mcq-test-result><student-number>2</student-number><test-id>t</te></mcq-test-result></mcq-test-results>`
	const told = "[{scanned-on 2017} {first-name J&ne} {last-name } {student-number 1} {answer 0 D, marks-awarded 1} {answer } " +
		"{summary-marks/available 20} {summary-marks/obtained -1}]"
	decoder := mcqxml.New(intake.Limits{})
	for _, test := range []struct {
		raw    string
		record int
		want   string
	}{
		{first + second, 1, told},
		{first, 1, told},
		{first + second, 2, "[{student-number 2} {test-id }]"},
		{first + second, 3, "[]"},
		{first + second, 0, "[]"},
		{"<other/>", 1, "[]"},
		{"", 1, "[]"},
		{"\x00\xff", 1, "[]"},
	} {
		if got := fmt.Sprint(decoder.Salvage([]byte(test.raw), "", test.record)); got != test.want {
			t.Errorf("record %d of %q: %s\nwant %s", test.record, test.raw, got, test.want)
		}
	}
	many := "<mcq-test-results><mcq-test-result>" + strings.Repeat("<answer>"+strings.Repeat("x", 999)+"</answer>", 1000)
	fields := decoder.Salvage([]byte(many), "", 1)
	if len(fields) != intake.SalvagedMax || len(fields[0].Value) != intake.ValueCharsMax {
		t.Errorf("%d fields", len(fields))
	}
}
