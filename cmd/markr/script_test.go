package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	markr "markr/cmd/markr"
)

// The scripts in testdata/script run the real program as a person does. Beside the
// usual commands they have:
//
//	serve [FLAG...]            start a server and wait until it is ready; it is
//	                           $MARKR_SERVER from then on
//	stop [CODE]                SIGTERM; it must exit with CODE, or 0; its log is stdout
//	crash                      SIGKILL
//	http METHOD PATH [FILE]    send a request, with the token in the file $TOKEN if it
//	                           is set; status, head and body are stdout
//	exits CODE PROGRAM ARG...  run a program that must exit with CODE
//	busy                       take a port, $BUSY, for the rest of the script
//	hangup                     SIGHUP
//	awaits TEXT                wait until the server has logged it
//	damage DIR                 change one byte in the largest table of a vault, or file of
//	                           a directory of backups
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  scriptServe,
			"stop":   scriptStop,
			"crash":  scriptCrash,
			"http":   scriptHTTP,
			"exits":  scriptExits,
			"busy":   scriptBusy,
			"damage": scriptDamage,
			"hangup": scriptHangup,
			"awaits": scriptAwaits,
		},
		Condition: func(condition string) (bool, error) {
			if condition == "root" { // May write where others may not.
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", condition)
		},
		Setup: func(env *testscript.Env) error {
			env.Values[running{}] = new(*process)
			env.Setenv("LONG", strings.Repeat("x", 2000))
			return nil
		},
	})
}

// running is the key of a script's server.
type running struct{}

// scriptTester lets a script use the helpers of tests.
type scriptTester struct{ *testscript.TestScript }

func (s scriptTester) Helper()             {}
func (s scriptTester) Fatal(args ...any)   { s.Fatalf("%s", fmt.Sprint(args...)) }
func (s scriptTester) Cleanup(done func()) { s.Defer(done) }
func (s scriptTester) Failed() bool        { return false }

func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("a server that must not start: use exits")
	}
	var settings []string
	for _, name := range markr.Environment() {
		if value := ts.Getenv(name); value != "" && name != "MARKR_SERVER" {
			settings = append(settings, name+"="+value)
		}
	}
	p := launchWith(scriptTester{ts}, settings, append([]string{"--data-dir", ts.MkAbs("markr-data")}, args...)...)
	p.awaitReady(scriptTester{ts})
	*ts.Value(running{}).(**process) = p
	ts.Setenv("MARKR_SERVER", p.url)
	ts.Setenv("PID", strconv.Itoa(p.cmd.Process.Pid))
}

// server is the one that the script has started last.
func server(ts *testscript.TestScript) *process {
	p := *ts.Value(running{}).(**process)
	if p == nil {
		ts.Fatalf("no server was started")
	}
	return p
}

func scriptStop(ts *testscript.TestScript, _ bool, args []string) {
	want := "0"
	if len(args) > 0 {
		want = args[0]
	}
	p := server(ts)
	if code := strconv.Itoa(p.stop(scriptTester{ts})); code != want {
		ts.Fatalf("the server exits with %s, want %s\n%s", code, want, p.logged())
	}
	fmt.Fprint(ts.Stdout(), p.logged())
}

func scriptCrash(ts *testscript.TestScript, _ bool, _ []string) { server(ts).kill() }

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: http METHOD PATH [FILE]")
	}
	url := args[1]
	if strings.HasPrefix(url, "/") {
		url = ts.Getenv("MARKR_SERVER") + url
	}
	var body []byte
	if len(args) == 3 {
		body = []byte(ts.ReadFile(args[2]))
	}
	request, err := http.NewRequest(args[0], url, bytes.NewReader(body))
	ts.Check(err)
	if body != nil {
		request.Header.Set("Content-Type", markr.MediaType)
	}
	if token := ts.Getenv("TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(token)))
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	status, answer, err := read(response, nil)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n", status)
	for _, name := range []string{"Content-Type", "Retry-After", "Allow", "WWW-Authenticate"} {
		if value := response.Header.Get(name); value != "" {
			fmt.Fprintf(ts.Stdout(), "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(ts.Stdout(), "\n%s\n", bytes.TrimSuffix(answer, []byte("\n")))
}

func scriptHangup(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(server(ts).cmd.Process.Signal(syscall.SIGHUP))
}

func scriptAwaits(ts *testscript.TestScript, _ bool, args []string) {
	p := server(ts)
	for began := time.Now(); !strings.Contains(p.logged(), strings.Join(args, " ")); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			ts.Fatalf("not logged after %v:\n%s", patience, p.logged())
		}
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit %d, want %s", code, args[0])
	}
}

func scriptBusy(ts *testscript.TestScript, _ bool, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv("BUSY", listener.Addr().String())
}

func scriptDamage(ts *testscript.TestScript, _ bool, args []string) {
	var largest string
	var size int64
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		table := filepath.Ext(path) == ".sst" || filepath.Base(filepath.Dir(path)) == "files"
		if err != nil || !table || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > size {
			largest, size = path, info.Size()
		}
		return err
	}))
	if largest == "" {
		ts.Fatalf("no table in %s", args[0])
	}
	file, err := os.OpenFile(largest, os.O_RDWR, 0)
	ts.Check(err)
	defer func() { ts.Check(file.Close()) }()
	one := make([]byte, 1)
	_, err = file.ReadAt(one, size/2)
	ts.Check(err)
	one[0] ^= 0xff
	_, err = file.WriteAt(one, size/2)
	ts.Check(err)
}

// A verb that is waiting for a server ends at once when a person types Ctrl-C, with
// 130 and without advice.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	// Nothing listens on port 1, so that the import waits and tries again.
	command := exec.Command("markr", "import", "--server", "http://127.0.0.1:1", "--retry-for", "1h", "-")
	command.Env = cleanEnvironment()
	command.Stdin = strings.NewReader("<x/>")
	var stderr waitingBuffer
	stderr.init("trying again")
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	<-stderr.seen
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // The code is what counts.
	if code := command.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130; stderr %q", code, stderr.String())
	}
	if strings.Contains(stderr.String(), "hint") || !slices.Contains([]int{1, 2}, strings.Count(stderr.String(), "\n")) {
		t.Errorf("an interrupted import should say little: %q", stderr.String())
	}
}
