package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// openItems opens an engine that analyses items, with or without checkpoints.
func openItems(t testing.TB, fs vfs.FS, rule scoring.Rule, checkpoints bool) *house {
	t.Helper()
	return openItemsWith(t, fs, rule, func(o *engine.Options) {
		if !checkpoints {
			o.Checkpoints = nil
		}
	})
}

// openItemsWith opens an engine that analyses items and keeps checkpoints, with other
// options where change says so.
func openItemsWith(t testing.TB, fs vfs.FS, rule scoring.Rule, change func(*engine.Options)) *house {
	t.Helper()
	h := &house{vault: openVault(t, fs)}
	opts := engine.Options{
		Log: h.vault, Checkpoints: h.vault, Intake: registry(t, toy{}), Rule: rule, ItemAnalysis: true, CheckpointRecords: 100,
	}
	change(&opts)
	e, err := engine.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	h.Engine = e
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

const itemTests = 3

// items is all that is told of the items of all tests.
func (h *house) items(t testing.TB) string {
	t.Helper()
	h.WaitItems()
	var b strings.Builder
	for n := range itemTests {
		a, test, err := h.Items(exam.TestID(fmt.Sprintf("t%d", n)))
		if err != nil {
			t.Fatal(err)
		}
		if a.Rows != test.Count() {
			t.Errorf("test %s: %d rows of %d students", test.ID, a.Rows, test.Count())
		}
		told := []any{a}
		var change itemstats.Change
		for i := range a.Questions {
			q := &a.Questions[i]
			told = append(told, a.Detail(q.Name))
			switch {
			case i%5 == 0:
				change.Withdraw = append(change.Withdraw, q.Name)
			case i%5 == 1 && !q.Free && q.Available > 0:
				change.Keys = append(change.Keys, itemstats.NewKey{Question: q.Name, Responses: []string{"A", "C"}})
			}
			if i%5 == 0 || i == len(a.Questions)-1 {
				told = append(told, whatIf(t, a, change))
			}
		}
		text, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", text)
	}
	return b.String()
}

// whatIf is what would follow from a change, or why that cannot be told.
func whatIf(t testing.TB, a *itemstats.Analysis, change itemstats.Change) any {
	t.Helper()
	follows, err := a.WhatIf(&change, nil)
	if err != nil {
		return err.Error()
	}
	return follows
}

// itemLine is a scan with answers, of some of which something is missing.
func itemLine(r *rand.Rand, test, student int) (line string, scan scoring.Scan) {
	var answers strings.Builder
	var obtained int
	if r.IntN(10) > 0 {
		for q := range 1 + r.IntN(12) {
			awarded := r.IntN(3)
			obtained += awarded
			fmt.Fprintf(&answers, " %d=%c:%d/2", q, 'A'+rune(r.IntN(4)), awarded)
		}
	} else {
		obtained = r.IntN(20)
	}
	scan = scoring.Scan{
		Obtained: exam.Marks(obtained * exam.MarksPerUnit), Available: exam.Marks((30 + 2*r.IntN(3)) * exam.MarksPerUnit), ScannedOn: int64(1 + r.IntN(9)),
	}
	return fmt.Sprintf("t%d s%d %d %d %d%s", test, student, obtained, scan.Available/exam.MarksPerUnit, scan.ScannedOn, answers.String()), scan
}

type itemMark struct{ test, student int }

// itemLines imports documents, and notes each student's kept scan by the rule alone.
type itemLines struct {
	rule  scoring.Rule
	kept  map[itemMark]scoring.Scan
	lines map[itemMark]string
}

func (l *itemLines) post(t testing.TB, r *rand.Rand, houses ...*house) {
	t.Helper()
	var lines []string
	var scans []scoring.Scan
	var marks []itemMark
	for range 1 + r.IntN(40) {
		m := itemMark{r.IntN(itemTests), r.IntN(60)}
		line, scan := itemLine(r, m.test, m.student)
		lines, scans, marks = append(lines, line), append(scans, scan), append(marks, m)
	}
	var position uint64
	for _, h := range houses {
		position = uint64(h.post(t, lines...).Position)
	}
	for i, m := range marks {
		scan := scans[i]
		scan.Position, scan.Record = position, uint32(i)
		if before, known := l.kept[m]; !known || l.rule.Policy.Better(scan, before) {
			l.kept[m], l.lines[m] = scan, lines[i]
		}
	}
}

// Under every rule, what is told is that of an engine which has seen the kept scans only;
// and it is the same live, from the log, from a checkpoint, with and without documents
// behind it, and after a reprocess.
func TestItems(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	for _, rule := range allRules() {
		seed := random.Uint64()
		t.Run(rule.String(), func(t *testing.T) {
			t.Parallel()
			testItems(t, rand.New(rand.NewPCG(seed, 0)), rule)
		})
	}
}

func testItems(t *testing.T, r *rand.Rand, rule scoring.Rule) {
	t.Helper()
	fs := vfs.NewMem()
	l := &itemLines{rule, make(map[itemMark]scoring.Scan), make(map[itemMark]string)}
	h := openItems(t, fs, rule, true)
	other := scoring.Rule{Policy: (rule.Policy + 1) % 4, Denominator: rule.Denominator}
	reprocessed := openItems(t, vfs.NewMem(), other, false)
	want := ""
	check := func(what string, of *house) {
		t.Helper()
		if got := of.items(t); got != want {
			t.Fatalf("%s:\ngot  %s\nwant %s", what, got, want)
		}
	}
	fresh := func() {
		t.Helper()
		var lines []string
		for _, line := range l.lines {
			lines = append(lines, line)
		}
		f := openItems(t, vfs.NewMem(), rule, false)
		f.post(t, lines...)
		want = f.items(t)
		f.close(t)
	}
	for range 40 {
		l.post(t, r, h, reprocessed)
	}
	fresh()
	check("live", h)
	for round := range 3 {
		h.close(t)
		if round == 1 { // Its checkpoint has nothing of items.
			h = openItemsWith(t, fs, rule, func(o *engine.Options) { o.ItemAnalysis = false })
			for range 5 {
				l.post(t, r, h, reprocessed)
			}
			h.close(t)
		}
		h = openItems(t, fs, rule, true)
		if h.Progress().Checkpoint == 0 {
			t.Fatal("no checkpoint")
		}
		// In round 1 they come while the log is read.
		for range 5 {
			l.post(t, r, h, reprocessed)
		}
		fresh()
		check("from a checkpoint", h)
		l.post(t, r, h, reprocessed)
		fresh()
		check("live behind a checkpoint", h)
	}
	h.close(t)
	h = openItems(t, fs, rule, false)
	check("from the log", h)
	h.close(t)
	reprocessed.commit(t, reprocessed.reprocess(t, rule), engine.CommitOptions{})
	check("reprocessed", reprocessed)
	reprocessed.close(t)
}

// Without item analysis there is none; while the log is read somebody is told how far.
func TestItemsNotThere(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := openItems(t, fs, scoring.Rule{}, true)
	for n := range 20 {
		h.post(t, fmt.Sprintf("t0 s%d 1 2 3 1=A:1/2", n))
	}
	if _, _, err := h.Items("t9"); !errors.Is(err, engine.ErrUnknownTest) {
		t.Errorf("an unknown test: %v", err)
	}
	h.close(t)
	// A checkpoint without items.
	h = openItemsWith(t, fs, scoring.Rule{}, func(o *engine.Options) { o.ItemAnalysis, o.CheckpointRecords = false, 1 })
	h.post(t, "t0 s-last 1 2 3 1=A:1/2")
	h.close(t)

	vault := openVault(t, fs)
	log := &faultyLog{Vault: vault}
	broken := errors.New("broken")
	log.replay = func(_ context.Context, at entry.Position, _ func(*entry.Entry) error) error {
		if at == 1 {
			return broken
		}
		return nil
	}
	e, err := engine.Open(engine.Options{Log: log, Checkpoints: vault, Intake: registry(t, toy{}), ItemAnalysis: true})
	if err != nil {
		t.Fatal(err)
	}
	h = &house{e, vault}
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.WaitItems()
	_, _, err = h.Items("t0")
	if reading, is := errors.AsType[*engine.ItemsError](err); !is || !errors.Is(err, broken) || reading.Last != 21 {
		t.Errorf("a log that cannot be read: %v", err)
	}
	h.close(t)

	h = open(t, fs, scoring.Rule{})
	defer h.close(t)
	if _, _, err := h.Items("t0"); !errors.Is(err, engine.ErrItemsOff) {
		t.Errorf("off: %v", err)
	}
}
