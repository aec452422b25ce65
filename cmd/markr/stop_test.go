package main_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	markr "markr/cmd/markr"
)

// awaitLog waits until the server has logged a text.
func (p *process) awaitLog(t tester, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(p.logged(), text); {
		select {
		case <-p.exited:
			if !strings.Contains(p.logged(), text) {
				t.Fatalf("the server ended without logging %q:\n%s", text, p.logged())
			}
		case <-time.After(5 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatalf("no %q in the log after %v:\n%s", text, patience, p.logged())
			}
		}
	}
}

// While it drains a server is alive and not ready, takes no imports, and answers
// reads; a second signal ends it at once.
func TestDrainAndSecondSignal(t *testing.T) {
	t.Parallel()
	client, dir := newHTTPClient(t), t.TempDir()
	p := serve(t, dir, "--shutdown-delay", "1h")
	document := paperWithoutMistake(1)
	if status, body, err := post(client, p.url, document.raw); err != nil || status != http.StatusOK {
		t.Fatalf("import: status %d, %v: %s", status, err, body)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.awaitLog(t, "stopping")
	for path, want := range map[string]int{
		"/livez":  http.StatusOK,
		"/readyz": http.StatusServiceUnavailable,
		"/results/" + document.ownTest() + "/aggregate": http.StatusOK,
	} {
		if status, body, err := get(client, p.url+path); err != nil || status != want {
			t.Errorf("GET %s while draining: status %d, %v, want %d: %s", path, status, err, want, body)
		}
	}
	if status, body, err := post(client, p.url, document.raw); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("import while draining: status %d, %v: %s", status, err, body)
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 130 {
		t.Errorf("exit %d after a second signal, want 130", code)
	}
	again := serve(t, dir)
	if status, _, err := get(client, again.url+"/results/"+document.ownTest()+"/aggregate"); err != nil || status != http.StatusOK {
		t.Errorf("what was acknowledged is gone: status %d, %v", status, err)
	}
}

// paperWithoutMistake is the first paper of a seed that is accepted.
func paperWithoutMistake(seed uint64) *paper { return paperFrom(seed, 0) }

// paperFrom is the first, from a number on.
func paperFrom(seed uint64, number int) *paper {
	for ; ; number++ {
		if p := newPaper(seed, number); !p.bad {
			return p
		}
	}
}

// An import whose document is still arriving when the signal comes is seen
// through: the server waits for it, answers it, and only then ends, with 0.
func TestStopFinishesImports(t *testing.T) {
	t.Parallel()
	client, dir, document := newHTTPClient(t), t.TempDir(), paperWithoutMistake(2)
	p := serve(t, dir)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	half := len(document.raw) / 2
	// Whoever hears 100 Continue knows that the import has been admitted.
	fmt.Fprintf(conn, "POST /import HTTP/1.1\r\nHost: markr\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		markr.MediaType, len(document.raw))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("answer to Expect: %q, %v", line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil { // The empty line.
		t.Fatal(err)
	}
	if _, err := conn.Write(document.raw[:half]); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.awaitLog(t, "stopping")
	if _, err := conn.Write(document.raw[half:]); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(answers, nil)
	status, body, err := read(response, err)
	if err != nil || status != http.StatusOK {
		t.Fatalf("import under way: status %d, %v: %s", status, err, body)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	again := serve(t, dir)
	var got figures
	getJSON(t, client, again.url+"/results/"+document.ownTest()+"/aggregate", &got)
	if got.Count != document.own() {
		t.Errorf("%d students after a restart, want %d", got.Count, document.own())
	}
}

// Whoever sends when the signal comes gets a whole answer, or none because nothing
// listens any more; and what was acknowledged is there afterwards.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	h := newKilling(t, drawSeed(t), t.TempDir())
	p := serve(t, h.dir)
	var clients sync.WaitGroup
	for i := range killClients {
		clients.Go(func() { h.client(p.url, rand.New(rand.NewPCG(h.seed, uint64(i)))) })
	}
	h.awaitAnswers(100)
	if code := p.stop(t); code != 0 {
		t.Errorf("exit %d, want 0\n%s", code, p.logged())
	}
	clients.Wait()
	h.verify(serve(t, h.dir).url, true)
}

// A disk that fails ends the server with 1, because what is on disk is unknown from
// then on; nothing that was not synced has been acknowledged, and the next start
// goes on. A limit on the size of files is a disk that fails.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("ulimit and what it does to a write are the system's; checked on Linux")
	}
	h := newKilling(t, drawSeed(t), t.TempDir())
	binary, err := exec.LookPath("markr")
	if err != nil {
		t.Fatal(err)
	}
	// In blocks of 512 or 1024 bytes, depending on the shell; enough to start with.
	p := launchProgram(t, nil, "sh", "-c", `ulimit -f 400; exec "$0" "$@"`, binary,
		"serve", "--listen", "127.0.0.1:0", "--free-disk-min", "0", "--data-dir", h.dir)
	p.awaitReady(t)
	var clients sync.WaitGroup
	for i := range killClients {
		clients.Go(func() { h.client(p.url, rand.New(rand.NewPCG(h.seed, uint64(i)))) })
	}
	if code := p.wait(t); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	clients.Wait()
	if log := p.logged(); !strings.Contains(log, "markr: the vault cannot go on: ") || !strings.Contains(log, "\nhint: look at the disk") {
		t.Errorf("the end is not explained:\n%s", log)
	}
	next := serve(t, h.dir)
	h.verify(next.url, true)
	h.oneMore(next.url)
}

// A disk that fails at once keeps the server from starting, and never from ending.
func TestDiskFailsWhileStarting(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("ulimit and what it does to a write are the system's; checked on Linux")
	}
	binary, err := exec.LookPath("markr")
	if err != nil {
		t.Fatal(err)
	}
	for _, blocks := range []string{"0", "1", "2"} {
		p := launchProgram(t, nil, "sh", "-c", `ulimit -f "$1"; exec "$0" serve --listen 127.0.0.1:0 --data-dir "$2"`,
			binary, blocks, t.TempDir())
		select {
		case <-p.ready: // The limit was not reached.
		case <-p.exited:
			if code := p.wait(t); code != 1 || !strings.Contains(p.logged(), "file too large") {
				t.Errorf("%s blocks: exit %d, want 1\n%s", blocks, code, p.logged())
			}
		case <-time.After(patience):
			t.Errorf("%s blocks: neither ready nor gone\n%s", blocks, p.logged())
		}
		if blocks == "0" && p.url != "" {
			t.Errorf("a server without a disk is ready")
		}
	}
}

// TestReadyWhileReading watches a server that reads a long log: alive at once, not
// ready and saying how far it is, ready in the end.
func TestReadyWhileReading(t *testing.T) {
	t.Parallel()
	if !*long {
		t.Skip("a log that takes a while to read takes a while to write: run with -long")
	}
	client, dir := newHTTPClient(t), t.TempDir()
	first := serve(t, dir)
	if output, err := exec.Command("markr", "bench", "--target", first.url, "--duration", "10s", "--records", "1000").CombinedOutput(); err != nil {
		t.Fatalf("fill the log: %v\n%s", err, output)
	}
	first.kill()
	second := launch(t, dir)
	second.awaitLog(t, "msg=listening")
	url := second.attribute("url")
	status, body, err := get(client, url+"/readyz")
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(string(body), "position") {
		t.Errorf("/readyz while reading: status %d, %v: %s", status, err, body)
	}
	if status, _, err := get(client, url+"/livez"); err != nil || status != http.StatusOK {
		t.Errorf("/livez while reading: status %d, %v", status, err)
	}
	second.awaitReady(t)
	if status, body, err := get(client, url+"/readyz"); err != nil || status != http.StatusOK {
		t.Errorf("/readyz in the end: status %d, %v: %s", status, err, body)
	}
}
