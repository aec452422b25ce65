package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// allRules are every policy with every denominator.
func allRules() (rules []scoring.Rule) {
	for _, policy := range []scoring.Policy{scoring.Highest, scoring.MostComplete, scoring.Latest, scoring.First} {
		for _, denominator := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
			rules = append(rules, scoring.Rule{Policy: policy, Denominator: denominator})
		}
	}
	return rules
}

// until waits for something that goroutines of the engine bring about.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not in a minute: %s", what)
		}
	}
}

// reprocess starts one and waits until it can be committed.
func (h *house) reprocess(t testing.TB, rule scoring.Rule) *engine.Reprocess {
	t.Helper()
	r, err := h.StartReprocess(rule)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "ready", func() bool {
		s := r.Status()
		if s.Err != nil {
			t.Fatal(s.Err)
		}
		return s.Phase == engine.PhaseReady
	})
	return r
}

func (h *house) commit(t testing.TB, r *engine.Reprocess, opts engine.CommitOptions) engine.RuleInForce {
	t.Helper()
	rule, err := r.Commit(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// encoded is the live book and what is known of refused documents, to the byte.
func (h *house) encoded(t testing.TB) []byte {
	t.Helper()
	b, err := h.Encoded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// copied is what a process that is killed now leaves.
func copied(t testing.TB, fs vfs.FS) vfs.FS {
	t.Helper()
	killed := vfs.NewMem()
	if ok, err := vfs.Clone(fs, killed, "data", "data", vfs.CloneSync); !ok || err != nil {
		t.Fatal(ok, err)
	}
	return killed
}

// While documents go on arriving, the log is reprocessed and committed; then the state
// is that of a fresh engine on the same log, to the byte, at once and after more
// documents. Every rule is gone to, from another one.
func TestReprocessWhileImporting(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	rules := allRules()
	for i, rule := range rules {
		from, random := rules[(i+1+random.IntN(len(rules)-1))%len(rules)], rand.New(rand.NewPCG(random.Uint64(), 0))
		t.Run(from.String()+"-"+rule.String(), func(t *testing.T) {
			t.Parallel()
			reprocessWhileImporting(t, random, from, rule)
		})
	}
}

func reprocessWhileImporting(t *testing.T, random *rand.Rand, from, to scoring.Rule) {
	t.Helper()
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, from, 500)
	for range 40 {
		h.post(t, someLines(random)...)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 4 {
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				lines := someLines(random)
				if random.IntN(9) == 0 {
					lines = append(lines, "half a record")
				}
				refused := new(engine.RefusedError)
				if _, err := h.Import(t.Context(), submission(lines...)); err != nil && !errors.As(err, &refused) {
					t.Error(err)
					return
				}
			}
		})
	}
	before := h.State().Position()
	r := h.reprocess(t, to)
	committed := h.commit(t, r, engine.CommitOptions{Source: "192.0.2.9"})
	until(t, "documents after the commit", func() bool { return h.State().Position() > committed.Position+20 })
	close(stop)
	writers.Wait()
	if s := h.State(); s.Rule().Rule != to || s.Rule().Position != committed.Position || committed.Position <= before {
		t.Errorf("in force: %+v, committed %+v at %d", s.Rule(), committed, s.Position())
	}
	want, state := h.encoded(t), h.everything(t)
	h.close(t)

	// The log alone, and with the checkpoint of the end.
	for _, records := range []int{1 << 40, 500} {
		again, read := openWith(t, fs, scoring.Rule{}, records)
		if got := again.everything(t); got != state || !bytes.Equal(again.encoded(t), want) {
			t.Errorf("after a restart (read from %d): %s\nwant %s", read.Load(), got, state)
		}
		again.close(t)
		if err := fs.Remove("data/checkpoint"); err != nil && records == 500 {
			t.Fatal(err)
		}
	}
}

// Whoever reads sees the state before or the state after, whole: two tests of every
// document never show different rules, nor another than the state names.
func TestReprocessIsSeenWhole(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	for i := range 300 {
		h.post(t, fmt.Sprintf("left s%d 1 10", i), fmt.Sprintf("right s%d 1 10", i))
		h.post(t, fmt.Sprintf("left s%d 9 10", i), fmt.Sprintf("right s%d 9 10", i))
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	seen := [2]atomic.Bool{}
	for range 4 {
		readers.Go(func() {
			for position := entry.Position(0); ; {
				s := h.State()
				left, right := s.Test("left").Aggregate(), s.Test("right").Aggregate()
				want := 90.0
				if s.Rule().Rule.Policy == scoring.First {
					want = 10
				}
				if left.Mean != want || right.Mean != want {
					t.Errorf("under %v: %v and %v, want %v", s.Rule().Rule, left.Mean, right.Mean, want)
				}
				if s.Position() < position {
					t.Errorf("position went from %d to %d", position, s.Position())
				}
				position = s.Position()
				seen[s.Rule().Rule.Policy/scoring.First].Store(true)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 5 {
		h.commit(t, h.reprocess(t, scoring.Rule{Policy: scoring.First}), engine.CommitOptions{})
		h.commit(t, h.reprocess(t, scoring.Rule{}), engine.CommitOptions{})
	}
	close(stop)
	readers.Wait()
	if !seen[0].Load() || !seen[1].Load() {
		t.Error("the readers have not seen both rules: nothing is tested")
	}
}

// Cancelled at any time, a reprocess leaves nothing: no goroutine (TestMain looks), no
// memory, no change.
func TestReprocessCancelled(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	fs := vfs.NewMem()
	vault := openVault(t, fs)
	var reading func(n int)
	log := &faultyLog{Vault: vault}
	log.replay = func(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
		n := 0
		return vault.Replay(ctx, from, func(e *entry.Entry) error {
			if n++; reading != nil {
				reading(n)
			}
			return fn(e)
		})
	}
	h := &house{vault: vault, Engine: start(t, engine.Options{Log: log, Intake: registry(t, toy{})})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer h.close(t)
	const documents = 500
	for range documents {
		h.post(t, someLines(random)...)
	}
	want, state := h.encoded(t), h.everything(t)
	for range 30 {
		// At a document that is being read, or once everything is.
		at, reached := 1+random.IntN(documents+100), make(chan struct{})
		reading = func(n int) {
			if n == at {
				close(reached)
			}
		}
		r, err := h.StartReprocess(scoring.Rule{Policy: scoring.Latest})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.StartReprocess(scoring.Rule{}); !errors.Is(err, engine.ErrReprocessing) {
			t.Errorf("a second one: %v", err)
		}
		held := r.Book()
		if at > documents {
			until(t, "ready", func() bool { return r.Status().Phase == engine.PhaseReady })
		} else {
			<-reached
			if at%2 == 0 {
				if err := r.Pause(); err != nil {
					t.Error(err)
				}
			}
		}
		if err := r.Cancel(); err != nil {
			t.Error(err)
		}
		if h.Reprocess() != nil || !errors.Is(r.Cancel(), engine.ErrNoReprocess) {
			t.Error("it is still there")
		}
		if _, err := r.Commit(t.Context(), engine.CommitOptions{}); err == nil {
			t.Error("it was committed after it was cancelled")
		}
		runtime.GC()
		runtime.GC()
		if held() {
			t.Fatal("its book is still in memory")
		}
		if h.everything(t) != state || !bytes.Equal(h.encoded(t), want) {
			t.Fatal("the live state has changed")
		}
	}
}

// Paused, it reads nothing more, cannot be committed, and goes on where it was.
func TestReprocessPaused(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	log := &faultyLog{Vault: vault}
	h := &house{vault: vault, Engine: start(t, engine.Options{Log: log, Intake: registry(t, toy{})})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer h.close(t)
	for i := range 1000 {
		h.post(t, fmt.Sprintf("t s%d 1 2", i))
	}
	var r *engine.Reprocess
	var read atomic.Int64
	started, paused := make(chan struct{}), make(chan struct{})
	log.replay = func(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
		return vault.Replay(ctx, from, func(e *entry.Entry) error {
			if read.Add(1) == 100 {
				<-started
				if err := errors.Join(r.Pause(), r.Pause()); err != nil {
					t.Error(err)
				}
				close(paused)
			}
			return fn(e)
		})
	}
	r, err := h.StartReprocess(scoring.Rule{Policy: scoring.First})
	if err != nil {
		t.Fatal(err)
	}
	close(started)
	<-paused
	for i := range 100 {
		h.post(t, fmt.Sprintf("t s%d 2 2", i))
	}
	const parcel = 64
	if s := r.Status(); !s.Paused || s.Phase != engine.PhaseReading || read.Load() > 100+parcel {
		t.Errorf("paused after 100 documents, and has read %d: %+v", read.Load(), s)
	}
	if _, err := r.Commit(t.Context(), engine.CommitOptions{}); !errors.Is(err, engine.ErrReprocessNotReady) {
		t.Errorf("commit while it reads: %v", err)
	}
	if _, err := r.Differences("", 1); !errors.Is(err, engine.ErrReprocessNotReady) {
		t.Errorf("differences while it reads: %v", err)
	}
	if err := errors.Join(r.Resume(), r.Resume()); err != nil {
		t.Error(err)
	}
	until(t, "ready", func() bool { return r.Status().Phase == engine.PhaseReady })
	if err := r.Pause(); err != nil {
		t.Error(err)
	}
	if _, err := r.Commit(t.Context(), engine.CommitOptions{}); !errors.Is(err, engine.ErrReprocessNotReady) {
		t.Errorf("commit while it is paused: %v", err)
	}
	if err := r.Resume(); err != nil {
		t.Error(err)
	}
	h.commit(t, r, engine.CommitOptions{})
	h.want(t, "t", "n=1000 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
	if s := r.Status(); s.Phase != engine.PhaseCommitted || s.Committed == 0 || s.Difference != nil {
		t.Errorf("after the commit: %+v", s)
	}
	if err := r.Pause(); !errors.Is(err, engine.ErrNoReprocess) {
		t.Errorf("pause after the commit: %v", err)
	}
}

// Where a process may die around a commit: before and after the append that records
// the rule. It comes back under the old rule or the new one, whole; a checkpoint from
// before is not taken up after.
func TestReprocessKilled(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	fs := vfs.NewMem()
	vault := openVault(t, fs)
	log := &faultyLog{Vault: vault}
	h := &house{vault: vault, Engine: start(t, engine.Options{
		Log: log, Checkpoints: vault, CheckpointRecords: 1, Intake: registry(t, toy{}),
	})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		h.post(t, someLines(random)...)
	}
	old := h.everything(t)
	r := h.reprocess(t, scoring.Rule{Policy: scoring.First, Denominator: scoring.OfSheet})

	log.append = func([]*entry.Entry) error { return entry.ErrReadOnly }
	if _, err := r.Commit(t.Context(), engine.CommitOptions{}); !errors.Is(err, entry.ErrReadOnly) {
		t.Errorf("commit on a full disk: %v", err)
	}
	if h.everything(t) != old || r.Status().Phase != engine.PhaseReady {
		t.Error("something has changed on a full disk")
	}
	var before, after vfs.FS
	log.append = func(entries []*entry.Entry) error {
		before = copied(t, fs)
		err := vault.Append(entries)
		after = copied(t, fs)
		return err
	}
	h.commit(t, r, engine.CommitOptions{})
	log.append = nil
	committed := h.everything(t)
	if committed == old {
		t.Fatal("the two rules come to the same: nothing is tested")
	}
	h.close(t)
	for what, c := range map[string]struct {
		fs   vfs.FS
		want string
		rule scoring.Rule
	}{
		"before": {before, old, scoring.Rule{}},
		"after":  {after, committed, scoring.Rule{Policy: scoring.First, Denominator: scoring.OfSheet}},
	} {
		h, _ := openWith(t, c.fs, scoring.Rule{}, 1<<40)
		if got := h.everything(t); got != c.want || h.State().Rule().Rule != c.rule {
			t.Errorf("killed %s the append, under %v: %s\nwant %s", what, h.State().Rule().Rule, got, c.want)
		}
		if taken := h.Progress().Checkpoint > 0; taken != (what == "before") {
			t.Errorf("killed %s the append: checkpoint taken up: %v, %v", what, taken, h.Progress().CheckpointErr)
		}
		h.post(t, "t0 one-more 1 20")
		h.close(t)
	}
}

// Which rule a start goes by.
func TestRuleOfAStart(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	type asked struct{ Policy, Denominator bool }
	latest, first := scoring.Rule{Policy: scoring.Latest}, scoring.Rule{Policy: scoring.First}
	firstOfSheet := scoring.Rule{Policy: scoring.First, Denominator: scoring.OfSheet}
	begin := func(rule scoring.Rule, a asked) (*house, error) {
		vault := openVault(t, fs)
		e, err := engine.Open(engine.Options{Log: vault, Intake: registry(t, toy{}), Rule: rule, RuleAsked: a})
		if err != nil {
			return nil, errors.Join(err, vault.Close())
		}
		h := &house{vault: vault, Engine: e}
		return h, e.WaitReady(t.Context())
	}
	steps := []struct {
		what   string
		rule   scoring.Rule
		asked  asked
		want   scoring.Rule
		fails  bool
		commit *scoring.Rule
	}{
		{what: "nothing is recorded, nothing is asked", want: scoring.Rule{}},
		{what: "nothing is recorded, one is asked", rule: latest, asked: asked{true, false}, want: latest, commit: &firstOfSheet},
		{what: "one was committed, nothing is asked", want: firstOfSheet},
		{what: "the same is asked", rule: firstOfSheet, asked: asked{true, true}, want: firstOfSheet},
		{what: "a part of it is asked", rule: first, asked: asked{true, false}, want: firstOfSheet},
		{what: "another is asked", rule: latest, asked: asked{true, false}, fails: true},
		{what: "another part is asked", rule: first, asked: asked{true, true}, fails: true},
		{what: "the default is asked", rule: scoring.Rule{}, asked: asked{true, true}, fails: true},
		{what: "nothing is asked, and another is committed", want: firstOfSheet, commit: &latest},
		{what: "the one before is asked", rule: first, asked: asked{true, false}, fails: true},
		{what: "the last one is asked", rule: latest, asked: asked{true, true}, want: latest},
	}
	for _, s := range steps {
		h, err := begin(s.rule, s.asked)
		if conflict, ok := errors.AsType[*engine.RuleError](err); s.fails && ok && conflict.InForce.Rule != conflict.Asked {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", s.what, err)
		}
		if s.fails {
			t.Fatalf("%s: the start goes by %v", s.what, h.State().Rule())
		}
		h.post(t, "t s 1 2")
		if got := h.State().Rule().Rule; got != s.want {
			t.Errorf("%s: %v, want %v", s.what, got, s.want)
		}
		if s.commit != nil {
			h.commit(t, h.reprocess(t, *s.commit), engine.CommitOptions{})
		}
		h.close(t)
	}
}

// A log that cannot be read ends a reprocess, and nothing else.
func TestReprocessFails(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	log := &faultyLog{Vault: vault}
	h := &house{vault: vault, Engine: start(t, engine.Options{Log: log, Intake: registry(t, toy{})})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.post(t, "t s 1 2")
	log.replay = func(context.Context, entry.Position, func(*entry.Entry) error) error {
		return &entry.DamagedError{Position: 1, What: "body checksum"}
	}
	r, err := h.StartReprocess(scoring.Rule{})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "failed", func() bool { return r.Status().Phase == engine.PhaseFailed })
	if s := r.Status(); !errors.Is(s.Err, entry.ErrDamaged) {
		t.Errorf("status %+v", s)
	}
	if _, err := r.Commit(t.Context(), engine.CommitOptions{}); !errors.Is(err, engine.ErrNoReprocess) {
		t.Errorf("commit: %v", err)
	}
	h.post(t, "t s2 1 2")
	log.replay = nil
	next := h.reprocess(t, scoring.Rule{Policy: scoring.First})
	h.close(t) // With one under way.
	if _, err := next.Commit(t.Context(), engine.CommitOptions{}); err == nil {
		t.Error("committed after the engine was closed")
	}
	if _, err := h.StartReprocess(scoring.Rule{}); !errors.Is(err, engine.ErrClosed) && !errors.Is(err, engine.ErrNotReady) {
		t.Errorf("start after the engine was closed: %v", err)
	}
}
