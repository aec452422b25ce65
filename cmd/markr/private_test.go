package main_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	markr "markr/cmd/markr"
)

// What is in a data directory is its owner's alone: it holds names and student
// numbers.
func TestDataDirectoryIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	client := newHTTPClient(t)
	for range 2 { // The second start writes what the first one did not have to.
		p := serve(t, dir)
		for number := range 10 {
			if _, _, err := post(client, p.url, newPaper(2, number).raw); err != nil {
				t.Fatal(err)
			}
		}
		checkPrivate(t, dir)
		if code := p.stop(t); code != 0 {
			t.Fatalf("exit %d", code)
		}
		checkPrivate(t, dir)
	}
}

func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // The store removes files while we look.
		}
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files < 3 {
		t.Errorf("%d files in %s: %v", files, dir, err)
	}
}

// Nothing that a busy server writes, at the level that writes most, from its first
// start to one after a crash, shows a name, a student's number, a piece of a
// document or a token.
func TestOutputHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	dir, tokens := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "tokens")
	made := run(t, "", "token", "new", "canary", "--scope", "admin", "--token-file", tokens)
	token := strings.TrimSpace(made.stdout)
	line, err := os.ReadFile(tokens)
	if made.code != 0 || err != nil {
		t.Fatalf("%+v %v", made, err)
	}
	_, digest, _ := strings.Cut(string(line), "sha256:")
	client := newHTTPClient(t)
	send := func(p *process, method, path, body string, want int) string {
		t.Helper()
		request, err := http.NewRequest(method, p.url+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", markr.MediaType)
		request.Header.Set("Authorization", "Bearer "+token)
		status, answer, err := read(client.Do(request))
		if err != nil || status != want {
			t.Fatalf("%s %s: %d, want %d (%v): %s", method, path, status, want, err, answer)
		}
		return string(answer)
	}
	paper := func(obtained string) string {
		return `<mcq-test-results><mcq-test-result scanned-on="Canarytime"><first-name>Canaryfirst</first-name><last-name>Canarylast</last-name>` +
			`<student-number>S7700770077</student-number><test-id>1</test-id><summary-marks available="20" obtained="` + obtained + `"/></mcq-test-result></mcq-test-results>`
	}
	for range 2 {
		p := serve(t, dir, "--log-level", "debug", "--slow", "1ns", "--token-file", tokens)
		for range 20 {
			send(p, "POST", "/import", paper("7"), 200)
			send(p, "POST", "/import", paper("S7700770077"), 422)
			send(p, "POST", "/import", paper("7")[:200], 400)
			send(p, "GET", "/results/Canarylast/aggregate", "", 404)
		}
		metrics := send(p, "GET", "/metrics", "", 200)
		send(p, "GET", "/results/1/aggregate", "", 200)
		p.kill()
		if !strings.Contains(p.logged(), "slow request") {
			t.Errorf("the log is not as full as it has to be:\n%s", p.logged())
		}
		for _, secret := range []string{"Canary", "S7700770077", token, strings.TrimPrefix(token, "markr_"), digest[:64]} {
			if strings.Contains(p.logged(), secret) || strings.Contains(metrics, secret) {
				t.Errorf("the log or the metrics show %q", secret)
			}
		}
	}
}
