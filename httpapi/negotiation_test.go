package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"
)

// cacheable is every kind of GET that has an entity tag.
func cacheable(t testing.TB, o office) []string {
	t.Helper()
	id := o.accept(t, scanned(scan{"1234", "521585128", "13", "20"}))
	var scans []scan
	for i := range 40 {
		scans = append(scans, scan{fmt.Sprintf("test-%d", i), "1", "1", "3"})
	}
	o.accept(t, scanned(scans...)) // for lists that are worth compressing
	return []string{
		"/results/1234/aggregate", "/results/1234/aggregate?percentiles=10,90",
		"/results", "/results?limit=1", "/imports", "/imports?limit=1", "/imports/" + id, "/imports/" + id + "/document",
		"/openapi.json", "/docs", "/docs/statistics", "/",
	}
}

// Of every GET: the tag stays while nothing changes, it gives 304 with the same
// headers and no body, whatever the coding, and HEAD has the headers of GET.
func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	targets := cacheable(t, o)
	page := o.get(t, "/", "Accept: text/html")
	style := regexpStyle.FindStringSubmatch(page.body)
	if style == nil {
		t.Fatal("the page names no stylesheet")
	}
	targets = append(targets, style[1])
	for _, target := range targets {
		for _, coding := range []string{"Accept-Encoding: identity", "Accept-Encoding: gzip", "Accept-Encoding: zstd"} {
			got := o.get(t, target, coding)
			tag := got.header.Get("Etag")
			if got.status != http.StatusOK || tag == "" || got.header.Get("Cache-Control") == "" || got.header.Get("Vary") == "" {
				t.Errorf("%s: %d %v", target, got.status, got.header)
			}
			head := o.do(t, http.MethodHead, target, "", coding)
			if head.status != got.status || head.body != "" {
				t.Errorf("HEAD %s: %d, body %q", target, head.status, head.body)
			}
			same(t, "HEAD "+target, got.header, head.header, "Etag", "Cache-Control", "Vary", "Content-Type", "Content-Length",
				"Content-Encoding", "Link", "Content-Disposition", "Content-Security-Policy", "X-Content-Type-Options")
			for header, want := range map[string]int{
				tag: http.StatusNotModified, tag[2:]: http.StatusNotModified, "*": http.StatusNotModified,
				`"other", ` + tag: http.StatusNotModified, `"other"`: http.StatusOK, tag[:len(tag)-2] + `"`: http.StatusOK,
			} {
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					again := o.do(t, method, target, "", coding, "If-None-Match: "+header)
					if again.status != want {
						t.Errorf("%s %s with If-None-Match: %s: %d, want %d", method, target, header, again.status, want)
					}
					same(t, method+" "+target, got.header, again.header, "Etag", "Cache-Control", "Vary")
					if again.status == http.StatusNotModified && (again.body != "" || again.header.Get("Content-Encoding") != "") {
						t.Errorf("%s %s: 304 with %d bytes, %v", method, target, len(again.body), again.header)
					}
				}
			}
			// A list may be spread over lines.
			if again := o.get(t, target, `If-None-Match: "other"`, "If-None-Match: "+tag); again.status != http.StatusNotModified {
				t.Errorf("%s with two lines of If-None-Match: %d", target, again.status)
			}
		}
	}
}

func same(t testing.TB, where string, want, got http.Header, names ...string) {
	t.Helper()
	for _, name := range names {
		if got.Get(name) != want.Get(name) {
			t.Errorf("%s: %s is %q, and was %q", where, name, got.Get(name), want.Get(name))
		}
	}
}

// A tag changes with what it stands for, and only then.
func TestETagFollowsTheNumbers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	tag := func() string { return o.get(t, "/results/1/aggregate").header.Get("Etag") }
	o.accept(t, scanned(scan{"1", "1", "1", "2"}))
	before := tag()
	o.accept(t, scanned(scan{"2", "1", "1", "2"}))
	o.accept(t, scanned(scan{"1", "1", "0", "2"}))
	if after := tag(); after != before {
		t.Errorf("the tag went from %s to %s, and no number did", before, after)
	}
	o.accept(t, scanned(scan{"1", "2", "1", "2"}))
	if after := tag(); after == before {
		t.Error("a student more, and the same tag")
	}
}

func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, target := range cacheable(t, o) {
		plain := o.get(t, target)
		if plain.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed for a client that did not ask", target)
		}
		long := len(plain.body) >= 1024
		for accept, want := range map[string]string{
			"gzip": "gzip", "zstd": "zstd", "gzip, zstd;q=0.9": "gzip", "br, *;q=0.1": "zstd", "identity": "", "br": "", "gzip;q=0": "",
		} {
			got := o.get(t, target, "Accept-Encoding: "+accept)
			if !long {
				want = ""
			}
			if coding := got.header.Get("Content-Encoding"); coding != want {
				t.Errorf("%s for %q: coded as %q, want %q", target, accept, coding, want)
			}
			if got.plain(t) != plain.body {
				t.Errorf("%s for %q: not the same body", target, accept)
			}
			if want != "" && len(got.body) >= len(plain.body) {
				t.Errorf("%s for %q: %d bytes became %d", target, accept, len(plain.body), len(got.body))
			}
		}
		if got := o.get(t, target, "Accept-Encoding: identity;q=0, gzip"); got.header.Get("Content-Encoding") != "gzip" || got.plain(t) != plain.body {
			t.Errorf("%s: plain bytes for a client that refuses them", target)
		}
		if got := o.get(t, target, "Accept-Encoding: identity;q=0"); got.status != http.StatusNotAcceptable || got.code(t) != "not_acceptable" {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
		if got := o.get(t, target, "Accept-Encoding: br", "Accept-Encoding: gzip"); long != (got.header.Get("Content-Encoding") == "gzip") {
			t.Errorf("%s: two lines of Accept-Encoding gave %q", target, got.header.Get("Content-Encoding"))
		}
	}
}
