package httpapi_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"markr/engine"
	"markr/engine/exam"
	"markr/httpapi"
)

// A badClient does HTTP badly, by mistake or not; the rest is what becomes of it. The
// lists of them are in clients_list_test.go and clients_smuggling_test.go.
type badClient struct {
	name  string
	sends string // at once
	drips string // and then again and again, until the server hangs up
	then  ending
	want  string // the statuses of the answers; empty: silence
	code  string // of the last answer, if it is a problem
	open  bool   // the connection is good for more; else the server hangs up
	// unheard is the status of an answer that nobody stays to hear, and is counted.
	unheard string
	turned  string // the code that the document is counted under as turned away
}

// ending is what a client does when it has sent what it had to say.
type ending uint8

const (
	listens ending = iota // and waits for the server to hang up
	shuts                 // closes its side, and listens
	leaves                // closes the connection
	resets                // breaks the connection off
)

// hurried has timeouts that a test can wait for, and that others who share the
// processors keep.
func hurried(opts *httpapi.Options) {
	opts.Limits.ReadTimeout = time.Second
	opts.Limits.IdleTimeout = 3 * time.Second
	opts.Limits.LingerTimeout = 50 * time.Millisecond
}

// TestBadClients has all of them at once on one server, and somebody who behaves
// beside them:
//
//  1. each gets the answers it should, and its connection ends or goes on as it should;
//  2. every answer is counted once under its status, every document that was turned
//     away once under its code, and nothing else is counted;
//  3. whoever behaves is served all the while;
//  4. whole documents count, whether their senders hear of it or not, and others do not;
//  5. when they are gone, no memory of the budget and no connection is left; TestMain
//     looks for goroutines.
func TestBadClients(t *testing.T) {
	t.Parallel()
	b := newBorder(t, hurried)
	all := badClients()
	stop := b.bystander(t)
	visits := make([]chan visit, len(all))
	for i := range all {
		visits[i] = make(chan visit, 1)
		go func() { visits[i] <- all[i].comes(b.address) }()
	}
	names := make(map[string]bool)
	for i, c := range all {
		if names[c.name] {
			t.Errorf("two are named %q", c.name)
		}
		names[c.name] = true
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) { c.judge(t, <-visits[i]) })
	}
	wrong := b.miscounted(all)
	for late := time.Now().Add(socketTimeout); wrong != "" && time.Now().Before(late); wrong = b.miscounted(all) {
		time.Sleep(time.Millisecond) // nobody waits for the answers of those who have left
	}
	if wrong != "" {
		t.Error(wrong)
	}
	stop()
	b.client.CloseIdleConnections()
	eventually(t, "all connections are gone", func() bool { return seriesOf(t, b)["markr_http_connections"] == 0 })
	for _, test := range []string{testLeft, testReset, testShut} {
		if _, err := b.engine.Test(exam.TestID(test)); err != nil {
			t.Errorf("test %s: %v: whoever sends a whole document need not wait for the answer", test, err)
		}
	}
	if _, err := b.engine.Test("cut"); !errors.Is(err, engine.ErrUnknownTest) {
		t.Errorf("a document that was cut short counts: %v", err)
	}
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
	if held := b.HeldByDownloads(); held != 0 {
		t.Errorf("%d bytes are still held by downloads", held)
	}
	t.Logf("%d bad clients", len(all))
}

// A visit is what a client has seen.
type visit struct {
	statuses []string
	last     reply
	closed   bool // the server hung up
	err      error
}

// comes is the whole visit of a client.
func (c *badClient) comes(address string) (v visit) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return visit{err: err}
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(socketTimeout)); err != nil {
		return visit{err: err}
	}
	_, _ = io.WriteString(conn, c.sends) // the server may have heard enough
	switch c.then {
	case leaves:
		return visit{}
	case resets:
		return visit{err: conn.(*net.TCPConn).SetLinger(0)}
	case shuts:
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			return visit{err: err}
		}
	case listens:
	}
	if c.drips != "" {
		done := make(chan struct{})
		defer func() { _ = conn.Close(); <-done }()
		go func() { defer close(done); drip(conn, c.drips) }()
	}
	answers, method := bufio.NewReader(conn), http.MethodGet
	if strings.HasPrefix(c.sends, http.MethodHead) {
		method = http.MethodHead
	}
	for c.open && len(v.statuses) < len(strings.Fields(c.want)) || !c.open {
		if !v.hear(answers, method) {
			return v
		}
	}
	if _, err := io.WriteString(conn, "GET /problems/not_found HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return visit{err: err}
	}
	v.hear(answers, http.MethodGet)
	return v
}

// drip sends a text now and then, as a slow client does, until nobody takes it.
func drip(w io.Writer, text string) {
	for {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// hear reads one answer, and says whether there was one.
func (v *visit) hear(answers *bufio.Reader, method string) bool {
	if _, err := answers.Peek(1); err != nil {
		v.closed = !errors.Is(err, os.ErrDeadlineExceeded)
		return false
	}
	response, err := http.ReadResponse(answers, &http.Request{Method: method})
	if err != nil {
		v.err = err
		return false
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		v.err = err
		return false
	}
	v.statuses = append(v.statuses, fmt.Sprint(response.StatusCode))
	v.last = reply{response, string(body)}
	return true
}

// judge holds a visit against what was wanted.
func (c *badClient) judge(t *testing.T, v visit) {
	t.Helper()
	if v.err != nil {
		t.Fatal(v.err)
	}
	if c.then == leaves || c.then == resets {
		return // and hears nothing
	}
	want := c.want
	if c.open {
		want = strings.TrimSpace(want + " 200") // its next request
	}
	if got := strings.Join(v.statuses, " "); got != want {
		t.Fatalf("answered %q, want %q: %s", got, want, v.last.body)
	}
	if v.closed == c.open {
		t.Errorf("the server has hung up: %v", v.closed)
	}
	if c.code != "" && !c.open {
		wantProblem(t, v.last, v.last.StatusCode, c.code)
	}
	if strings.Contains(v.last.body, "smuggled") {
		t.Errorf("the request is quoted: %s", v.last.body)
	}
}

// bystander is somebody who behaves: imports and reads, on kept and on new
// connections, until it is stopped. Each of its requests has to be answered 200.
func (b *border) bystander(t *testing.T) (stop func()) {
	t.Helper()
	over := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ; i++ {
			got := b.post(t, document(sheet("bystander", fmt.Sprint(i), 1, 2)))
			read := b.get(t, "/results/bystander/aggregate")
			if got.StatusCode != http.StatusOK || read.StatusCode != http.StatusOK || !strings.Contains(read.body, fmt.Sprintf(`"count":%d}`, i+1)) {
				t.Errorf("request %d of somebody who behaves: %s %s, %s %s", i, got.Status, got.body, read.Status, read.body)
			}
			select {
			case <-over:
				t.Logf("%d imports and reads beside them", i+1)
				return
			default:
			}
			if i%10 == 0 {
				b.client.CloseIdleConnections()
			}
		}
	})
	return func() { close(over); group.Wait() }
}

// miscounted says which series differ from what the clients bring.
func (b *border) miscounted(all []badClient) string {
	want := make(map[string]float64)
	for _, c := range all {
		for status := range strings.FieldsSeq(c.want + " " + c.unheard) {
			if status != "100" && status != "200" {
				want["status "+status]++
			}
		}
		if c.turned != "" {
			want["turned away "+c.turned]++
		}
	}
	got := make(map[string]float64)
	families, err := b.registry.Gather()
	if err != nil {
		return err.Error()
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				value, name := metric.GetCounter().GetValue(), label.GetValue()
				switch {
				case label.GetName() != "code" || value == 0 || name == "200":
				case family.GetName() == "markr_http_requests_total":
					got["status "+name] += value
				case family.GetName() == "markr_import_turned_away_total":
					got["turned away "+name] += value
				}
			}
		}
	}
	var wrong []string
	for name := range want {
		if got[name] != want[name] {
			wrong = append(wrong, fmt.Sprintf("%s: %v counted, want %v", name, got[name], want[name]))
		}
	}
	for name := range got {
		if want[name] == 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %v counted, want none", name, got[name]))
		}
	}
	return strings.Join(wrong, "\n")
}
