package main_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"markr/engine/audit"
	"markr/wal"
	"markr/wal/entry"
)

// A checkpoint with one mark that is another, under checksums that are right, ends
// `vault verify` with 1, a line and a hint; without it, all is whole.
func TestVerifyCheckpoint(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "markr-data")
	unpack(t, filepath.Join("..", "..", "wal", "testdata", "format-3.tar.gz"), dir)
	before, e := openGolden(t, dir) // Its checkpoint may be of a version that is not used any more.
	if err := errors.Join(e.Close(), before.Close()); err != nil {
		t.Fatal(err)
	}
	vault, err := wal.Open(wal.Options{Dir: dir, FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	var content []byte
	var position entry.Position
	err = vault.LoadCheckpoint(func(at entry.Position, r io.Reader) (err error) {
		position = at
		content, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// A test is its id, an import id, and numbers: the import's position and time, how
	// many rows, and of the first row the student and the marks.
	const id = "golden 2"
	at := bytes.Index(content, []byte(id)) + len(id) + len(uuid.UUID{})
	for range 4 {
		_, n := binary.Uvarint(content[at:])
		at += n
	}
	content[at] ^= 1 // thousandths of a mark
	err = vault.SaveCheckpoint(position, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err := errors.Join(err, vault.Close()); err != nil {
		t.Fatal(err)
	}
	got := run(t, "", "vault", "verify", "--data-dir", dir)
	if got.code != 1 || !strings.Contains(got.stdout, "all is whole\n") ||
		!strings.Contains(got.stdout, `damaged: checkpoint: it does not say what the log says: test "golden `) ||
		!strings.Contains(got.stdout, " marks obtained, by the log ") ||
		!strings.Contains(got.stderr, "has a checkpoint that is of no use") || !strings.Contains(got.stderr, "hint: the log is whole: move ") {
		t.Errorf("verify: %+v", got)
	}
	var wire struct {
		Findings   []any   `json:"findings"`
		Unreadable *string `json:"unreadable"`
		Checkpoint struct {
			Position   entry.Position `json:"position"`
			Compared   bool           `json:"compared"`
			Difference string         `json:"difference"`
		} `json:"checkpoint"`
	}
	got = run(t, "", "vault", "verify", "--json", "--data-dir", dir)
	if err := json.Unmarshal([]byte(got.stdout), &wire); err != nil || got.code != 1 || len(wire.Findings) != 0 || wire.Unreadable != nil ||
		wire.Checkpoint.Position != position || !wire.Checkpoint.Compared || !strings.Contains(wire.Checkpoint.Difference, "what the log says: test") {
		t.Errorf("verify --json: %+v, %v", got, err)
	}
	if err := os.Remove(filepath.Join(dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "", "vault", "verify", "--data-dir", dir); got.code != 0 || !strings.Contains(got.stdout, "checkpoint: none\n") {
		t.Errorf("without it: %+v", got)
	}
}

// An event that a newer program has written is told by every verb that meets one, and
// stops a start.
func TestNewerEvent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "markr-data")
	vault, err := wal.Open(wal.Options{Dir: dir, FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	codec, err := entry.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	newer := codec.Seal(entry.Header{Outcome: entry.Event, MediaType: audit.MediaType}, []byte(`{"v":1,"action":"correction","outcome":"done"}`))
	if err := errors.Join(vault.Append([]*entry.Entry{newer}), vault.Close()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"vault", "verify"}, {"vault", "audit"}, {"vault", "show", "1"}, {"serve", "--listen", "127.0.0.1:0", "--free-disk-min", "0"}} {
		args := append(append([]string{}, args...), "--data-dir", dir)
		if args[1] == "show" {
			args = []string{"vault", "show", "--data-dir", dir, "1"}
		}
		got := run(t, "", args...)
		if got.code != 1 || !strings.Contains(got.stderr, "position 1: ") || !strings.Contains(got.stderr, "newer markr wrote") ||
			!strings.Contains(got.stderr, "hint: use the markr that wrote it") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	got := run(t, "", "vault", "verify", "--json", "--data-dir", dir)
	if !strings.Contains(got.stdout, `"unreadable":"verify: position 1: `) {
		t.Errorf("%+v", got)
	}
}
