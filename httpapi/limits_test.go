package httpapi_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"markr/httpapi"
)

// small has limits on bytes that a test can reach, and time enough on a busy
// machine.
func small(opts *httpapi.Options) {
	opts.Limits.LingerTimeout = 50 * time.Millisecond
	opts.Limits.BodyBytesMax = 1 << 20
	opts.Limits.DecodedBytesMax = 4 << 20
	opts.Limits.BytesInFlightMax = 32 << 20
}

// TestTooLarge: a body over the limit is refused with the limit in the answer,
// and a client that reads only after it has sent everything can read it.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	b := newBorder(t, small)
	exact, over := strings.Repeat(" ", 1<<20), strings.Repeat(" ", 8<<20)
	for name, frame := range map[string]func(body string) string{
		"declared": func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) },
		"chunked": func(body string) string {
			return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		},
	} {
		got := b.exchange(t, typed+frame(exact)).want(t, 400) // white space is no document
		if !strings.Contains(got.body, "malformed_xml") {
			t.Errorf("%s, at the limit: %s", name, got.body)
		}
		for _, body := range []string{exact + " ", over} {
			got = b.exchange(t, typed+frame(body))
			wantProblem(t, got, 413, "too_large")
			if !strings.Contains(got.body, "1048576") {
				t.Errorf("%s: the limit is not named: %s", name, got.body)
			}
		}
	}
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// TestTooLargeCompressed: the limit on the wire is for compressed bodies, too.
func TestTooLargeCompressed(t *testing.T) {
	t.Parallel()
	b := newBorder(t, small)
	random := newRandom(t)
	noise := make([]byte, 2<<20) // it stays as long as it is
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for _, coding := range []string{"gzip", "deflate", "zstd"} {
		body := bodyCodings[coding](t, string(noise))
		got := b.exchange(t, typed+fmt.Sprintf("Content-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n",
			coding, len(body), body))
		wantProblem(t, got, 413, "too_large")
		if !strings.Contains(got.body, "body-bytes-max") {
			t.Errorf("%s: %s", coding, got.body)
		}
	}
}

// TestRefusalsAreHeardOut: a client that sends everything before it reads
// anything is not interrupted, and reads its refusal.
func TestRefusalsAreHeardOut(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	const length = httpapi.BodyBytesMaxDefault + 1
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"too large":  {typed + fmt.Sprintf("Content-Length: %d\r\n\r\n", length), 413},
		"wrong type": {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", length), 415},
		"header":     {"GET / HTTP/1.1\r\nX: ", 431},
		"bad coding": {typed + "Content-Encoding: gzip\r\nContent-Length: 16777216\r\n\r\n", 400},
	} {
		s := dial(t, b.address)
		s.send(c.header)
		for range 16 {
			if _, err := io.WriteString(s, strings.Repeat("x", 1<<20)); err != nil {
				t.Fatalf("%s: interrupted: %v", name, err)
			}
		}
		s.answer("POST").want(t, c.status)
	}
}

// TestOneBadMarkAtTheEnd: a document of a hundred thousand records with one bad
// mark at its end leaves nothing behind, is told where it is, and takes less than
// four times its size. It measures the heap and so runs alone.
func TestOneBadMarkAtTheEnd(t *testing.T) { //nolint:paralleltest // see above.
	const records = 100_000
	b := newBorder(t, nil)
	var text strings.Builder
	text.WriteString("<mcq-test-results>\n")
	for i := 1; i <= records; i++ {
		obtained := "1"
		if i == records {
			obtained = "1.0.0"
		}
		fmt.Fprintf(&text, `<mcq-test-result><student-number>%d</student-number><test-id>1</test-id>`+
			`<summary-marks available="2" obtained="%s"/></mcq-test-result>`+"\n", i, obtained)
	}
	text.WriteString("</mcq-test-results>\n")
	body := []byte(text.String())
	text.Reset()
	// What is held is the question, not what the collector has left lying about.
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	before := heapBytes()
	var peak atomic.Uint64
	stop := watchHeap(&peak)
	s := dial(t, b.address)
	s.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)))
	if _, err := s.Write(body); err != nil {
		t.Fatal(err)
	}
	got := s.answer("POST").want(t, 422)
	stop()
	if !strings.Contains(got.body, `"record":100000,"line":100001,`) || !strings.Contains(got.body, `"value":"1.0.0"`) {
		t.Error(got.body)
	}
	if tests := b.engine.State().Tests(); tests != 0 {
		t.Errorf("%d tests are known", tests)
	}
	if grown := int64(peak.Load()) - int64(before); grown > 4*int64(len(body)) {
		t.Errorf("the heap grew by %d bytes for a document of %d", grown, len(body))
	} else {
		t.Logf("the heap grew by %.1f times the document", float64(grown)/float64(len(body)))
	}
}

// TestLargeAnswersAreNotKept: a connection that has had a large answer does not
// hold it while it waits for its next request. It measures the heap and so runs
// alone.
func TestLargeAnswersAreNotKept(t *testing.T) { //nolint:paralleltest // see above.
	b := newBorder(t, nil)
	sheets := make([]string, 16_000)
	for i := range sheets { // each in a test of its own, whose id is in the answer
		sheets[i] = sheet(fmt.Sprintf("%0250d", i), "1", 1, 2)
	}
	body := document(sheets...)
	answered := len(b.post(t, body).want(t, 200).body)
	const connections = 8
	before := heapBytes()
	for range connections {
		s := dial(t, b.address)
		s.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
		s.answer("POST").want(t, 200)
	}
	if grown := int64(heapBytes()) - int64(before); grown > connections*int64(answered)/2 {
		t.Errorf("the heap has grown by %d bytes after %d answers of %d", grown, connections, answered)
	}
}

// TestBombs: a small body that decodes to a large one is refused at the limit, in
// bounded memory. It measures the heap and so runs alone.
func TestBombs(t *testing.T) { //nolint:paralleltest // see above.
	const limit = 4 << 20
	b := newBorder(t, func(opts *httpapi.Options) {
		small(opts)
		opts.Limits.BytesInFlightMax = 64 << 20
	})
	for _, coding := range []string{"gzip", "deflate", "zstd"} {
		bomb := string(bodyCodings[coding](t, strings.Repeat(" ", 16<<20)))
		if len(bomb) > 1<<20 {
			t.Fatalf("%s: %d bytes on the wire", coding, len(bomb))
		}
		before := heapBytes() // without what making the bomb took
		var peak atomic.Uint64
		stop := watchHeap(&peak)
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				// From a client that reads on while it sends, or gives up.
				got := b.exchange(t, typed+fmt.Sprintf("Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(bomb), bomb))
				wantProblem(t, got, 413, "too_large")
				if !strings.Contains(got.body, fmt.Sprint(limit)) {
					t.Errorf("the limit is not named: %s", got.body)
				}
			})
		}
		clients.Wait()
		stop()
		if grown := int64(peak.Load()) - int64(before); grown > 4*(3*limit+httpapi.ZstdBytesHeld) {
			t.Errorf("%s: the heap grew by %d bytes for 4 documents of at most %d", coding, grown, limit)
		}
	}
	// At the limit and not over it.
	exact := string(bodyCodings["gzip"](t, strings.Repeat(" ", limit)))
	if got := b.post(t, exact, "Content-Encoding", "gzip").want(t, 400); !strings.Contains(got.body, "malformed_xml") {
		t.Error(got.body)
	}
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// watchHeap keeps the largest size of the heap in peak until it is stopped.
func watchHeap(peak *atomic.Uint64) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var stats runtime.MemStats
		for {
			runtime.ReadMemStats(&stats)
			peak.Store(max(peak.Load(), stats.HeapAlloc))
			select {
			case <-end:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() { close(end); <-ended }
}

// TestZstdWindow: a frame that asks for a larger window than HTTP allows gets
// none.
func TestZstdWindow(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	// Magic, a frame header with a window descriptor for 3.75 TiB, an empty last block.
	frame := "\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00"
	if got := b.post(t, frame, "Content-Encoding", "zstd").want(t, 400); !strings.Contains(got.body, "not valid zstd") {
		t.Error(got.body)
	}
}

// TestOverBudget: when the memory for bodies is taken, documents are refused
// before they are sent, or when they grow, and taken again when it is free.
func TestOverBudget(t *testing.T) {
	t.Parallel()
	b := newBorder(t, small)
	body := document(sheet("budget", "1", 1, 2)) + strings.Repeat(" ", 100<<10)
	giveBack := b.TakeBudget(32<<20 - 64<<10)
	// Declared: there is no room for it, and the client learns it at once.
	s := dial(t, b.address)
	s.send(typed + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body)))
	wantProblem(t, s.answer("POST"), 503, "overloaded")
	// Not declared: it begins, and is refused when it has grown out of its room.
	got := b.exchange(t, typed+fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
	wantProblem(t, got, 503, "overloaded")
	// A small one fits in.
	b.post(t, document(sheet("budget", "2", 1, 2))).want(t, 200)
	giveBack()
	b.post(t, body).want(t, 200)
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// TestBudgetIsNeverADeadlock: far more bodies at once than fit. Some are refused;
// those come again, and all are imported in the end.
func TestBudgetIsNeverADeadlock(t *testing.T) {
	t.Parallel()
	const clients = 32
	b := newBorder(t, func(opts *httpapi.Options) {
		small(opts)
		opts.Limits.DecodedBytesMax = 1 << 20
		opts.Limits.BytesInFlightMax = 3<<20 + httpapi.ZstdBytesHeld
	})
	var refused atomic.Int64
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			body := document(sheet("crowd", fmt.Sprint(client), 1, 2)) + strings.Repeat(" ", 900<<10)
			for {
				got := b.exchange(t, typed+fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
				if got.StatusCode == 200 {
					return
				}
				// Of memory or of a place, which it may learn when it has been heard out.
				if got.want(t, 503); !strings.Contains(got.body, `"code":"overloaded"`) || got.Header.Get("Retry-After") == "" {
					t.Errorf("%v %s", got.Header, got.body)
				}
				refused.Add(1)
			}
		})
	}
	group.Wait()
	if got := b.get(t, "/results/crowd/aggregate").want(t, 200); !strings.Contains(got.body, fmt.Sprintf(`"count":%d}`, clients)) {
		t.Error(got.body)
	}
	t.Logf("%d refused on the way", refused.Load())
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// TestPlacesAreGivenBack: whatever becomes of an import.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		impatient(opts)
		opts.Limits.ImportsInFlightMax = 1
	})
	for i := range 3 {
		b.post(t, document(sheet("1", fmt.Sprint(i), 1, 2))).want(t, 200)
		b.post(t, document(sheet("1", fmt.Sprint(i), 3, 2))).want(t, 422)
	}
}

// TestTooManyImports: when all places are taken, an import waits for one for a moment,
// and is refused if it gets none in time.
func TestTooManyImports(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{time.Millisecond, time.Minute} {
		b := newBorder(t, func(opts *httpapi.Options) { opts.Limits.ImportWaitMax = wait })
		giveBack := b.TakePlaces()
		answer := make(chan reply)
		go func() { answer <- b.post(t, document(sheet("1", "1", 1, 2))) }()
		if wait == time.Minute {
			eventually(t, "the import waits", func() bool { return b.WaitingImports() == 1 })
			giveBack()
			(<-answer).want(t, 200)
			continue
		}
		got := (<-answer).want(t, 503)
		if !strings.Contains(got.body, `"code":"overloaded"`) || got.Header.Get("Retry-After") == "" || got.Close {
			t.Errorf("%v %s", got.Header, got.body)
		}
		giveBack()
	}
}

// TestToldAtOnce: when those who wait get no place in time, whoever comes then is told
// before the body is read, on a connection that goes on if the body is short; and as
// soon as there is a place imports are taken again.
func TestToldAtOnce(t *testing.T) {
	t.Parallel()
	began := time.Now()
	b := newBorder(t, func(opts *httpapi.Options) {
		opts.Limits.ImportWaitMax, opts.Limits.ReadTimeout = time.Millisecond, time.Minute
		opts.Now = func() time.Time { return began } // what has been seen is believed for a second
	})
	giveBack := b.TakePlaces()
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 503) // it has waited

	body := document(sheet("once", "1", 1, 2))
	s := dial(t, b.address)
	s.send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body[:1]))
	if got := s.answer("POST").want(t, 503); got.Close || got.Header.Get("Retry-After") == "" {
		t.Errorf("%v", got.Header)
	}
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are held for a document that is not taken", held)
	}
	s.send(body[1:] + ask) // its rest is no request
	s.answer("GET").want(t, 200)

	for name, header := range map[string]string{
		"expecting": fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body)),
		"long":      "Content-Length: 1000000\r\n\r\n",
		"chunked":   "Transfer-Encoding: chunked\r\n\r\n",
	} {
		cut := dial(t, b.address)
		cut.send(typed + header)
		if got := cut.answer("POST").want(t, 503); !got.Close {
			t.Errorf("%s: %v", name, got.Header)
		}
	}
	if n := seriesOf(t, b)[`markr_import_turned_away_total{code="overloaded"}`]; n != 5 {
		t.Errorf("%v counted", n)
	}
	giveBack()
	s.send(imported(body))
	s.answer("POST").want(t, 200)
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(*httpapi.Options){
		"connections":             func(opts *httpapi.Options) { opts.Limits.ConnectionsMax = 3 },
		"connections_per_address": func(opts *httpapi.Options) { opts.Limits.ConnectionsPerAddressMax = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBorder(t, adjust)
			var open []*socket
			for range 3 {
				s := dial(t, b.address)
				s.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
				s.answer("GET").want(t, 200)
				open = append(open, s)
			}
			s := dial(t, b.address)
			got := s.answer("GET")
			wantProblem(t, got, 503, "overloaded")
			if !strings.Contains(got.body, "limit of 3 connections") {
				t.Error(got.body)
			}
			s.wantClosed()
			if err := open[0].Close(); err != nil {
				t.Fatal(err)
			}
			// The place becomes free as soon as the server has noticed.
			eventually(t, "a connection is let in again", func() bool {
				s := dial(t, b.address)
				s.send("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				response, err := http.ReadResponse(s.reader, nil)
				return err == nil && read(t, response).StatusCode == 200
			})
			want := fmt.Sprintf("markr_http_connections_rejected_total{limit=%q}", name)
			if n := seriesOf(t, b)[want]; n < 1 {
				t.Errorf("%s is %v", want, n)
			}
		})
	}
}

// TestRequestsPerConnection: the last request a connection may carry says so.
func TestRequestsPerConnection(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) { opts.Limits.RequestsPerConnectionMax = 2 })
	s := dial(t, b.address)
	for i := range 2 {
		s.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := s.answer("GET").want(t, 200); got.Close != (i == 1) {
			t.Errorf("request %d: close is %v", i+1, got.Close)
		}
	}
	s.wantClosed()
}

// TestLargeDocument: the longest body there may be, also as the only one that
// the budget has room for.
func TestLargeDocument(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		small(opts)
		opts.Limits.BytesInFlightMax = 12<<20 + httpapi.ZstdBytesHeld
		opts.Limits.BodyBytesMax = 4 << 20
	})
	body := document(sheet("large", "1", 1, 2))
	body += strings.Repeat(" ", 4<<20-len(body))
	b.post(t, body).want(t, 200)
	pipe, w := io.Pipe() // unknown length: chunked
	go func() {
		encoder := gzip.NewWriter(w)
		_, _ = io.WriteString(encoder, body)
		_ = w.CloseWithError(encoder.Close())
	}()
	request, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+b.address+"/import", pipe)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", scannerType)
	request.Header.Set("Content-Encoding", "gzip")
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	read(t, response).want(t, 200)
}

// TestLargeAnswersGetTime: a client that takes its time with a large answer gets
// as much as one that sends a large document.
func TestLargeAnswersGetTime(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) { opts.Limits.WriteTimeout = 100 * time.Millisecond })
	// More than sockets hold.
	body := document(sheet("1", "1", 1, 2)) + strings.Repeat(" ", 16<<20)
	b.post(t, body).want(t, 200)
	imports, err := b.engine.Imports(0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := dial(t, b.address)
	s.send("GET /imports/" + imports[0].ID.String() + "/document HTTP/1.1\r\nHost: x\r\n\r\n")
	time.Sleep(500 * time.Millisecond) // what a slow client does
	if got := s.answer("GET").want(t, 200); got.body != body {
		t.Errorf("%d bytes of %d", len(got.body), len(body))
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	if _, err := httpapi.New(httpapi.Options{}); err == nil {
		t.Error("a server without an engine")
	}
	for name, limits := range map[string]httpapi.Limits{
		"negative":          {BodyBytesMax: -1},
		"decoded below raw": {BodyBytesMax: 2 << 20, DecodedBytesMax: 1 << 20},
		"over the log's":    {DecodedBytesMax: math.MaxInt64 / 4},
		"budget too small":  {DecodedBytesMax: 64 << 20, BytesInFlightMax: 64 << 20},
	} {
		if limits.WithDefaults().Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := (httpapi.Limits{}).WithDefaults().Validate(); err != nil {
		t.Error(err)
	}
}

// seriesOf are the samples of all counters and gauges, by name and labels.
func seriesOf(t testing.TB, b *border) map[string]float64 {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string]float64)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
			}
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			switch {
			case metric.GetCounter() != nil:
				series[name] = metric.GetCounter().GetValue()
			case metric.GetGauge() != nil:
				series[name] = metric.GetGauge().GetValue()
			case metric.GetHistogram() != nil:
				series[name] = float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	return series
}

// TestRetryPause: a connection on which an import was refused for want of room is
// answered at once, and not read again before half of the pause; others are.
func TestRetryPause(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{-1, 2 * time.Second} {
		b := newBorder(t, func(opts *httpapi.Options) {
			opts.Limits.ImportWaitMax, opts.Limits.RetryPause = time.Millisecond, pause
		})
		giveBack := b.TakePlaces()
		body := document(sheet("1", "1", 1, 2))
		refusedOnce := typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
		s := dial(t, b.address)
		began := time.Now()
		s.send(refusedOnce)
		s.answer("POST").want(t, 503)
		answered := time.Since(began)
		giveBack()
		s.send(ask)
		if pause > 0 {
			eventually(t, "the connection rests", func() bool { return seriesOf(t, b)["markr_http_connections_pausing"] == 1 })
		}
		s.answer("GET").want(t, 200)
		if waited := time.Since(began); waited < pause/2 {
			t.Errorf("pause %v: heard again after %v", pause, waited)
		}
		if pause > 0 && answered >= pause/2 {
			t.Errorf("the refusal came after %v", answered)
		}
		if resting := seriesOf(t, b)["markr_http_connections_pausing"]; resting != 0 {
			t.Errorf("%v connections rest", resting)
		}
	}
}
