package main_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"markr/engine"
	"markr/engine/audit"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/itemstats"
	"markr/engine/summary"
	"markr/wal"
	"markr/wal/entry"
)

// A golden data directory is one that a markr of some format has left behind, and
// what it must hold for ever. Directories are in wal/testdata, packed, as a killed
// process leaves them: a checkpoint, tables, and a log that is still to be read.
//
// They are made once, by the program that writes the format:
//
//	go test ./cmd/markr -run TestMakeGolden -golden wal/testdata/format-N
//
// One whose checkpoint is of a version that is still taken up has it in its name, behind
// "-book-".
//
// and never again: a directory made today would not be what users have.
var goldenFlag = flag.String("golden", "", "make a golden data directory: `NAME`.tar.gz and NAME.json, below the module's root")

// goldenHolds is what a golden directory must hold.
type goldenHolds struct {
	Format         int            `json:"format"`
	Last           entry.Position `json:"last"`
	Accepted       wal.Totals     `json:"accepted"`
	Refused        wal.Totals     `json:"refused"`
	Duplicates     wal.Totals     `json:"duplicates"`
	Events         wal.Totals     `json:"events"`
	Dropped        uint64         `json:"dropped"`
	DroppedThrough entry.Position `json:"dropped_through"`
	Checkpoint     entry.Position `json:"checkpoint"`
	// Chain is the chain value of the newest entry that counts.
	Chain string `json:"chain"`
	// Tests are the figures of every test.
	Tests map[string]summary.Aggregate `json:"tests"`
}

// goldenDocument is the n-th document of a golden directory: a few records of one of
// three tests, its students again and again, one of them rescanned.
func goldenDocument(n int) []byte {
	var b strings.Builder
	b.WriteString("<mcq-test-results>\n")
	for i := range 1 + n%5 {
		available := 20 + n%2
		fmt.Fprintf(&b, `<mcq-test-result scanned-on="2026-01-%02dT12:%02d:10+11:00"><first-name>K</first-name><last-name>Alias%d</last-name>`+
			`<student-number>%06d</student-number><test-id>golden %d</test-id>`+
			`<answer question="1" marks-available="1" marks-awarded="1">D</answer>`+
			`<answer question="a longer one" marks-available="2" marks-awarded="%d">%c</answer>`+
			`<summary-marks available="%d" obtained="%d.%d" /></mcq-test-result>`+"\n",
			1+n%28, n%60, n%7, (n*7+i*13)%97, n%3, (n+i)%3, 'A'+n%4, available, (n*11+i*5)%20, n%10)
	}
	b.WriteString("</mcq-test-results>\n")
	return []byte(b.String())
}

// goldenRefused is the n-th document that is refused.
func goldenRefused(n int) []byte {
	return []byte(strings.Replace(string(goldenDocument(n)), "<student-number>", "<student-number>\x01", 1))
}

// openGolden opens a directory as `markr serve` would, with so small a quota that refused
// documents are dropped, and a checkpoint at every stop.
func openGolden(t *testing.T, dir string) (*wal.Vault, *engine.Engine) {
	t.Helper()
	vault, err := wal.Open(wal.Options{Dir: dir, FreeBytesMin: -1, RefusedBytesMax: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	formats, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.Options{Log: vault, Intake: formats, Checkpoints: vault, CheckpointRecords: 100, ItemAnalysis: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return vault, e
}

func importGolden(t *testing.T, e *engine.Engine, document []byte) {
	t.Helper()
	_, err := e.Import(t.Context(), engine.Submission{Raw: document, MediaType: "text/xml+markr", Source: "192.0.2.7"})
	if _, refused := errors.AsType[*engine.RefusedError](err); err != nil && !refused {
		t.Fatal(err)
	}
}

// recordGolden records the n-th event: a change of the rules, or tokens that were not
// taken up.
func recordGolden(t *testing.T, e *engine.Engine, n int) {
	t.Helper()
	event := audit.Event{
		Who: audit.Operator, Action: audit.Rules, Outcome: audit.Done,
		Rules: &audit.RuleSet{Scoring: "highest", Denominator: "test", RefusedBytesMax: int64(4<<10 + n)},
	}
	if n%3 == 0 {
		event = audit.Event{Who: audit.Program, Action: audit.Tokens, Outcome: audit.Failed, Reason: fmt.Sprintf("line %d", n)}
	}
	if err := e.Record(t.Context(), event); err != nil {
		t.Fatal(err)
	}
}

// expect is what a directory that is open holds.
func expect(t *testing.T, vault *wal.Vault, e *engine.Engine) goldenHolds {
	t.Helper()
	stats, err := vault.Stats()
	if err != nil {
		t.Fatal(err)
	}
	g := goldenHolds{
		Format: stats.Format, Last: stats.Last, Accepted: stats.Accepted, Refused: stats.Refused, Duplicates: stats.Duplicates, Events: stats.Events,
		Dropped: stats.Dropped, DroppedThrough: stats.DroppedThrough, Checkpoint: e.Progress().Checkpoint,
		Tests: make(map[string]summary.Aggregate),
	}
	headers, err := vault.Headers(0, 0, int(stats.Last))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if h.Counted() {
			g.Chain = hex.EncodeToString(h.Chain[:])
			break
		}
	}
	for _, test := range e.State().List("", "", 100) {
		g.Tests[string(test.ID)] = test.Aggregate()
	}
	return g
}

// A directory of any format since 2 opens: what it held is there, to the last digit of
// every figure; nothing is damaged; the checkpoint says what the log says, or is one of
// a version that is not used any more; and one more import and one more change work,
// over HTTP, with the program as it is today.
func TestGolden(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join("..", "..", "wal", "testdata", "format-*.tar.gz"))
	if err != nil || len(names) < 2 {
		t.Fatalf("golden directories: %v, %v", names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "markr-data")
			unpack(t, name, dir)
			text, err := os.ReadFile(strings.TrimSuffix(name, ".tar.gz") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want goldenHolds
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			verified := func(entries uint64, through entry.Position, checkpoint string) {
				t.Helper()
				got := run(t, "", "vault", "verify", "--data-dir", dir)
				for _, line := range []string{fmt.Sprintf("%d entries up to position %d: all is whole\n", entries, through), checkpoint} {
					if got.code != 0 || !strings.Contains(got.stdout, line) {
						t.Fatalf("verify: %+v, want %q", got, line)
					}
				}
			}
			entries := want.Accepted.Entries + want.Refused.Entries + want.Duplicates.Entries + want.Events.Entries
			sound := func(at entry.Position) string {
				return fmt.Sprintf("checkpoint of position %d: it says what the log says\n", at)
			}
			// Of a version that is not used any more.
			checkpoint := "checkpoint: not compared: load checkpoint: checkpoint: unknown format version: an older markr made it\n"
			raised := want
			raised.Format, raised.Checkpoint = 3, 0 // The log has everything.
			_, book, taken := strings.Cut(name, "-book-")
			if taken {
				checkpoint = ": it says what the log says\n"
				goldenItems(t, dir, book >= "7")
			}
			verified(entries, want.Last, checkpoint)
			vault, e := openGolden(t, dir)
			if taken { // A later one than that of the start of the process that was killed.
				if raised.Checkpoint = e.Progress().Checkpoint; raised.Checkpoint <= want.Checkpoint || raised.Checkpoint >= want.Last {
					t.Errorf("checkpoint of %d", raised.Checkpoint)
				}
			}
			if diff := cmp.Diff(raised, expect(t, vault, e)); diff != "" {
				t.Errorf("-want +got: %s", diff)
			}
			if err := errors.Join(e.Close(), vault.Close()); err != nil {
				t.Fatal(err)
			}

			p := serve(t, dir, "--denominator", "sheet") // Recorded, because it differs.
			client := newHTTPClient(t)
			status, body, err := post(client, p.url, goldenDocument(1000))
			if err != nil || status != http.StatusOK || !strings.Contains(string(body), fmt.Sprintf(`"position":%d,`, want.Last+2)) {
				t.Errorf("one more import: %d %s %v", status, body, err)
			}
			if status, body, err := get(client, p.url+"/audit?limit=2"); err != nil || !strings.Contains(string(body), `"denominator":"sheet"`) {
				t.Errorf("one more change: %d %s %v", status, body, err)
			}
			if code := p.stop(t); code != 0 {
				t.Errorf("exit %d", code)
			}
			verified(entries+2, want.Last+2, sound(want.Last)) // The one that openGolden has left.
		})
	}
}

// goldenItems compares what is told of the questions after a start from the checkpoint of a
// directory with what the log alone gives. at says that it has to be there at once.
func goldenItems(t *testing.T, dir string, at bool) {
	t.Helper()
	told := func(checkpoint bool) string {
		copied := filepath.Join(t.TempDir(), "markr-data")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if !checkpoint {
			if err := os.Remove(filepath.Join(copied, "checkpoint")); err != nil {
				t.Fatal(err)
			}
		}
		vault, e := openGolden(t, copied)
		var all []*itemstats.Analysis
		for _, test := range e.State().List("", "", 100) {
			analysis, _, err := e.Items(test.ID)
			for reading := (*engine.ItemsError)(nil); !at && errors.As(err, &reading) && reading.Err == nil; runtime.Gosched() {
				analysis, _, err = e.Items(test.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, analysis)
		}
		text, err := json.Marshal(all)
		if err := errors.Join(err, e.Close(), vault.Close()); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got, want := told(true), told(false); got != want || !strings.Contains(got, `"Sheets":4`) {
		t.Errorf("items from the checkpoint:\n%s\nfrom the log:\n%s", got, want)
	}
}

// TestMakeGolden makes a golden directory, when it is told to.
func TestMakeGolden(t *testing.T) {
	if *goldenFlag == "" {
		t.Skip("makes a golden data directory only with -golden")
	}
	dir := filepath.Join(t.TempDir(), "markr-data")
	vault, e := openGolden(t, dir)
	for n := range 60 {
		importGolden(t, e, goldenDocument(n))
		if n%5 == 0 {
			importGolden(t, e, goldenDocument(n/2))
		}
		if n%4 == 0 {
			importGolden(t, e, goldenRefused(n))
		}
		if n%20 == 0 {
			recordGolden(t, e, n)
		}
	}
	if err := errors.Join(e.Close(), vault.Close()); err != nil {
		t.Fatal(err)
	}
	vault, e = openGolden(t, dir)
	for n := range 20 {
		importGolden(t, e, goldenDocument(100+n))
		importGolden(t, e, goldenDocument(100+n/2))
		importGolden(t, e, goldenRefused(100+n))
		if n%7 == 0 {
			recordGolden(t, e, 100+n)
		}
	}
	want := expect(t, vault, e)
	if want.Checkpoint == 0 || want.Checkpoint >= want.Last || want.Dropped == 0 || want.Refused.Entries == 0 ||
		want.Duplicates.Entries == 0 || want.Events.Entries < 5 {
		t.Fatalf("not what a golden directory is for: %+v", want)
	}
	// The process goes on, so this is what a killed one would leave.
	name := filepath.Join("..", "..", filepath.FromSlash(*goldenFlag))
	pack(t, dir, name+".tar.gz")
	text, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name+".json", append(text, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Close(), vault.Close()); err != nil {
		t.Fatal(err)
	}
}

// pack packs a directory. HOLDER is left out: it names the machine.
func pack(t *testing.T, dir, name string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(file)
	packed := tar.NewWriter(zipped)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "HOLDER" || path == dir {
			return err
		}
		inside, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: filepath.ToSlash(inside), Mode: 0o600, ModTime: time.Unix(0, 0)}
		if d.IsDir() {
			header.Typeflag, header.Mode = tar.TypeDir, 0o700
			return packed.WriteHeader(header)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		header.Size = int64(len(text))
		if err := packed.WriteHeader(header); err != nil {
			return err
		}
		_, err = packed.Write(text)
		return err
	})
	if err := errors.Join(err, packed.Close(), zipped.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// unpack unpacks what pack has packed.
func unpack(t *testing.T, name, dir string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for packed := tar.NewReader(zipped); ; {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			var text []byte
			if text, err = io.ReadAll(packed); err == nil {
				err = os.WriteFile(path, text, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
