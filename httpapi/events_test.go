package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"markr/httpapi"
)

// A stream is a client of the feed.
type stream struct {
	t      testing.TB
	body   io.ReadCloser
	reader *bufio.Reader
	id     string // of the last event that had one
}

// An event is one of a stream.
type event struct{ name, data string }

// follow subscribes to tests; the test's end hangs up.
func (b *border) follow(t testing.TB, query string, header ...string) *stream {
	t.Helper()
	return b.followAt(t, b.address, query, header...)
}

// followAt subscribes at an address of the server.
func (b *border) followAt(t testing.TB, address, query string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), socketTimeout)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/events"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t: t, body: response.Body, reader: bufio.NewReader(response.Body)}
	t.Cleanup(s.hangUp)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		rest, _ := io.ReadAll(response.Body)
		t.Fatalf("%s %v: %s", response.Status, response.Header, rest)
	}
	return s
}

func (s *stream) hangUp() { _ = s.body.Close() }

// next is the next event, and false at the end of the stream.
func (s *stream) next() (event, bool) {
	s.t.Helper()
	var e event
	for {
		line, err := s.reader.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return event{}, false
		}
		if err != nil {
			s.t.Fatalf("stream: %v, %q", err, line)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "":
			if e.data != "" {
				return e, true
			}
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "id":
			s.id = value
		case ":", "retry":
		default:
			s.t.Fatalf("a line of no event: %q", line)
		}
	}
}

// await passes events by until one of a kind says what is wanted.
func (s *stream) await(name, wanted string) event {
	s.t.Helper()
	for {
		e, more := s.next()
		if !more {
			s.t.Fatalf("the stream ends before %s with %s", name, wanted)
		}
		if e.name == name && strings.Contains(e.data, wanted) {
			return e
		}
	}
}

// TestEvents: a subscriber begins with how things stand, is told what changes, and the
// changes of scores add up to what they are.
func TestEvents(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	s := b.follow(t, "?test=a&test=b%2Cc&test=a")
	for _, want := range []event{
		{"totals", `{"position":0,"tests":0,"students":0,"marks":0,"documents":0}`},
		{"aggregate", `{"test_id":"a","position":0,"available":null,"aggregate":null}`},
		{"scores", `{"test_id":"a","position":0,"full":true,"scores":[]}`},
		{"aggregate", `{"test_id":"b,c","position":0,"available":null,"aggregate":null}`},
		{"scores", `{"test_id":"b,c","position":0,"full":true,"scores":[]}`},
	} {
		if e, _ := s.next(); e != want {
			t.Errorf("got %v, want %v", e, want)
		}
	}
	b.post(t, document(sheet("a", "1", 5, 20), sheet("a", "2", "7.5", 20))).want(t, 200)
	s.await("aggregate", `{"test_id":"a","position":1,"available":20,"aggregate":{"mean":31.25,`)
	s.await("scores", `{"test_id":"a","position":1,"full":false,"scores":[[5,1],[7.5,1]]}`)
	b.post(t, document(sheet("a", "1", "7.5", 20), sheet("b,c", "1", 1, 2), sheet("other", "1", 1, 2))).want(t, 200)
	counts := map[float64]int{5: 1, 7.5: 1}
	s.addUp(counts, "a", 2)
	if len(counts) != 1 || counts[7.5] != 2 {
		t.Errorf("scores %v", counts)
	}
	b.post(t, "<mcq-test-results/>").want(t, 422)
	b.post(t, document(sheet("a", "1", 5, 20), sheet("a", "2", "7.5", 20))).want(t, 200) // come again
	var told struct {
		Accepted, Refused, Duplicates int
		Imports                       []struct {
			Position uint64
			Outcome  string
			TestIDs  []string `json:"test_ids"`
			Code     *string
		}
	}
	decodeText(t, s.await("imports", `"position":4`).data, &told)
	last := told.Imports[len(told.Imports)-1]
	if last.Position != 4 || last.Outcome != "duplicate" || len(last.TestIDs) != 1 || last.Code != nil || s.id != "4" {
		t.Errorf("told %+v, id %s", told, s.id)
	}
	if told.Refused == 1 {
		if code := told.Imports[len(told.Imports)-2].Code; code == nil || *code != "empty_document" {
			t.Errorf("told %+v", told)
		}
	}
	if got := seriesOf(t, b)["markr_events_subscribers"]; got != 1 {
		t.Errorf("%v subscribers", got)
	}
	s.hangUp()
	// It is found out when something is sent.
	eventually(t, "nobody is subscribed", func() bool {
		b.post(t, document(sheet("a", "1", 5, 20))).want(t, 200)
		return seriesOf(t, b)["markr_events_subscribers"] == 0
	})
}

// addUp adds changes of a test's scores to counts, up to a position.
func (s *stream) addUp(counts map[float64]int, test string, position uint64) {
	s.t.Helper()
	for {
		var change struct {
			Test     string `json:"test_id"`
			Position uint64
			Full     bool
			Scores   [][2]float64
		}
		e, more := s.next()
		if !more {
			s.t.Fatal("the stream ends")
		}
		if e.name != "scores" {
			continue
		}
		decodeText(s.t, e.data, &change)
		if change.Test != test {
			continue
		}
		if change.Full {
			clear(counts)
		}
		for _, moved := range change.Scores {
			if counts[moved[0]] += int(moved[1]); counts[moved[0]] == 0 {
				delete(counts, moved[0])
			}
		}
		if change.Position >= position {
			return
		}
	}
}

func decodeText(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// TestEventsAreFew: however many documents come, a test is told of ten times a second,
// and what is told last is how things are.
func TestEventsAreFew(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	s := b.follow(t, "?test=a")
	began := time.Now()
	const documents = 300
	for i := range documents {
		b.post(t, document(sheet("a", fmt.Sprint(i), i%20, 20))).want(t, 200)
	}
	aggregates, imports := 0, 0
	for {
		e, _ := s.next()
		switch e.name {
		case "aggregate":
			aggregates++
		case "imports":
			var told struct{ Accepted int }
			decodeText(t, e.data, &told)
			imports += told.Accepted
		}
		if e.name == "aggregate" && strings.Contains(e.data, fmt.Sprintf(`"count":%d}`, documents)) {
			want := b.get(t, "/results/a/aggregate").want(t, 200).body
			if !strings.Contains(e.data, want) {
				t.Errorf("told %s, is %s", e.data, want)
			}
			break
		}
	}
	// Three more: a beat that had begun, one that has not ended, and what a stream begins
	// with.
	if most := int(time.Since(began)/(100*time.Millisecond)) + 3; aggregates > most {
		t.Errorf("%d events, at most %d", aggregates, most)
	}
	for imports < documents {
		var told struct{ Accepted int }
		decodeText(t, s.await("imports", "").data, &told)
		imports += told.Accepted
	}
	if imports != documents {
		t.Errorf("%d documents told of %d", imports, documents)
	}
}

// TestEventsResume: who comes back is told what it has missed, or that it was too much.
func TestEventsResume(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	post := func(from, to int) {
		for i := from; i <= to; i++ {
			b.post(t, document(sheet("a", fmt.Sprint(i), 1, 20))).want(t, 200)
		}
	}
	post(1, 3)
	s := b.follow(t, "", "Last-Event-ID", "1")
	got := s.await("imports", "").data
	if strings.Count(got, `"import_id"`) != 2 || !strings.Contains(got, `"accepted":2,`) || !strings.Contains(got, `"position":2,`) {
		t.Errorf("told %s", got)
	}
	if s.id != "3" {
		t.Errorf("id %s", s.id)
	}
	s.hangUp()
	post(4, 150)
	eventually(t, "nobody is subscribed", func() bool { return seriesOf(t, b)["markr_events_subscribers"] == 0 })
	s = b.follow(t, "", "Last-Event-ID", s.id)
	if e := s.await("gap", ""); e.data != `{"from":4,"to":50}` {
		t.Errorf("%v", e)
	}
	if got := s.await("imports", "").data; strings.Count(got, `"import_id"`) != missedAtMost || !strings.Contains(got, `{"position":150,`) {
		t.Errorf("told %s", got)
	}
	// What is no position, or one to come, is none.
	for _, id := range []string{"x", "-1", "151", "99999999999999999999"} {
		s := b.follow(t, "", "Last-Event-ID", id)
		if e, _ := s.next(); e.name != "totals" {
			t.Errorf("%s: %v", id, e)
		}
		post(151, 151)
		s.await("imports", `"position":1`)
	}
}

// TestEventsResumeAmidImports: who comes back while documents arrive is told of each once.
func TestEventsResumeAmidImports(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.follow(t, "") // The feed is at work all the time.
	const documents = 400
	var streams []*stream
	for i := 1; i <= documents; i++ {
		b.post(t, document(sheet("a", fmt.Sprint(i), 1, 20))).want(t, 200)
		if i%20 == 0 && i < missedAtMost {
			streams = append(streams, b.follow(t, "", "Last-Event-ID", "1"))
		}
	}
	for i, s := range streams {
		if told := s.countTo(documents, s.await("imports", "").data); told != documents-1 {
			t.Errorf("stream %d: %d documents told of %d", i, told, documents-1)
		}
	}
}

// countTo counts the accepted documents of imports events, from the data of one to that of a
// position.
func (s *stream) countTo(position uint64, data string) (accepted int) {
	s.t.Helper()
	for {
		var imports struct {
			Position uint64
			Accepted int
		}
		decodeText(s.t, data, &imports)
		accepted += imports.Accepted
		if imports.Position >= position {
			return accepted
		}
		data = s.await("imports", "").data
	}
}

// missedAtMost is how many missed imports are all told.
const missedAtMost = 100

// TestEventsOfRule: when another rule comes into force everybody is told.
func TestEventsOfRule(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.post(t, document(sheet("a", "1", 5, 20))).want(t, 200)
	b.post(t, document(sheet("a", "1", 15, 20))).want(t, 200)
	s := b.follow(t, "?test=a")
	s.await("scores", `[[15,1]]`)
	b.reprocess(t, `{"scoring":"first"}`)
	b.do(t, http.MethodPost, "/admin/reprocess/commit", "").want(t, 200)
	s.await("aggregate", `"mean":25.0,`)
	s.await("scores", `"full":false,"scores":[[5,1],[15,-1]]`)
}

// TestEventsTooManyScores: more scores than are listed are not told, in either
// direction of the change.
func TestEventsTooManyScores(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	s := b.follow(t, "?test=a")
	var sheets []string
	for i := range 2001 {
		sheets = append(sheets, sheet("a", fmt.Sprint(i), i, 3000))
	}
	b.post(t, document(sheets[:2000]...)).want(t, 200)
	s.await("scores", `"full":false,"scores":[[0,1],[1,1],`)
	b.post(t, document(sheets[2000])).want(t, 200)
	s.await("scores", `"full":true,"scores":null}`)
	b.follow(t, "?test=a").await("scores", `"full":true,"scores":null}`)
}

// TestEventsLimits: as many streams as there may be, and parameters that are none.
func TestEventsLimits(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) { opts.Limits.SubscribersMax = 2 })
	first, second := b.follow(t, ""), b.follow(t, "?test=a")
	second.await("totals", "")
	got := b.get(t, "/events").want(t, 503)
	if !strings.Contains(got.body, `"code":"overloaded"`) || got.Header.Get("Retry-After") == "" {
		t.Errorf("%v %s", got.Header, got.body)
	}
	b.do(t, http.MethodHead, "/events", "").want(t, 200)
	for query, wrong := range map[string]string{"?tests=a": "tests", "?test=" + strings.Repeat("a&test=b", 1) + "&limit=1": "limit"} {
		if got := b.get(t, "/events"+query).want(t, 400); !strings.Contains(got.body, wrong) {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	var many strings.Builder
	for i := range 21 {
		fmt.Fprintf(&many, "&test=%d", i)
	}
	b.get(t, "/events?"+many.String()[1:]).want(t, 400)
	first.hangUp()
	eventually(t, "there is room", func() bool {
		b.post(t, document(sheet("a", "1", 5, 20))).want(t, 200)
		return seriesOf(t, b)["markr_events_subscribers"] < 2
	})
	b.follow(t, "").await("totals", "")
}

// TestEventsEndWithTheServer: streams do not keep a server from stopping, and are told.
func TestEventsEndWithTheServer(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	var all []*stream
	for range 20 {
		s := b.follow(t, "?test=a")
		s.await("scores", "")
		all = append(all, s)
	}
	ctx, cancel := context.WithTimeout(context.Background(), socketTimeout)
	defer cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	for _, s := range all {
		s.await("end", `{"reason":"stopping"}`)
		if e, more := s.next(); more {
			t.Errorf("after the end: %v", e)
		}
	}
}

// TestSlowSubscriber: who is too far behind is told so in the end, and nobody waits for
// it.
func TestSlowSubscriber(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	slow := b.Subscribe()
	if _, err := slow.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	frame := []byte(":" + strings.Repeat("x", 100_000) + "\n\n")
	offered := 0
	for !slow.Offer(frame) {
		if offered += len(frame); offered > 2<<20 {
			t.Fatalf("%d bytes wait", offered)
		}
	}
	if slow.Offer(frame) {
		t.Error("it ends twice")
	}
	rest, err := io.ReadAll(slow)
	if text := string(rest); err != nil || !strings.HasSuffix(text, "event: end\ndata: {\"reason\":\"slow\"}\n\n") || strings.Contains(text, "xxx") {
		t.Errorf("%v, read %d bytes: %.200s", err, len(rest), rest)
	}
	if err := slow.Close(); err != nil {
		t.Error(err)
	}
}

// TestStreamTime: a silent stream has a heartbeat every 15 s, and ends after a quarter
// of an hour.
func TestStreamTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := httpapi.NewSilentStream()
		began := time.Now()
		buffer := make([]byte, 1024)
		for n := 1; ; n++ {
			read, err := s.Read(buffer)
			if err != nil {
				t.Fatal(err)
			}
			after, text := time.Since(began), string(buffer[:read])
			if strings.HasPrefix(text, "event: end") {
				if after != 15*time.Minute || !strings.Contains(text, "renew") {
					t.Errorf("after %v: %q", after, text)
				}
				break
			}
			if text != ":\n\n" || after != time.Duration(n)*15*time.Second {
				t.Fatalf("after %v: %q", after, text)
			}
		}
		if _, err := s.Read(buffer); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
	})
}
