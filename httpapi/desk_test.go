package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"markr/httpapi"
)

// openDesk starts an office whose client follows no redirects.
func openDesk(t testing.TB) office {
	t.Helper()
	o := openOffice(t)
	o.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return o
}

// refuse hands in a document that is refused, and returns its import id.
func (o office) refuse(t testing.TB, document string) string {
	t.Helper()
	return refusedID(t, o.post(t, document))
}

func refusedID(t testing.TB, got answer) string {
	t.Helper()
	var problem struct {
		ImportID string `json:"import_id"`
	}
	if err := json.Unmarshal([]byte(got.body), &problem); err != nil || problem.ImportID == "" {
		t.Fatalf("%d %s, %v", got.status, got.body, err)
	}
	return problem.ImportID
}

func (o office) importOf(t testing.TB, id string) importShown {
	t.Helper()
	var one importShown
	o.get(t, "/imports/"+id).into(t, &one)
	return one
}

// submit sends a form of a page as a browser does.
func (o office) submit(t testing.TB, action, mediaType, document string, headers ...string) answer {
	t.Helper()
	form := url.Values{"media_type": {mediaType}, "document": {document}}
	return o.do(t, http.MethodPost, action, form.Encode(), append([]string{
		"Content-Type: application/x-www-form-urlencoded", "Accept: text/html", "Sec-Fetch-Site: same-origin",
	}, headers...)...)
}

const scanner = "Content-Type: " + scannerType

func TestCorrections(t *testing.T) {
	t.Parallel()
	o := openDesk(t)
	bad := o.refuse(t, scanned(scan{"1", "7", "21", "20"}))
	again := refusedID(t, o.do(t, http.MethodPost, "/imports/"+bad+"/corrections", scanned(scan{"1", "7", "22", "20"}), scanner))
	if one := o.importOf(t, again); one.Corrects == nil || *one.Corrects != bad || one.ResolvedBy != nil {
		t.Errorf("%+v", one)
	}
	got := o.do(t, http.MethodPost, "/imports/"+bad+"/corrections", scanned(scan{"1", "7", "20", "20"}), scanner)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"students_added":1,`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, id := range []string{bad, again} {
		one := o.importOf(t, id)
		if one.ResolvedBy == nil || !strings.Contains(got.body, one.ResolvedBy.ID) || one.ResolvedBy.Position != 3 {
			t.Fatalf("%+v", one)
		}
		if by := o.importOf(t, one.ResolvedBy.ID); by.Corrects == nil || *by.Corrects != bad || by.Retries != nil {
			t.Errorf("%+v", by)
		}
	}
	resolving := o.importOf(t, bad).ResolvedBy.ID
	fresh := o.refuse(t, "<")
	good := scanned(scan{"1", "8", "20", "20"})
	for _, test := range []struct {
		target, body string
		headers      []string
		status       int
		code         string
	}{
		{"/imports/" + bad + "/corrections", good, []string{scanner}, 409, "already_resolved"},
		{"/imports/" + resolving + "/corrections", good, []string{scanner}, 409, "not_refused"},
		{"/imports/01890000-0000-7000-8000-000000000000/corrections", good, []string{scanner}, 404, "unknown_import"},
		{"/imports/x/corrections", good, []string{scanner}, 404, "unknown_import"},
		{"/imports/%zz/corrections", good, []string{scanner}, 400, "invalid_path"},
		{"/imports/" + fresh + "/corrections?a=b", good, []string{scanner}, 400, "invalid_parameter"},
		{"/imports/" + fresh + "/corrections", good, []string{"Content-Type: text/plain"}, 415, "unsupported_media_type"},
		{"/imports/" + fresh + "/corrections", "document=x&media_type=text/plain", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		{"/imports/" + fresh + "/corrections", good, []string{scanner, "Sec-Fetch-Site: cross-site"}, 403, "forbidden"},
		{"/imports/" + fresh + "/corrections", good, []string{scanner, "Sec-Fetch-Site: same-site"}, 403, "forbidden"},
		{"/imports/" + fresh + "/corrections", good, []string{scanner, "Origin: https://evil.example"}, 403, "forbidden"},
		{"/imports/" + fresh + "/corrections", good, []string{scanner, "Origin: null"}, 403, "forbidden"},
		{"/imports/" + bad + "/retry", "", nil, 409, "already_resolved"},
		{"/imports/" + resolving + "/retry", "", nil, 409, "not_refused"},
		{"/imports/x/retry", "", nil, 404, "unknown_import"},
		{"/imports/" + fresh + "/retry", "", []string{"Origin: https://evil.example"}, 403, "forbidden"},
		{"/imports/" + fresh + "/retry", "", nil, 400, "malformed_xml"},
		{"/import", "document=x&media_type=" + scannerType, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
	} {
		if strings.Contains(test.target, "%zz") {
			got := o.exchange(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", test.target, scannerType, len(good), good))
			if got.StatusCode != test.status || !got.Close {
				t.Errorf("%s: %d %s, closed %t", test.target, got.StatusCode, got.body, got.Close)
			}
			continue
		}
		got := o.do(t, http.MethodPost, test.target, test.body, test.headers...)
		if got.status != test.status || got.code(t) != test.code {
			t.Errorf("%s %q: %d %s", test.target, test.headers, got.status, got.body)
		}
	}
	if position := o.engine.State().Position(); position != 4 {
		t.Errorf("something more was kept: position %d", position)
	}
	// A browser that says the page is ours, by either header, may.
	got = o.do(t, http.MethodPost, "/imports/"+fresh+"/corrections", good, scanner, "Origin: http://"+o.address)
	if got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// What is pipelined behind a body that is not read is not taken for a request.
func TestCorrectionsAreNotSmuggled(t *testing.T) {
	t.Parallel()
	o := openDesk(t)
	hidden := "GET /results HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, target := range []string{"/imports/x/corrections", "/imports/%zz/corrections", "/imports/../corrections", "/imports//corrections"} {
		s := dial(t, o.address)
		s.send(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", target, scannerType, len(hidden), hidden))
		if got := s.answer("POST"); got.StatusCode/100 != 4 {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
		s.wantClosed()
	}
}

func TestRefusalCounts(t *testing.T) {
	t.Parallel()
	o := openDesk(t)
	const empty = `{"kept":0,"unresolved":0,"by_code":[],"by_source":[],"other_sources":{"kept":0,"unresolved":0}}`
	if got := o.get(t, "/refusals"); got.body != empty {
		t.Errorf("of nothing: %s", got.body)
	}
	var ids []string
	for i := range 5 {
		ids = append(ids, o.refuse(t, scanned(scan{"1", "7", fmt.Sprint(21 + i), "20"})))
	}
	o.refuse(t, "<")
	o.do(t, http.MethodPost, "/imports/"+ids[0]+"/corrections", scanned(scan{"1", "7", "20", "20"}), scanner)
	const want = `{"kept":6,"unresolved":5,"by_code":[{"code":"invalid_value","kept":5,"unresolved":4},{"code":"malformed_xml","kept":1,"unresolved":1}],` +
		`"by_source":[{"source":"127.0.0.1","kept":6,"unresolved":5}],"other_sources":{"kept":0,"unresolved":0}}`
	if got := o.get(t, "/refusals"); got.body != want {
		t.Errorf("%s\nwant %s", got.body, want)
	}
	for query, n := range map[string]int{
		"": 6, "&code=invalid_value": 5, "&code=too_deep": 0, "&code=nothing": 0, "&source=127.0.0.1": 6, "&source=": 0, "&source=nobody": 0,
		"&resolved=true": 1, "&resolved=false": 5, "&resolved=false&code=invalid_value&source=127.0.0.1": 4,
	} {
		seen := 0
		for target := "/imports?outcome=refused&limit=2" + query; target != ""; {
			page := o.importPage(t, target)
			seen += len(page.Imports)
			target = ""
			if page.NextCursor != nil {
				target = "/imports?outcome=refused&limit=2" + query + "&cursor=" + *page.NextCursor
			}
		}
		if seen != n {
			t.Errorf("%s: %d imports, want %d", query, seen, n)
		}
	}
	for _, query := range []string{"code=invalid_value", "outcome=accepted&resolved=true", "outcome=refused&resolved=1", "outcome=refused&code=", "outcome=refused&why=x"} {
		if got := o.get(t, "/imports?"+query); got.status != http.StatusBadRequest || got.code(t) != "invalid_parameter" {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	metrics := o.get(t, "/metrics").plain(t)
	for _, line := range []string{
		`markr_import_refused_kept{code="invalid_value"} 5`, `markr_import_refused_unresolved{code="invalid_value"} 4`,
		`markr_import_refused_resolved_total{how="correction"} 1`, `markr_import_refused_by_source_total{source="(unnamed)"} 6`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if strings.Contains(metrics, "127.0.0.1") {
		t.Error("an address is a label")
	}
}

// Names of tokens are labels; there is an end to how many.
func TestRefusedBySource(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	b := newBorder(t, func(o *httpapi.Options) { o.Access = newGuard(t, "scanner-7 "+digest+" import,metrics") })
	b.post(t, "<", bearer(token)...).want(t, 400)
	got := b.get(t, "/metrics", bearer(token)...).want(t, 200)
	if !strings.Contains(got.body, `markr_import_refused_by_source_total{source="scanner-7"} 1`) {
		t.Error("the token's name is not counted")
	}
}

// The way of an office: the list, a document, a correction that is wrong again, one that
// is right.
func TestDesk(t *testing.T) {
	t.Parallel()
	o := openDesk(t)
	lines := strings.Split(scanned(scan{"1", "7", "20", "20"}, scan{"1", "8", "21", "20"}, scan{"1", "9", "20", "20"}), "\n")
	document := strings.Join(lines, "\r\n")
	id := o.refuse(t, document)
	other := o.refuse(t, "<")

	list := o.page(t, "/desk", http.StatusOK)
	rows := list.rows("imports")
	if len(rows) != 3 || rows[1][2] != "malformed_xml" || rows[2][2] != "invalid_value" || rows[2][4] != "127.0.0.1" ||
		!strings.Contains(rows[2][1], `summary-marks/obtained "21" must not be more than available, which is 20`) || rows[2][5] != "to be looked at" {
		t.Errorf("rows %q", rows)
	}
	for query, n := range map[string]int{"?code=invalid_value": 1, "?show=resolved": 0, "?show=all&source=127.0.0.1": 2, "?source=nobody": 0, "?cursor=nonsense": 2} {
		if rows := o.page(t, "/desk"+query, http.StatusOK).rows("imports"); max(len(rows)-1, 0) != n {
			t.Errorf("%s: %q", query, rows)
		}
	}
	d := o.page(t, "/desk/"+id, http.StatusOK)
	if marks := d.all("mark"); len(marks) != 1 || !strings.HasPrefix(text(marks[0].Parent), `8 <summary-marks available="20" obtained="21"/>`) {
		t.Errorf("the offending line is %q", text(marks[0].Parent))
	}
	if record := text(d.byID("record")); !strings.Contains(record, "student-number 8") || !strings.Contains(record, "summary-marks/obtained 21") ||
		strings.Contains(record, "student-number 7") {
		t.Errorf("the record: %q", record)
	}
	area := d.byID("document").FirstChild.Data
	if strings.ReplaceAll(area, "\r", "") != strings.Join(lines, "\n") {
		t.Errorf("the form has %q", area)
	}
	var actions []string
	for _, form := range d.all("form") {
		actions = append(actions, attribute(form, "action"))
	}
	if fmt.Sprint(actions) != fmt.Sprintf("[/imports/%s/corrections /imports/%s/retry]", id, id) {
		t.Errorf("forms lead to %q", actions)
	}
	// Without a script the button that copies is not there.
	if buttons := d.all("button"); attribute(buttons[0], "data-copy") != "record" || !hasAttribute(buttons[0].Attr, "hidden") {
		t.Errorf("the first button: %v", buttons[0].Attr)
	}

	got := o.submit(t, actions[1], "", "")
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Still refused: Invalid value") {
		t.Errorf("retry: %d %s", got.status, got.body)
	}
	got = o.submit(t, actions[0], scannerType, strings.Replace(area, `"21"`, `"22"`, 1))
	next := got.header.Get("Location")
	if got.status != http.StatusSeeOther || next == "/desk/"+id {
		t.Fatalf("%d %v %s", got.status, got.header, got.body)
	}
	d = o.page(t, next, http.StatusOK)
	if d.link("another refused document") != "/desk/"+id {
		t.Error("it is not told what it corrects")
	}
	got = o.submit(t, attribute(d.all("form")[0], "action"), scannerType, strings.Replace(area, `"21"`, `"20"`, 1))
	if got.status != http.StatusSeeOther || got.header.Get("Location") != next {
		t.Fatalf("%d %v %s", got.status, got.header, got.body)
	}
	for _, target := range []string{next, "/desk/" + id} {
		d = o.page(t, target, http.StatusOK)
		if d.byID("resolved") == nil || len(d.all("form")) != 0 {
			t.Errorf("%s: %s", target, text(d.root))
		}
	}
	if rows := o.page(t, "/desk", http.StatusOK).rows("imports"); len(rows) != 2 {
		t.Errorf("rows %q", rows)
	}
	if test, err := o.engine.Test("1"); err != nil || test.Count() != 3 {
		t.Errorf("%v", err)
	}
	got = o.submit(t, actions[0], scannerType, area)
	if got.status != http.StatusConflict || !strings.Contains(got.body, "Already resolved") {
		t.Errorf("%d %s", got.status, got.body)
	}
	got = o.submit(t, "/imports/"+other+"/corrections", scannerType, area, "Sec-Fetch-Site: cross-site")
	if got.status != http.StatusForbidden && got.status != http.StatusSeeOther { // Two values of the header.
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := o.get(t, "/desk/"+o.importOf(t, id).ResolvedBy.ID); got.status != http.StatusConflict || got.code(t) != "not_refused" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// Documents come from strangers: nothing of one runs, hides or grows without bounds.
func TestDeskOfHostileDocuments(t *testing.T) {
	t.Parallel()
	o := openDesk(t)
	record := func(inside string) string {
		return "<mcq-test-results><mcq-test-result>" + inside + "</mcq-test-result></mcq-test-results>"
	}
	for name, document := range map[string]string{
		"script":      record("<student-number>&lt;script>alert(1)&lt;/script></student-number><script>alert(2)</script>"),
		"textarea":    "</textarea></pre><script>alert(1)</script><img src=x onerror=alert(1)>",
		"template":    record("<student-number>{{.ID}}</student-number>"),
		"long line":   record("<student-number>" + strings.Repeat("é", 300_000) + "</student-number>"),
		"many lines":  strings.Repeat("\n", 200_000) + "x",
		"binary":      "\x00\x01\x02\xff\xfe<script>",
		"utf-16":      "\xff\xfe<\x00a\x00",
		"rtl":         record("<student-number>\u202e7</student-number><test-id>\u2066\u200b</test-id>"),
		"carriage":    "\r\r<a>\r\n\u2028</b>",
		"latin":       `<?xml version="1.0" encoding="ISO-8859-1"?><mcq-test-results><mcq-test-result><first-name>Ren` + "\xe9</first-name></mcq-test-result></mcq-test-results>",
		"bad charset": `<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>`,
	} {
		t.Run(name, func(t *testing.T) {
			id := o.refuse(t, document)
			d := o.page(t, "/desk/"+id, http.StatusOK)
			for n := range d.root.Descendants() {
				if n.Data == "img" && attribute(n, "src") == "x" {
					t.Error("an element of the document is one of the page")
				}
				for _, hidden := range []string{"\x00", "\u202e", "\u2066", "\u200b", "\u2028"} {
					if strings.Contains(n.Data, hidden) && (n.Parent == nil || n.Parent.Data != "textarea") {
						t.Errorf("%q is shown as it is", hidden)
					}
				}
			}
			got := o.get(t, "/desk/"+id, "Accept-Encoding: identity")
			if len(got.body) > 1<<20 {
				t.Errorf("a page of %d bytes", len(got.body))
			}
			area := d.byID("document")
			content := ""
			if area.FirstChild != nil {
				content = area.FirstChild.Data
			}
			switch name {
			case "binary":
				if content != "" {
					t.Errorf("what is no text can be edited: %q", content)
				}
			case "long line":
				if content != "" {
					t.Error("it is longer than what can be edited")
				}
			case "latin":
				if !strings.Contains(content, "René") {
					t.Errorf("it reads %q", content)
				}
			case "textarea", "script", "template", "rtl":
				if content != document {
					t.Errorf("the form has %q, the document is %q", content, document)
				}
			}
		})
	}
	o.page(t, "/desk?code="+url.QueryEscape(`"><script>`)+"&source="+url.QueryEscape("<b>\u202e"), http.StatusOK)
}

func hasAttribute(attributes []html.Attribute, name string) bool {
	return slices.ContainsFunc(attributes, func(a html.Attribute) bool { return a.Key == name })
}
