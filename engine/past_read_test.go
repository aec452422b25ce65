package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/audit"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// pastDocuments is how many documents pastToRead posts: many more than are in a pipeline.
const pastDocuments = 3000

// pastToRead is an engine with documents about one test, from a position to another one,
// after each of which its figures can only be had from the documents.
func pastToRead(t *testing.T) (h *house, log *faultyLog, from, at entry.Position) {
	t.Helper()
	vault := openVault(t, vfs.NewMem())
	log = &faultyLog{Vault: vault}
	h = &house{vault: vault, Engine: start(t, engine.Options{Log: log, Intake: registry(t, toy{})})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := func(policy scoring.Policy) entry.Position {
		return h.commit(t, h.reprocess(t, scoring.Rule{Policy: policy}), engine.CommitOptions{Source: audit.Operator}).Position
	}
	from = begin(scoring.Latest) + 1
	for i := range pastDocuments {
		h.post(t, fmt.Sprintf("m s%d %d 20 %d q1=A:1/1", i/2, i%20, i*7919%1000))
	}
	return h, log, from, begin(scoring.Highest) - 1
}

// Who has gone, and a stop, end the reading of the past at once; a deadline does not.
func TestThePastStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, log, _, at := pastToRead(t)
		const first = 100
		read := 0
		meanwhile := func(happens func()) {
			read = 0
			log.at = func(position entry.Position) (*entry.Entry, error) {
				if read++; read == first {
					happens()
					synctest.Wait() // Everybody knows.
				}
				return log.Vault.At(position)
			}
		}
		const wait = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		meanwhile(func() { time.Sleep(2 * wait) })
		if test, err := h.TestAt(ctx, "m", at); err != nil || test.Count() != pastDocuments/2 || ctx.Err() == nil {
			t.Errorf("with a deadline after %d documents: %v", first, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		meanwhile(cancel)
		if _, err := h.TestAt(ctx, "m", at); !errors.Is(err, context.Canceled) || read != first {
			t.Errorf("cancelled after %d documents: %v after %d", first, err, read)
		}
		meanwhile(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		if _, err := h.TestAt(t.Context(), "m", at); !errors.Is(err, engine.ErrClosed) || read != first {
			t.Errorf("closed after %d documents: %v after %d", first, err, read)
		}
		h.close(t)
	})
}

// What is wrong with a document is told in its place, whoever has read ahead: who does not
// come so far is not told.
func TestThePastOfDamaged(t *testing.T) {
	t.Parallel()
	h, log, from, at := pastToRead(t)
	defer h.close(t)
	damaged := from + 999 // The thousandth.
	log.at = func(position entry.Position) (*entry.Entry, error) {
		if position == damaged {
			return nil, &entry.DamagedError{Position: position, What: "body checksum"}
		}
		return log.Vault.At(position)
	}
	enough := errors.New("enough")
	steps := 0
	history := func(stepsMax int) error {
		steps = 0
		return h.History(t.Context(), "m", from, at, func(s engine.Step) error {
			if s.Import.Position != from+entry.Position(steps) {
				t.Fatalf("step %d is at position %d", steps+1, s.Import.Position)
			}
			if steps++; steps == stepsMax {
				return enough
			}
			return nil
		})
	}
	for _, stepsMax := range []int{1, 900, 999} {
		if err := history(stepsMax); !errors.Is(err, enough) || steps != stepsMax {
			t.Errorf("%d steps before one that is damaged: %v after %d", stepsMax, err, steps)
		}
	}
	err := history(1000)
	if damage, ok := errors.AsType[*entry.DamagedError](err); !ok || damage.Position != damaged || steps != 999 {
		t.Errorf("with one that is damaged: %v after %d steps", err, steps)
	}
}
