package load_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"markr/bench/load"
)

// TestStream: events come as they were sent, however the server cuts them, and so does
// the end of the stream.
func TestStream(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40_000)
	const before = "retry: 2000\n\n"
	text := before + "event: totals\ndata: {}\n\n:\n\nid: 7\nevent: imports\ndata: " + long + "\n\nevent: imports\ndata: [1]\n\n"
	for _, piece := range []int{1, 1000, len(text)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/events" || strings.Join(r.URL.Query()["test"], "|") != "a b|c,d&e" {
				http.Error(w, r.URL.String(), http.StatusBadRequest)
				return
			}
			for rest := text; rest != ""; rest = rest[min(piece, len(rest)):] {
				_, _ = io.WriteString(w, rest[:min(piece, len(rest))]) // A client that is gone fails the test.
				w.(http.Flusher).Flush()
			}
		}))
		t.Cleanup(server.Close)
		target, err := load.ParseTarget(t.Context(), server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := load.Subscribe(t.Context(), target, []string{"other"}); err == nil || !strings.Contains(err.Error(), "400") {
			t.Errorf("refused: %v", err)
		}
		s, err := load.Subscribe(t.Context(), target, []string{"a b", "c,d&e"})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct{ name, data string }{{"totals", "{}"}, {"imports", long}, {"imports", "[1]"}} {
			event, err := s.Next()
			if err != nil || event.Name != want.name || string(event.Data) != want.data {
				t.Fatalf("in pieces of %d: %s %.20s, %v; want %s %.20s", piece, event.Name, event.Data, err, want.name, want.data)
			}
		}
		if _, err := s.Next(); !errors.Is(err, io.EOF) || s.Heard() != int64(len(text)) {
			t.Errorf("at the end: %v, %d bytes of %d", err, s.Heard(), len(text))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
