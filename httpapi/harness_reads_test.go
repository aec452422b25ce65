package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// office is a border with a client that holds every exchange against the contract.
type office struct{ *border }

// openOffice starts one.
func openOffice(t testing.TB) office {
	t.Helper()
	return office{newBorder(t, nil)}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string // as it was on the wire
}

// plain is the body with its content coding taken off.
func (a answer) plain(t testing.TB) string {
	t.Helper()
	body, err := decoded(a.header.Get("Content-Encoding"), []byte(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// into reads the body as JSON.
func (a answer) into(t testing.TB, value any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(a.plain(t)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

// code is the code of a problem.
func (a answer) code(t testing.TB) string {
	t.Helper()
	var problem struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal([]byte(a.plain(t)), &problem); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return problem.Code
}

// do sends a request whose path is sent as it stands, with headers as "Name:
// value", and holds the exchange against the contract.
func (o office) do(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+o.address+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := o.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	received := read(t, response).body
	contractOf(t).check(t, request, []byte(body), response, []byte(received))
	return answer{status: response.StatusCode, header: response.Header, body: received}
}

// get is a GET.
func (o office) get(t testing.TB, target string, headers ...string) answer {
	t.Helper()
	return o.do(t, http.MethodGet, target, "", headers...)
}

// post hands in a document.
func (o office) post(t testing.TB, document string) answer {
	t.Helper()
	return o.do(t, http.MethodPost, "/import", document, "Content-Type: "+scannerType)
}

// accept hands in a document that is accepted, and returns its import id.
func (o office) accept(t testing.TB, document string) string {
	t.Helper()
	a := o.post(t, document)
	if a.status != http.StatusOK {
		t.Fatalf("%d: %s", a.status, a.body)
	}
	var receipt struct {
		ImportID string `json:"import_id"`
	}
	if err := json.Unmarshal([]byte(a.body), &receipt); err != nil {
		t.Fatal(err)
	}
	return receipt.ImportID
}

// scan is one record of a document.
type scan struct{ test, student, obtained, available string }

// scanned is a document of scans.
func scanned(scans ...scan) string {
	var b strings.Builder
	b.WriteString("<mcq-test-results>\n")
	for _, s := range scans {
		fmt.Fprintf(&b, "<mcq-test-result scanned-on=\"2017-12-04T12:12:10+11:00\">\n"+
			"<student-number>%s</student-number><test-id>%s</test-id>\n"+
			"<summary-marks available=\"%s\" obtained=\"%s\"/>\n</mcq-test-result>\n",
			escapeXML(s.student), escapeXML(s.test), s.available, s.obtained)
	}
	b.WriteString("</mcq-test-results>\n")
	return b.String()
}

func escapeXML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
