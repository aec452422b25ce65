package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/wal"
	"markr/wal/entry"
)

// faultyLog is a vault on a disk that fails when told to.
type faultyLog struct {
	*wal.Vault

	append func([]*entry.Entry) error
	replay func(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error
	at     func(entry.Position) (*entry.Entry, error)
}

func (l *faultyLog) At(at entry.Position) (*entry.Entry, error) {
	if l.at != nil {
		return l.at(at)
	}
	return l.Vault.At(at)
}

func (l *faultyLog) Append(entries []*entry.Entry) error {
	if l.append != nil {
		return l.append(entries)
	}
	return l.Vault.Append(entries)
}

func (l *faultyLog) Replay(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
	if l.replay != nil {
		return l.replay(ctx, from, fn)
	}
	return l.Vault.Replay(ctx, from, fn)
}

// stricter refuses what toy accepts: a decoder that changed its mind.
type stricter struct{ toy }

func (stricter) Decode(doc *intake.Document, raw []byte, charset string) error {
	if strings.Contains(string(raw), "secret-student") {
		return &intake.DocumentError{Code: intake.CodeInvalidValue, Record: 1, Line: 1, Value: "secret-student", Reason: "is not liked any more"}
	}
	return toy{}.Decode(doc, raw, charset)
}

func registry(t testing.TB, d intake.Decoder) *intake.Registry {
	t.Helper()
	formats, err := intake.NewRegistry(d)
	if err != nil {
		t.Fatal(err)
	}
	return formats
}

func start(t *testing.T, opts engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRecoveryOfManyDocuments(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := open(t, fs, scoring.Rule{})
	for i := range 200 {
		h.post(t, fmt.Sprintf("m s%d %d 20", i%150, i%21), fmt.Sprintf("t%d s 1 2", i%7))
	}
	want, position := h.figures(t, "m"), h.State().Position()
	h.close(t)

	h = open(t, fs, scoring.Rule{})
	defer h.close(t)
	h.want(t, "m", want)
	if p := h.Progress(); !p.Ready || p.Err != nil || p.Position != position || p.Last != position {
		t.Errorf("progress %+v", p)
	}
	if r := h.post(t, "m one-more 20 20"); r.Position != position+1 || r.StudentsAdded != 1 {
		t.Errorf("receipt %+v", r)
	}
}

func TestRecoveryStopsAtDamage(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	defer vault.Close()
	log := &faultyLog{Vault: vault, replay: func(context.Context, entry.Position, func(*entry.Entry) error) error {
		return &entry.DamagedError{Position: 17, What: "body checksum"}
	}}
	e := start(t, engine.Options{Log: log, Intake: registry(t, toy{})})
	defer e.Close()
	err := e.WaitReady(t.Context())
	if damage, ok := errors.AsType[*entry.DamagedError](err); !ok || damage.Position != 17 {
		t.Fatalf("WaitReady: %v", err)
	}
	if _, err := e.Import(t.Context(), submission("m a 1 2")); !errors.Is(err, engine.ErrNotReady) || !errors.Is(err, entry.ErrDamaged) {
		t.Errorf("Import: %v", err)
	}
	if _, err := e.Test("m"); !errors.Is(err, engine.ErrNotReady) {
		t.Errorf("Test: %v", err)
	}
	if _, err := e.Imports(0, 0, 1); !errors.Is(err, engine.ErrNotReady) {
		t.Errorf("Imports: %v", err)
	}
	if p := e.Progress(); p.Ready || p.Err == nil {
		t.Errorf("progress %+v", p)
	}
}

func TestRecoveryOfWhatIsNotReadableAnyMore(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := open(t, fs, scoring.Rule{})
	h.post(t, "m a 1 2")
	h.post(t, "m secret-student 1 2")
	for i := range 50 {
		h.post(t, fmt.Sprintf("m b%d 1 2", i))
	}
	h.close(t)

	vault := openVault(t, fs)
	defer vault.Close()
	e := start(t, engine.Options{Log: vault, Intake: registry(t, stricter{})})
	err := e.WaitReady(t.Context())
	if !errors.Is(err, engine.ErrUnreadable) || !strings.Contains(err.Error(), "position 2:") {
		t.Errorf("WaitReady: %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "secret-student") {
		t.Errorf("the error, which will be logged, tells a student's number: %v", err)
	}
	e.Close()

	// A stricter decoder for what arrives does not touch what was accepted.
	e = start(t, engine.Options{Log: vault, Intake: registry(t, stricter{}), Replay: registry(t, toy{})})
	defer e.Close()
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Import(t.Context(), submission("m secret-student 2 2")); err == nil {
		t.Error("the stricter decoder was not asked")
	}
	if _, err := e.Import(t.Context(), submission("m one-more 2 2")); err != nil {
		t.Error(err)
	}
}

// Imports and reads while the log is still being read.
func TestWhileRecovering(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	defer vault.Close()
	reading, goOn := make(chan struct{}), make(chan struct{})
	log := &faultyLog{Vault: vault, replay: func(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
		close(reading)
		select {
		case <-goOn:
			return vault.Replay(ctx, from, fn)
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	e := start(t, engine.Options{Log: log, Intake: registry(t, toy{})})
	<-reading
	if _, err := e.Import(t.Context(), submission("m a 1 2")); !errors.Is(err, engine.ErrNotReady) {
		t.Errorf("Import: %v", err)
	}
	if e.State() != nil || e.Progress().Ready || !errors.Is(e.Writable(), engine.ErrNotReady) {
		t.Error("ready before its time")
	}
	close(goOn)
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Import(t.Context(), submission("m a 1 2")); err != nil {
		t.Error(err)
	}
	e.Close()

	// Closing in the middle of it.
	reading, goOn = make(chan struct{}), make(chan struct{})
	e = start(t, engine.Options{Log: log, Intake: registry(t, toy{})})
	<-reading
	e.Close()
	if err := e.WaitReady(t.Context()); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("WaitReady after Close: %v", err)
	}
}

// What cannot be made durable is neither visible nor acknowledged.
func TestAppendFails(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{entry.ErrReadOnly, entry.ErrFailed} {
		vault := openVault(t, vfs.NewMem())
		log := &faultyLog{Vault: vault}
		metrics := prometheus.NewPedanticRegistry()
		e := start(t, engine.Options{Log: log, Intake: registry(t, toy{}), Registerer: metrics})
		if err := e.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		log.append = func([]*entry.Entry) error { return cause }
		for _, document := range []string{"m a 1 2", "not a document"} {
			if _, err := e.Import(t.Context(), submission(document)); !errors.Is(err, cause) {
				t.Errorf("Import of %q: %v, want %v", document, err, cause)
			}
		}
		if _, err := e.Test("m"); !errors.Is(err, engine.ErrUnknownTest) {
			t.Errorf("Test: %v", err)
		}
		if n := testutil.CollectAndCount(metrics, "markr_import_documents_total"); n != 3 {
			t.Errorf("%d series of documents, want 3", n)
		}
		log.append = nil
		if _, err := e.Import(t.Context(), submission("m a 1 2")); err != nil {
			t.Error(err)
		}
		e.Close()
		vault.Close()
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	defer vault.Close()
	metrics := prometheus.NewPedanticRegistry()
	e := start(t, engine.Options{Log: vault, Intake: registry(t, toy{}), Registerer: metrics})
	defer e.Close()
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, document := range []string{"m a 1 2\nm a 2 2 x", "m a 1 2\nm a 2 2 x", "bad", "m a 1 2"} {
		_, _ = e.Import(t.Context(), submission(document))
	}
	const want = `
# HELP markr_engine_marks Kept marks: students, summed over all tests.
# TYPE markr_engine_marks gauge
markr_engine_marks 1
# HELP markr_import_documents_by_media_type_total Documents that were made durable, of every outcome, by the type they came as.
# TYPE markr_import_documents_by_media_type_total counter
markr_import_documents_by_media_type_total{media_type="text/x-toy"} 4
# HELP markr_import_documents_total Documents that were made durable, by outcome.
# TYPE markr_import_documents_total counter
markr_import_documents_total{outcome="accepted"} 2
markr_import_documents_total{outcome="duplicate"} 1
markr_import_documents_total{outcome="refused"} 1
# HELP markr_import_findings_total Oddities in accepted documents that refuse nothing, by kind.
# TYPE markr_import_findings_total counter
markr_import_findings_total{kind="bad_answers"} 0
markr_import_findings_total{kind="bad_scanned_on"} 2
# HELP markr_import_records_applied_total Records of accepted documents, by what they did.
# TYPE markr_import_records_applied_total counter
markr_import_records_applied_total{effect="added"} 1
markr_import_records_applied_total{effect="raised"} 1
markr_import_records_applied_total{effect="unchanged"} 3
`
	err := testutil.GatherAndCompare(metrics, strings.NewReader(want), "markr_engine_marks", "markr_import_documents_total", "markr_import_documents_by_media_type_total",
		"markr_import_findings_total", "markr_import_records_applied_total")
	if err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(metrics); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}
