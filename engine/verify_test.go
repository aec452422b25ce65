package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal"
	"markr/wal/entry"
)

func verify(t *testing.T, vault *wal.Vault) (engine.Verification, error) {
	t.Helper()
	return engine.Verify(t.Context(), engine.VerifyOptions{Log: vault, Replay: registry(t, toy{}), Checkpoints: vault})
}

// A checkpoint that says something else than the log, with checksums that are right, is
// found, and what differs is named. The rules are those that together keep everything.
func TestVerify(t *testing.T) {
	t.Parallel()
	for _, rule := range []scoring.Rule{{}, {Policy: scoring.MostComplete, Denominator: scoring.OfSheet}, {Policy: scoring.Latest}, {Policy: scoring.First}} {
		verifyUnder(t, rule)
	}
}

// verifyUnder compares the checkpoint of a log, and others that resemble it.
func verifyUnder(t *testing.T, rule scoring.Rule) {
	t.Helper()
	r := newRandom(t)
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, rule, 1)
	h.post(t, "t0 first 3 10 5", "t0 second 4 10 5")
	for range 20 {
		h.post(t, someLines(r)...)
	}
	h.post(t, "only one 7 30 5")
	if err := h.Record(t.Context(), tokensOf("a")); err != nil {
		t.Fatal(err)
	}
	h.close(t)
	vault := openVault(t, fs)
	defer func() {
		if err := vault.Close(); err != nil {
			t.Error(err)
		}
	}()
	sound, err := verify(t, vault)
	if err != nil || sound.Difference != nil || sound.Checkpoint == 0 {
		t.Fatalf("%v: %+v, %v", rule, sound, err)
	}
	at, checkpoint := sound.Checkpoint, loaded(t, vault)
	save := func(content []byte) {
		t.Helper()
		err := vault.SaveCheckpoint(at, func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f := func(content []byte, want string) {
		t.Helper()
		save(content)
		got, err := verify(t, vault)
		if err != nil || !errors.Is(got.Difference, entry.ErrDamaged) || !strings.Contains(got.Difference.Error(), want) {
			t.Errorf("%v: %v, %v; want %q", rule, got.Difference, err, want)
		}
	}
	applied := func(records ...exam.Record) []byte {
		t.Helper()
		changed, err := engine.ApplyTo(checkpoint, at, rule, records...)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	const available = 30_000 // of test "only"
	record := func(test, student string, obtained exam.Marks) exam.Record {
		return exam.Record{Test: []byte(test), Student: []byte(student), Obtained: obtained, Available: available, ScannedOn: 9}
	}
	// One mark: 8 instead of 7, as they are written.
	marks := bytes.Index(checkpoint, []byte("only")) + len("only") + len(uuid.UUID{})
	f(append(checkpoint[:marks:marks], bytes.Replace(checkpoint[marks:], binary.AppendUvarint(nil, 7_000), binary.AppendUvarint(nil, 8_000), 1)...),
		`test "only": 8 marks obtained, by the log 7, at position 22, record 1`)
	// One scan more, of which the first is there already.
	f(applied(record("only", "one", 5_000), record("only", "one", 5_000)), `test "only": `)
	f(applied(record("only", "first", 1_000)), `test "only": 2 students, by the log 1`)
	f(applied(record("only", "nobody", 1_000)), "students, the log has")
	f(applied(record("other", "one", 1_000)), "tests, the log has")
	f(applied(exam.Record{Test: []byte("only"), Student: []byte("one"), Available: available + 1_000}), `test "only": 31 marks available, by the log 30`)
	f(bytes.Replace(checkpoint, []byte("only"), []byte("omly"), 1), `it has test "omly" in place of "only"`)
	f(bytes.Replace(checkpoint, []byte("second"), []byte("secund"), 1), "student 2, in order of arrival, has another number")
	f(append(bytes.Clone(checkpoint), 0), "not one that this program could have made")
	f(checkpoint[:len(checkpoint)-1], "not one that this program could have made")
	unknown := bytes.Clone(checkpoint)
	unknown[1] = 77
	f(unknown, "not one that this program could have made")

	// A byte anywhere in it that is another is found, whatever it stands for; or the
	// checkpoint is one that a start refuses, or would not take because of its rule.
	for range 10 {
		changed := bytes.Clone(checkpoint)
		changed[3+r.IntN(len(changed)-3)] ^= byte(1 + r.IntN(255))
		save(changed)
		if got, err := verify(t, vault); err != nil || got.Difference == nil {
			t.Fatalf("%v: a changed byte was not found: %v", rule, err)
		}
	}
	newer := bytes.Clone(checkpoint)
	newer[0]++
	save(newer)
	if got, err := verify(t, vault); err != nil || !errors.Is(got.Difference, entry.ErrUnknownVersion) {
		t.Errorf("of a newer version: %v, %v", got.Difference, err)
	}
	save(checkpoint)
	if got, err := verify(t, vault); err != nil || got.Difference != nil {
		t.Errorf("%v: as it was: %v, %v", rule, got.Difference, err)
	}
}

// What is kept for item analysis is compared, and what differs is named; where it is not
// kept, nothing is missed.
func TestVerifyItems(t *testing.T) {
	t.Parallel()
	r := newRandom(t)
	fs := vfs.NewMem()
	h := openItems(t, fs, scoring.Rule{}, true)
	for range 20 {
		h.post(t, sheetLines(r)...)
	}
	h.post(t, "z one 3 4 9 1=A:1/2 2=B:2/2", "z two 2 4 9 1=A:1/2 2=C:1/2")
	h.close(t)
	var content []byte
	f := func(want string, change func([]byte) []byte) {
		t.Helper()
		rewritten(t, fs, func(before []byte) []byte {
			if content == nil {
				content = before
			}
			return change(bytes.Clone(content))
		})
		vault := openVault(t, fs)
		defer vault.Close()
		got, err := verify(t, vault)
		if err != nil || (got.Difference == nil) != (want == "") || want != "" && !strings.Contains(got.Difference.Error(), want) {
			t.Errorf("%v, %v; want %q", got.Difference, err, want)
		}
	}
	f("", func(b []byte) []byte { return b })
	// At the end are two sheets of two questions: kinds, then a column for each.
	f(`test "z": other answers on the sheet at position 21, record 2`, func(b []byte) []byte { b[len(b)-1] ^= 1 << 2; return b })
	f(`test "z": other answers on the sheet at position 21, record 1`, func(b []byte) []byte { b[len(b)-3] ^= 2; return b })
	f("not one that this program could have made", func(b []byte) []byte { return append(b, 0) })
	f("not one that this program could have made", func(b []byte) []byte { return b[:len(b)-1] })
	f(`test "t0": other questions, or other answers to them, have been seen`, func(b []byte) []byte {
		return bytes.Replace(b, []byte("a-long-response-1"), []byte("a-long-response-7"), 1)
	})
	for range 20 {
		f(" ", func(b []byte) []byte {
			b[len(b)/2+r.IntN(len(b)/2)] ^= byte(1 + r.IntN(255))
			return b
		})
	}
	f("", func(b []byte) []byte { return b })
	h = openItemsWith(t, fs, scoring.Rule{}, func(o *engine.Options) { o.ItemAnalysis = false })
	h.post(t, "z three 1 4 9 1=A:1/2", "z four 1 4 9 1=A:1/2")
	h.close(t)
	rewritten(t, fs, func(b []byte) []byte { return asVersion6(t, b) })
	wantSound(t, fs)
}

// loaded is what a vault's checkpoint holds.
func loaded(t *testing.T, vault *wal.Vault) (content []byte) {
	t.Helper()
	err := vault.LoadCheckpoint(func(_ entry.Position, r io.Reader) (err error) {
		content, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Without a checkpoint, or with one that cannot be read, the log is what is verified.
func TestVerifyLog(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := open(t, fs, scoring.Rule{})
	h.post(t, "t secret-student 1 2")
	h.close(t)
	vault := openVault(t, fs)
	got, err := verify(t, vault)
	if err != nil || got != (engine.Verification{}) {
		t.Errorf("%+v, %v", got, err)
	}
	var seen []entry.Position
	opts := engine.VerifyOptions{Log: vault, Replay: registry(t, stricter{}), Progress: func(at entry.Position) { seen = append(seen, at) }}
	if _, err := engine.Verify(t.Context(), opts); !errors.Is(err, engine.ErrUnreadable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a document that is not read any more: %v", err)
	}
	opts.Replay = registry(t, toy{})
	if _, err := engine.Verify(t.Context(), opts); err != nil || len(seen) != 1 {
		t.Errorf("%v, seen %v", err, seen)
	}
	opts.Checkpoints = &failingCheckpoints{}
	if _, err := engine.Verify(t.Context(), opts); err == nil {
		t.Error("a disk that does not read is no difference")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	opts.Checkpoints = nil
	if _, err := engine.Verify(ctx, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := vault.Close(); err != nil {
		t.Fatal(err)
	}
}
