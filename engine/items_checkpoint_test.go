package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/scoring"
	"markr/wal"
	"markr/wal/entry"
)

// sheetLines are scans of three tests: one with questions whose names and responses are
// long, one with a question that anything is answered to, one with sheets without answers
// and such as cannot be analysed. Students come again.
func sheetLines(r *rand.Rand) []string {
	lines := make([]string, 1+r.IntN(60))
	for i := range lines {
		line, _ := itemLine(r, r.IntN(itemTests), r.IntN(900))
		switch {
		case strings.HasPrefix(line, "t0 "):
			line += fmt.Sprintf(" the-last-question=a-long-response-%d:%d/3", r.IntN(5), r.IntN(2))
		case strings.HasPrefix(line, "t1 "):
			line += fmt.Sprintf(" free=%d:%d/3", r.IntN(1000), r.IntN(2))
		case r.IntN(5) == 0:
			line += " 3=A:/1" // No marks are awarded.
		}
		lines[i] = line
	}
	return lines
}

// notedReplays has an engine's readings of its log noted: where the first began that did
// not begin behind the checkpoint.
func notedReplays(from *atomic.Uint64) func(*engine.Options) {
	return func(o *engine.Options) {
		log := &faultyLog{Vault: o.Log.(*wal.Vault)}
		log.replay = func(ctx context.Context, at entry.Position, fn func(*entry.Entry) error) error {
			if at == 1 {
				from.Store(1)
			}
			return log.Vault.Replay(ctx, at, fn)
		}
		o.Log = log
	}
}

// Under every rule, a start from a checkpoint has every figure at once, without reading
// what is before the checkpoint, and the state is to the byte the one that is made of the
// log alone; so it is after more documents.
func TestItemsCheckpoint(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	for _, rule := range allRules() {
		seed := random.Uint64()
		t.Run(rule.String(), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0))
			fs := vfs.NewMem()
			h := openItems(t, fs, rule, true)
			for range 4 {
				for range 8 + r.IntN(8) {
					h.post(t, sheetLines(r)...)
				}
				want, state := h.items(t), h.encoded(t)
				h.close(t)
				var read atomic.Uint64
				h = openItemsWith(t, fs, rule, notedReplays(&read))
				if h.Progress().Checkpoint == 0 || h.Progress().CheckpointErr != nil {
					t.Fatalf("no checkpoint: %v", h.Progress().CheckpointErr)
				}
				if got := h.items(t); got != want {
					t.Fatalf("from a checkpoint:\ngot  %s\nwant %s", got, want)
				}
				if read.Load() != 0 {
					t.Error("the log was read from its beginning")
				}
				if !bytes.Equal(h.encoded(t), state) {
					t.Error("the state is another after a start from a checkpoint")
				}
			}
			h.post(t, sheetLines(r)...)
			state := h.encoded(t)
			h.close(t)
			wantSound(t, fs)
			log := openItems(t, fs, rule, false)
			if !bytes.Equal(log.encoded(t), state) {
				t.Error("the state made of the log is another than the one that came from checkpoints")
			}
			log.close(t)
		})
	}
}

// wantSound has the checkpoint of a vault that nobody has open say what the log says.
func wantSound(t *testing.T, fs vfs.FS) {
	t.Helper()
	vault := openVault(t, fs)
	if got, err := verify(t, vault); err != nil || got.Difference != nil || got.Checkpoint == 0 {
		t.Errorf("verify: %+v, %v", got, err)
	}
	if err := vault.Close(); err != nil {
		t.Fatal(err)
	}
}

// asVersion6 is a checkpoint as markr wrote it before there were items in it.
func asVersion6(t *testing.T, content []byte) []byte {
	t.Helper()
	at := itemsAt(content)
	if content[0] != 7 || content[at] != 0 {
		t.Fatalf("a checkpoint of version %d with items of version %d", content[0], content[at])
	}
	older := append(bytes.Clone(content[:at]), content[at+1:]...)
	older[0] = 6
	return older
}

// itemsAt is where a checkpoint has the version of its items.
func itemsAt(content []byte) int {
	const ruleBytes = 4
	_, n := binary.Uvarint(content[1+ruleBytes:])
	return 1 + ruleBytes + n
}

// rewritten changes the checkpoint of a vault that nobody has open.
func rewritten(t *testing.T, fs vfs.FS, change func([]byte) []byte) {
	t.Helper()
	vault := openVault(t, fs)
	var position entry.Position
	err := vault.LoadCheckpoint(func(at entry.Position, r io.Reader) error {
		position = at
		_, err := io.Copy(io.Discard, r)
		return err
	})
	content := change(loaded(t, vault))
	err = errors.Join(err, vault.SaveCheckpoint(position, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}), vault.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// A checkpoint without items is taken up for all else, whoever has written it: they are
// read from the log, and are in the next one. So is one with items that are not wanted, or
// of a newer version.
func TestItemsOfOtherCheckpoints(t *testing.T) {
	t.Parallel()
	r := newRandom(t)
	fs := vfs.NewMem()
	off := func(o *engine.Options) { o.ItemAnalysis = false }
	h := openItemsWith(t, fs, scoring.Rule{}, off)
	for range 20 {
		h.post(t, sheetLines(r)...)
	}
	everything := h.everything(t)
	h.close(t)
	log := openItems(t, copied(t, fs), scoring.Rule{}, false)
	want := log.items(t)
	log.close(t)

	opened := func(what string, readAgain bool, change func(*engine.Options)) *house {
		t.Helper()
		var read atomic.Uint64
		h := openItemsWith(t, fs, scoring.Rule{}, func(o *engine.Options) {
			notedReplays(&read)(o)
			change(o)
		})
		if h.Progress().Checkpoint == 0 || h.Progress().CheckpointErr != nil || h.everything(t) != everything {
			t.Fatalf("%s: %+v", what, h.Progress())
		}
		h.WaitItems()
		if (read.Load() == 1) != readAgain {
			t.Fatalf("%s: the log was read again: %v, want %v", what, read.Load() == 1, readAgain)
		}
		return h
	}
	as := func(what string, readAgain bool) {
		t.Helper()
		h := opened(what, readAgain, func(*engine.Options) {})
		if got := h.items(t); got != want {
			t.Fatalf("%s:\ngot  %s\nwant %s", what, got, want)
		}
		h.close(t)
	}
	rewritten(t, fs, func(content []byte) []byte { return asVersion6(t, content) })
	opened("of version 6, not wanted", false, off).close(t)
	as("of version 6", true)
	as("after that", false)
	opened("not wanted", false, off).close(t)
	as("still there", false)
	rewritten(t, fs, func(content []byte) []byte {
		content[itemsAt(content)] = 9
		return append(content, "what a newer markr writes"...)
	})
	opened("newer, not wanted", false, off).close(t)
	vault := openVault(t, fs)
	if got, err := verify(t, vault); err != nil || !errors.Is(got.Difference, entry.ErrUnknownVersion) {
		t.Errorf("verify: %v, %v", got.Difference, err)
	}
	if err := vault.Close(); err != nil {
		t.Fatal(err)
	}
	as("newer", true)
	as("after that", false)
}

// heldReading has the reading of the log for item analysis wait, before its first entry,
// until it is let go.
type heldReading struct{ reached, letGo chan struct{} }

func (held *heldReading) hold(o *engine.Options) {
	held.reached, held.letGo = make(chan struct{}), make(chan struct{})
	log := &faultyLog{Vault: o.Log.(*wal.Vault)}
	log.replay = func(ctx context.Context, at entry.Position, fn func(*entry.Entry) error) error {
		if at == 1 {
			close(held.reached)
			select {
			case <-held.letGo:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return log.Vault.Replay(ctx, at, fn)
	}
	o.Log = log
}

// withoutItems is a vault whose checkpoint has no items, and what there is to be told.
func withoutItems(t *testing.T, r *rand.Rand) (fs vfs.FS, want string) {
	t.Helper()
	fs = vfs.NewMem()
	h := openItemsWith(t, fs, scoring.Rule{}, func(o *engine.Options) { o.ItemAnalysis = false })
	for range 20 {
		h.post(t, sheetLines(r)...)
	}
	h.close(t)
	log := openItems(t, copied(t, fs), scoring.Rule{}, false)
	defer log.close(t)
	return fs, log.items(t)
}

// While the log is read for item analysis, documents arrive, and its sheets are taken over
// with theirs.
func TestItemsTakenOver(t *testing.T) {
	t.Parallel()
	r := newRandom(t)
	fs, _ := withoutItems(t, r)
	var held heldReading
	h := openItemsWith(t, fs, scoring.Rule{}, held.hold)
	<-held.reached
	for range 10 {
		h.post(t, sheetLines(r)...)
		if _, _, err := h.Items("t0"); !isReading(err) {
			t.Fatalf("while the log is read: %v", err)
		}
	}
	close(held.letGo)
	got := h.items(t)
	h.close(t)
	log := openItems(t, copied(t, fs), scoring.Rule{}, false)
	if want := log.items(t); got != want {
		t.Errorf("taken over:\ngot  %s\nwant %s", got, want)
	}
	log.close(t)
	var read atomic.Uint64
	h = openItemsWith(t, fs, scoring.Rule{}, notedReplays(&read))
	if h.items(t) != got || read.Load() != 0 {
		t.Error("the checkpoint after that has other items, or none")
	}
	h.close(t)
}

func isReading(err error) bool {
	reading, is := errors.AsType[*engine.ItemsError](err)
	return is && reading.Err == nil
}

// Close ends the reading, and the checkpoint of before is as good as it was.
func TestItemsClosedAmidReading(t *testing.T) {
	t.Parallel()
	fs, want := withoutItems(t, newRandom(t))
	for range 3 {
		var held heldReading
		h := openItemsWith(t, fs, scoring.Rule{}, held.hold)
		<-held.reached
		h.close(t)
	}
	h := openItems(t, fs, scoring.Rule{}, true)
	if got := h.items(t); got != want || h.Progress().Checkpoint == 0 {
		t.Errorf("after that:\ngot  %s\nwant %s", got, want)
	}
	h.close(t)
}

// A reprocess that is committed while the log is read for item analysis brings the items of
// its rule; those that are read later are thrown away; and the checkpoint after it has the
// new ones.
func TestItemsReprocessedAmidReading(t *testing.T) {
	t.Parallel()
	r := newRandom(t)
	for i, rule := range allRules()[1:] {
		fs, _ := withoutItems(t, r)
		var held heldReading
		var reads atomic.Uint64
		h := openItemsWith(t, fs, scoring.Rule{}, func(o *engine.Options) {
			held.hold(o)
			log := o.Log.(*faultyLog)
			first := log.replay
			log.replay = func(ctx context.Context, at entry.Position, fn func(*entry.Entry) error) error {
				if at == 1 && reads.Add(1) > 1 { // Of the reprocess.
					return log.Vault.Replay(ctx, at, fn)
				}
				return first(ctx, at, fn)
			}
		})
		<-held.reached
		h.commit(t, h.reprocess(t, rule), engine.CommitOptions{})
		close(held.letGo)
		got := h.items(t)
		if i%2 == 0 {
			h.post(t, sheetLines(r)...)
			got = h.items(t)
		}
		state := h.encoded(t)
		h.close(t)
		log := openItems(t, copied(t, fs), scoring.Rule{}, false)
		if want := log.items(t); got != want || log.State().Rule().Rule != rule {
			t.Fatalf("%v: %+v:\ngot  %s\nwant %s", rule, log.State().Rule(), got, want)
		}
		log.close(t)
		var read atomic.Uint64
		h = openItemsWith(t, fs, scoring.Rule{}, notedReplays(&read))
		if h.items(t) != got || !bytes.Equal(h.encoded(t), state) || read.Load() != 0 {
			t.Errorf("%v: the checkpoint after it has other items, or none", rule)
		}
		h.close(t)
		wantSound(t, fs)
	}
}

// While documents come and somebody looks, checkpoints are written; one that a killed
// process has left, and the log behind it, give what was told. Whoever closes an engine
// that has not begun yet loses nothing.
func TestItemsCheckpointWhileImporting(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := openItemsWith(t, fs, scoring.Rule{}, func(o *engine.Options) { o.CheckpointRecords = 300 })
	var writers sync.WaitGroup
	for w := range 4 {
		r := rand.New(rand.NewPCG(uint64(w), 2))
		writers.Go(func() {
			for range 40 {
				if _, err := h.Import(t.Context(), submission(sheetLines(r)...)); err != nil {
					t.Error(err)
				}
				if a, _, err := h.Items("t1"); err == nil {
					useAnalysis(t, a)
				}
			}
		})
	}
	writers.Wait()
	want := h.items(t)
	killed := copied(t, fs)
	h.close(t)
	for range 5 {
		vault := openVault(t, killed)
		e := start(t, engine.Options{Log: vault, Checkpoints: vault, Intake: registry(t, toy{}), ItemAnalysis: true})
		if err := errors.Join(e.Close(), vault.Close()); err != nil {
			t.Fatal(err)
		}
	}
	var read atomic.Uint64
	again := openItemsWith(t, killed, scoring.Rule{}, notedReplays(&read))
	if got := again.items(t); got != want || read.Load() != 0 {
		t.Errorf("killed, read again: %v:\ngot  %s\nwant %s", read.Load() == 1, got, want)
	}
	again.close(t)
	wantSound(t, killed)
}
