package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"markr/httpapi"
)

// TestPaths: paths are split as they stand in the request line, and only then is
// each parameter decoded, once.
func TestPaths(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	ids := []string{"1234", "a/b", "a%2Fb", "..", ".", "ä ö", "+", "?", "#", "a;b", `"`}
	for i, id := range ids {
		text := strings.NewReplacer(`"`, "&quot;").Replace(id)
		b.post(t, document(sheet(text, "1", i, 20))).want(t, 200)
	}
	for i, path := range []string{"1234", "a%2Fb", "a%252Fb", "%2e%2E", "%2E", "%C3%A4%20%c3%b6", "+", "%3F", "%23", "a;b", "%22"} {
		got := b.exchange(t, "GET /results/"+path+"/aggregate HTTP/1.1\r\nHost: x\r\n\r\n").want(t, 200)
		if want := fmt.Sprintf(`"mean":%d.0,`, i*5); !strings.Contains(got.body, want) {
			t.Errorf("%s: %s, want %s", path, got.body, want)
		}
	}
	for path, want := range map[string]int{
		"/results/a/b/aggregate":          404, // an unescaped slash is a separator
		"/results/1234/aggregate/":        404,
		"/results//aggregate":             404,
		"//results":                       404,
		"/results/":                       404,
		"/nothing":                        404,
		"/results/1234":                   404,
		"/a/b/c/d/e/f":                    404,
		"/results/nobody/aggregate":       404,
		"/Results/1234/aggregate":         404,
		"/%72esults/1234/aggregate":       404, // the words of a route are written as they are
		"/results/12%3/aggregate":         400,
		"/results/%/aggregate":            400,
		"/results/%zz/aggregate":          400,
		"/results/../aggregate":           400,
		"/results/./aggregate":            400,
		"/x/..%2f..%2fmetrics":            404, // not /metrics
		"/tests/..%2f..%2fmetrics//x":     404,
		"/results/1234/../1234/aggregate": 400,
		"/results#x":                      400,
		"http://x/results/1234/aggregate": 400,
	} {
		got := b.exchange(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		if got.StatusCode != want || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, want %d: %s", path, got.StatusCode, want, got.body)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	for _, r := range httpapi.PublicRoutes(false) {
		path := strings.NewReplacer("{test}", "1", "{student}", "1", "{id}", "x", "{code}", "internal_error", "{name}", "x", "{marks}", "1").Replace(r.Pattern)
		var answered []string
		for _, other := range httpapi.PublicRoutes(false) {
			if other.Pattern == r.Pattern {
				answered = append(answered, other.Method)
			}
		}
		allow := strings.Replace(strings.Join(answered, ", "), "GET", "GET, HEAD", 1) + ", OPTIONS"
		options := b.do(t, http.MethodOptions, path, "").want(t, 204)
		if got := options.Header.Get("Allow"); got != allow || options.body != "" {
			t.Errorf("OPTIONS %s: Allow: %s %q", path, got, options.body)
		}
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "MARKR", "get"} {
			if slices.Contains(answered, method) {
				continue
			}
			got := b.do(t, method, path, "").want(t, 405)
			if got.Header.Get("Allow") != allow || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: %v %s", method, path, got.Header, got.body)
			}
		}
		if r.Method != "GET" || r.Pattern == "/events" { // a stream, whose HEAD is TestEventsLimits'
			continue
		}
		get, head := b.get(t, path), b.do(t, http.MethodHead, path, "")
		if head.StatusCode != get.StatusCode || head.body != "" {
			t.Errorf("HEAD %s: %d %q, GET %d", path, head.StatusCode, head.body, get.StatusCode)
		}
		for _, name := range []string{"Content-Type", "ETag", "Cache-Control", "Vary"} {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("HEAD %s: %s: %q, GET %q", path, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
		if head.ContentLength != int64(len(get.body)) && r.Pattern != "/metrics" && r.Pattern != "/imports/{id}" {
			t.Errorf("HEAD %s: length %d, GET %d", path, head.ContentLength, len(get.body))
		}
	}
	if got := b.exchange(t, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").want(t, 204); got.Header.Get("Allow") == "" {
		t.Error("OPTIONS * without Allow")
	}
	b.exchange(t, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n").want(t, 400)
}
