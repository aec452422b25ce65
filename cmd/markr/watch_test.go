package main_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	markr "markr/cmd/markr"
	"markr/httpapi/access"
)

// watching is a watcher of one file that a test drives step by step.
type watching struct {
	t        *testing.T
	file     string
	now      time.Time
	step     func(asked bool)
	loads    int
	err      error // what loading gives
	log      bytes.Buffer
	registry *prometheus.Registry
}

// newWatching watches a file that was last changed an hour ago.
func newWatching(t *testing.T) *watching {
	t.Helper()
	w := &watching{t: t, file: filepath.Join(t.TempDir(), "file"), now: time.Now(), registry: prometheus.NewRegistry()}
	w.write("one", time.Hour)
	group := markr.WatchedFiles{What: "tokens", Files: []string{w.file}, Load: func() (bool, error) {
		w.loads++
		return w.err == nil, w.err
	}}
	var err error
	w.step, err = markr.NewWatch(group, func() time.Time { return w.now }, slog.New(slog.NewTextHandler(&w.log, nil)), w.registry)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// write changes the file as if it had been some time ago.
func (w *watching) write(text string, ago time.Duration) {
	w.t.Helper()
	if err := errors.Join(os.WriteFile(w.file, []byte(text), 0o600), os.Chtimes(w.file, time.Time{}, w.now.Add(-ago))); err != nil {
		w.t.Fatal(err)
	}
}

// want fails the test unless the file has been loaded so many times in all after
// two more looks.
func (w *watching) want(why string, loads int) {
	w.t.Helper()
	w.step(false)
	w.step(false)
	if w.loads != loads {
		w.t.Errorf("%s: loaded %d times, want %d", why, w.loads, loads)
	}
}

// wantSuccessful fails the test unless this is what the metric says of the last time.
func (w *watching) wantSuccessful(value int) {
	w.t.Helper()
	want := fmt.Sprintf(`# HELP markr_file_last_reload_successful 1 if tokens or certificates were taken up when they were last read, 0 while those from before are kept.
# TYPE markr_file_last_reload_successful gauge
markr_file_last_reload_successful{what="tokens"} %d
`, value)
	if err := testutil.GatherAndCompare(w.registry, strings.NewReader(want), "markr_file_last_reload_successful"); err != nil {
		w.t.Error(err)
	}
}

func TestWatcher(t *testing.T) {
	t.Parallel()
	w := newWatching(t)
	w.want("nothing happens", 1)
	w.write("two", 30*time.Minute)
	w.want("another time", 2)
	w.write("three", 30*time.Minute)
	w.want("another size", 3)
	replacement := w.file + ".new"
	if err := errors.Join(os.WriteFile(replacement, []byte("THREE"), 0o600), os.Chtimes(replacement, time.Time{}, w.now.Add(-30*time.Minute)), os.Rename(replacement, w.file)); err != nil {
		t.Fatal(err)
	}
	w.want("another file in its place", 4)
	if err := os.Remove(w.file); err != nil {
		t.Fatal(err)
	}
	w.want("it is gone", 5)
	w.want("it is still gone", 5)
	w.write("four", 20*time.Minute)
	w.want("it is there again", 6)
	w.step(true)
	w.want("somebody asks", 7)
	// What has just changed may change again without another time or size.
	w.write("five", time.Second)
	w.want("it is changing", 9)
	w.now = w.now.Add(time.Minute)
	w.want("it has settled", 10)
}

// A failure is told once and counted, and told as over when it is.
func TestWatcherFailures(t *testing.T) {
	t.Parallel()
	w := newWatching(t)
	w.err = errors.New("no good")
	w.write("bad", 30*time.Minute)
	w.want("a bad file", 2)
	w.write("bad again", 29*time.Minute)
	w.want("the same failure", 3)
	w.wantSuccessful(0)
	w.err = nil
	w.write("good", 28*time.Minute)
	w.want("a good file", 4)
	w.wantSuccessful(1)
	if n := strings.Count(w.log.String(), `level=ERROR msg="files were not taken up; what was read before is kept" what=tokens cause="no good"`); n != 1 {
		t.Errorf("the failure was logged %d times:\n%s", n, &w.log)
	}
	want := `# HELP markr_file_reloads_total Times that tokens or certificates were read again, by outcome; after a failure those from before are kept.
# TYPE markr_file_reloads_total counter
markr_file_reloads_total{outcome="done",what="tokens"} 1
markr_file_reloads_total{outcome="failed",what="tokens"} 1
`
	if err := testutil.GatherAndCompare(w.registry, strings.NewReader(want), "markr_file_reloads_total"); err != nil {
		t.Error(err)
	}
}

// A token file is taken up whole or not at all, and nobody but its owner may write
// it.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	name, guard := filepath.Join(t.TempDir(), "tokens"), access.NewGuard(nil)
	token, err := access.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	line := "x " + access.DigestOf([]byte(token)).String() + " read\n"
	var log bytes.Buffer
	load := markr.LoadTokens(name, guard, slog.New(slog.NewTextHandler(&log, nil)))
	step := func(text string, mode os.FileMode, wantChanged, wantErr, wantKnown bool) {
		t.Helper()
		if text != "" {
			if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chmod(name, mode)); err != nil {
				t.Fatal(err)
			}
		}
		changed, err := load()
		if changed != wantChanged || (err != nil) != wantErr {
			t.Errorf("%q in mode %v: changed %v, %v", text, mode, changed, err)
		}
		if got := guard.Knows([]byte(token), access.Read, netip.Addr{}, time.Now()); got != wantKnown {
			t.Errorf("%q in mode %v: known %v", text, mode, got)
		}
	}
	step("", 0, false, true, false)
	step(line, 0o600, true, false, true)
	step(line, 0o600, false, false, true)
	if strings.Contains(log.String(), "others can read") {
		t.Errorf("a warning for mode 0600:\n%s", &log)
	}
	step("# nobody\nx", 0o600, false, true, true)
	step("# nobody", 0o620, false, true, true)
	step("# nobody", 0o602, false, true, true)
	step("# nobody", 0o640, true, false, false)
	if !strings.Contains(log.String(), "others can read the token file") {
		t.Errorf("no warning for mode 0640:\n%s", &log)
	}
	step(line, 0o600, true, false, true)
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), "sha256") {
		t.Errorf("the log shows a token:\n%s", &log)
	}
}

// Only this machine, or somebody who asks, or a person who says so.
func TestAccessMode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		address, tokens, ca string
		insecure            bool
		want                string // empty: refused
	}{
		{"127.0.0.1:1", "", "", false, "loopback"},
		{"127.9.9.9:1", "", "", false, "loopback"},
		{"[::1]:1", "", "", false, "loopback"},
		{"127.0.0.1:1", "", "", true, "loopback"},
		{"127.0.0.1:1", "f", "", false, "tokens"},
		{"0.0.0.0:1", "", "", false, ""},
		{":1", "", "", false, ""},
		{"[::]:1", "", "", false, ""},
		{"10.0.0.1:1", "", "", false, ""},
		{"[2001:db8::1]:1", "", "", false, ""},
		{"0.0.0.0:1", "", "", true, "insecure"},
		{"0.0.0.0:1", "f", "", false, "tokens"},
		{"0.0.0.0:1", "", "f", false, "client-certificates"},
		{"0.0.0.0:1", "f", "f", false, "tokens,client-certificates"},
		{"0.0.0.0:1", "f", "", true, ""},
		{"127.0.0.1:1", "", "f", true, ""},
	} {
		address, err := net.ResolveTCPAddr("tcp", tt.address)
		if err != nil {
			t.Fatal(err)
		}
		got, err := markr.AccessMode(address, tt.tokens, tt.ca, tt.insecure)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%+v: %q, %v", tt, got, err)
		}
		if err != nil && markr.ExitCodeOf(err) != 2 {
			t.Errorf("%+v: exit %d", tt, markr.ExitCodeOf(err))
		}
	}
}
