package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// qualityOf is an answer about quality, as far as the tests look at it.
type qualityOf struct {
	Counts   map[string]int `json:"counts"`
	Findings []struct {
		Kind     string  `json:"kind"`
		Student  *string `json:"student"`
		Question *string `json:"question"`
		Response *string `json:"response"`
		What     string  `json:"what"`
		Total    int     `json:"scans_total"`
		Scans    []struct {
			Record  int    `json:"record"`
			Line    *int   `json:"line"`
			Student string `json:"student"`
		} `json:"scans"`
	} `json:"findings"`
	Tests []struct {
		ID     string         `json:"id"`
		Counts map[string]int `json:"counts"`
	} `json:"tests"`
	NextCursor *string `json:"next_cursor"`
}

func qualityInto(t *testing.T, body string, into *qualityOf) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatal(err)
	}
}

// oddSheet is a record with everything between its ids and its marks given.
func oddSheet(student, inside string, obtained, available int) string {
	return fmt.Sprintf("<mcq-test-result>%s<student-number>%s</student-number><test-id>a/b</test-id>"+
		"<summary-marks available=\"%d\" obtained=\"%d\"/></mcq-test-result>\n", inside, student, available, obtained)
}

func oddDocument(sheets ...string) string {
	return "<mcq-test-results>\n" + strings.Join(sheets, "") + "</mcq-test-results>"
}

// Every kind of finding is counted and told, in words, with where it is.
func TestQualityTellsEveryKind(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	answer := func(question, awarded, response string) string {
		return `<answer question="` + question + `" marks-available="1" marks-awarded="` + awarded + `">` + response + `</answer>`
	}
	o.accept(t, oddDocument(
		oddSheet("1", "<first-name>Jane</first-name>"+answer("q-question-1", "1", "A")+answer("2", "0", "B"), 1, 2),
		oddSheet("2", answer("q-question-1", "1", "A")+answer("2", "0", "B"), 1, 2),
	))
	o.accept(t, oddDocument(
		oddSheet("1", "<last-name>Austen</last-name>"+answer("q-question-1", "1", "A")+answer("2", "0", "C"), 2, 2),
		oddSheet("002", answer("2", "1", "B")+answer("2", "0", "B"), 1, 3),
		oddSheet("3", answer("2", "2", "D")+answer("x", "1x", "D"), 1, 2),
	)+" ")
	o.accept(t, strings.Replace(oddDocument(oddSheet("4", "", 1, 2)), "<mcq-test-result>", `<mcq-test-result scanned-on="yesterday">`, 1))
	answers := o.get(t, "/results/a%2Fb/quality")
	var got qualityOf
	qualityInto(t, answers.plain(t), &got)
	var told []string
	for _, f := range got.Findings {
		line := f.Kind
		for _, text := range []*string{f.Student, f.Question, f.Response} {
			line += " "
			if text != nil {
				line += *text
			} else {
				line += "-"
			}
		}
		line += ": " + f.What + ";"
		for _, s := range f.Scans {
			line += fmt.Sprintf(" %s at %d, line %d", s.Student, s.Record, *s.Line)
		}
		told = append(told, line)
	}
	want := []string{
		"different_names 1 - -: is named Jane, Austen; 1 at 1, line 2 1 at 1, line 2",
		"different_answers 1 - -: answers 1 question in different ways: 2; 1 at 1, line 2 1 at 1, line 2",
		"leading_zeros 002 - -: differs only by leading zeros from 2; 002 at 2, line 3",
		"leading_zeros 2 - -: differs only by leading zeros from 002; 2 at 2, line 3",
		"sum_mismatch 1 - -: has 2 marks obtained, and answers that were awarded 1; 1 at 1, line 2",
		"awarded_above_available 3 2 -: was awarded 2 of 1 marks; 3 at 3, line 4",
		"repeated_questions 002 2 -: is answered more than once; 002 at 2, line 3",
		"bad_answers 3 - -: has an answer without a usable question or marks; 3 at 3, line 4",
		`bad_scanned_on 4 - -: has the date "yesterday", which is none with a time and a zone; 4 at 1, line 2`,
		"several_available - - -: 1 scan has, from this one on, 3 available; 5 scans have, the most, 2; 002 at 2, line 3",
		"different_questions - - -: 2 scans have these questions: 2 in all, without q-question-1, which is not so on most sheets; 002 at 2, line 3",
		"key_conflict - 2 B: is credited in the first of these scans and not in the second; 002 at 2, line 3 1 at 1, line 2",
	}
	if strings.Join(told, "\n") != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	for kind, want := range map[string]int{"leading_zeros": 2, "different_names": 1, "different_questions": 2, "key_conflict": 1} {
		if got.Counts[kind] != want {
			t.Errorf("%s: %d, want %d", kind, got.Counts[kind], want)
		}
	}
	// Page by page it is the same.
	var paged []string
	for path := "/results/a%2Fb/quality?limit=5"; path != ""; {
		page := o.get(t, path)
		var part qualityOf
		qualityInto(t, page.plain(t), &part)
		for _, f := range part.Findings {
			paged = append(paged, f.Kind+" "+f.What)
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(page.header.Get("Link"), "<"), ">")
		if (path == "") != (part.NextCursor == nil) {
			t.Errorf("link %q, cursor %v", path, part.NextCursor)
		}
	}
	if len(paged) != len(want) {
		t.Errorf("page by page: %s", strings.Join(paged, "\n"))
	}
	for i, f := range got.Findings {
		if i < len(paged) && paged[i] != f.Kind+" "+f.What {
			t.Errorf("page by page %s, at once %s", paged[i], f.What)
		}
	}
	one := o.get(t, "/results/a%2Fb/quality?kind=key_conflict")
	var conflicts qualityOf
	qualityInto(t, one.plain(t), &conflicts)
	if len(conflicts.Findings) != 1 || conflicts.Counts["bad_answers"] != 1 {
		t.Errorf("of one kind: %s", one.plain(t))
	}
	if again := o.get(t, "/results/a%2Fb/quality", "If-None-Match: "+answers.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("unchanged: %d", again.status)
	}
	metrics := o.get(t, "/metrics").body
	if !strings.Contains(metrics, `markr_quality_findings{kind="leading_zeros"} 2`) {
		t.Error("the metrics do not tell of it")
	}
}

// What is asked wrongly is refused as elsewhere.
func TestQualityRefuses(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, scanned(scan{"m", "1", "1", "2"}))
	for path, code := range map[string]string{
		"/results/x/quality": "404 unknown_test", "/results/m/quality?kind=x": "400 invalid_parameter",
		"/results/m/quality?cursor=x": "400 invalid_cursor", "/results/m/quality?limit=0": "400 invalid_parameter",
		"/quality?cursor=x": "400 invalid_cursor", "/quality?kind=x": "400 invalid_parameter",
	} {
		if got := o.get(t, path); fmt.Sprint(got.status, " ", got.code(t)) != code {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// All tests together: the totals, and those that have findings, page by page.
func TestQualityOfAllTests(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for i := range 7 {
		student := "1"
		if i%2 == 0 {
			student = "01" // Like the other one's but for a zero.
		}
		o.accept(t, scanned(scan{fmt.Sprint("m", i), "1", "1", "2"}, scan{fmt.Sprint("m", i), student, "1", "2"}))
	}
	var ids []string
	for path := "/quality?limit=3"; path != ""; {
		page := o.get(t, path)
		var part qualityOf
		qualityInto(t, page.plain(t), &part)
		if part.Counts["leading_zeros"] != 8 || part.Counts["key_conflict"] != 0 {
			t.Errorf("totals: %v", part.Counts)
		}
		for _, test := range part.Tests {
			ids = append(ids, test.ID)
			if test.Counts["leading_zeros"] != 2 {
				t.Errorf("%s: %v", test.ID, test.Counts)
			}
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(page.header.Get("Link"), "<"), ">")
	}
	if got := strings.Join(ids, " "); got != "m0 m2 m4 m6" {
		t.Errorf("tests with findings: %s", got)
	}
}

// The real scanner output: every rescanned student has two names and other answers, no
// sum disagrees, and no response is always right or always wrong.
func TestQualityOfTheSample(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../shared/sample_results.xml")
	if err != nil {
		t.Skip("the sample of scanner output is not here")
	}
	o := openOffice(t)
	o.accept(t, string(sample))
	var got qualityOf
	qualityInto(t, o.get(t, "/results/9863/quality?kind=different_names").plain(t), &got)
	want := map[string]int{"different_names": 19, "different_answers": 19, "key_conflict": 80}
	for kind, n := range got.Counts {
		if n != want[kind] {
			t.Errorf("%s: %d, want %d", kind, n, want[kind])
		}
	}
	students := make(map[string]bool)
	for _, f := range got.Findings {
		students[*f.Student] = true
		if f.Total != 2 || !strings.HasPrefix(f.What, "is named ") || strings.Count(f.What, ",") != 1 {
			t.Errorf("%+v", f)
		}
	}
	if len(students) != 19 || !students["2319"] || !students["2326"] || !students["2367"] {
		t.Errorf("students with two names: %v", students)
	}
	all := o.get(t, "/quality")
	var tests qualityOf
	qualityInto(t, all.plain(t), &tests)
	if len(tests.Tests) != 1 || tests.Tests[0].ID != "9863" || tests.Counts["different_names"] != 19 || tests.Counts["sum_mismatch"] != 0 {
		t.Errorf("all tests: %s", all.plain(t))
	}
}
