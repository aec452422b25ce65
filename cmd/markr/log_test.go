package main_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	markr "markr/cmd/markr"
)

// verboseError is like those of Pebble, which show a stack trace when they are
// asked for more than their message.
type verboseError struct{}

func (verboseError) Error() string              { return "disk on fire" }
func (verboseError) Format(s fmt.State, _ rune) { fmt.Fprint(s, "disk on fire\nstack trace") }

func TestLogger(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"text": `level=ERROR msg="cannot write" error="disk on fire" at=2026-01-01T00:00:00.000Z` + "\n",
		"json": `,"level":"ERROR","msg":"cannot write","error":"disk on fire","at":"2026-01-01T00:00:00Z"}` + "\n",
	} {
		var out bytes.Buffer
		logger := markr.NewLogger(&out, format, slog.LevelInfo, prometheus.NewRegistry())
		midnight := time.Date(2026, 1, 1, 11, 0, 0, 0, time.FixedZone("", 11*60*60))
		logger.Error("cannot write", "error", verboseError{}, "at", midnight)
		if got := out.String(); !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q, want one line that ends with %q", format, got, want)
		}
	}
}

// Every line that is written is counted by its level, and nothing else is: an alert
// on errors needs no log pipeline.
func TestLogCounts(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	logger := markr.NewLogger(&bytes.Buffer{}, "text", slog.LevelInfo, registry)
	logger.Debug("not written")
	logger.Info("one")
	logger.With("a", 1).WithGroup("b").Warn("two")
	logger.Error("three")
	logger.Log(context.Background(), slog.LevelError+4, "worse than an error")
	want := `# HELP markr_log_messages_total Log lines written, by level.
# TYPE markr_log_messages_total counter
markr_log_messages_total{level="debug"} 0
markr_log_messages_total{level="info"} 1
markr_log_messages_total{level="warn"} 1
markr_log_messages_total{level="error"} 2
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}
