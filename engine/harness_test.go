package engine_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/wal"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 takes a new one")
	long     = flag.Bool("long", false, "run the long tests")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newRandom returns a random source whose seed the log names.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("run again with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// toy is a format of one line a record: test student obtained available [scanned-on
// [name=last-name] question=response:awarded/available …].
// The engine does not know it from any other.
type toy struct{}

const toyType = "text/x-toy"

func (toy) MediaTypes() []string { return []string{toyType} }

func (toy) Decode(doc *intake.Document, raw []byte, _ string) error {
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			return &intake.DocumentError{Code: intake.CodeMissingField, Record: i + 1, Line: i + 1, Reason: "needs four fields"}
		}
		obtained, err := exam.ParseMarks([]byte(fields[2]))
		available, err2 := exam.ParseMarks([]byte(fields[3]))
		if err := errors.Join(err, err2); err != nil {
			return &intake.DocumentError{Code: intake.CodeInvalidValue, Record: i + 1, Line: i + 1, Value: fields[1], Reason: err.Error()}
		}
		record := exam.Record{
			Test: []byte(fields[0]), Student: []byte(fields[1]),
			Obtained: obtained, Available: available, ScannedOn: exam.ScannedOnUnknown,
		}
		if len(fields) > 4 {
			if _, err := fmt.Sscan(fields[4], &record.ScannedOn); err != nil {
				doc.Findings.BadScannedOn++
				record.Odd |= exam.OddScannedOn
			}
			toyAnswers(doc, &record, fields[5:])
		}
		doc.AddRecord(record)
	}
	return nil
}

// toyAnswers reads what does not count.
func toyAnswers(doc *intake.Document, record *exam.Record, fields []string) {
	for _, field := range fields {
		question, answer, _ := strings.Cut(field, "=")
		if question == "name" {
			record.Names = exam.PrintOfNames(0, exam.TextOf([]byte(answer)))
			continue
		}
		response, marks, _ := strings.Cut(answer, ":")
		awarded, available, _ := strings.Cut(marks, "/")
		got, err := exam.ParseMarks([]byte(awarded))
		of, err2 := exam.ParseMarks([]byte(available))
		if errors.Join(err, err2) != nil {
			doc.Findings.BadAnswers++
			record.Odd |= exam.OddAnswer
			continue
		}
		doc.AddAnswer([]byte(question), []byte(response), of, got)
	}
}

// house is an engine on a vault, as the program has them.
type house struct {
	*engine.Engine

	vault *wal.Vault
}

// open opens a vault on fs and an engine on it, and waits until it is ready.
func open(t testing.TB, fs vfs.FS, rule scoring.Rule) *house {
	t.Helper()
	vault := openVault(t, fs)
	formats, err := intake.NewRegistry(toy{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Options{Log: vault, Intake: formats, Rule: rule})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &house{Engine: e, vault: vault}
}

func openVault(t testing.TB, fs vfs.FS) *wal.Vault {
	t.Helper()
	vault, err := wal.Open(wal.Options{Dir: "data", FS: fs, FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	return vault
}

func (h *house) close(t testing.TB) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if err := h.vault.Close(); err != nil {
		t.Error(err)
	}
}

func (h *house) post(t testing.TB, lines ...string) engine.Receipt {
	t.Helper()
	r, err := h.Import(t.Context(), submission(lines...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func submission(lines ...string) engine.Submission {
	return engine.Submission{Raw: []byte(strings.Join(lines, "\n")), MediaType: toyType, Source: "192.0.2.1"}
}

// figures renders a test's aggregate in one line.
func (h *house) figures(t testing.TB, id exam.TestID) string {
	t.Helper()
	test, err := h.Test(id)
	if err != nil {
		return err.Error()
	}
	a := test.Aggregate()
	return fmt.Sprintf("n=%d mean=%v sd=%v min=%v p25=%v p50=%v p75=%v max=%v", a.Count, a.Mean, a.StdDev, a.Min, a.P25, a.P50, a.P75, a.Max)
}

func (h *house) want(t testing.TB, id exam.TestID, want string) {
	t.Helper()
	if got := h.figures(t, id); got != want {
		t.Errorf("test %s:\ngot  %s\nwant %s", id, got, want)
	}
}

// fixedRandom gives import ids that a test can foretell.
func fixedRandom() io.Reader { return bytes.NewReader(make([]byte, 1<<16)) }

func fixedClock() time.Time { return time.Date(2026, 6, 1, 9, 0, 0, 123456789, time.UTC) }
