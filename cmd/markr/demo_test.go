package main_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demonstrate runs a demo until its day is over, and returns the aggregates of its
// tests. It is interrupted then, and has to leave nothing.
func demonstrate(t *testing.T, flags ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	command := exec.Command("markr", append([]string{"demo", "--speed", "100000", "--listen", "127.0.0.1:0"}, flags...)...)
	command.Env = append(cleanEnvironment(), "TMPDIR="+dir)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr waitingBuffer
	stderr.init("The day is over")
	command.Stderr = &stderr
	started := time.Now()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v\n%s", err, stderr.String())
	}
	address := strings.TrimSuffix(strings.TrimSpace(line), "/")
	t.Logf("%s after %v", address, time.Since(started))
	select {
	case <-stderr.seen:
	case <-time.After(patience):
		t.Fatalf("the day does not end\n%s", stderr.String())
	}
	aggregates := make(map[string]string)
	var list struct{ Tests []struct{ ID string } }
	if err := json.Unmarshal([]byte(fetched(t, address+"/results")), &list); err != nil {
		t.Fatal(err)
	}
	for _, test := range list.Tests {
		aggregates[test.ID] = fetched(t, address+"/results/"+test.ID+"/aggregate")
		suspect := strings.Count(fetched(t, address+"/results/"+test.ID+"/items"), `"suspect_key"`)
		if want := strings.Count(test.ID, "physics"); suspect != want {
			t.Errorf("%s: %d questions whose key is suspect, want %d", test.ID, suspect, want)
		}
	}
	if page := fetched(t, address+"/"); !strings.Contains(page, "Markr") {
		t.Errorf("the page: %s", page)
	}
	refusals := fetched(t, address+"/refusals")
	if !strings.Contains(refusals, `"invalid_value"`) || !strings.Contains(refusals, `"malformed_xml"`) {
		t.Errorf("refusals: %s", refusals)
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("an interrupted demo: %v\n%s", err, stderr.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	return aggregates
}

func fetched(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s", address, response.StatusCode, err, body)
	}
	return string(body)
}

// A day comes in, is the same for the same seed, and leaves nothing when it is
// interrupted.
func TestDemo(t *testing.T) {
	t.Parallel()
	seeds := []string{"1", "1", "2"}
	days := make([]map[string]string, len(seeds))
	t.Run("days", func(t *testing.T) {
		for i, seed := range seeds {
			t.Run("seed="+seed, func(t *testing.T) {
				t.Parallel()
				days[i] = demonstrate(t, "--seed", seed)
			})
		}
	})
	first, again, other := days[0], days[1], days[2]
	if len(first) != 7 {
		t.Errorf("%d tests, want 7", len(first))
	}
	same := 0
	for test, aggregate := range first {
		if again[test] != aggregate {
			t.Errorf("%s: %s, and again %s", test, aggregate, again[test])
		}
		if other[test] == aggregate {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d tests of another day are the same", same)
	}
}

// A demo can be ended in the middle of its day.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command := exec.Command("markr", "demo", "--speed", "0.1", "--listen", "127.0.0.1:0")
	command.Env = append(cleanEnvironment(), "TMPDIR="+dir)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	// The head start is there: something moves from the first moment on.
	for began := time.Now(); !strings.Contains(fetched(t, strings.TrimSpace(line)+"results"), "biology"); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("nothing comes in")
		}
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}
