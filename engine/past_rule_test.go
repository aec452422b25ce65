package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/audit"
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// openRecording opens an engine that records its rule, as the program does. Without
// checkpoints it reads the log. asked says whether somebody has asked for the rule.
func openRecording(t *testing.T, fs vfs.FS, rule scoring.Rule, asked, checkpoints bool) *house {
	t.Helper()
	vault := openVault(t, fs)
	opts := engine.Options{
		Log: vault, Intake: registry(t, toy{}), Rule: rule,
		InForce: []engine.InForce{{Event: audit.Event{
			Who: audit.Operator, Action: audit.Rules, Outcome: audit.Done,
			Rules: &audit.RuleSet{Scoring: rule.Policy.String(), Denominator: rule.Denominator.String()},
		}, Default: rule == scoring.Rule{}}},
	}
	opts.RuleAsked.Policy, opts.RuleAsked.Denominator = asked, asked
	if checkpoints {
		opts.Checkpoints, opts.CheckpointRecords = vault, 200
	}
	h := &house{vault: vault, Engine: start(t, opts)}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// What was answered is answered for its position ever after, also when starts and
// reprocesses have changed the rule since, every rule to every other: at once, after
// restarts from a checkpoint, and from the log alone.
func TestThePastUnderItsRule(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	all := rules()
	for i, from := range all {
		for _, to := range all[i:] { // And back.
			random := rand.New(rand.NewPCG(random.Uint64(), 0))
			t.Run(from.String()+"-"+to.String(), func(t *testing.T) {
				t.Parallel()
				pastUnderItsRule(t, random, from, to)
			})
		}
	}
}

func pastUnderItsRule(t *testing.T, random *rand.Rand, from, to scoring.Rule) {
	t.Helper()
	fs, d, rule := vfs.NewMem(), newDiary(), scoring.Rule{}
	write := func(h *house) {
		for range 4 + random.IntN(4) {
			d.write(t, h, random)
		}
		d.comparePast(t, h, random)
	}
	started := func(next scoring.Rule) *house {
		h := openRecording(t, fs, next, true, true)
		if h.State().Rule().Rule != next {
			t.Fatalf("started under %v", h.State().Rule().Rule)
		}
		switch {
		case next != rule:
			d.change(h, "rules")
		case d.figures[h.State().Position()] == nil:
			d.note(h) // The rule as it was, recorded for the first time.
		}
		rule = next
		return h
	}
	if all := rules(); random.IntN(2) == 0 {
		h := started(all[random.IntN(len(all))])
		write(h)
		h.close(t)
	}
	h := started(from)
	write(h)
	for _, next := range []scoring.Rule{to, from} {
		h.commit(t, h.reprocess(t, next), engine.CommitOptions{Source: audit.Operator})
		if next != rule {
			d.change(h, "reprocess")
		} else {
			d.note(h)
		}
		rule = next
		write(h)
		killed := copied(t, fs)
		h.close(t)
		for _, left := range []vfs.FS{killed, fs} {
			for _, checkpoints := range []bool{true, false} {
				if random.IntN(2) == 0 {
					continue // There are many rules.
				}
				again := openRecording(t, copied(t, left), scoring.Rule{}, false, checkpoints)
				d.comparePast(t, again, random)
				again.close(t)
			}
		}
		h = openRecording(t, fs, rule, true, true)
		if d.figures[h.State().Position()] == nil {
			d.note(h) // A start records its flags, though the reprocess decides.
		}
	}
	h.close(t)
}

// Documents that a reprocess has stopped to count counted before it. Where the decoder of
// today reads them again, the past has them; where it does not, the past of their tests is
// refused, and that of others is not.
func TestThePastOfUncounted(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	var strict atomic.Bool
	vault := openVault(t, fs)
	h := &house{vault: vault, Engine: start(t, engine.Options{Log: vault, Intake: registry(t, moody{strict: &strict})})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	figures := func(id exam.TestID, at entry.Position) string {
		test, err := h.TestAt(t.Context(), id, at)
		if err != nil {
			return err.Error()
		}
		return figuresOf(test)
	}
	history := func(id exam.TestID) string {
		var steps []string
		err := h.History(t.Context(), id, 0, 0, func(s engine.Step) error {
			steps = append(steps, fmt.Sprintf("%d%s %v %d", s.Import.Position, s.Event, s.Effects, s.Aggregate.Count))
			return nil
		})
		if err != nil {
			return err.Error()
		}
		return strings.Join(steps, ", ")
	}
	h.post(t, "t a 1 4", "u a 1 2")
	h.post(t, "t secret-student 4 4")
	h.post(t, "only secret-student 2 2")
	h.post(t, "t b 3 4")
	before := make(map[exam.TestID]string)
	for _, id := range []exam.TestID{"t", "u", "only"} {
		before[id] = figures(id, 4)
	}
	strict.Store(true)
	committed := h.commit(t, h.reprocess(t, scoring.Rule{}), engine.CommitOptions{Uncount: true})
	after := figures("t", committed.Position)
	if after == before["t"] || h.post(t, "t c 2 4").Position != 6 {
		t.Errorf("a reprocess has changed nothing: %s", after)
	}
	for _, id := range []exam.TestID{"t", "only"} {
		if _, err := h.TestAt(t.Context(), id, 4); !errors.Is(err, engine.ErrLostPast) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s with a document that cannot be read: %v", id, err)
		}
		if err := h.History(t.Context(), id, 0, 0, func(engine.Step) error { return nil }); !errors.Is(err, engine.ErrLostPast) {
			t.Errorf("its history: %v", err)
		}
	}
	if got := figures("u", 4); got != before["u"] {
		t.Errorf("u, which no such document names, was %s, want %s", got, before["u"])
	}
	if got := figures("t", 1); !strings.Contains(got, "Count:1") {
		t.Errorf("t before such a document came: %s", got)
	}
	if got := figures("t", committed.Position); got != after {
		t.Errorf("t at the reprocess: %s, want %s", got, after)
	}
	strict.Store(false)
	for id, want := range before {
		if got := figures(id, 4); got != want {
			t.Errorf("%s was %s, want %s", id, got, want)
		}
	}
	if got, want := figures("only", committed.Position), engine.ErrUnknownTest.Error(); got != want {
		t.Errorf("only, since nothing of it counts: %s", got)
	}
	if got, want := history("t"), "1 {1 0 0} 1, 2 {1 0 0} 2, 4 {1 0 0} 3, 5reprocess {0 0 0} 2, 6 {1 0 0} 3"; got != want {
		t.Errorf("history of t: %s\nwant %s", got, want)
	}
	if got, want := history("only"), "3 {1 0 0} 1"; got != want {
		t.Errorf("history of only: %s\nwant %s", got, want)
	}
	h.close(t)
}
