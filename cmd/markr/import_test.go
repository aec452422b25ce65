package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// faulty is a server that answers wrongly as often as it is told to, and then
// accepts. A real one cannot be made to.
func faulty(t *testing.T, times int64, fault http.HandlerFunc) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && string(body) != "<scan/>" {
			t.Errorf("the document came as %q", body)
		}
		if asked.Add(1) <= times {
			fault(w, r)
			return
		}
		fmt.Fprint(w, `{"import_id":"0199","records":1,"students_added":1,"duplicate_of":null}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// What may pass by itself is tried again: 429 and everything that is neither 2xx
// nor 4xx, and connections that break. The contract makes that safe.
func TestImportTriesAgain(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]http.HandlerFunc{
		"429": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut off": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler) // Closes the connection without an answer.
		},
		"cut short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"import_id":`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, asked := faulty(t, 2, fault)
			got := run(t, "<scan/>", "import", "--server", url, "-")
			if got.code != 0 || !strings.HasPrefix(got.stdout, "-: accepted, 1 record: 1 student added") {
				t.Errorf("%+v", got)
			}
			if n := asked.Load(); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
			if n := strings.Count(got.stderr, "trying again for 30s"); n != 1 {
				t.Errorf("waiting is announced %d times, want once: %q", n, got.stderr)
			}
		})
	}
}

// A server that says when to come back is not asked earlier.
func TestImportHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	url, asked := faulty(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	started := time.Now()
	if got := run(t, "<scan/>", "import", "--server", url, "-"); got.code != 0 || asked.Load() != 2 {
		t.Errorf("%d requests, %+v", asked.Load(), got)
	}
	if took := time.Since(started); took < time.Second {
		t.Errorf("tried again after %v, the server asked for 1s", took)
	}
}

// Patience is bounded: by the flag, and never beyond it because of Retry-After.
func TestImportGivesUp(t *testing.T) {
	t.Parallel()
	for _, retryAfter := range []string{"", "3600"} {
		url, asked := faulty(t, 1<<62, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"code":"read_only","detail":"The disk is nearly full."}`)
		})
		got := run(t, "<scan/>", "import", "--server", url, "--retry-for", "250ms", "-")
		if got.code != 4 || got.stdout != "" || !strings.Contains(got.stderr, "The disk is nearly full.\nhint: try again; ") {
			t.Errorf("Retry-After %q: %+v", retryAfter, got)
		}
		// At 0 and 100 ms; the next would be at 300 ms, later than allowed.
		if n, want := asked.Load(), int64(2); retryAfter == "" && n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
		if n := asked.Load(); retryAfter != "" && n != 1 {
			t.Errorf("%d requests although the server asked to wait an hour", n)
		}
	}
}

// A server that is not Markr's is told from one that refuses.
func TestImportToSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"a page":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>welcome</html>") },
		"forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, asked := faulty(t, 1<<62, answer)
			got := run(t, "<scan/>", "import", "--server", url, "-")
			if got.code != 1 || !strings.Contains(got.stderr, "hint: is this a Markr server?") || asked.Load() != 1 {
				t.Errorf("%d requests, %+v", asked.Load(), got)
			}
		})
	}
}
