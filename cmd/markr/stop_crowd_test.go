package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	markr "markr/cmd/markr"
)

// stopWithin is how long a gentle stop may take in all, whoever is connected: what
// `docker stop` waits.
const stopWithin = 10 * time.Second

// Told to stop amid clients that will never be done, the server waits for them for
// --drain-timeout and no longer: uploads that stall, connections that wait for their
// next request or have never sent one, readers that take nothing of a large document.
// Those who send whole documents meanwhile are all answered, an upload that is slow and
// comes to its end is seen through, and everything that was acknowledged is there.
func TestStopAmidACrowd(t *testing.T) {
	t.Parallel()
	drain := "3s"
	if *long {
		drain = "" // the default
	}
	client, dir := newHTTPClient(t), t.TempDir()
	var flags []string
	if drain != "" {
		flags = []string{"--drain-timeout", drain}
	}
	p := serve(t, dir, flags...)
	c := &stopCrowd{t: t, address: strings.TrimPrefix(p.url, "http://")}
	document := largeDocument()
	status, body, err := post(client, p.url, document)
	if err != nil || status != http.StatusOK {
		t.Fatalf("import: status %d, %v: %s", status, err, body)
	}
	_, rest, _ := strings.Cut(string(body), `"import_id":"`)
	id, _, _ := strings.Cut(rest, `"`)

	const each = 8
	for range each {
		c.open("") // silent
		c.stalled("<mcq-test-results>")
		c.open("GET /livez HTTP/1.1\r\nHost: markr\r\n\r\n").answer(t, http.StatusOK)                                        // idle from now on
		c.open("GET /imports/" + id + "/document HTTP/1.1\r\nHost: markr\r\n\r\n").startOfAnswer(t)                          // takes no more
		c.open("GET /livez HTTP/1.1\r\nHost: markr\r\n")                                                                     // half a header
		c.open("POST /import HTTP/1.1\r\nHost: markr\r\nContent-Type: text/xml+markr\r\nTransfer-Encoding: chunked\r\n\r\n") // no chunks
	}
	slow := paperOf("slow", 1)
	patient := c.upload(slow)
	var senders sync.WaitGroup
	for sender := range each {
		senders.Go(func() { c.send(sender) })
	}
	if err := eventually(func() error {
		if c.accepted.Load() < 100 {
			return fmt.Errorf("%d documents accepted", c.accepted.Load())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.awaitLog(t, "stopping")
	if _, err := patient.conn.Write(slow[len(slow)/2:]); err != nil {
		t.Errorf("the slow upload: %v", err)
	}
	patient.answer(t, http.StatusOK)
	code := p.wait(t)
	took := time.Since(began)
	senders.Wait()
	t.Logf("stopped after %v (--drain-timeout %s); %d documents accepted, %d refused", took.Round(time.Millisecond), drain, c.accepted.Load(), c.refused.Load())
	if code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	if took > stopWithin {
		t.Errorf("the stop took %v", took)
	}
	if !strings.Contains(p.logged(), "cut off") {
		t.Error("nobody had to be cut off: the test has tested nothing")
	}
	again := serve(t, dir)
	var got figures
	getJSON(t, client, again.url+"/results/stop/aggregate", &got)
	if int64(got.Count) != c.accepted.Load() {
		t.Errorf("%d documents are there, %d were acknowledged", got.Count, c.accepted.Load())
	}
	getJSON(t, client, again.url+"/results/slow/aggregate", &got)
}

// largeDocument is more than sockets hold.
func largeDocument() []byte {
	return append(paperOf("large", 1), strings.Repeat(" ", 24<<20)...)
}

// stopCrowd is who is connected when the server is told to stop.
type stopCrowd struct {
	t                 *testing.T
	address           string
	accepted, refused atomic.Int64
}

// member is one of a crowd.
type member struct {
	conn    net.Conn
	answers *bufio.Reader
}

// open connects and sends a text.
func (c *stopCrowd) open(text string) *member {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		c.t.Fatal(err)
	}
	return &member{conn, bufio.NewReader(conn)}
}

// stalled begins an upload of which no more comes than its beginning.
func (c *stopCrowd) stalled(beginning string) *member {
	c.t.Helper()
	const length = 1 << 20
	m := c.open(fmt.Sprintf("POST /import HTTP/1.1\r\nHost: markr\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		markr.MediaType, length))
	m.awaitContinue(c.t)
	if _, err := io.WriteString(m.conn, beginning); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// upload sends the first half of a document.
func (c *stopCrowd) upload(document []byte) *member {
	c.t.Helper()
	m := c.open(fmt.Sprintf("POST /import HTTP/1.1\r\nHost: markr\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		markr.MediaType, len(document)))
	m.awaitContinue(c.t)
	if _, err := m.conn.Write(document[:len(document)/2]); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// awaitContinue waits for 100 Continue: the import has been admitted.
func (m *member) awaitContinue(t *testing.T) {
	t.Helper()
	line, err := m.answers.ReadString('\n')
	if err == nil {
		_, err = m.answers.ReadString('\n') // The empty line.
	}
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("answer to Expect: %q, %v", line, err)
	}
}

// answer reads a whole answer.
func (m *member) answer(t *testing.T, want int) {
	t.Helper()
	response, err := http.ReadResponse(m.answers, nil)
	if status, body, err := read(response, err); err != nil || status != want {
		t.Errorf("status %d, %v, want %d: %s", status, err, want, body)
	}
}

// startOfAnswer reads the first line of an answer.
func (m *member) startOfAnswer(t *testing.T) {
	t.Helper()
	if line, err := m.answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 200 ") {
		t.Errorf("%q, %v", line, err)
	}
}

// send imports documents, each over a connection of its own, until nobody listens.
// Whoever has been let in is answered.
func (c *stopCrowd) send(sender int) {
	for i := 0; ; i++ {
		document := sheetDocument("stop", fmt.Sprintf("%d-%d", sender, i))
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			return
		}
		_, sendErr := fmt.Fprintf(conn, "POST /import HTTP/1.1\r\nHost: markr\r\nContent-Type: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
			markr.MediaType, len(document), document)
		answer, err := io.ReadAll(conn)
		_ = conn.Close()
		switch text := string(answer); {
		case strings.HasPrefix(text, "HTTP/1.1 200 "):
			c.accepted.Add(1)
		case strings.HasPrefix(text, "HTTP/1.1 503 "):
			c.refused.Add(1)
		case text == "": // Nobody had let it in when the door was closed.
		default:
			c.t.Errorf("answered %q: %v, %v", text, sendErr, err)
		}
	}
}

func sheetDocument(test, student string) string { return opening + sheetOf(test, student) + closing }
