package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// press is a server under load whose papers are known by their positions.
type press struct {
	t      *testing.T
	seed   uint64
	http   *http.Client
	next   atomic.Int64 // number of the next paper
	failed atomic.Int64 // answers that are neither 200 nor 422

	mu struct {
		sync.Mutex

		papers  map[int]*paper // accepted, by position
		slowest time.Duration
	}
}

func newPress(t *testing.T) *press {
	t.Helper()
	p := &press{t: t, seed: drawSeed(t), http: newHTTPClient(t)}
	p.mu.papers = make(map[int]*paper)
	return p
}

// one posts a paper.
func (p *press) one(url string) {
	paper := newPaper(p.seed, int(p.next.Add(1)))
	began := time.Now()
	status, body, err := post(p.http, url, paper.raw)
	took := time.Since(began)
	var answer receipt
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(body, &answer)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.slowest = max(p.mu.slowest, took)
	switch {
	case err == nil && status == http.StatusOK:
		p.mu.papers[answer.Position] = paper
	case err != nil || status != http.StatusUnprocessableEntity:
		p.failed.Add(1)
		p.t.Errorf("import: status %d, %v: %s", status, err, body)
	}
}

// load posts papers from several clients until stop is called.
func (p *press) load(url string) (stop func()) {
	const clients = 4
	done := make(chan struct{})
	var posting sync.WaitGroup
	for range clients {
		posting.Go(func() {
			for p.failed.Load() == 0 {
				select {
				case <-done:
					return
				default:
					p.one(url)
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(done); posting.Wait() })
}

// accepted waits until so many more papers are accepted.
func (p *press) accepted(more int) {
	p.t.Helper()
	count := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.mu.papers)
	}
	want := count() + more
	if err := eventually(func() error {
		if n := count(); n < want {
			return fmt.Errorf("%d papers accepted, want %d", n, want)
		}
		return nil
	}); err != nil {
		p.t.Fatal(err)
	}
}

// slowest is the longest import since it was asked last.
func (p *press) slowest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := p.mu.slowest
	p.mu.slowest = 0
	return took
}

// modelAt is what a server must answer that has every document up to a position.
func (p *press) modelAt(position int) *model {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := newModel()
	for at, paper := range p.mu.papers {
		if at <= position {
			m.add(paper)
		}
	}
	return m
}

// check starts a server on a restored directory and compares every figure of every test
// with the model's, bit for bit; then it takes one more document.
func (p *press) check(dir string, position int) {
	p.t.Helper()
	want := p.modelAt(position)
	server := serve(p.t, dir)
	tests := 0
	for cursor := ""; ; {
		var page struct {
			Tests []struct {
				ID    string
				Count int
			}
			Next *string `json:"next_cursor"`
		}
		getJSON(p.t, p.http, server.url+"/results?limit=1000"+cursor, &page)
		for _, test := range page.Tests {
			tests++
			if test.Count != len(want.obtained[test.ID]) {
				p.t.Errorf("position %d: test %s has %d students, want %d", position, test.ID, test.Count, len(want.obtained[test.ID]))
			}
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if tests != len(want.obtained) || tests == 0 {
		p.t.Errorf("position %d: %d tests, want %d", position, tests, len(want.obtained))
	}
	for test := range want.obtained {
		var got figures
		getJSON(p.t, p.http, server.url+"/results/"+test+"/aggregate", &got)
		if wanted := want.aggregate(test); got != wanted {
			p.t.Errorf("position %d: test %s: %+v, want %+v", position, test, got, wanted)
		}
	}
	var last struct{ Imports []imported }
	getJSON(p.t, p.http, server.url+"/imports?limit=1", &last)
	if len(last.Imports) != 1 || last.Imports[0].Position != position {
		p.t.Errorf("the last import is %+v, want position %d", last.Imports, position)
	}
	status, body, err := post(p.http, server.url, newPaper(p.seed+1, 1).raw)
	if err != nil || status >= http.StatusInternalServerError {
		p.t.Errorf("one more: %d, %v, %s", status, err, body)
	}
	if code := server.stop(p.t); code != 0 {
		p.t.Errorf("exit %d", code)
	}
}

// A backup's summary.
type backupSummary struct {
	Backup      string
	Position    int
	Running     bool
	Bytes       int64
	NewBytes    int64 `json:"new_bytes"`
	LinkedBytes int64 `json:"linked_bytes"`
}

// markrJSON runs a verb that must succeed, and reads what it prints.
func markrJSON(t *testing.T, into any, args ...string) {
	t.Helper()
	command := exec.Command("markr", append(args, "--json")...)
	command.Env = cleanEnvironment()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err == nil {
		err = json.Unmarshal(output, into)
	}
	if err != nil {
		t.Fatalf("markr %s: %v\n%s\n%s", strings.Join(args, " "), err, output, stderr.String())
	}
}

// While clients import, a server is backed up again and again, in a directory whose path
// is longer than a socket's may be; what is restored, while they go on, is to the last
// bit what the server had at the position that the backup names. No import fails.
func TestBackupAmidImports(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	data := filepath.Join(base, strings.Repeat("deep/", 40), "data")
	p := newPress(t)
	server := serve(t, data)
	stop := p.load(server.url)
	defer stop()
	p.accepted(100)
	p.slowest()
	p.accepted(100)
	without := p.slowest()
	var backups []backupSummary
	var restored []string
	kept := filepath.Join(base, "kept")
	for round := range 3 {
		var made backupSummary
		args := []string{"backup", kept, "--data-dir", data}
		if round == 2 {
			args = append(args, "--copy")
		}
		markrJSON(t, &made, args...)
		if !made.Running || made.Position < 200 || (made.LinkedBytes > 0) != (round < 2) {
			t.Errorf("%+v", made)
		}
		backups = append(backups, made)
		p.accepted(20)
	}
	t.Logf("the slowest import: %v without a backup, %v with three", without, p.slowest())
	for i, made := range backups {
		dir := filepath.Join(base, fmt.Sprint("restored-", i))
		var told struct{ Position int }
		markrJSON(t, &told, "restore", kept, "--data-dir", dir, "--backup", made.Backup)
		if told.Position != made.Position {
			t.Errorf("restored position %d, backed up %d", told.Position, made.Position)
		}
		restored = append(restored, dir)
	}
	p.accepted(20)
	stop()
	for i, dir := range restored {
		p.check(dir, backups[i].Position)
	}
	var metrics bytes.Buffer
	status, body, err := get(p.http, server.url+"/metrics")
	metrics.Write(body)
	if want := fmt.Sprintf("\nmarkr_backup_last_success_position %d\n", backups[2].Position); err != nil || status != 200 || !strings.Contains(metrics.String(), want) {
		t.Errorf("metrics: %d, %v, without %s", status, err, want)
	}
	if code := server.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	if names, err := os.ReadDir(filepath.Join(data, "snapshots")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there are still %v, %v", names, err)
	}
}

// slowBackup starts a backup that takes for ever, and waits until it has a snapshot.
func slowBackup(t *testing.T, server *process, data, kept string) (command *exec.Cmd, stderr *waitingBuffer) {
	t.Helper()
	taken := strings.Count(server.logged(), "snapshot taken")
	command = exec.Command("markr", "backup", kept, "--data-dir", data, "--copy", "--rate", "1KiB")
	command.Env = cleanEnvironment()
	stderr = &waitingBuffer{}
	stderr.init("markr:")
	command.Stderr = stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	if err := eventually(func() error {
		if strings.Count(server.logged(), "snapshot taken") == taken {
			return errors.New("no snapshot was taken")
		}
		return nil
	}); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	return command, stderr
}

// A backup that is killed, interrupted, or whose server stops leaves no backup and
// nothing in the way of the next; two at once are one too many.
func TestBackupCutOff(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	data, kept := filepath.Join(base, "data"), filepath.Join(base, "kept")
	p := newPress(t)
	server := serve(t, data)
	for range 60 {
		p.one(server.url)
	}
	backup := func(args ...string) outcome {
		t.Helper()
		return runProgram(t, append([]string{"backup"}, args...)...)
	}
	none := func(when string) {
		t.Helper()
		if got := backup("list", kept); got.code != 0 || got.stdout != "" {
			t.Errorf("%s: %+v", when, got)
		}
	}
	first, _ := slowBackup(t, server, data, kept)
	if got := backup(kept, "--data-dir", data); got.code != 1 || !strings.Contains(got.stderr, "in use by another process") {
		t.Errorf("two at once: %+v", got)
	}
	_ = first.Process.Kill()
	_ = first.Wait()
	none("killed")
	held := func() float64 {
		value, err := metric(p.http, server.url, "markr_wal_snapshots")
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	if held() != 1 { // Until its lease ends: the vault's tests see to that.
		t.Errorf("%v snapshots are held", held())
	}

	second, stderr := slowBackup(t, server, data, kept)
	if err := second.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait()
	if code := second.ProcessState.ExitCode(); code != 130 || held() != 1 {
		t.Errorf("interrupted: exit %d, %v snapshots are held\n%s", code, held(), stderr)
	}
	none("interrupted")

	third, stderr := slowBackup(t, server, data, kept)
	if code := server.stop(t); code != 0 {
		t.Errorf("the server exits with %d", code)
	}
	_ = third.Process.Signal(syscall.SIGINT) // What it has open it could read for ever.
	_ = third.Wait()
	none("the server stopped")
	if code := third.ProcessState.ExitCode(); code == 0 {
		t.Errorf("exit %d\n%s", code, stderr)
	}

	server = serve(t, data)
	if got := backup(kept, "--data-dir", data); got.code != 0 {
		t.Fatalf("the next one: %+v", got)
	}
	position := int(p.next.Load())
	restored := filepath.Join(base, "restored")
	if got := runProgram(t, "restore", kept, "--data-dir", restored); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	p.check(restored, position)
	// The trail has the one that was interrupted, and the one that is whole. Of what was
	// killed it has a line when the lease has ended, if there is a server then.
	if code := server.stop(t); code != 0 {
		t.Errorf("the server exits with %d", code)
	}
	trail := runProgram(t, "vault", "audit", "--events", "--data-dir", data)
	want := regexp.MustCompile(`^POSITION .*\n` +
		`\d+ +\S+ \S+ +operator +backup +done +backup \S+, as of position \d+\n` +
		`\d+ +\S+ \S+ +operator +backup +failed +the snapshot of position \d+ was given back, and no backup holds it\n$`)
	if trail.code != 0 || !want.MatchString(trail.stdout) {
		t.Errorf("the trail: %+v", trail)
	}
}

// runProgram runs the program in a process of its own.
func runProgram(t *testing.T, args ...string) outcome {
	t.Helper()
	command := exec.Command("markr", args...)
	command.Env = cleanEnvironment()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	_ = command.Run() // The code is what counts.
	return outcome{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// The control socket is its owner's alone, and so is what a backup and a restore make.
func TestBackupIsPrivate(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	data, kept, restored := filepath.Join(base, "data"), filepath.Join(base, "kept"), filepath.Join(base, "restored")
	p := newPress(t)
	server := serve(t, data)
	p.one(server.url)
	for _, args := range [][]string{{"backup", kept, "--data-dir", data}, {"restore", kept, "--data-dir", restored}} {
		command := exec.Command("sh", append([]string{"-c", `umask 0; exec markr "$@"`, "sh"}, args...)...)
		command.Env = cleanEnvironment()
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, output)
		}
	}
	checkPrivate(t, data)
	checkPrivate(t, kept)
	checkPrivate(t, restored)
}
