package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"markr/httpapi"
)

// A walk over everything that a client may meet. The exchanges themselves are
// judged by the contract; the table says which statuses and codes they have.
func TestWalk(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const scanner = "Content-Type: text/xml+markr"
	whole := scanned(scan{"1234", "521585128", "13", "20"})
	without := func(part string) string { return strings.Replace(whole, part, "", 1) }
	for _, step := range []struct {
		method, target, body string
		headers              []string
		status               int
		code                 string
	}{
		{"POST", "/import", whole, []string{scanner}, 200, ""},
		{"POST", "/import", whole, []string{scanner + "; charset=utf-8"}, 200, ""},
		{"POST", "/import", whole, []string{"Content-Type: TEXT/XML+MARKR"}, 200, ""},
		{"POST", "/import", zipped(t, whole), []string{scanner, "Content-Encoding: gzip"}, 200, ""},
		{"POST", "/import", "", []string{scanner}, 400, "malformed_xml"},
		{"POST", "/import", whole[:100], []string{scanner}, 400, "malformed_xml"},
		{"POST", "/import", whole, []string{scanner, "Content-Encoding: gzip"}, 400, "malformed_xml"},
		{"POST", "/import", "<!DOCTYPE a>" + whole, []string{scanner}, 400, "dtd_forbidden"},
		{"POST", "/import", strings.Repeat("<a>", 100), []string{scanner}, 400, "too_deep"},
		{"POST", "/import", `<?xml version="1.0" encoding="EBCDIC-CP-US"?>` + whole, []string{scanner}, 400, "unsupported_encoding"},
		{"POST", "/import", whole, []string{"Content-Type: application/json"}, 415, "unsupported_media_type"},
		{"POST", "/import", whole, []string{scanner, "Content-Encoding: br"}, 415, "unsupported_media_type"},
		{"POST", "/import", "<other/>", []string{scanner}, 422, "wrong_document"},
		{"POST", "/import", "<mcq-test-results/>", []string{scanner}, 422, "empty_document"},
		{"POST", "/import", without("<student-number>521585128</student-number>"), []string{scanner}, 422, "missing_field"},
		{"POST", "/import", without(`available="20" `), []string{scanner}, 422, "missing_field"},
		{"POST", "/import", strings.Replace(whole, "<test-id>", "<test-id>1</test-id><test-id>", 1), []string{scanner}, 422, "repeated_field"},
		{"POST", "/import", strings.Replace(whole, "13", "1e1", 1), []string{scanner}, 422, "invalid_value"},
		{"GET", "/import", "", nil, 405, "method_not_allowed"},
		{"PUT", "/results", "", nil, 405, "method_not_allowed"},
		{"DELETE", "/imports/1", "", nil, 405, "method_not_allowed"},
		{"OPTIONS", "/results", "", nil, 204, ""},
		{"GET", "/nothing", "", nil, 404, "not_found"},
		{"HEAD", "/nothing", "", nil, 404, ""},
		{"GET", "/results/1234", "", nil, 404, "not_found"},
		{"GET", "/results/1/aggregate", "", nil, 404, "unknown_test"},
		{"GET", "/results/1234/aggregate", "", nil, 200, ""},
		{"HEAD", "/results/1234/aggregate", "", nil, 200, ""},
		{"GET", "/results", "", nil, 200, ""},
		{"GET", "/imports?outcome=refused&limit=1000", "", nil, 200, ""},
		{"GET", "/imports?outcome=lost", "", nil, 400, "invalid_parameter"},
		{"GET", "/imports?cursor=lost", "", nil, 400, "invalid_cursor"},
		{"GET", "/openapi.json", "", nil, 200, ""},
		{"GET", "/openapi.json", "", []string{"Accept-Encoding: identity;q=0"}, 406, "not_acceptable"},
		{"GET", "/", "", []string{"Accept: text/html"}, 200, ""},
		{"GET", "/livez", "", nil, 200, ""},
		{"GET", "/readyz", "", nil, 200, ""},
		{"GET", "/readyz?verbose", "", nil, 200, ""},
		{"GET", "/healthz", "", nil, 200, ""},
		{"GET", "/metrics", "", nil, 200, ""},
		{"GET", "/metrics", "", []string{"Accept: application/openmetrics-text; version=1.0.0"}, 200, ""},
		{"GET", "/problems/lost", "", nil, 404, "not_found"},
	} {
		got := o.do(t, step.method, step.target, step.body, step.headers...)
		if got.status != step.status {
			t.Errorf("%s %s %v: %d, want %d: %s", step.method, step.target, step.headers, got.status, step.status, got.body)
		}
		if step.code != "" && got.code(t) != step.code {
			t.Errorf("%s %s %v: code %s, want %s: %s", step.method, step.target, step.headers, got.code(t), step.code, got.body)
		}
	}
	for code := range httpapi.Codes() {
		if got := o.get(t, "/problems/"+code); got.status != http.StatusOK {
			t.Errorf("/problems/%s: %d", code, got.status)
		}
	}
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The examples in the contract are what the program says.
func TestContractExamplesAreReal(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	c := contractOf(t)
	post := c.model.Paths.PathItems.GetOrZero("/import").Post
	document := post.RequestBody.Content.GetOrZero("text/xml+markr").Example.Value
	exampleOf := func(path, status, mediaType string) string {
		t.Helper()
		operation := c.model.Paths.PathItems.GetOrZero(path).Get
		if path == "/import" {
			operation = post
		}
		var value any
		if err := operation.Responses.Codes.GetOrZero(status).Content.GetOrZero(mediaType).Example.Decode(&value); err != nil {
			t.Fatal(err)
		}
		return canonical(t, value)
	}
	compare := func(what, want string, got answer) {
		t.Helper()
		var value any
		if err := json.Unmarshal([]byte(got.body), &value); err != nil {
			t.Fatalf("%s: %v", got.body, err)
		}
		if got := canonical(t, value); got != want {
			t.Errorf("%s: the example is\n%s\nand the answer\n%s", what, want, got)
		}
	}
	const problem = "application/problem+json"
	compare("receipt", exampleOf("/import", "200", "application/json"), o.post(t, document))
	compare("aggregate", exampleOf("/results/{test}/aggregate", "200", "application/json"), o.get(t, "/results/1234/aggregate"))
	compare("tests", exampleOf("/results", "200", "application/json"), o.get(t, "/results"))
	refused := strings.Replace(document, `obtained="13"`, `obtained="21"`, 1)
	compare("refusal", exampleOf("/import", "422", problem), o.post(t, refused))
	compare("imports", exampleOf("/imports", "200", "application/json"), o.get(t, "/imports"))
	compare("malformed", exampleOf("/import", "400", problem), o.post(t, document[:strings.Index(document, "</first-name>")]))
	compare("unknown test", exampleOf("/results/{test}/aggregate", "404", problem), o.get(t, "/results/4321/aggregate"))
	all := o.importPage(t, "/imports?outcome=refused").Imports
	compare("import", exampleOf("/imports/{id}", "200", "application/json"), o.get(t, "/imports/"+all[1].ID))
	compare("bad parameter", exampleOf("/results", "400", problem), o.get(t, "/results?limit=0"))
	compare("readiness", exampleOf("/readyz", "200", "application/json"), o.get(t, "/readyz"))
}

// canonical is a JSON value as text with sorted members, without what differs
// from run to run and from client to client.
func canonical(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	masked := mask(string(text))
	return regexp.MustCompile(`"source":"[^"]+"`).ReplaceAllString(masked, `"source":"ADDRESS"`)
}
