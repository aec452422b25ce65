package httpapi_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"markr/httpapi"
)

// seriesMax bounds the border's series: as many as a healthy day brings, and
// what an attacker could add to them.
const seriesMax = 1600

// borderMetrics is a registry that holds the border's metrics alone.
func borderMetrics(t *testing.T, b *border) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewRegistry()
	if _, err := httpapi.New(httpapi.Options{Engine: b.engine, Intake: b.formats, Registry: registry}); err != nil {
		t.Fatal(err)
	}
	return registry
}

// TestMetricNames: names, types, labels and help are an interface that people
// build alerts on; they are held against a golden file, and to the conventions.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	registry := borderMetrics(t, b)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, family := range families {
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		fmt.Fprintf(&got, "%s{%s} %s: %s\n", family.GetName(), strings.Join(labels, ","),
			strings.ToLower(family.GetType().String()), family.GetHelp())
	}
	golden(t, "metrics.golden", []byte(got.String()))
}

// TestSeriesAreBounded: whatever is asked for, no request makes a series of its
// own.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	before := len(b.get(t, "/metrics").want(t, 200).lines())
	for i := range 50 {
		b.get(t, fmt.Sprintf("/results/unknown-%d/aggregate", i)).want(t, 404)
		b.get(t, fmt.Sprintf("/nowhere/%d", i)).want(t, 404)
		b.do(t, fmt.Sprintf("METHOD%d", i), "/results", "").want(t, 405)
		b.do(t, "POST", "/import", "x", "Content-Type", fmt.Sprintf("text/x-%d", i)).want(t, 415)
		b.post(t, "x", "Content-Encoding", fmt.Sprintf("x-%d", i)).want(t, 415)
	}
	after := b.get(t, "/metrics").want(t, 200).lines()
	if grown := len(after) - before; grown > 5 {
		t.Errorf("250 requests brought %d lines", grown)
	}
	own := 0
	for _, line := range after {
		if strings.HasPrefix(line, "markr_http_") || strings.HasPrefix(line, "markr_import_") {
			own++
		}
	}
	if own > seriesMax {
		t.Errorf("%d series", own)
	}
}

func (a reply) lines() []string { return strings.Split(a.body, "\n") }

// TestRequestsAreCounted: by route, method and code, from the first request on.
func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	const (
		requests  = `markr_http_requests_total{code="%d",method="%s",route="%s"}`
		durations = `markr_http_request_duration_seconds{method="%s",route="%s"}`
		away      = `markr_import_turned_away_total{code="%s"}`
	)
	if n, ok := seriesOf(t, b)[fmt.Sprintf(requests, 200, "POST", "/import")]; !ok || n != 0 {
		t.Errorf("before the first import: %v %v", n, ok)
	}
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	b.post(t, document(sheet("1", "1", 3, 2))).want(t, 422)
	b.do(t, "POST", "/import", "x", "Content-Type", "text/plain").want(t, 415)
	b.post(t, "x", "Content-Encoding", "gzip").want(t, 400)
	b.get(t, "/results/1/aggregate").want(t, 200)
	b.do(t, "HEAD", "/results/1/aggregate", "").want(t, 200)
	b.get(t, "/results/2/aggregate").want(t, 404)
	b.get(t, "/nowhere").want(t, 404)
	b.exchange(t, "hello\r\n\r\n").want(t, 400)
	series := seriesOf(t, b)
	for name, want := range map[string]float64{
		fmt.Sprintf(requests, 200, "POST", "/import"):                   1,
		fmt.Sprintf(requests, 422, "POST", "/import"):                   1,
		fmt.Sprintf(requests, 415, "POST", "/import"):                   1,
		fmt.Sprintf(requests, 400, "POST", "/import"):                   1,
		fmt.Sprintf(requests, 200, "GET", "/results/{test}/aggregate"):  1,
		fmt.Sprintf(requests, 200, "HEAD", "/results/{test}/aggregate"): 1,
		fmt.Sprintf(requests, 404, "GET", "/results/{test}/aggregate"):  1,
		fmt.Sprintf(requests, 404, "GET", "other"):                      1,
		fmt.Sprintf(requests, 400, "_OTHER", "other"):                   1,
		fmt.Sprintf(durations, "POST", "/import"):                       4,
		fmt.Sprintf(durations, "GET", "/results/{test}/aggregate"):      2,
		fmt.Sprintf(durations, "_OTHER", "other"):                       2,
		fmt.Sprintf(away, "unsupported_media_type"):                     1,
		fmt.Sprintf(away, "malformed_xml"):                              1,
		`markr_import_received_bytes_total{coding="gzip"}`:              1,
		`markr_import_read_duration_seconds`:                            3,
		`markr_http_requests_in_flight`:                                 0,
		`markr_import_in_flight`:                                        0,
		`markr_import_held_bytes`:                                       0,
		`markr_http_panics_total`:                                       0,
		`markr_ready`:                                                   1,
		`markr_http_request_size_bytes{route="/import"}`:                4,
	} {
		if got := series[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if series["markr_http_connections"] < 1 {
		t.Error("no connection is counted")
	}
}

// TestPanic: a handler that panics answers 500, is counted, and takes nobody
// with it; what it panicked with may hold personal data and stays out of the log.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value  any
		logged string
	}{
		{"Jane Austen", "not shown"},
		{errors.New("Jane Austen"), "not shown"},
		{runtimeError(nil), "index out of range"},
	} {
		b := newBorder(t, nil)
		b.SetPanic(c.value)
		got := b.get(t, "/livez", "X-Request-Id", "id-of-panic")
		wantProblem(t, got, 500, "internal_error")
		if strings.Contains(got.body, "Austen") {
			t.Errorf("told to the client: %s", got.body)
		}
		logged := b.logs.String()
		for _, want := range []string{"level=ERROR", "id-of-panic", c.logged, "SetPanic", "route=/livez"} {
			if !strings.Contains(logged, want) {
				t.Errorf("%q is not in the log:\n%s", want, logged)
			}
		}
		if strings.Count(logged, "level=ERROR") != 1 {
			t.Errorf("logged more than once:\n%s", logged)
		}
		if strings.Contains(logged, "Austen") {
			t.Errorf("the log holds what the handler panicked with:\n%s", logged)
		}
		if n := seriesOf(t, b)["markr_http_panics_total"]; n != 1 {
			t.Errorf("%v panics counted", n)
		}
		b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	}
}

func runtimeError(none []int) (err any) {
	defer func() { err = recover() }()
	_ = none[len(none)]
	return nil
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	made := regexp.MustCompile(`^[0-9a-f]{32}$`)
	seen := make(map[string]bool)
	for _, given := range []string{"", "abc", "01HZX-._:/+=@", strings.Repeat("x", 128), strings.Repeat("x", 129), "with space", "quo\"te", "a\tb", "é"} {
		got := b.get(t, "/livez", "X-Request-Id", given).want(t, 200).Header.Get("X-Request-Id")
		if httpapi.ValidRequestID(given) {
			if got != given {
				t.Errorf("%q became %q", given, got)
			}
			continue
		}
		if !made.MatchString(got) || seen[got] {
			t.Errorf("%q: %q", given, got)
		}
		seen[got] = true
	}
	for path, status := range map[string]int{"/": 200, "/results": 200, "/nowhere": 404, "/metrics": 200, "/openapi.json": 200} {
		if got := b.get(t, path, "X-Request-Id", "mine").want(t, status); got.Header.Get("X-Request-Id") != "mine" {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
}

// TestSlowRequestsAreLogged: with their duration, and without anything of the
// document.
func TestSlowRequestsAreLogged(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) { opts.SlowAfter = time.Nanosecond })
	b.post(t, document(sheet("secret-test", "secret-student", 1, 2)), "X-Request-Id", "slow-import").want(t, 200)
	b.get(t, "/results/secret-test/aggregate").want(t, 200)
	b.get(t, "/livez").want(t, 200)
	logged := b.logs.String()
	lines := regexp.MustCompile(`(?m)^.*level=WARN msg="slow request".*$`).FindAllString(logged, -1)
	if len(lines) != 2 {
		t.Fatalf("%d warnings:\n%s", len(lines), logged)
	}
	for _, want := range []string{
		"request_id=slow-import", "method=POST", "route=/import", "status=200", "duration=", "request_bytes=", "response_bytes=", "client=127.0.0.1",
	} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("%q is not in %s", want, lines[0])
		}
	}
	if strings.Contains(logged, "secret") || strings.Contains(logged, "Austen") {
		t.Errorf("the log holds data:\n%s", logged)
	}

	quick := newBorder(t, nil)
	quick.get(t, "/results").want(t, 200)
	if logged := quick.logs.String(); strings.Contains(logged, "WARN") || !strings.Contains(logged, "level=DEBUG msg=request") {
		t.Errorf("logged:\n%s", logged)
	}
}

// TestNothingIsKeptOfARequest: what the server remembers of a request is its own
// copy; the next request on the same connection overwrites the buffers.
func TestNothingIsKeptOfARequest(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	s := dial(t, b.address)
	for _, id := range []string{"aaaa", "bbbb"} {
		body := document(sheet(id, id, 1, 2))
		s.send(strings.Replace(typed, "markr\r\n", fmt.Sprintf("markr; x=%s\r\n", id), 1) +
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
		s.answer("POST").want(t, 200)
	}
	for range 20 {
		s.send("GET /results/" + strings.Repeat("z", 4) + "/aggregate HTTP/1.1\r\nHost: " + strings.Repeat("z", 500) + "\r\n\r\n")
		s.answer("GET").want(t, 404)
	}
	imports, err := b.engine.Imports(0, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"bbbb", "aaaa"} {
		raw, mediaType, err := b.engine.Document(imports[i].ID)
		if err != nil || string(raw) != document(sheet(id, id, 1, 2)) || mediaType != "text/xml+markr; x="+id || imports[i].Source != "127.0.0.1" {
			t.Errorf("%q %q %q %v", mediaType, imports[i].Source, raw, err)
		}
	}
	var tests []string
	for _, test := range b.engine.State().List("", "", 10) {
		tests = append(tests, string(test.ID))
	}
	if !slices.Equal(tests, []string{"aaaa", "bbbb"}) {
		t.Errorf("tests: %q", tests)
	}
}
