package dashboard_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/bench/examday"
	"markr/engine"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/httpapi"
	"markr/wal"
)

// house is the whole server on a vault in memory.
type house struct {
	url    string
	client *http.Client
}

// openHouse starts it, unless there is no browser to look at it.
func openHouse(t *testing.T) *house {
	t.Helper()
	return openHouseWith(t, true)
}

// openHouseWith starts it with or without item analysis.
func openHouseWith(t *testing.T, items bool) *house {
	t.Helper()
	start(t)
	formats, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	vault, err := wal.Open(wal.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Options{Log: vault, Intake: formats, Checkpoints: vault, ItemAnalysis: items})
	if err != nil {
		t.Fatal(err)
	}
	server, err := httpapi.New(httpapi.Options{Engine: e, Intake: formats, Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := vault.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &house{url: "http://" + listener.Addr().String(), client: &http.Client{}}
}

// lacks are the routes that the page asks for and this server does not have, as a build
// without item analysis does: the page leaves their panels empty, with a sentence.
func (h *house) lacks(t testing.TB) []string {
	t.Helper()
	var lacking []string
	for _, path := range []string{"/results/0/scores", "/results/0/items", "/events"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, h.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := h.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		// A test that nobody has heard of is another problem than a path that is not there.
		known := func() bool {
			request.Method = http.MethodGet
			answer, err := h.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			return !bytes.Contains(body, []byte(`"not_found"`))
		}
		if response.StatusCode == http.StatusNotFound && !known() {
			lacking = append(lacking, path[strings.LastIndexByte(path, '/'):])
		}
	}
	return lacking
}

// post sends a document and returns the status.
func (h *house) post(t testing.TB, body []byte) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/import", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/xml+markr")
	response, err := h.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// scan posts the documents of a day up to a share of them.
func (h *house) scan(t testing.TB, day *examday.Day, share float64) {
	t.Helper()
	for i, document := range day.All() {
		if float64(i) >= share*float64(len(day.Documents)) {
			return
		}
		want := http.StatusOK
		if status := h.post(t, document.Body); (status == want) == document.Wrong {
			t.Fatalf("document %d: status %d, wrong %t", i, status, document.Wrong)
		}
	}
}

// examDay is a day that is over.
func examDay(t testing.TB) *examday.Day {
	t.Helper()
	day, err := examday.New(1, time.Date(2026, time.June, 15, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return day
}
