package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/wal/entry"
)

func TestImportCountsAndAnswers(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)

	r := h.post(t, "1234 a 13 20", "1234 b 10 20", "1234 a 14 20", "1234 b 9 20", "chem a 1 2")
	if r.Records != 5 || r.StudentsAdded != 3 || r.MarksRaised != 1 || r.Unchanged != 1 {
		t.Errorf("receipt %+v", r)
	}
	if diff := cmp.Diff(r.TestIDs, []exam.TestID{"1234", "chem"}); diff != "" {
		t.Error(diff)
	}
	if r.Position != 1 || r.ImportID.Version() != 7 || r.DuplicateOf != uuid.Nil {
		t.Errorf("receipt %+v", r)
	}
	h.want(t, "1234", "n=2 mean=60 sd=10 min=50 p25=55 p50=60 p75=65 max=70")
	h.want(t, "chem", "n=1 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
	h.want(t, "other", "unknown test")
	s := h.State()
	if s.Tests() != 2 || s.Students() != 2 || s.Marks() != 3 || s.Position() != 1 {
		t.Errorf("state has %d tests, %d students, %d marks, position %d", s.Tests(), s.Students(), s.Marks(), s.Position())
	}
}

// A late rise of the available marks moves every percentage, and moves no student.
func TestLateRiseOfAvailable(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	h.post(t, "m a 10 20", "m b 20 20")
	h.want(t, "m", "n=2 mean=75 sd=25 min=50 p25=62.5 p50=75 p75=87.5 max=100")
	if r := h.post(t, "m a 5 40"); r.Unchanged != 1 {
		t.Errorf("receipt %+v", r)
	}
	h.want(t, "m", "n=2 mean=37.5 sd=12.5 min=25 p25=31.25 p50=37.5 p75=43.75 max=50")
}

func TestRules(t *testing.T) {
	t.Parallel()
	lines := []string{"m a 8 20 100", "m a 13 16 50", "m b 5 10 7"}
	f := func(policy scoring.Policy, denominator scoring.Denominator, want string) {
		t.Helper()
		h := open(t, vfs.NewMem(), scoring.Rule{Policy: policy, Denominator: denominator})
		defer h.close(t)
		for _, line := range lines {
			h.post(t, line)
		}
		h.want(t, "m", want)
	}
	f(scoring.Highest, scoring.OfTest, "n=2 mean=45 sd=20 min=25 p25=35 p50=45 p75=55 max=65")
	f(scoring.MostComplete, scoring.OfTest, "n=2 mean=32.5 sd=7.5 min=25 p25=28.75 p50=32.5 p75=36.25 max=40")
	f(scoring.Latest, scoring.OfTest, "n=2 mean=32.5 sd=7.5 min=25 p25=28.75 p50=32.5 p75=36.25 max=40")
	f(scoring.First, scoring.OfTest, "n=2 mean=32.5 sd=7.5 min=25 p25=28.75 p50=32.5 p75=36.25 max=40")
	f(scoring.Highest, scoring.OfSheet, "n=2 mean=57.5 sd=7.5 min=50 p25=53.75 p50=57.5 p75=61.25 max=65")
}

func TestRefusedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := open(t, fs, scoring.Rule{})
	h.post(t, "m a 1 2")
	_, err := h.Import(t.Context(), submission("m b 2 2", "n c 1 1", "m d"))
	refusal, ok := errors.AsType[*engine.RefusedError](err)
	if !ok || refusal.Document.Code != intake.CodeMissingField || refusal.Document.Record != 3 || refusal.Position != 2 {
		t.Fatalf("error %v", err)
	}
	check := func() {
		t.Helper()
		h.want(t, "m", "n=1 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
		h.want(t, "n", "unknown test")
		one, err := h.FindImport(refusal.ImportID)
		if err != nil || one.Outcome != entry.Refused || one.Refusal == nil || one.Refusal.Reason != "needs four fields" || one.Source != "192.0.2.1" {
			t.Errorf("import %+v, %v", one, err)
		}
		raw, mediaType, err := h.Document(refusal.ImportID)
		if err != nil || mediaType != toyType || string(raw) != "m b 2 2\nn c 1 1\nm d" {
			t.Errorf("document %q, %s, %v", raw, mediaType, err)
		}
	}
	check()
	h.close(t)
	h = open(t, fs, scoring.Rule{})
	defer h.close(t)
	check()
	h.post(t, "m a 2 2")
}

func TestSameBytesAgain(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := open(t, fs, scoring.Rule{})
	first := h.post(t, "m a 1 2", "m b 1 2")
	again := h.post(t, "m a 1 2", "m b 1 2")
	if again.DuplicateOf != first.ImportID || again.ImportID == first.ImportID || again.Position != 2 ||
		again.Unchanged != 2 || again.Records != 2 || again.StudentsAdded+again.MarksRaised != 0 {
		t.Errorf("receipt %+v", again)
	}
	raw, _, err := h.Document(again.ImportID)
	if err != nil || string(raw) != "m a 1 2\nm b 1 2" {
		t.Errorf("document %q, %v", raw, err)
	}
	h.close(t)
	h = open(t, fs, scoring.Rule{})
	defer h.close(t)
	one, err := h.FindImport(again.ImportID)
	if err != nil || one.Outcome != entry.Duplicate || one.DuplicateOf != first.ImportID || one.Records != 2 {
		t.Errorf("import %+v, %v", one, err)
	}
	if third := h.post(t, "m a 1 2", "m b 1 2"); third.DuplicateOf != first.ImportID || third.Position != 3 {
		t.Errorf("receipt %+v", third)
	}
	list, err := h.Imports(0, 0, 10)
	if err != nil || len(list) != 3 || list[0].Position != 3 || list[2].Outcome != entry.Accepted {
		t.Errorf("imports %+v, %v", list, err)
	}
	if list, err = h.Imports(0, entry.Accepted, 10); err != nil || len(list) != 1 {
		t.Errorf("accepted imports %+v, %v", list, err)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	if _, err := h.FindImport(uuid.New()); !errors.Is(err, engine.ErrUnknownImport) {
		t.Errorf("FindImport: %v", err)
	}
	if _, _, err := h.Document(uuid.New()); !errors.Is(err, engine.ErrUnknownImport) {
		t.Errorf("Document: %v", err)
	}
	_, err := h.Import(t.Context(), engine.Submission{Raw: []byte("x"), MediaType: "text/plain"})
	if !errors.Is(err, intake.ErrUnknownMediaType) {
		t.Errorf("Import: %v", err)
	}
	if list, err := h.Imports(0, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("something was kept of what nobody can read: %+v, %v", list, err)
	}
}

// What the log cannot keep fails alone, not with the batch it would be in.
func TestWhatTheLogCannotKeep(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	s := submission("m a 1 2")
	s.Source = strings.Repeat("x", entry.TextBytesMax+1)
	if _, err := h.Import(t.Context(), s); !errors.Is(err, entry.ErrInvalid) {
		t.Errorf("Import: %v", err)
	}
	if r := h.post(t, "m a 1 2"); r.Position != 1 {
		t.Errorf("receipt %+v", r)
	}
}

func TestImportID(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	defer vault.Close()
	formats, err := intake.NewRegistry(toy{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Options{Log: vault, Intake: formats, Now: fixedClock, Random: fixedRandom()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := e.Import(t.Context(), submission("m a 1 2"))
	if err != nil || r.ImportID.String() != "019e8269-4efb-7000-8000-000040000000" {
		t.Errorf("import id %s, %v", r.ImportID, err)
	}
	one, err := e.FindImport(r.ImportID)
	if err != nil || one.Received.Format("15:04:05.000000000") != "09:00:00.123456000" {
		t.Errorf("received %v, %v", one.Received, err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	var lines []string
	for i := range 300 {
		lines = append(lines, fmt.Sprintf("t%03d a 1 2", i))
	}
	h.post(t, append(lines, "T a 1 2", "t1 a 1 2", "u a 1 2")...)
	f := func(prefix, after exam.TestID, limit int, want string) {
		t.Helper()
		var ids []string
		for _, test := range h.State().List(prefix, after, limit) {
			ids = append(ids, string(test.ID))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("List(%q, %q, %d) = %s, want %s", prefix, after, limit, got, want)
		}
	}
	f("", "", 3, "T t000 t001")
	f("", "t001", 2, "t002 t003")
	f("t29", "", 3, "t290 t291 t292")
	f("t29", "t297", 9, "t298 t299")
	f("t29", "t299", 9, "")
	f("t1", "", 2, "t1 t100")
	f("u", "a", 9, "u")
	f("z", "", 9, "")
	f("", "zz", 9, "")
}

func TestClosed(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	h.post(t, "m a 1 2")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Import(t.Context(), submission("m b 1 2")); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Import after Close: %v", err)
	}
	h.want(t, "m", "n=1 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
	h.close(t)
}
