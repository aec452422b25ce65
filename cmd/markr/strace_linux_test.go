package main_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"markr/wal/entry"
)

// TestSyncBeforeAnswer looks at the system calls of a server under load: each answer
// that an import is durable, accepted or refused, must come after a sync of the
// vault's log that has succeeded, and that began after the import's bytes had been
// written to it. An import's bytes are known by the digest in its header.
func TestSyncBeforeAnswer(t *testing.T) {
	t.Parallel()
	answers, faults := traceImports(t, theProgram)
	for _, fault := range faults {
		t.Error(fault)
	}
	t.Logf("%d answers, %d of them without a sync of their own bytes before", answers, len(faults))
}

// The negative control: a disk that is never told to sync the log is found out.
func TestSyncBeforeAnswerSeesNone(t *testing.T) {
	t.Parallel()
	answers, faults := traceImports(t, forgetful)
	if len(faults) != answers {
		t.Errorf("%d faults in %d answers without a sync", len(faults), answers)
	}
}

// traceImports has clients post documents to a program that is traced, and returns
// how many answers were looked at, and what is wrong with them.
func traceImports(t *testing.T, program string) (answers int, faults []error) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	// -D: the server is this process's child, and so the one that is told to stop.
	tracing := []string{"-D", "-f", "-y", "-x", "-s", "16777216", "-o", trace, "-e", "trace=write,writev,pwrite64,fsync,fdatasync,sendto,sendmsg"}
	if output, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("no process can be traced here: %v: %s", err, output)
	}
	binary, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	p := launchProgram(t, nil, strace, append(append(tracing, binary), serveArguments("--data-dir", t.TempDir())...)...)
	p.awaitReady(t)
	const clients, documents = 4, 25
	var digests sync.Map // by import id
	var wait sync.WaitGroup
	client := newHTTPClient(t)
	for i := range clients {
		wait.Go(func() {
			for n := range documents {
				raw := newPaper(5, i*documents+n).raw
				status, body, err := post(client, p.url, raw)
				var receipt struct {
					ImportID string `json:"import_id"`
				}
				if err := errors.Join(err, json.Unmarshal(body, &receipt)); err != nil || status != 200 && status != 422 {
					t.Errorf("import: status %d, %v: %s", status, err, body)
				}
				digests.Store(receipt.ImportID, digestOf(t, raw))
			}
		})
	}
	wait.Wait()
	p.stop(t)
	calls, err := readTrace(trace, p.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		match := answered.FindStringSubmatch(c.argument)
		if !strings.HasPrefix(c.file, "socket:") || match == nil {
			continue
		}
		answers++
		digest, known := digests.Load(match[1])
		if !known {
			t.Fatalf("nobody was told of import %s", match[1])
		}
		if err := syncedBefore(calls, c, digest.(entry.Digest)); err != nil {
			faults = append(faults, fmt.Errorf("import %s is answered in line %d: %w", match[1], c.began, err))
		}
	}
	if answers != clients*documents {
		t.Errorf("%d answers in the trace, want %d", answers, clients*documents)
	}
	return answers, faults
}

// call is a system call: when it began and ended, as lines of the trace, on which
// file, with what, and what came of it.
type call struct {
	began, ended         int
	name, file, argument string
	result               string
}

var (
	callBegins  = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$`)
	callResumes = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
)

// readTrace reads a trace when it is complete.
func readTrace(path string, pid int) (calls []*call, err error) {
	ends := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\+\+\+ `, pid))
	err = eventually(func() error {
		trace, err := os.ReadFile(path)
		if err == nil && !ends.Match(trace) {
			err = errors.New("the trace is not complete")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	underway := make(map[string]*call) // by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		c, rest, thread := (*call)(nil), "", ""
		if begins := callBegins.FindStringSubmatch(line); begins != nil {
			c = &call{began: n, name: begins[2], file: begins[3], argument: begins[4]}
			thread, rest = begins[1], begins[4]
			calls = append(calls, c)
		} else if resumes := callResumes.FindStringSubmatch(line); resumes != nil {
			thread, rest = resumes[1], resumes[2]
			c = underway[thread]
			delete(underway, thread)
		}
		switch {
		case c == nil:
		case strings.HasSuffix(rest, "<unfinished ...>"):
			underway[thread] = c
		default:
			c.ended, c.result = n, strings.TrimSpace(rest[strings.LastIndex(rest, "= ")+1:])
		}
	}
	return calls, lines.Err()
}

var answered = regexp.MustCompile(`HTTP/1\.1 (?:200|422) .*import_id\\":\\"([0-9a-f-]{36})`)

// syncedBefore is nil if a sync that covers an import's bytes had ended well before
// its answer began.
func syncedBefore(calls []*call, answer *call, digest entry.Digest) error {
	// A log is in blocks, and where one ends in the digest one half is whole.
	half := len(digest) / 2
	first, second := escaped(digest[:half]), escaped(digest[half:])
	var written *call // The last write of them.
	for _, c := range calls {
		if strings.Contains(c.name, "write") && strings.HasSuffix(c.file, ".log") &&
			(strings.Contains(c.argument, first) || strings.Contains(c.argument, second)) {
			written = c
		}
	}
	if written == nil {
		return errors.New("it was never written to the log")
	}
	for _, c := range calls {
		if strings.HasSuffix(c.name, "sync") && c.file == written.file && c.result == "0" &&
			written.ended != 0 && c.began > written.ended && c.ended < answer.began {
			return nil
		}
	}
	return fmt.Errorf("its bytes were written to %s in line %d, and no sync came between", filepath.Base(written.file), written.began)
}

// escaped is how strace writes bytes.
func escaped(bytes []byte) string {
	var b strings.Builder
	for _, one := range bytes {
		fmt.Fprintf(&b, `\x%02x`, one)
	}
	return b.String()
}
