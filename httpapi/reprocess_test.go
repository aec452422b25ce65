package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/httpapi"
)

const jsonType = "application/json"

// start starts a reprocess and waits until it is ready.
func (b *border) reprocess(t testing.TB, words string, header ...string) {
	t.Helper()
	b.do(t, http.MethodPost, "/admin/reprocess", words, append(header, "Content-Type", jsonType)...).want(t, 200)
	eventually(t, "ready", func() bool {
		return strings.Contains(b.get(t, "/admin/reprocess", header...).want(t, 200).body, `"phase":"ready"`)
	})
}

// A reprocess from its start to its commit, as an administrator goes through it.
func TestReprocess(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	for i := range 30 {
		student := fmt.Sprint("s", i)
		b.post(t, document(sheet("a", student, 5, 20), sheet("b/c", student, 20, 20))).want(t, 200)
		b.post(t, document(sheet("a", student, 15, 20))).want(t, 200)
	}
	for _, r := range []struct{ method, path string }{
		{http.MethodDelete, "/admin/reprocess"},
		{http.MethodPost, "/admin/reprocess/commit"},
		{http.MethodPost, "/admin/reprocess/pause"},
		{http.MethodPost, "/admin/reprocess/resume"},
		{http.MethodGet, "/admin/reprocess/difference"},
		{http.MethodGet, "/admin/reprocess/documents"},
	} {
		if got := b.do(t, r.method, r.path, "").want(t, 404); !strings.Contains(got.body, `"code":"no_reprocess"`) {
			t.Errorf("%s %s without one: %s", r.method, r.path, got.body)
		}
	}
	if got := b.get(t, "/admin/reprocess").want(t, 200); !strings.Contains(got.body, `"reprocess":null`) || !strings.Contains(got.body, `"scoring":"highest"`) {
		t.Errorf("without one: %s", got.body)
	}
	before := b.get(t, "/results/a/aggregate").want(t, 200).body
	b.reprocess(t, `{"scoring":"first"}`)
	b.do(t, http.MethodPost, "/admin/reprocess", "").want(t, 409)
	b.do(t, http.MethodPost, "/admin/reprocess/pause", "").want(t, 200)
	b.do(t, http.MethodPost, "/admin/reprocess/commit", "").want(t, 409)
	b.do(t, http.MethodPost, "/admin/reprocess/resume", "").want(t, 200)

	var tests struct {
		Tests []struct {
			ID            string
			Before, After struct{ Mean float64 }
			Moved         int `json:"students_moved"`
		}
	}
	decode(t, b.get(t, "/admin/reprocess/difference").want(t, 200), &tests)
	if len(tests.Tests) != 1 || tests.Tests[0].ID != "a" || tests.Tests[0].Before.Mean != 75 || tests.Tests[0].After.Mean != 25 || tests.Tests[0].Moved != 30 {
		t.Errorf("tests %+v", tests)
	}
	students := 0
	for path := "/admin/reprocess/difference?test=a&limit=7"; path != ""; {
		var page struct {
			Students []struct {
				Number        string `json:"student_number"`
				Before, After struct{ Obtained, Available, Percentage float64 }
			}
			Next *string `json:"next_cursor"`
		}
		got := b.get(t, path).want(t, 200)
		decode(t, got, &page)
		for _, s := range page.Students {
			if s.Number != fmt.Sprint("s", students) || s.Before.Obtained != 15 || s.After.Obtained != 5 || s.After.Percentage != 25 {
				t.Errorf("student %d: %+v", students, s)
			}
			students++
		}
		path = ""
		if page.Next != nil {
			path = "/admin/reprocess/difference?test=a&limit=7&cursor=" + *page.Next
			if link := got.Header.Get("Link"); !strings.Contains(link, *page.Next) {
				t.Errorf("link %q", link)
			}
		}
	}
	if students != 30 {
		t.Errorf("%d students", students)
	}
	b.get(t, "/admin/reprocess/difference?test=b%2Fc").want(t, 404)
	b.get(t, "/admin/reprocess/difference?test=a&cursor=x").want(t, 400)
	b.get(t, "/admin/reprocess/documents?now=never").want(t, 400)
	b.get(t, "/admin/reprocess/documents?now=accepted").want(t, 200)

	committed := b.do(t, http.MethodPost, "/admin/reprocess/commit", "").want(t, 200)
	if !strings.Contains(committed.body, `"phase":"committed"`) || !strings.Contains(committed.body, `"in_force":{"scoring":"first"`) {
		t.Errorf("committed: %s", committed.body)
	}
	if got := b.get(t, "/results/a/aggregate").want(t, 200); !strings.Contains(got.body, `"mean":25.0`) {
		t.Errorf("after the commit: %s", got.body)
	}
	// What was answered before is answered for then, and the history has the change.
	if got := b.get(t, "/results/a/aggregate?at=60").want(t, 200); got.body != before {
		t.Errorf("before the commit: %s, want %s", got.body, before)
	}
	history := b.get(t, "/results/a/history?from=60").want(t, 200).body
	for _, step := range []string{
		`"position":60,`, `"what":"import","rule":{"scoring":"highest","scoring_version":1,"denominator":"test","denominator_version":1},"records":1,`,
		`{"import_id":null,"position":61,`, `"what":"reprocess","rule":{"scoring":"first",`, `"records":0,`, `"mean":75.0`, `"mean":25.0`,
	} {
		if !strings.Contains(history, step) {
			t.Errorf("history lacks %s: %s", step, history)
		}
	}
	if got := b.get(t, "/audit?only=events").want(t, 200); !strings.Contains(got.body, `"what":"reprocess"`) || !strings.Contains(got.body, `"who":"127.0.0.1"`) {
		t.Errorf("audit: %s", got.body)
	}
	b.do(t, http.MethodPost, "/admin/reprocess/commit", "").want(t, 404)
	b.do(t, http.MethodDelete, "/admin/reprocess", "").want(t, 200)
	b.reprocess(t, "")
	b.do(t, http.MethodDelete, "/admin/reprocess", "").want(t, 200)
	if got := b.get(t, "/admin/reprocess").want(t, 200); !strings.Contains(got.body, `"reprocess":null`) {
		t.Errorf("after it was cancelled: %s", got.body)
	}
}

func decode(t testing.TB, from reply, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(from.body), into); err != nil {
		t.Fatalf("%v: %s", err, from.body)
	}
}

// What is no rule starts nothing, and no body is taken for a request.
func TestReprocessWords(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	for words, want := range map[string]int{
		`{"scoring":"best"}`:                 400,
		`{"denominator":"class"}`:            400,
		`{"scoring":"first","more":1}`:       400,
		`{"scoring":1}`:                      400,
		`{"scoring":"first"} {}`:             400,
		`{"scoring":"first"`:                 400,
		`[]`:                                 400,
		strings.Repeat(" ", 4096) + `{}`:     413,
		`{"scoring":"first","scoring":"no"}`: 400,
	} {
		if got := b.do(t, http.MethodPost, "/admin/reprocess", words, "Content-Type", jsonType); got.StatusCode != want {
			t.Errorf("%.40s: %d, want %d: %s", words, got.StatusCode, want, got.body)
		}
	}
	b.do(t, http.MethodPost, "/admin/reprocess", `{"scoring":"first"}`, "Content-Type", "text/plain").want(t, 415)
	b.do(t, http.MethodPost, "/admin/reprocess?scoring=first", "").want(t, 400)
	b.do(t, http.MethodPost, "/admin/reprocess/commit", `{"uncount":"yes"}`, "Content-Type", jsonType).want(t, 400)
	if b.engine.Reprocess() != nil {
		t.Error("something was started")
	}
	// Chunked, the length is not known, and the body is not read.
	got := b.exchange(t, "POST /admin/reprocess HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2\r\n{}\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n").want(t, 413)
	if !got.Close {
		t.Error("the connection stays open with a body on it")
	}
}

// Administrators' routes: by token with the scope, or from this machine; never from a
// page of another site, nor through a proxy that nobody asks; not on the public
// listener where there is one for operators.
func TestAdministrators(t *testing.T) {
	t.Parallel()
	admin, adminDigest := newToken(t)
	reader, readerDigest := newToken(t)
	guarded := newBorder(t, func(o *httpapi.Options) {
		o.Access = newGuard(t, "boss "+adminDigest+" admin", "reader "+readerDigest+" read,import,export,metrics")
	})
	open := newBorder(t, nil)
	apart := newBorder(t, func(o *httpapi.Options) { o.Access, o.OpsElsewhere = newGuard(t, "boss "+adminDigest+" admin"), true })
	routes := 0
	for _, r := range httpapi.PublicRoutes(false) {
		if !strings.HasPrefix(r.Pattern, "/admin/") {
			continue
		}
		routes++
		words := ""
		if r.Method == http.MethodPost {
			words = "{}"
		}
		ask := func(b *border, want int, why string, header ...string) {
			t.Helper()
			got := b.do(t, r.Method, r.Pattern, words, append(header, "Content-Type", jsonType)...)
			if got.StatusCode != want {
				t.Errorf("%s %s, %s: %d, want %d: %s", r.Method, r.Pattern, why, got.StatusCode, want, got.body)
			}
		}
		ask(guarded, 401, "without a token")
		ask(guarded, 403, "with another scope", bearer(reader)...)
		ask(guarded, 403, "with a token, from another site", append(bearer(admin), "Sec-Fetch-Site", "cross-site")...)
		ask(open, 403, "from another site", "Sec-Fetch-Site", "same-site")
		ask(open, 403, "from another origin", "Origin", "http://evil.example")
		ask(open, 403, "through a proxy", "X-Forwarded-For", "192.0.2.1")
		ask(apart, 404, "on the public listener beside the operators'", bearer(admin)...)
	}
	if routes != 8 || guarded.engine.Reprocess() != nil || open.engine.Reprocess() != nil {
		t.Errorf("%d routes, or something was started", routes)
	}
	guarded.reprocess(t, `{}`, bearer(admin)...)
	guarded.do(t, http.MethodDelete, "/admin/reprocess", "", bearer(admin)...).want(t, 200)
	open.reprocess(t, `{}`, "Origin", "http://"+open.address, "Sec-Fetch-Site", "same-origin")
	if got := guarded.logs.String(); !strings.Contains(got, "reprocess started") || !strings.Contains(got, "name=boss") {
		t.Errorf("it is not told who started it: %s", got)
	}
	// The operators' listener: from this machine without a token, through a proxy with one.
	apart.address = apart.listen(t, apart.ServeOps)
	apart.get(t, "/admin/reprocess").want(t, 200)
	apart.get(t, "/admin/reprocess", "Via", "1.1 proxy").want(t, 401)
	apart.get(t, "/admin/reprocess", append(bearer(admin), "Via", "1.1 proxy")...).want(t, 200)
}

// Nobody is told that something is reprocessed before the log has been read.
func TestReprocessNotReady(t *testing.T) {
	t.Parallel()
	b, _ := openGated(t, vfs.NewMem())
	b.border.get(t, "/admin/reprocess").want(t, 503)
	b.border.do(t, http.MethodPost, "/admin/reprocess", "").want(t, 503)
}
