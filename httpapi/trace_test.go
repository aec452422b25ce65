package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// A student's marks are traced to the scans, with line, name and reason.
func TestTraceIsExactlyThisText(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, `<mcq-test-results>
  <mcq-test-result scanned-on="2017-12-04T12:12:10+11:00">
    <first-name>Jane</first-name> <last-name>Austen</last-name>
    <student-number>52/1</student-number> <test-id>a/b</test-id>
    <summary-marks available="20" obtained="13.5" />
  </mcq-test-result>
  <mcq-test-result>
    <student-number>52/1</student-number> <test-id>a/b</test-id>
    <summary-marks available="20" obtained="9" />
  </mcq-test-result>
</mcq-test-results>`)
	const want = `{"test":"a/b","student":"52/1","scoring":"highest","denominator":"test","position":1,` +
		`"obtained":13.5,"available":20,"percentage":67.5,"percentile_rank":50.0,"count":1,"scans_total":2,"scans":[` +
		`{"import_id":"ID","position":1,"received":"TIME","source":"127.0.0.1","record":1,"line":2,"first_name":"Jane","last_name":"Austen",` +
		`"scanned_on":"2017-12-04T12:12:10+11:00","obtained":13.5,"available":20,"kept":true,"why":"has the most marks obtained"},` +
		`{"import_id":"ID","position":1,"received":"TIME","source":"127.0.0.1","record":2,"line":7,"first_name":null,"last_name":null,` +
		`"scanned_on":null,"obtained":9,"available":20,"kept":false,"why":"has 9 marks obtained, the kept one 13.5"}]}`
	got := o.get(t, "/results/a%2Fb/students/52%2F1")
	if got.status != http.StatusOK || strings.TrimSpace(mask(got.plain(t))) != want {
		t.Errorf("%d %s\nwant %s", got.status, mask(got.plain(t)), want)
	}
	if again := o.get(t, "/results/a%2Fb/students/52%2F1", "If-None-Match: "+got.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("unchanged: %d", again.status)
	}
	for path, code := range map[string]string{
		"/results/a%2Fb/students/52":                           "unknown_student",
		"/results/x/students/52%2F1":                           "unknown_test",
		"/results/x/history":                                   "unknown_test",
		"/results/a%2Fb/history?to=9":                          "unknown_position",
		"/results/x/aggregate?at=1":                            "unknown_test",
		"/results/x/aggregate?at=2":                            "unknown_position",
		"/results/x/aggregate?as-of=" + "2001-01-01T00:00:00Z": "unknown_test",
	} {
		if got := o.get(t, path); got.status != http.StatusNotFound || got.code(t) != code {
			t.Errorf("%s: %d %s, want %s", path, got.status, got.body, code)
		}
	}
	for _, path := range []string{
		"/results/a%2Fb/aggregate?at=0", "/results/a%2Fb/aggregate?at=x", "/results/a%2Fb/aggregate?as-of=today",
		"/results/a%2Fb/aggregate?at=1&as-of=2030-01-01T00:00:00Z", "/results/a%2Fb/history?from=2&to=1",
		"/results/a%2Fb/history?limit=0", "/results/a%2Fb/students/52%2F1?at=1",
	} {
		if got := o.get(t, path); got.status != http.StatusBadRequest || got.code(t) != "invalid_parameter" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := o.get(t, "/results/a%2Fb/history?cursor=x"); got.status != http.StatusBadRequest || got.code(t) != "invalid_cursor" {
		t.Errorf("bad cursor: %d %s", got.status, got.body)
	}
}

// What the aggregate was after each document is what is answered for it later, by
// position and by time, and what the history says, page by page.
func TestAggregateAsItWas(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	var bodies, steps []string
	for i := range 7 {
		o.accept(t, scanned(scan{"m", fmt.Sprint(i % 4), fmt.Sprint(2 * i), fmt.Sprint(10 + 2*i)}))
		bodies = append(bodies, o.get(t, "/results/m/aggregate").body)
		steps = append(steps, fmt.Sprintf(`"aggregate":%s`, bodies[i]))
	}
	var list struct {
		Imports []struct {
			Received string `json:"received"`
		} `json:"imports"`
	}
	if err := json.Unmarshal([]byte(o.get(t, "/imports").plain(t)), &list); err != nil {
		t.Fatal(err)
	}
	for i, want := range bodies {
		if got := o.get(t, fmt.Sprintf("/results/m/aggregate?at=%d", i+1)); got.status != http.StatusOK || got.body != want {
			t.Errorf("at %d: %d %s, want %s", i+1, got.status, got.body, want)
		}
		when := list.Imports[len(bodies)-1-i].Received // Newest first.
		if got := o.get(t, "/results/m/aggregate?as-of="+when); got.status != http.StatusOK || got.body != want {
			t.Errorf("as of %s: %d %s, want %s", when, got.status, got.body, want)
		}
	}
	with := o.get(t, "/results/m/aggregate?at=3&percentiles=50").body
	if !strings.HasPrefix(with, strings.TrimSuffix(bodies[2], "}")+`,"percentiles":{"50":`) {
		t.Errorf("percentiles at 3: %s", with)
	}
	var shown []string
	for path := "/results/m/history?limit=3&from=2&to=6"; path != ""; {
		answer := o.get(t, path)
		var page struct {
			Test       string           `json:"test"`
			Steps      []map[string]any `json:"steps"`
			NextCursor *string          `json:"next_cursor"`
		}
		answer.into(t, &page)
		for i := range page.Steps {
			shown = append(shown, fmt.Sprint(page.Steps[i]["position"]))
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(answer.header.Get("Link"), "<"), ">")
		if (path == "") != (page.NextCursor == nil) {
			t.Errorf("link %q, cursor %v", path, page.NextCursor)
		}
	}
	if got := strings.Join(shown, " "); got != "2 3 4 5 6" {
		t.Errorf("history shows the positions %s", got)
	}
	whole := o.get(t, "/results/m/history").plain(t)
	for _, step := range steps {
		if !strings.Contains(whole, step) {
			t.Errorf("history lacks %s: %s", step, whole)
		}
	}
}

// The real scanner output, in three parts: after each the aggregate is what it was,
// and the rescanned students are told with both scans.
func TestTraceOfTheSample(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../shared/sample_results.xml")
	if err != nil {
		t.Skip("the sample of scanner output is not here")
	}
	o := openOffice(t)
	head, rest, _ := strings.Cut(string(sample), "<mcq-test-result ")
	records := strings.Split(rest, "<mcq-test-result ")
	last := len(records) - 1
	records[last], _, _ = strings.Cut(records[last], "</mcq-test-results>")
	var bodies []string
	for _, part := range [][]string{records[:30], records[30:70], records[70:]} {
		o.accept(t, head+"<mcq-test-result "+strings.Join(part, "<mcq-test-result ")+"</mcq-test-results>")
		bodies = append(bodies, o.get(t, "/results/9863/aggregate").body)
	}
	for i, want := range bodies {
		if got := o.get(t, fmt.Sprintf("/results/9863/aggregate?at=%d", i+1)).body; got != want {
			t.Errorf("at %d: %s, want %s", i+1, got, want)
		}
	}
	for _, student := range []string{"2319", "2326", "2367"} {
		var trace struct {
			Scans []struct {
				Line   *int    `json:"line"`
				Last   *string `json:"last_name"`
				Kept   bool    `json:"kept"`
				Why    string  `json:"why"`
				Record int     `json:"record"`
			} `json:"scans"`
		}
		answer := o.get(t, "/results/9863/students/"+student)
		if answer.status != http.StatusOK {
			t.Fatalf("%s: %s", student, answer.body)
		}
		kept := 0
		if err := json.Unmarshal([]byte(answer.plain(t)), &trace); err != nil {
			t.Fatal(err)
		}
		for _, s := range trace.Scans {
			if s.Line == nil || *s.Line == 0 || s.Last == nil || s.Why == "" {
				t.Errorf("%s: %+v", student, s)
			}
			if s.Kept {
				kept++
			}
		}
		if len(trace.Scans) != 2 || kept != 1 {
			t.Errorf("%s: %d scans, %d kept", student, len(trace.Scans), kept)
		}
	}
}
