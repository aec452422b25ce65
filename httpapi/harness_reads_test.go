package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/httpapi"
	"markr/wal"
)

// office is a whole server as the program has it, over a vault in memory, and a
// client that holds every exchange against the contract.
type office struct {
	engine *engine.Engine
	server *httpapi.Server
	base   string
	client *http.Client
}

// openOffice starts one and waits until it is ready.
func openOffice(t testing.TB) *office {
	t.Helper()
	return openOfficeOn(t, vfs.NewMem(), httpapi.Options{})
}

// openOfficeOn starts one with the data of a file system.
func openOfficeOn(t testing.TB, fs vfs.FS, opts httpapi.Options) *office {
	t.Helper()
	vault, err := wal.Open(wal.Options{Dir: "data", FS: fs, FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := vault.Close(); err != nil {
			t.Error(err)
		}
	})
	return openOfficeWith(t, vault, opts)
}

// openOfficeWith starts one with a log.
func openOfficeWith(t testing.TB, log engine.Log, opts httpapi.Options) *office {
	t.Helper()
	formats, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	// A clock that moves by itself and that a test can foresee.
	var ticks atomic.Int64
	start := time.Date(2026, time.November, 23, 9, 30, 0, 0, time.UTC)
	e, err := engine.Open(engine.Options{Log: log, Intake: formats, Now: func() time.Time {
		return start.Add(time.Duration(ticks.Add(1)) * time.Millisecond)
	}})
	if err != nil {
		t.Fatal(err)
	}
	opts.Engine, opts.Intake, opts.Version = e, formats, "1.2.3"
	server, err := httpapi.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &office{
		engine: e, server: server, base: "http://" + listener.Addr().String(),
		client: &http.Client{Transport: transport},
	}
}

// waitReady waits until the engine is ready.
func (o *office) waitReady(t testing.TB) *office {
	t.Helper()
	if err := o.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
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
func (o *office) do(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, o.base+target, strings.NewReader(body))
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
	defer response.Body.Close()
	var received bytes.Buffer
	if _, err := io.Copy(&received, response.Body); err != nil {
		t.Fatal(err)
	}
	contractOf(t).check(t, request, []byte(body), response, received.Bytes())
	return answer{status: response.StatusCode, header: response.Header, body: received.String()}
}

// get is a GET.
func (o *office) get(t testing.TB, target string, headers ...string) answer {
	t.Helper()
	return o.do(t, http.MethodGet, target, "", headers...)
}

// post hands in a document.
func (o *office) post(t testing.TB, document string) answer {
	t.Helper()
	return o.do(t, http.MethodPost, "/import", document, "Content-Type: text/xml+markr")
}

// accept hands in a document that is accepted, and returns its import id.
func (o *office) accept(t testing.TB, document string) string {
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
