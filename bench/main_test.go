package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	bench "markr/bench"
	"markr/bench/load"
)

// TestMain lets the test binary stand in for the program where that starts itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"baseline", "engine", "subscribers"}, os.Args[1]) {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		status := bench.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
		stop()
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 2, 9}, 3},
	} {
		if got := bench.Median(tt.values); got != tt.want {
			t.Errorf("Median(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{0: "0", 0.1234: "0.123", 1.234: "1.23", 12.34: "12.3", 1234.5: "1234", 98765.4: "98765"} {
		if got := bench.Number(f); got != want {
			t.Errorf("Number(%v) = %q, want %q", f, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	// The ratio is that of neighbours in time: 2, 4 and 3 times, though the
	// medians are 30 and 11.
	got, err := bench.Table(
		bench.Figures{"laps/s": {20, 40, 30}, "ms": {3, 1, 4}},
		bench.Figures{"laps/s": {10, 10, 11}},
		[]string{"laps/s", "ms"},
	)
	if err != nil {
		t.Fatal(err)
	}
	const want = `markr abc, 1970-01-01T00:00:00Z
2 processors (P), s/a, kernel 1, go1, a flush of 4 KiB takes 1ms
3 runs of 1s after 0s of warm-up; median (lowest to highest); ratios run by run

race: who is faster
           markr                 peer                  markr : peer   goal
  laps/s   30.0 (20.0 to 40.0)   10.0 (10.0 to 11.0)   2.73           >= 10.0: met, >= 3.00 of peer, is 2.73: missed
  ms       3.00 (1.00 to 4.00)   -                     -              <= 2.00: missed

goals
  race   laps/s   30.0   >= 10.0: met, >= 3.00 of peer, is 2.73: missed
  race   ms       3.00   <= 2.00: missed
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   string
		status int
		says   string
	}{
		{"-help", 0, "-runs N"},
		{"-runs 0", 2, "-runs is 0"},
		{"-duration -1s", 2, "-duration is -1s"},
		{"-warmup -1s", 2, "-warmup is -1s"},
		{"-only import-huge", 2, "there are import-large, import-peers"},
		{"-name a/b", 2, "not a path"},
		{"import-large", 2, "unexpected argument"},
		{"-fast", 2, "not defined"},
	} {
		var stderr bytes.Buffer
		status := bench.Run(t.Context(), strings.Fields(tt.args), io.Discard, &stderr)
		if status != tt.status || !strings.Contains(stderr.String(), tt.says) {
			t.Errorf("bench %s: status %d, %q; want %d and %q", tt.args, status, stderr.String(), tt.status, tt.says)
		}
	}
}

// TestScannerScenario goes through the whole program with the one scenario that
// needs no server.
func TestScannerScenario(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	var stdout, stderr bytes.Buffer
	status := bench.Run(t.Context(), []string{
		"-only", "scanner", "-runs", "3", "-duration", "20ms", "-warmup", "1ms", "-name", "test", "-out", out, "-dir", t.TempDir(),
	}, &stdout, &stderr)
	if status != 0 {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	if !strings.Contains(stdout.String(), "markr : encoding/xml") {
		t.Errorf("no comparison in\n%s", &stdout)
	}
	files, err := filepath.Glob(filepath.Join(out, "*-test.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, error %v, want one", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Machine   struct{ Processors int }
		Scenarios []struct {
			Name       string
			Contenders []struct {
				Name    string
				Figures []struct {
					Name   string
					Median float64
					Values []float64
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		t.Fatal(err)
	}
	if result.Machine.Processors < 1 || len(result.Scenarios) != 1 || len(result.Scenarios[0].Contenders) != 2 {
		t.Fatalf("result %+v", result)
	}
	for _, c := range result.Scenarios[0].Contenders {
		if len(c.Figures) == 0 || len(c.Figures[0].Values) != 3 || c.Figures[0].Median <= 0 {
			t.Errorf("%s: figures %+v, want three positive values", c.Name, c.Figures)
		}
	}
	if text, err := os.ReadFile(strings.TrimSuffix(files[0], "json") + "txt"); err != nil || string(text) != stdout.String() {
		t.Errorf("the text file is not what was printed (%v)", err)
	}
}

// TestBaseline starts the server that does nothing, loads it, and ends it.
func TestBaseline(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	err = bench.Baseline(t.Context(), self, func(address string) error {
		target, err := load.ParseTarget(t.Context(), address)
		if err != nil {
			return err
		}
		document := []byte("<mcq-test-results/>")
		report, err := load.Run(t.Context(), load.Options{Target: target, Connections: 2, RequestsMax: 100, Duration: time.Minute},
			func(connection int) load.Feed {
				if connection == 0 {
					return load.Get(target, "/")(connection)
				}
				return func() []byte { return load.ImportRequest(target, document) }
			})
		if err == nil && (report.Succeeded != 100 || report.Failed != 0) {
			t.Errorf("report %+v, want 100 answers", report)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEngineScenarios runs those of the engine alone, small, in processes of their
// own as the program does.
func TestEngineScenarios(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for args, figures := range map[string][]string{
		"engine memory 1000000 2":  {"bytes/mark in the heap", "resident MiB", "last million : first"},
		"engine reads 10000 21":    {"ns for five percentiles"},
		"engine reads 10000 10000": {"ns for one"},
		"engine rise 10000":        {"ms until visible", "longest read meanwhile ms"},
	} {
		out, err := exec.CommandContext(t.Context(), self, strings.Fields(args)...).Output()
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		var told []struct {
			Name  string
			Value float64
		}
		if err := json.Unmarshal(out, &told); err != nil {
			t.Fatalf("%s: %v in %s", args, err, out)
		}
		for _, name := range figures {
			found := false
			for _, f := range told {
				found = found || f.Name == name && f.Value > 0
			}
			if !found {
				t.Errorf("%s: no figure %q in %s", args, name, out)
			}
		}
	}
	for _, args := range []string{"engine", "engine fly 1", "engine reads 5", "engine memory a b"} {
		if err := exec.CommandContext(t.Context(), self, strings.Fields(args)...).Run(); err == nil {
			t.Errorf("%s: nothing is wrong with it", args)
		}
	}
}

// TestPeers keeps documents in every peer that is installed, and asks for them.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "redis"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			imported, read, err := bench.TryPeer(t.Context(), name)
			if errors.Is(err, bench.ErrNoPeer) {
				t.Skipf("%s is %v", name, err)
			}
			if err != nil {
				t.Fatal(err)
			}
			if imported <= 0 || read <= 0 {
				t.Errorf("%v documents/s, %v reads/s", imported, read)
			}
		})
	}
}
