package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml"
	"markr/wal"
)

// tally is a format that is known to this file alone, as an example of how one is
// added: a line for each sheet, test/student=obtained/available.
type tally struct{}

const tallyType = "text/x-tally"

func (tally) MediaTypes() []string { return []string{tallyType} }

func (tally) Decode(doc *intake.Document, raw []byte, _ string) error {
	at := 0
	for line := range bytes.Lines(raw) {
		number := len(doc.Records) + 1
		refuse := func(code intake.Code, column int, field string, value []byte, reason string) error {
			e := &intake.DocumentError{Code: code, Record: number, Field: field, Value: intake.CutValue(value), Reason: reason}
			e.Line, e.Column = intake.LineColumn(raw, at+column)
			return e
		}
		sheet, marks, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("="))
		test, student, ok2 := bytes.Cut(sheet, []byte("/"))
		obtained, available, ok3 := bytes.Cut(marks, []byte("/"))
		if !ok || !ok2 || !ok3 {
			return refuse(intake.CodeMissingField, 0, "sheet", line, "must be test/student=obtained/available")
		}
		record := exam.Record{Test: test, Student: student, ScannedOn: exam.ScannedOnUnknown}
		for field, id := range map[string][]byte{"test": test, "student": student} {
			if err := exam.CheckID(id); err != nil {
				return refuse(intake.CodeInvalidValue, 0, field, id, err.Error())
			}
		}
		var err error
		if record.Available, err = exam.ParseMarks(available); err != nil || record.Available == 0 {
			return refuse(intake.CodeInvalidValue, len(sheet)+len(obtained)+2, "available", available, "must be a number of marks above 0")
		}
		if record.Obtained, err = exam.ParseMarks(obtained); err != nil || record.Obtained > record.Available {
			return refuse(intake.CodeInvalidValue, len(sheet)+1, "obtained", obtained, "must be a number of marks, not above available")
		}
		doc.Records = append(doc.Records, record)
		at += len(line)
	}
	if len(doc.Records) == 0 {
		return &intake.DocumentError{Code: intake.CodeEmptyDocument, Line: 1, Column: 1, Reason: "there is no sheet"}
	}
	return nil
}

// postAs imports a document of a type that the contract need not know.
func (b *border) postAs(t *testing.T, contentType, document string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+b.address+"/import", strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

// lives runs servers on one disk, one after the other; each reads its own formats.
func lives(t *testing.T, name string, fs vfs.FS, decoders []intake.Decoder, live func(*testing.T, *border)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		opened, err := wal.Open(wal.Options{Dir: "data", FS: fs, FreeBytesMin: -1})
		if err != nil {
			t.Fatal(err)
		}
		b := newBorderReading(t, opened, nil, decoders...)
		if err := b.engine.WaitReady(context.Background()); err != nil {
			t.Fatal(err)
		}
		live(t, b)
	})
}

// A format is a decoder and nothing else: what this file alone knows goes through the
// whole program, is refused with its place, and is there after a restart.
func TestANewFormatIsADecoder(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	formats := []intake.Decoder{mcqxml.New(intake.Limits{}), tally{}}
	var before, id string
	lives(t, "first", fs, formats, func(t *testing.T, b *border) {
		t.Helper()
		b.postAs(t, tallyType+"; charset=utf-8", "9/1=13/20\n9/2=17/20\n").want(t, 200)
		b.post(t, document(sheet("9", "3", 10, 20))).want(t, 200)
		refused := b.postAs(t, tallyType, "9/4=13/20\n9/5=20.5/20\n").want(t, 422)
		var problem refusal
		if err := json.Unmarshal([]byte(refused.body), &problem); err != nil || len(problem.Errors) != 1 {
			t.Fatalf("%v: %s", err, refused.body)
		}
		if e := problem.Errors[0]; e.Code != "invalid_value" || e.Record != 2 || e.Line != 2 || e.Column != 5 || e.Field != "obtained" || e.Value != "20.5" {
			t.Errorf("%+v", e)
		}
		if got := b.postAs(t, tallyType, "9/1=13/20\n9/2=17/20\n").want(t, 200); !strings.Contains(got.body, `"duplicate_of":"`) {
			t.Errorf("the same bytes again: %s", got.body)
		}
		if got := b.postAs(t, "text/x-other", "").want(t, 415); got.Header.Get("Accept-Post") != "text/x-tally, text/xml+markr" {
			t.Errorf("%v", got.Header)
		}
		before = b.get(t, "/results/9/aggregate").want(t, 200).body
		var listed struct {
			Imports []struct {
				ID        string `json:"id"`
				MediaType string `json:"media_type"`
				Outcome   string `json:"outcome"`
			} `json:"imports"`
		}
		if err := json.Unmarshal([]byte(b.get(t, "/imports?outcome=accepted").want(t, 200).body), &listed); err != nil {
			t.Fatal(err)
		}
		first := listed.Imports[len(listed.Imports)-1]
		if id = first.ID; first.MediaType != tallyType+"; charset=utf-8" {
			t.Errorf("%+v", first)
		}
	})
	lives(t, "second", fs, formats, func(t *testing.T, b *border) {
		t.Helper()
		if after := b.get(t, "/results/9/aggregate").want(t, 200).body; after != before || !strings.Contains(after, `"count":3`) {
			t.Errorf("before %s\nafter  %s", before, after)
		}
		var found struct{ Records int }
		if err := json.Unmarshal([]byte(b.get(t, "/imports/"+id).want(t, 200).body), &found); err != nil || found.Records != 2 {
			t.Errorf("%v: %+v", err, found)
		}
	})
}

// What a document says never changes: not when its profile changes, and not when it is
// gone. The same bytes read in another way are another document.
func TestProfilesThatChange(t *testing.T) {
	t.Parallel()
	profile := func(obtained string) *markscsv.Profile {
		p, err := markscsv.ParseProfile("office", []byte(`{"test-id":{"text":"9"},"student-number":{"column":"id"},`+
			`"available":{"column":"max"},"obtained":{"column":"`+obtained+`"}}`))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const table = "id,max,first,second\n1,20,13,17\n2,20,5,3\n"
	aggregate := func(t *testing.T, b *border) string {
		t.Helper()
		return b.get(t, "/results/9/aggregate").want(t, 200).body
	}
	fs := vfs.NewMem()
	var before, spelled string
	lives(t, "first", fs, []intake.Decoder{markscsv.New(intake.Limits{}, profile("first"))}, func(t *testing.T, b *border) {
		t.Helper()
		b.do(t, "POST", "/import", table, "Content-Type", "text/csv; profile=office").want(t, 200)
		got := b.do(t, "POST", "/import", table, "Content-Type", "text/csv;profile=office").want(t, 200)
		if !strings.Contains(got.body, `"duplicate_of":"`) {
			t.Errorf("the same again: %s", got.body)
		}
		before = aggregate(t, b)
		var answer struct {
			ImportID string `json:"import_id"`
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
			t.Fatal(err)
		}
		spelled = b.get(t, "/imports/"+answer.ImportID+"/document").want(t, 200).Header.Get("Content-Type")
		if !strings.Contains(before, `"mean":45.0`) || !strings.Contains(spelled, `columns="{\"test-id\"`) {
			t.Errorf("%s, %s", before, spelled)
		}
	})
	lives(t, "changed", fs, []intake.Decoder{markscsv.New(intake.Limits{}, profile("second"))}, func(t *testing.T, b *border) {
		t.Helper()
		if after := aggregate(t, b); after != before {
			t.Errorf("before %s\nafter  %s", before, after)
		}
		got := b.do(t, "POST", "/import", table, "Content-Type", "text/csv; profile=office").want(t, 200)
		if !strings.Contains(got.body, `"marks_raised":1,"unchanged":1,"duplicate_of":null`) {
			t.Errorf("read in another way: %s", got.body)
		}
		if before = aggregate(t, b); !strings.Contains(before, `"mean":55.0`) {
			t.Errorf("%s", before)
		}
	})
	lives(t, "gone", fs, []intake.Decoder{markscsv.New(intake.Limits{})}, func(t *testing.T, b *border) {
		t.Helper()
		if after := aggregate(t, b); after != before {
			t.Errorf("before %s\nafter  %s", before, after)
		}
		b.do(t, "POST", "/import", table, "Content-Type", "text/csv; profile=office").want(t, 415)
		got := b.do(t, "POST", "/import", table, "Content-Type", spelled).want(t, 200)
		if !strings.Contains(got.body, `"duplicate_of":"`) {
			t.Errorf("the first, as it was kept: %s", got.body)
		}
	})
}

// The same cohort in every format gives the same figures, to the last bit.
func TestACohortInEveryFormat(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	const students, questions = 60, 12
	var sheets, results []string
	var marks, answers strings.Builder
	marks.WriteString("student-number;scanned-on;obtained;available;test-id\n")
	answers.WriteString("Exam,Student ID,Scanned")
	for q := range questions {
		fmt.Fprintf(&answers, ",Q%d", q+1)
	}
	fmt.Fprintf(&answers, "\n9,KEY,%s\n9,POINTS,%s\n", strings.Repeat(",B", questions), strings.Repeat(",2.5", questions))
	total := exam.Marks(questions * 2500).String()
	for s := range students {
		student := fmt.Sprintf("%05d", s*7)
		obtained := 0
		fmt.Fprintf(&answers, "9,%s,", student)
		for range questions {
			right := random.IntN(3) > 0
			answers.WriteString(map[bool]string{true: ",b", false: ",C"}[right])
			if right {
				obtained += 2500
			}
		}
		answers.WriteString("\n")
		got := exam.Marks(obtained).String()
		sheets = append(sheets, sheet("9", student, got, total))
		fmt.Fprintf(&marks, "%s;2017-12-04T12:12:10+11:00;%s;%s;9\n", student, got, total)
		results = append(results, `<assessmentResult xmlns="http://www.imsglobal.org/xsd/imsqti_result_v2p1"><context sourcedId="`+student+
			`"/><testResult identifier="9" datestamp="2017-12-04T12:12:10+11:00"><outcomeVariable identifier="SCORE" normalMaximum="`+total+
			`" cardinality="single"><value>`+got+`</value></outcomeVariable></testResult></assessmentResult>`)
	}
	formats := map[string][]string{
		scannerType: {document(sheets...)}, "text/csv": {marks.String()}, "text/csv; profile=keyed": {answers.String()}, "application/xml": results,
	}
	figures := make(map[string]string)
	for contentType, documents := range formats {
		b := newBorder(t, nil)
		for i, d := range documents {
			got := b.do(t, "POST", "/import", d, "Content-Type", contentType).want(t, 200)
			if !strings.Contains(got.body, `"students_added":`+strconv.Itoa(students/len(documents))) {
				t.Errorf("%s, document %d: %s", contentType, i, got.body)
			}
		}
		figures[b.get(t, "/results/9/aggregate?percentiles=1,33.3,99").want(t, 200).body] += contentType + " "
	}
	if len(figures) != 1 {
		t.Errorf("%v", figures)
	}
}

// TestCorrectTableOnPage: a table that needs its profile, or has no header line, is corrected
// on the page as it would have been read.
func TestCorrectTableOnPage(t *testing.T) {
	t.Parallel()
	p, err := markscsv.ParseProfile("office", []byte(`{"test-id":{"text":"9"},"student-number":{"column":"id"},`+
		`"available":{"column":"max"},"obtained":{"column":"got"}}`))
	if err != nil {
		t.Fatal(err)
	}
	hidden := regexp.MustCompile(`name="media_type" value="([^"]*)"`)
	lives(t, "once", vfs.NewMem(), []intake.Decoder{markscsv.New(intake.Limits{}, p)}, func(t *testing.T, b *border) {
		t.Helper()
		for contentType, table := range map[string]string{
			"text/csv; profile=office":                      "id,max,got\n1,20,%s\n",
			"text/csv; header=absent; charset=windows-1252": "9,2,20,%s\n",
			"text/csv; charset=iso-8859-1":                  "test-id,student-number,available,obtained\n9,3,20,%s\n",
		} {
			var refused struct {
				ImportID string `json:"import_id"`
			}
			decodeText(t, b.do(t, "POST", "/import", fmt.Sprintf(table, "21"), "Content-Type", contentType).want(t, 422).body, &refused)
			page := b.get(t, "/desk/"+refused.ImportID).want(t, 200).body
			found := hidden.FindStringSubmatch(page)
			if found == nil {
				t.Fatalf("%s: no form: %s", contentType, page)
			}
			form := url.Values{"media_type": {html.UnescapeString(found[1])}, "document": {fmt.Sprintf(table, "12")}}
			b.do(t, "POST", "/imports/"+refused.ImportID+"/corrections", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").want(t, 200)
		}
		if got := b.get(t, "/results/9/aggregate").want(t, 200).body; !strings.Contains(got, `"mean":60.0`) || !strings.Contains(got, `"count":3`) {
			t.Error(got)
		}
	})
}
