package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"markr/httpapi"
)

// mask replaces what differs from run to run: import ids, request ids, times.
func mask(body string) string {
	body = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`).ReplaceAllString(body, "TIME")
	body = regexp.MustCompile(`\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d`).ReplaceAllString(body, "TIME")
	body = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`).ReplaceAllString(body, "ID")
	return regexp.MustCompile(`"instance":"[^"]+"`).ReplaceAllString(body, `"instance":"ID"`)
}

func TestAggregateIsExactlyThisText(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, scanned(scan{"1234", "521585128", "13", "20"}))
	const want = `{"mean":65.0,"stddev":0.0,"min":65.0,"max":65.0,"p25":65.0,"p50":65.0,"p75":65.0,"count":1}`
	got := o.get(t, "/results/1234/aggregate")
	if got.status != http.StatusOK || got.body != want {
		t.Errorf("%d %q, want %q", got.status, got.body, want)
	}
	if got := got.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if got := o.get(t, "/results/4321/aggregate"); got.status != http.StatusNotFound || got.code(t) != "unknown_test" {
		t.Errorf("unknown test: %d %s", got.status, got.body)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	var scans []scan
	for i := range 11 {
		scans = append(scans, scan{"t", fmt.Sprint(i), fmt.Sprint(i), "10"})
	}
	o.accept(t, scanned(scans...))
	const figures = `{"mean":50.0,"stddev":31.622776601683793,"min":0.0,"max":100.0,"p25":25.0,"p50":50.0,"p75":75.0,"count":11`
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprint(i)
	}
	for query, want := range map[string]string{
		"":                                   figures + `}`,
		"?":                                  figures + `}`,
		"?percentiles=90":                    figures + `,"percentiles":{"90":90.0}}`,
		"?percentiles=99.9,10,90":            figures + `,"percentiles":{"99.9":99.9,"10":10.0,"90":90.0}}`,
		"?percentiles=10,10.0,010,10.000000": figures + `,"percentiles":{"10":10.0}}`,
		"?percentiles=0,100,12.345678":       figures + `,"percentiles":{"0":0.0,"100":100.0,"12.345678":12.345678}}`,
		"?percentiles=5%2C95":                figures + `,"percentiles":{"5":5.0,"95":95.0}}`,
	} {
		if got := o.get(t, "/results/t/aggregate"+query); got.status != http.StatusOK || got.body != want {
			t.Errorf("%s: %d %s\nwant %s", query, got.status, got.body, want)
		}
	}
	if got := o.get(t, "/results/t/aggregate?percentiles="+strings.Join(hundred, ",")); got.status != http.StatusOK {
		t.Errorf("a hundred percentiles: %d %s", got.status, got.body)
	}
	for _, query := range []string{
		"percentiles=", "percentiles=,", "percentiles=10,", "percentiles=101", "percentiles=-1", "percentiles=%2B1",
		"percentiles=1e1", "percentiles=NaN", "percentiles=1.1234567", "percentiles=10;20", "percentiles=10+,20", "percentiles=.5", "percentiles=5.",
		"percentiles=" + strings.Repeat("9", 300), "percentiles=%ff%fe", "percentiles=%3Cscript%3E",
		"percentiles=10&percentiles=20", "percentile=10", "percentiles=10&limit=1", "%70ercentiles=x",
		"percentiles=" + strings.Join(hundred, ",") + ",100",
	} {
		if got := o.get(t, "/results/t/aggregate?"+query); got.status != http.StatusBadRequest || got.code(t) != "invalid_parameter" {
			t.Errorf("%.60s: %d %s", query, got.status, got.body)
		}
	}
}

func TestResultsIsExactlyThisText(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	if got := o.get(t, "/results"); got.body != `{"tests":[],"next_cursor":null}` {
		t.Errorf("of nothing: %s", got.body)
	}
	o.accept(t, scanned(scan{"b", "1", "13", "20"}, scan{"a", "1", "1", "3"}, scan{"a", "2", "2", "3"}))
	o.accept(t, scanned(scan{`a"<b>\é`, "1", "20", "20"}))
	want := `{"tests":[` +
		`{"id":"a","count":2,"mean":50.0,"last_import":{"id":"ID","position":1,"received":"TIME"}},` +
		`{"id":"a\"\u003cb\u003e\\é","count":1,"mean":100.0,"last_import":{"id":"ID","position":2,"received":"TIME"}},` +
		`{"id":"b","count":1,"mean":65.0,"last_import":{"id":"ID","position":1,"received":"TIME"}}` +
		`],"next_cursor":null}`
	got := o.get(t, "/results")
	if masked := mask(got.body); masked != want {
		t.Errorf("%s\nwant %s", masked, want)
	}
	if link := got.header.Get("Link"); link != "" {
		t.Errorf("the only page has a next one: %s", link)
	}
}

// testIDs is the tests of one page, and what follows.
func (o office) testIDs(t testing.TB, target string) (ids []string, next *string, link string) {
	t.Helper()
	got := o.get(t, target)
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", target, got.status, got.body)
	}
	var page struct {
		Tests []struct {
			ID         string  `json:"id"`
			Count      int     `json:"count"`
			Mean       float64 `json:"mean"`
			LastImport any     `json:"last_import"`
		} `json:"tests"`
		NextCursor *string `json:"next_cursor"`
	}
	got.into(t, &page)
	for _, test := range page.Tests {
		ids = append(ids, test.ID)
	}
	return ids, page.NextCursor, got.header.Get("Link")
}

func TestResultsPages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ids := []string{"a", "a%b", "a/b", "ab", "b", "ba", "bb", "bé", "c"}
	var scans []scan
	for _, id := range ids {
		scans = append(scans, scan{id, "1", "1", "2"})
	}
	o.accept(t, scanned(scans...))
	for query, want := range map[string][]string{
		"":                     ids,
		"?prefix=":             ids,
		"?prefix=a":            ids[:4],
		"?prefix=a%2F":         {"a/b"},
		"?prefix=b%C3%A9":      {"bé"},
		"?prefix=b&limit=1":    ids[4:8],
		"?limit=3":             ids,
		"?limit=9":             ids,
		"?limit=8":             ids,
		"?limit=1000":          ids,
		"?prefix=z":            nil,
		"?prefix=%ff":          nil,
		"?prefix=a%25&limit=1": {"a%b"},
	} {
		var walked []string
		for target := "/results" + query; target != ""; {
			page, next, link := o.testIDs(t, target)
			walked = append(walked, page...)
			if (next == nil) != (link == "") {
				t.Fatalf("%s: cursor %v and link %q", target, next, link)
			}
			target = ""
			if next != nil {
				target = strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
				if cursor := mustQuery(t, target).Get("cursor"); cursor != *next {
					t.Errorf("the link has cursor %q, the body %q", cursor, *next)
				}
			}
		}
		if !slices.Equal(walked, want) {
			t.Errorf("%s: %q, want %q", query, walked, want)
		}
	}
	for query, code := range map[string]string{
		"limit=0": "invalid_parameter", "limit=1001": "invalid_parameter", "limit=": "invalid_parameter",
		"limit=-1": "invalid_parameter", "limit=1.0": "invalid_parameter", "limit=%2B1": "invalid_parameter",
		"limit=99999999999999999999": "invalid_parameter", "limit=1&limit=2": "invalid_parameter",
		"prefx=a": "invalid_parameter", "outcome=refused": "invalid_parameter",
		"cursor=": "invalid_cursor", "cursor=x": "invalid_cursor",
		"cursor=" + httpapi.ImportsCursor(3): "invalid_cursor",
	} {
		if got := o.get(t, "/results?"+query); got.status != http.StatusBadRequest || got.code(t) != code {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func mustQuery(t testing.TB, target string) url.Values {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query()
}

// A walk over the pages meets everything that was there when it began exactly
// once and in order, whatever arrives meanwhile.
func TestPagesUnderInserts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const before = 60
	var there []string
	for i := range before {
		id := fmt.Sprintf("t%03d", 2*i)
		there = append(there, id)
		o.accept(t, scanned(scan{id, "1", "1", "2"}))
	}
	stop := make(chan struct{})
	var inserting sync.WaitGroup
	inserting.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				o.accept(t, scanned(scan{fmt.Sprintf("t%03d", (i*37)%(2*before)|1), fmt.Sprint(i), "1", "2"}))
			}
		}
	})
	var tests []string
	for target := "/results?limit=7"; ; {
		page, next, _ := o.testIDs(t, target)
		tests = append(tests, page...)
		if next == nil {
			break
		}
		target = "/results?limit=7&cursor=" + *next
	}
	var positions []int
	for target := "/imports?limit=7"; ; {
		page := o.importPage(t, target)
		for _, one := range page.Imports {
			positions = append(positions, one.Position)
		}
		if page.NextCursor == nil {
			break
		}
		target = "/imports?limit=7&cursor=" + *page.NextCursor
	}
	close(stop)
	inserting.Wait()
	if !slices.IsSorted(tests) || len(slices.Compact(slices.Clone(tests))) != len(tests) {
		t.Errorf("tests out of order or repeated: %q", tests)
	}
	for _, id := range there {
		if !slices.Contains(tests, id) {
			t.Errorf("the walk missed %s", id)
		}
	}
	for i, position := range positions {
		if want := positions[0] - i; position != want {
			t.Fatalf("import %d of the walk is at position %d, want %d", i, position, want)
		}
	}
	if last := positions[len(positions)-1]; last != 1 {
		t.Errorf("the walk ended at position %d", last)
	}
}

// An id is what the scanner sent, whatever it holds: it is reachable at its own
// path and comes back as itself.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ids := []string{
		"a/b", "a//b", "/", "..", ".", "../../metrics", "a%2Fb", "%", "%zz", "a b", "a+b", "a?b=c", "a#b", "a;b", "a,b",
		"<script>alert(1)</script>", `"quoted"`, `back\slash`, "'", "&amp;", "{test}", "physik-ä-ö-ü", "物理", "🎓", "\u202eabc",
		"aggregate", "42", "0042", strings.Repeat("x", 256), strings.Repeat("é", 128),
	}
	for i, id := range ids {
		o.accept(t, scanned(scan{id, fmt.Sprint(i), fmt.Sprint(i), "100"}))
	}
	for i, id := range ids {
		want := fmt.Sprintf(`{"mean":%d.0,"stddev":0.0,`, i)
		got := o.get(t, "/results/"+escapeSegment(id)+"/aggregate")
		if got.status != http.StatusOK || !strings.HasPrefix(got.body, want) {
			t.Errorf("test %q: %d %s", id, got.status, got.body)
		}
	}
	listed, _, _ := o.testIDs(t, "/results")
	slices.Sort(ids)
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %q\nwant   %q", listed, ids)
	}
	for _, target := range []string{"/results/a/b/aggregate", "/results//aggregate", "/results/x", "/results/x/aggregate/"} {
		if got := o.get(t, target); got.status != http.StatusNotFound && got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
}

// escapeSegment writes every byte of an id as an escape, because Go's client
// would clean dots away otherwise.
func escapeSegment(id string) string {
	var b strings.Builder
	for i := range len(id) {
		fmt.Fprintf(&b, "%%%02X", id[i])
	}
	return b.String()
}
