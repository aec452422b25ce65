package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	markr "markr/cmd/markr"
)

// patience is how long anything that must happen is waited for. It is a bound on
// a hanging test and no timing: nothing waits that long when all is well.
const patience = 60 * time.Second

// process is the real program with its own process id.
type process struct {
	cmd    *exec.Cmd
	url    string        // where it serves, once it is ready
	ready  chan struct{} // closed when it has said so
	exited chan struct{} // closed when it is gone; state and log are complete then

	mu struct {
		sync.Mutex

		log bytes.Buffer
	}
}

// tester is what a helper needs of a test, or of a script in one.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(done func())
	Failed() bool
}

// judge is a tester that may also find fault and go on.
type judge interface {
	tester
	Error(args ...any)
	Errorf(format string, args ...any)
	FailNow()
}

// launch starts `markr serve` on a free port of loopback and returns at once. Later
// flags win over those given here.
func launch(t tester, dir string, flags ...string) *process {
	t.Helper()
	return launchWith(t, nil, append([]string{"--data-dir", dir}, flags...)...)
}

// launchWith is launch with settings in the environment.
func launchWith(t tester, settings []string, flags ...string) *process {
	t.Helper()
	return launchProgram(t, settings, theProgram, serveArguments(flags...)...)
}

// serveArguments are those of a server on a free port of loopback.
func serveArguments(flags ...string) []string {
	// A free disk of less than a gigabyte is the machine's, and not what is tested.
	return append([]string{"serve", "--listen", "127.0.0.1:0", "--free-disk-min", "0"}, flags...)
}

// launchProgram starts a program that is, or becomes, a server. testscript.Main puts
// those of programs_test.go on the PATH.
func launchProgram(t tester, settings []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), ready: make(chan struct{}), exited: make(chan struct{})}
	p.cmd.Env = append(cleanEnvironment(), settings...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // Ends when the process does, which the cleanup sees to.
		p.follow(stderr)
		_ = p.cmd.Wait() // How it ended is in ProcessState.
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %v:\n%s", p.cmd.Args, p.logged())
		}
	})
	return p
}

// serve starts a server and waits until it is ready.
func serve(t tester, dir string, flags ...string) *process {
	t.Helper()
	p := launch(t, dir, flags...)
	p.awaitReady(t)
	return p
}

// readyLine is what a server logs when it is ready, in either format.
var readyLine = regexp.MustCompile(`"?msg"?[=:]"?ready"?[ ,]"?url"?[=:]"?(https?://[^ "]+)`)

// follow keeps the log and looks in it for the address.
func (p *process) follow(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		p.mu.Lock()
		p.mu.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		if ready := readyLine.FindStringSubmatch(lines.Text()); ready != nil {
			p.url = ready[1]
			close(p.ready)
		}
	}
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.log.String()
}

// attribute is the first value that the log, as text, has for a name.
func (p *process) attribute(name string) string {
	_, rest, _ := strings.Cut(p.logged(), " "+name+"=")
	if end := strings.IndexAny(rest, " \n"); end >= 0 {
		return rest[:end]
	}
	return rest
}

func (p *process) awaitReady(t tester) {
	t.Helper()
	select {
	case <-p.ready:
	case <-p.exited:
		t.Fatalf("the server ended before it was ready: %v\n%s", p.cmd.ProcessState, p.logged())
	case <-time.After(patience):
		t.Fatalf("the server is not ready after %v\n%s", patience, p.logged())
	}
}

// kill ends the process as a power cut would, as far as a process can.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // It may be gone already.
	<-p.exited
}

// wait waits for the process to end and returns its exit code.
func (p *process) wait(t tester) int {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("the server has not ended after %v\n%s", patience, p.logged())
		return 0
	}
}

// stop asks the process to stop and returns its exit code.
func (p *process) stop(t tester) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.wait(t)
}

// cleanEnvironment is this process's without settings of ours.
func cleanEnvironment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "MARKR_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// newHTTPClient keeps enough connections for the clients of a test.
func newHTTPClient(t tester) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// post sends a document; status is 0 when no whole answer came.
func post(client *http.Client, url string, document []byte) (status int, body []byte, err error) {
	response, err := client.Post(url+"/import", markr.MediaType, bytes.NewReader(document))
	return read(response, err)
}

// get reads a path.
func get(client *http.Client, url string) (status int, body []byte, err error) {
	response, err := client.Get(url)
	return read(response, err)
}

func read(response *http.Response, err error) (int, []byte, error) {
	if err != nil {
		return 0, nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return 0, nil, err
	}
	return response.StatusCode, body, nil
}

// getJSON reads a path into a value and fails the test on anything but 200.
func getJSON(t tester, client *http.Client, url string, into any) {
	t.Helper()
	status, body, err := get(client, url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// eventually tries until it succeeds, and returns the last error when it does not
// in time.
func eventually(try func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// waitingBuffer closes seen when it has been written a text.
type waitingBuffer struct {
	text string
	seen chan struct{}

	mu struct {
		sync.Mutex

		content strings.Builder
		told    bool
	}
}

func (w *waitingBuffer) init(text string) { w.text, w.seen = text, make(chan struct{}) }

// Write keeps what is written.
func (w *waitingBuffer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.mu.content.Write(p)
	if !w.mu.told && strings.Contains(w.mu.content.String(), w.text) {
		w.mu.told = true
		close(w.seen)
	}
	return n, err
}

// String is everything written so far.
func (w *waitingBuffer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.content.String()
}
