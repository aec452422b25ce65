package httpapi_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"markr/engine"
	"markr/engine/scoring"
)

// rollRow is a student as every format has them.
type rollRow struct {
	Student        string      `json:"student"`
	Obtained       json.Number `json:"obtained"`
	Available      json.Number `json:"available"`
	Percentage     json.Number `json:"percentage"`
	PercentileRank json.Number `json:"percentile_rank"`
	ImportID       string      `json:"import_id"`
	Position       int         `json:"position"`
	Record         int         `json:"record"`
}

// rollPage is the answer as JSON.
type rollPage struct {
	TestID      string      `json:"test_id"`
	Position    int         `json:"position"`
	Scoring     string      `json:"scoring"`
	Denominator string      `json:"denominator"`
	Available   json.Number `json:"available"`
	Count       int         `json:"count"`
	Students    []rollRow   `json:"students"`
	NextCursor  *string     `json:"next_cursor"`
}

// rowsOfLines reads NDJSON.
func rowsOfLines(t testing.TB, body string) []rollRow {
	t.Helper()
	var rows []rollRow
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		var row rollRow
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		rows = append(rows, row)
	}
	return rows
}

// rowsOfTable reads CSV as somebody does who takes away the apostrophes.
func rowsOfTable(t testing.TB, body, test string) []rollRow {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(records) == 0 {
		t.Fatalf("%v in %s", err, body)
	}
	if got := strings.Join(records[0], ","); got != "test-id,student-number,available,obtained,percentage,percentile-rank,import-id,position,record" {
		t.Errorf("columns %s", got)
	}
	var rows []rollRow
	for _, r := range records[1:] {
		for _, field := range r {
			if strings.ContainsAny(field[:1], "=+-@\t\r") || strings.HasPrefix(field, "＝") {
				t.Errorf("a spreadsheet takes %q for a formula", field)
			}
		}
		if got := strings.TrimPrefix(r[0], "'"); got != test {
			t.Errorf("test %q, want %q", got, test)
		}
		position, positionErr := strconv.Atoi(r[7])
		record, recordErr := strconv.Atoi(r[8])
		if err := errors.Join(positionErr, recordErr); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, rollRow{
			strings.TrimPrefix(r[1], "'"), json.Number(r[3]), json.Number(r[2]), json.Number(r[4]), json.Number(r[5]), r[6], position, record,
		})
	}
	return rows
}

// All formats say the same of every student, and the same as is said of each alone.
func TestStudents(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const test = `=a"b,'`
	students := []string{
		"521585128", "002299", "2299", "=1+1", "+61", "-5", "@SUM(1)", "'quoted", "''", "＝1", "a,b", `say "hi"`, "a;b", "a b", "<&>", `back\slash`,
		"Ωμέγα", strings.Repeat("9", 256), "=cmd|' /C calc'!A0",
	}
	var scans []scan
	for i, student := range students {
		scans = append(scans, scan{test, student, fmt.Sprint(i % 7), "20"})
	}
	o.accept(t, scanned(scans...))
	o.accept(t, scanned(scan{test, "2299", "13.5", "20"}, scan{"other", "2299", "1", "2"}))
	target := "/results/" + url.PathEscape(test) + "/students"

	whole := o.get(t, target)
	var page rollPage
	whole.into(t, &page)
	if page.TestID != test || page.Position != 2 || page.Scoring != "highest" || page.Denominator != "test" || page.Available != "20" ||
		page.Count != len(students) || page.NextCursor != nil || whole.header.Get("Markr-Position") != "2" {
		t.Errorf("%v %+v", whole.header, page)
	}
	for i, row := range page.Students {
		var trace struct {
			Obtained, Available, Percentage json.Number
			PercentileRank                  json.Number `json:"percentile_rank"`
			Scans                           []struct {
				ImportID string `json:"import_id"`
				Position int
				Record   int
				Kept     bool
			}
		}
		if err := json.Unmarshal([]byte(o.get(t, target+"/"+url.PathEscape(students[i])).plain(t)), &trace); err != nil {
			t.Fatal(err)
		}
		for _, s := range trace.Scans {
			want := rollRow{students[i], trace.Obtained, trace.Available, trace.Percentage, trace.PercentileRank, s.ImportID, s.Position, s.Record}
			if s.Kept && row != want {
				t.Errorf("row %+v\nwant %+v", row, want)
			}
		}
	}
	for name, read := range map[string]func(string) []rollRow{
		"ndjson": func(body string) []rollRow { return rowsOfLines(t, body) },
		"csv":    func(body string) []rollRow { return rowsOfTable(t, body, test) },
	} {
		for _, limit := range []string{"", "&limit=1000"} {
			got := o.get(t, target+"?format="+name+limit)
			if diff := cmp.Diff(page.Students, read(got.plain(t))); diff != "" {
				t.Errorf("%s:\n%s", name+limit, diff)
			}
			if want := `attachment; filename="_a_b__-students-2.` + name + `"`; got.header.Get("Content-Disposition") != want {
				t.Errorf("%s: %s, want %s", name+limit, got.header.Get("Content-Disposition"), want)
			}
		}
	}
	head := o.do(t, http.MethodHead, target+"?format=csv", "")
	if head.status != 200 || head.header.Get("Markr-Position") != "2" || head.body != "" {
		t.Errorf("HEAD: %+v", head)
	}
}

// An export as CSV can be imported elsewhere, and comes to the same figures.
func TestStudentsImportedElsewhere(t *testing.T) {
	t.Parallel()
	here, there := openOffice(t), openOffice(t)
	here.accept(t, scanned(scan{"m", "1", "7", "20"}, scan{"m", "2", "13.125", "20"}, scan{"m", "1", "9", "20"}, scan{"m", "x,y", "20", "20"}))
	table := here.get(t, "/results/m/students", "Accept: text/csv").body
	if got := there.do(t, http.MethodPost, "/import", table, "Content-Type: text/csv"); got.status != 200 {
		t.Fatalf("%d: %s", got.status, got.body)
	}
	want := here.get(t, "/results/m/aggregate").body
	if got := there.get(t, "/results/m/aggregate").body; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The pages of a list stand for the position of its first, whatever comes meanwhile.
func TestStudentsByPages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for i := range 25 {
		o.accept(t, scanned(scan{"m", fmt.Sprint(i), fmt.Sprint(i % 7), "20"}, scan{"m", fmt.Sprint(i / 2), fmt.Sprint(i % 11), "20"}))
	}
	for _, format := range []string{"json", "ndjson", "csv"} {
		var want rollPage
		o.get(t, "/results/m/students").into(t, &want)
		var got []rollRow
		next := "/results/m/students?limit=4&format=" + format
		for pages := 0; next != ""; pages++ {
			a := o.get(t, next)
			if a.header.Get("Markr-Position") != strconv.Itoa(want.Position) {
				t.Fatalf("page %d stands for %s, want %d", pages, a.header.Get("Markr-Position"), want.Position)
			}
			switch format {
			case "json":
				var page rollPage
				a.into(t, &page)
				if page.Position != want.Position || page.Count != want.Count {
					t.Errorf("page %d: %+v", pages, page)
				}
				got = append(got, page.Students...)
			case "ndjson":
				got = append(got, rowsOfLines(t, a.body)...)
			case "csv":
				got = append(got, rowsOfTable(t, a.body, "m")...)
			}
			next, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
			o.accept(t, scanned(scan{"m", fmt.Sprint(pages), "19", "20"}, scan{"m", fmt.Sprintf("late %d", pages), "19", "40"}))
		}
		if diff := cmp.Diff(want.Students, got); diff != "" {
			t.Fatal(diff)
		}
		// The rest may be streamed, too.
		var first rollPage
		o.get(t, "/results/m/students?limit=10&at="+strconv.Itoa(want.Position)).into(t, &first)
		rest := rowsOfLines(t, o.get(t, "/results/m/students?format=ndjson&cursor="+*first.NextCursor).body)
		if diff := cmp.Diff(want.Students, append(first.Students, rest...)); diff != "" {
			t.Fatal(diff)
		}
	}
	// Under another rule they are gone, and it is said.
	var page rollPage
	o.get(t, "/results/m/students?limit=1").into(t, &page)
	under, err := o.engine.StartReprocess(scoring.Rule{Policy: scoring.First})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has read all", func() bool { return under.Status().Phase == engine.PhaseReady })
	if _, err := under.Commit(t.Context(), engine.CommitOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := o.get(t, "/results/m/students?limit=1&cursor="+*page.NextCursor); got.status != 409 || got.code(t) != "cursor_expired" {
		t.Errorf("%d: %s", got.status, got.body)
	}
}

func TestStudentsAsked(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, scanned(scan{"m", "1", "7", "20"}, scan{"m", "2", "7", "20"}))
	o.accept(t, scanned(scan{"n", "1", "7", "20"}, scan{"n", "2", "7", "20"}))
	var page rollPage
	o.get(t, "/results/n/students?limit=1").into(t, &page)
	const path = "/results/m/students"
	for _, ask := range []struct {
		query, accept string
		status        int
		want          string // the content type, or the problem's code
	}{
		{"", "", 200, "application/json"},
		{"", "*/*", 200, "application/json"},
		{"", "text/html, */*;q=0.8", 200, "application/json"},
		{"", "application/x-ndjson", 200, "application/x-ndjson"},
		{"", "application/ndjson, application/json;q=0.9", 200, "application/x-ndjson"},
		{"", "text/*", 200, "text/csv; charset=utf-8; header=present"},
		{"", "*/*;q=0.1, text/csv;q=0.2", 200, "text/csv; charset=utf-8; header=present"},
		{"", "application/*, application/json;q=0", 200, "application/x-ndjson"},
		{"", "text/html", 406, "not_acceptable"},
		{"?format=csv", "application/json", 200, "text/csv; charset=utf-8; header=present"},
		{"?format=xlsx", "", 400, "invalid_parameter"},
		{"?limit=0", "", 400, "invalid_parameter"},
		{"?limit=1001", "", 400, "invalid_parameter"},
		{"?bins=2", "", 400, "invalid_parameter"},
		{"?at=9", "", 404, "unknown_position"},
		{"?cursor=x", "", 400, "invalid_cursor"},
		{"?cursor=" + *page.NextCursor, "", 400, "invalid_cursor"}, // of another test
		{"?at=1&cursor=" + *page.NextCursor, "", 400, "invalid_parameter"},
	} {
		var headers []string
		if ask.accept != "" {
			headers = append(headers, "Accept: "+ask.accept)
		}
		got := o.get(t, path+ask.query, headers...)
		what := got.header.Get("Content-Type")
		if ask.status != 200 {
			what = got.code(t)
		}
		if got.status != ask.status || what != ask.want {
			t.Errorf("%s, Accept: %s: %d %s, want %d %s", ask.query, ask.accept, got.status, what, ask.status, ask.want)
		}
	}
	if got := o.get(t, "/results/x/students"); got.status != 404 || got.code(t) != "unknown_test" {
		t.Errorf("%d: %s", got.status, got.body)
	}
	// Somebody else's import changes nothing here, one of this test does.
	tag := o.get(t, path).header.Get("ETag")
	o.accept(t, scanned(scan{"n", "3", "7", "20"}))
	if got := o.get(t, path, "If-None-Match: "+tag); got.status != 304 {
		t.Errorf("%d after an import of another test", got.status)
	}
	if got := o.get(t, path+"?format=csv", "If-None-Match: "+tag); got.status != 200 {
		t.Errorf("%d for another format", got.status)
	}
	o.accept(t, scanned(scan{"m", "3", "7", "20"}))
	if got := o.get(t, path, "If-None-Match: "+tag); got.status != 200 {
		t.Errorf("%d after an import", got.status)
	}
}
