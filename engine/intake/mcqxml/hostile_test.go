package mcqxml_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// TestHostileDocuments posts what is meant to hurt. Each must be answered, in
// time and memory that do not grow with what it tries to multiply. Not parallel,
// because memory is measured.
func TestHostileDocuments(t *testing.T) {
	if underRace {
		t.Skip("for one goroutine, and long or counting allocations")
	}
	const million = 1_000_000
	repeat := strings.Repeat
	numbered := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	root := func(s string) string { return "<mcq-test-results>" + s + "</mcq-test-results>" }
	student := func(s string) string {
		return root("<mcq-test-result><student-number>" + s +
			`</student-number><test-id>t</test-id><summary-marks available="20" obtained="13"/></mcq-test-result>`)
	}
	const accepted = intake.Code("")
	tests := []struct {
		name     string
		document string
		want     intake.Code
	}{
		{"a million nested tags", repeat("<a>", million), intake.CodeTooDeep},
		{"a million nested tags in the root", root(repeat("<a>", million)), intake.CodeTooDeep},
		{"a million attributes", root("<a" + numbered(` a%d=""`, million) + "/>"), intake.CodeTooLarge},
		{"a million attributes of the root", "<mcq-test-results" + numbered(` a%d=""`, million) + "/>", intake.CodeTooLarge},
		{"a million times the same attribute", root("<a" + repeat(` a=""`, million) + "/>"), intake.CodeMalformedXML},
		{"many elements of many attributes", student("1<x>" + repeat("<a"+numbered(` a%d=""`, 1000)+"/>", 3000) + "</x>"), accepted},
		{"many elements of just so many attributes", student("1<x>" + repeat("<a"+numbered(` a%d=""`, 16)+"/>", 100_000) + "</x>"), accepted},
		{"30 MB of text", student(repeat("1", 30*million)), intake.CodeInvalidValue},
		{"30 MB of white space around a number", student(repeat(" ", 15*million) + "1" + repeat("\n", 15*million)), accepted},
		{"30 MB of text nobody asked for", student("1<x>" + repeat("1", 30*million) + "</x>"), accepted},
		{"30 MB of references", student(repeat("&#49;", 6*million)), intake.CodeInvalidValue},
		{"30 MB of carriage returns", student(repeat("\r", 30*million) + "1"), accepted},
		{"30 MB in a comment", student("1<!--" + repeat(" ", 30*million) + "-->"), accepted},
		{"30 MB of hyphens in a comment", student("1<!--" + repeat(" -", 15*million) + " -->"), accepted},
		{"30 MB in a CDATA section", student("1<![CDATA[" + repeat(" ", 30*million) + "]]>"), accepted},
		{"30 MB of brackets in a CDATA section", student("<![CDATA[" + repeat("]", 30*million) + "]]>"), intake.CodeInvalidValue},
		{"30 MB of brackets in text", student("1<x>" + repeat("]", 30*million) + "</x>"), accepted},
		{"30 MB in an instruction", student("1<?x " + repeat("?", 30*million) + "?>"), accepted},
		{"30 MB in an attribute", student("1<x a='" + repeat("\"", 30*million) + "'/>"), accepted},
		{"30 MB of references in marks", root(`<mcq-test-result><student-number>1</student-number><test-id>t</test-id><summary-marks available="` +
			repeat("&#48;", 6*million) + `20" obtained="13"/></mcq-test-result>`), accepted},
		{"30 MB in a name", root("<" + repeat("a", 30*million) + "/>"), intake.CodeEmptyDocument},
		{"30 MB in the name of an entity", student("&" + repeat("a", 30*million) + ";"), intake.CodeMalformedXML},
		{"30 MB of digits in a reference", student("&#" + repeat("0", 30*million) + "49;"), accepted},
		{"30 MB of white space in a tag", root("<a" + repeat(" ", 30*million) + "/>"), intake.CodeEmptyDocument},
		{"30 MB of white space before the root", repeat(" ", 30*million) + student("1"), accepted},
		{"30 MB of white space after the root", student("1") + repeat("\n", 30*million), accepted},
		{"30 MB of comments", student(repeat("<!---->", 4*million) + "1"), accepted},
		{"30 MB in a million pieces", student(repeat("1<!-- more of the same -->", million)), intake.CodeInvalidValue},
		{"30 MB of empty elements", student(repeat("<a/>", 7*million) + "1"), accepted},
		{"30 MB of wide characters", student("1<x>" + repeat("中", 10*million) + "</x>"), accepted},
		{"30 MB never closed", "<mcq-test-results>" + repeat("a", 30*million), intake.CodeMalformedXML},
		{"an entity bomb", `<!DOCTYPE a [<!ENTITY a "` + repeat("a", million) + `"><!ENTITY b "` + repeat("&a;", million) + `">]><a>&b;</a>`, intake.CodeDTDForbidden},
		{"a DOCTYPE of 30 MB", "<!DOCTYPE a [" + repeat("<!-- -->", 4*million), intake.CodeDTDForbidden},
		{"30 MB of DOCTYPE in another root", "<a>" + repeat("<!DOCTYPE a>", 2*million), intake.CodeDTDForbidden},
	}
	decoder := mcqxml.New(intake.Limits{})
	var warm intake.Document
	if err := decoder.Decode(&warm, []byte(smallDocument), ""); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(strings.ReplaceAll(test.name, " ", "-"), func(t *testing.T) {
			document := []byte(test.document)
			var doc intake.Document
			before, start := allocated(), time.Now()
			err := decoder.Decode(&doc, document, "")
			took, used := time.Since(start), allocated()-before
			e, _ := errors.AsType[*intake.DocumentError](err)
			if got := codeOf(e); got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
			// What a decoder keeps for a tag full of attributes is some 100 KB.
			if used > 200_000 {
				t.Errorf("%d bytes allocated for %d", used, len(document))
			}
			// Generous, because the machine may be busy: it is some tens of
			// milliseconds, and something quadratic would be hours.
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestLongAttributeNames has as many attributes as there may be, with names that
// differ only in their ends.
func TestLongAttributeNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 10_000)
	var b strings.Builder
	b.WriteString("<a")
	for i := range mcqxml.AttributesMax {
		fmt.Fprintf(&b, ` %s%d=""`, long, i)
	}
	b.WriteString("/>")
	var doc intake.Document
	err := mcqxml.New(intake.Limits{}).Decode(&doc, []byte(b.String()), "")
	if e, _ := errors.AsType[*intake.DocumentError](err); codeOf(e) != intake.CodeWrongDocument {
		t.Errorf("got %v", err)
	}
}

// TestLastOfManyRecords puts one bad mark at the end of a document of the most
// records there may be.
func TestLastOfManyRecords(t *testing.T) {
	if underRace {
		t.Skip("for one goroutine, and long or counting allocations")
	}
	const records = intake.RecordsMaxDefault
	random := rand.New(rand.NewPCG(1, 2))
	tooLarge := generate(random, records+1, usualLayout)
	last := bytes.LastIndex(tooLarge, []byte("\t<mcq-test-result "))
	good := append(bytes.Clone(tooLarge[:last]), "</mcq-test-results>\n"...)
	document := good
	marks := bytes.LastIndex(document, []byte(`obtained="`))
	document = bytes.Join([][]byte{document[:marks], document[marks+len(`obtained="`):]}, []byte(`obtained="-`))
	line := bytes.Count(document[:marks], []byte("\n")) + 1
	column := marks - bytes.LastIndexByte(document[:marks], '\n')

	decoder := mcqxml.New(intake.Limits{})
	var doc intake.Document
	before := allocated()
	err := decoder.Decode(&doc, document, "")
	used := allocated() - before
	e, ok := errors.AsType[*intake.DocumentError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	e.Value, e.Reason = "", ""
	want := intake.DocumentError{
		Code: intake.CodeInvalidValue, Record: records, Line: line, Column: column, Field: "summary-marks/obtained",
	}
	if *e != want {
		t.Errorf("got  %+v\nwant %+v", *e, want)
	}
	if used > uint64(len(document)) {
		t.Errorf("%d bytes allocated for a document of %d", used, len(document))
	}

	// One record more is one too many, and is told at once.
	doc.Reset()
	err = decoder.Decode(&doc, tooLarge, "")
	if e, _ = errors.AsType[*intake.DocumentError](err); codeOf(e) != intake.CodeTooLarge || e.Record != records+1 {
		t.Errorf("got %v", err)
	}
	doc.Reset()
	if err := decoder.Decode(&doc, good, ""); err != nil || len(doc.Records) != records {
		t.Errorf("%d records: %v", len(doc.Records), err)
	}
}

// allocated is how many bytes have ever been allocated.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func codeOf(e *intake.DocumentError) intake.Code {
	if e == nil {
		return ""
	}
	return e.Code
}
