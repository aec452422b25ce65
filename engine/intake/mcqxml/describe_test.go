package mcqxml_test

import (
	"errors"
	"strings"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// A record is told by its place in the document, with what does not count.
func TestDescribe(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 100)
	raw := []byte("<?xml version='1.0'?>\r\n<mcq-test-results>\n" +
		`<mcq-test-result scanned-on=" 2017-12-04T12:12:10+11:00 "><first-name>J&amp;ne<!-- --> </first-name><last-name><![CDATA[Austen]]></last-name>` + "\n" +
		`<answer question="0" marks-available="1" marks-awarded="1">D</answer>` + "\n" +
		`<student-number>1</student-number><test-id>t</test-id><summary-marks available="20" obtained="13"/></mcq-test-result>` + "\n" +
		`<mcq-test-result scanned-on="yesterday"><student-number>2</student-number><test-id>t</test-id><summary-marks available="20" obtained="13"/>` +
		`<first-name>` + long + `</first-name></mcq-test-result>` + "\n" +
		`<mcq-test-result><student-number>3</student-number><test-id>t</test-id><summary-marks available="20" obtained="13"/></mcq-test-result>` +
		"</mcq-test-results>")
	decoder := mcqxml.New(intake.Limits{})
	for record, want := range []intake.Description{
		{Line: 3, FirstName: "J&ne", LastName: "Austen", ScannedOn: "2017-12-04T12:12:10+11:00"},
		{Line: 6, FirstName: intake.CutValue([]byte(long)), ScannedOn: "yesterday"},
		{Line: 7},
	} {
		if got, err := decoder.Describe(raw, "", record); err != nil || got != want {
			t.Errorf("record %d: %+v, %v; want %+v", record, got, err, want)
		}
	}
	for _, record := range []int{-1, 3} {
		if _, err := decoder.Describe(raw, "", record); !errors.Is(err, intake.ErrNoRecord) {
			t.Errorf("record %d: %v", record, err)
		}
	}
	if _, ok := errors.AsType[*intake.DocumentError](second(decoder.Describe([]byte("<x/>"), "", 0))); !ok {
		t.Error("a document of another kind was described")
	}
	// The same decoder decodes as ever.
	var doc intake.Document
	if err := decoder.Decode(&doc, raw, ""); err != nil || len(doc.Records) != 3 || doc.Findings.BadScannedOn != 1 {
		t.Errorf("%d records, %+v, %v", len(doc.Records), doc.Findings, err)
	}
}

func second[T any](_ T, err error) error { return err }
