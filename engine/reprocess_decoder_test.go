package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// moody is a decoder that changes its mind.
type moody struct {
	toy

	strict *atomic.Bool
}

func (m moody) Decode(doc *intake.Document, raw []byte, charset string) error {
	if m.strict.Load() {
		raw = bytes.ReplaceAll(raw, []byte(", "), []byte(" "))
		if bytes.Contains(raw, []byte("secret-student")) {
			return &intake.DocumentError{Code: intake.CodeInvalidValue, Record: 1, Line: 1, Value: "secret-student", Reason: "is not liked any more"}
		}
	}
	return m.toy.Decode(doc, raw, charset)
}

// Under a decoder that has changed, what it judges differently is told; what it
// refuses stops to count only if that is said, and then after a restart, too.
func TestReprocessUnderAnotherDecoder(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	var strict atomic.Bool
	var killed vfs.FS // as of the last append
	opened := func() *house {
		vault := openVault(t, fs)
		log := &faultyLog{Vault: vault}
		if strict.Load() {
			log.append = func(entries []*entry.Entry) error {
				err := vault.Append(entries)
				killed = copied(t, fs)
				return err
			}
		}
		h := &house{vault: vault, Engine: start(t, engine.Options{
			Log: log, Checkpoints: vault, CheckpointRecords: 100, Intake: registry(t, moody{strict: &strict}),
		})}
		if err := h.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := opened()
	gone := []engine.Receipt{h.post(t, "t secret-student 2 2", "u secret-student 1 2")}
	for i := range 200 {
		h.post(t, fmt.Sprintf("t s%d %d 2", i, i%3))
	}
	gone = append(gone, h.post(t, "only secret-student 2 2"))
	_, err := h.Import(t.Context(), submission("t, torn, 1, 2"))
	refused, ok := errors.AsType[*engine.RefusedError](err)
	if !ok {
		t.Fatal(err)
	}
	h.close(t) // The checkpoint that it leaves was made under the same rule.
	strict.Store(true)
	h = opened()
	r := h.reprocess(t, scoring.Rule{})
	d := r.Status().Difference
	if d == nil || d.Refused != 2 || d.Accepted != 1 || d.StudentsRemoved != 3 || d.StudentsMoved != 0 || d.StudentsAdded != 0 || d.TestsMoved != 3 {
		t.Fatalf("difference %+v", d)
	}
	changes, err := r.DocumentChanges(false, 0, 10)
	if err != nil || len(changes) != 2 || changes[0].ID != gone[0].ImportID || changes[1].Position != gone[1].Position ||
		changes[0].Refusal == nil || changes[0].Refusal.Line != 1 {
		t.Errorf("refused today: %+v, %v", changes, err)
	}
	if rest, err := r.DocumentChanges(false, gone[0].Position, 1); err != nil || len(rest) != 1 || rest[0].ID != gone[1].ImportID {
		t.Errorf("refused today, from there on: %+v, %v", rest, err)
	}
	changes, err = r.DocumentChanges(true, 0, 10)
	if err != nil || len(changes) != 1 || changes[0].ID != refused.ImportID || changes[0].Records != 1 || changes[0].Refusal != nil {
		t.Errorf("accepted today: %+v, %v", changes, err)
	}
	students, err := r.StudentDifferences("t", 0, 10)
	if err != nil || len(students) != 1 || students[0].Student != "secret-student" || students[0].After != nil || students[0].Before.Obtained != 2000 {
		t.Errorf("students of t: %+v, %v", students, err)
	}
	tests, err := r.Differences("", 10)
	if err != nil || len(tests) != 3 || tests[0].ID != "only" || tests[0].After != nil || tests[1].Removed != 1 || tests[2].Before.Count() != 1 {
		t.Errorf("tests: %+v, %v", tests, err)
	}
	uncount := new(engine.UncountError)
	if _, err := r.Commit(t.Context(), engine.CommitOptions{}); !errors.As(err, &uncount) || uncount.Documents != 2 {
		t.Errorf("a commit that was not told to uncount: %v", err)
	}
	h.want(t, "u", "n=1 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
	rule := h.commit(t, r, engine.CommitOptions{Uncount: true})
	if len(rule.Uncounted) != 2 || rule.Uncounted[0] != gone[0].Position {
		t.Errorf("uncounted: %v", rule.Uncounted)
	}
	h.want(t, "u", "unknown test")
	h.want(t, "only", "unknown test")
	state := h.everything(t)
	if !strings.Contains(state, "200 students") {
		t.Errorf("state: %s", state)
	}
	h.close(t)

	// As killed in the commit, with the checkpoint from before, which is of no use; and
	// as it is after that.
	fs = killed.(*vfs.MemFS)
	h = opened()
	if h.everything(t) != state || h.Progress().CheckpointErr == nil {
		t.Errorf("killed and started again: %s\nwant %s\ncheckpoint: %v", h.everything(t), state, h.Progress().CheckpointErr)
	}
	h.close(t)
	h = opened()
	if h.everything(t) != state || h.Progress().CheckpointErr != nil {
		t.Errorf("started again: %s\nwant %s\ncheckpoint: %v", h.everything(t), state, h.Progress().CheckpointErr)
	}
	h.close(t)
}
