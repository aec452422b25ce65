package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// openWith opens an engine that keeps checkpoints, one every so many records, and
// notes from where it reads its log.
func openWith(t testing.TB, fs vfs.FS, rule scoring.Rule, records int) (h *house, from *atomic.Uint64) {
	t.Helper()
	h = &house{vault: openVault(t, fs)}
	from = new(atomic.Uint64)
	log := &faultyLog{Vault: h.vault}
	log.replay = func(ctx context.Context, at entry.Position, fn func(*entry.Entry) error) error {
		from.Store(uint64(at))
		return h.vault.Replay(ctx, at, fn)
	}
	e, err := engine.Open(engine.Options{
		Log: log, Checkpoints: h.vault, CheckpointRecords: records, Intake: registry(t, toy{}), Rule: rule,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Engine = e
	return h, from
}

// everything is all that readers may see.
func (h *house) everything(t testing.TB) string {
	t.Helper()
	s := h.State()
	var b strings.Builder
	fmt.Fprintf(&b, "position %d, %d students, %d marks, %d tests\n", s.Position(), s.Students(), s.Marks(), s.Tests())
	for _, test := range s.List("", "", 1000) {
		fmt.Fprintf(&b, "%s of %v, last %v %d %v: %s\n", test.ID, test.Available, test.Last.ID, test.Last.Position,
			test.Last.Received, h.figures(t, test.ID))
	}
	return b.String()
}

// someLines are scans of a few tests and many students, again and again.
func someLines(r *rand.Rand) []string {
	lines := make([]string, 1+r.IntN(60))
	for i := range lines {
		available := 10 + 10*r.IntN(3)
		lines[i] = fmt.Sprintf("t%d %s %d %d %d", r.IntN(5), strings.Repeat("s", 1+r.IntN(20))+fmt.Sprint(r.IntN(400)),
			r.IntN(available+1), available, r.IntN(9))
	}
	return lines
}

// After a clean stop the state comes from the checkpoint, under every rule, and goes
// on as if it came from the log.
func TestCheckpointRestart(t *testing.T) {
	t.Parallel()
	for _, policy := range []scoring.Policy{scoring.Highest, scoring.MostComplete, scoring.Latest, scoring.First} {
		for _, denominator := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
			rule := scoring.Rule{Policy: policy, Denominator: denominator}
			r := newRandom(t)
			fs := vfs.NewMem()
			h, _ := openWith(t, fs, rule, 1000)
			for round := range 4 {
				for range 20 {
					h.post(t, someLines(r)...)
				}
				want := h.everything(t)
				h.close(t)
				var from *atomic.Uint64
				h, from = openWith(t, fs, rule, 1000)
				if got := h.everything(t); got != want {
					t.Fatalf("%v, round %d: %s\nwant %s", rule, round, got, want)
				}
				if at := h.State().Position() + 1; from.Load() != uint64(at) || h.Progress().Checkpoint != at-1 {
					t.Fatalf("%v, round %d: read the log from %d, checkpoint %d, position %d",
						rule, round, from.Load(), h.Progress().Checkpoint, at-1)
				}
			}
			h.close(t)
			plain := open(t, fs, rule)
			again, _ := openWithLog(t, fs, rule, plain)
			again.close(t)
		}
	}
}

// openWithLog compares an engine on its log alone with one that has a checkpoint.
func openWithLog(t *testing.T, fs vfs.FS, rule scoring.Rule, plain *house) (*house, *atomic.Uint64) {
	t.Helper()
	want := plain.everything(t)
	plain.close(t)
	h, from := openWith(t, fs, rule, 1000)
	if got := h.everything(t); got != want {
		t.Fatalf("%v: the checkpoint gives %s\nthe log %s", rule, got, want)
	}
	return h, from
}

// Checkpoints are taken while imports and reads go on, and what came after the last
// one is read from the log: a process that is killed has no last one.
func TestCheckpointWhileImporting(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, scoring.Rule{}, 500)
	var writers sync.WaitGroup
	for w := range 4 {
		r := rand.New(rand.NewPCG(uint64(w), 1))
		writers.Go(func() {
			for range 60 {
				if _, err := h.Import(t.Context(), submission(someLines(r)...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	want := h.everything(t)
	// As if killed: what the vault has is copied while the engine is still there.
	killed := vfs.NewMem()
	if ok, err := vfs.Clone(fs, killed, "data", "data", vfs.CloneSync); !ok || err != nil {
		t.Fatal(ok, err)
	}
	h.close(t)
	again, from := openWith(t, killed, scoring.Rule{}, 500)
	if got := again.everything(t); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if from.Load() < 2 || from.Load() > uint64(again.State().Position()) {
		t.Errorf("read the log from %d of %d", from.Load(), again.State().Position())
	}
	again.post(t, "t1 another 1 20")
	again.close(t)
}

// A checkpoint that cannot be used is said to be one, and the log is.
func TestCheckpointUnusable(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, scoring.Rule{}, 100)
	r := newRandom(t)
	for range 30 {
		h.post(t, someLines(r)...)
	}
	want := h.everything(t)
	h.close(t)
	reopened := func(what string, rule scoring.Rule, unusable bool) {
		t.Helper()
		h, from := openWith(t, fs, rule, 1<<40)
		if rule == (scoring.Rule{}) && h.everything(t) != want {
			t.Errorf("%s: %s\nwant %s", what, h.everything(t), want)
		}
		if (h.Progress().CheckpointErr != nil) != unusable || (from.Load() == 1) != unusable {
			t.Errorf("%s: read from %d, %v", what, from.Load(), h.Progress().CheckpointErr)
		}
		h.close(t)
	}
	reopened("as it is", scoring.Rule{}, false)
	reopened("under another rule", scoring.Rule{Policy: scoring.First}, true)
	f, err := fs.OpenReadWrite("data/checkpoint", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte{0xff, 0xff, 0xff}, 200)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	reopened("damaged", scoring.Rule{}, true)
}

// failingCheckpoints cannot be saved.
type failingCheckpoints struct{ saves atomic.Int64 }

func (c *failingCheckpoints) SaveCheckpoint(_ entry.Position, write func(io.Writer) error) error {
	c.saves.Add(1)
	return errors.Join(write(io.Discard), errors.New("no space"))
}

func (*failingCheckpoints) LoadCheckpoint(func(entry.Position, io.Reader) error) error {
	return errors.New("cannot be read")
}

// A disk that takes no checkpoints keeps nothing from going on.
func TestCheckpointFails(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	failing := &failingCheckpoints{}
	h := &house{vault: vault, Engine: start(t, engine.Options{
		Log: vault, Checkpoints: failing, CheckpointRecords: 1, Intake: registry(t, toy{}),
	})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.Progress().CheckpointErr == nil {
		t.Error("it is not told that the checkpoint could not be read")
	}
	for i := range 50 {
		h.post(t, fmt.Sprintf("t s%d 1 2", i))
	}
	h.close(t)
	if failing.saves.Load() < 2 {
		t.Errorf("%d attempts", failing.saves.Load())
	}
	h.want(t, "t", "n=50 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
}

// Whatever the bytes are, they are refused, or are a state that can be read, that is
// written as the same state again, and whose figures are possible; what is allocated
// for them is in proportion to their length, whatever they claim.
func FuzzDecodeCheckpoint(f *testing.F) {
	for _, rule := range []scoring.Rule{{}, {Policy: scoring.Latest, Denominator: scoring.OfSheet}, {Policy: scoring.MostComplete}} {
		whole := engine.EncodedBook(rule, []exam.Record{
			{Test: []byte("t"), Student: []byte("1"), Obtained: 1000, Available: 2000, ScannedOn: 5},
			{Test: []byte("t"), Student: []byte("3"), Obtained: 1000, Available: 1000, ScannedOn: -1},
			{Test: []byte("u"), Student: bytes.Repeat([]byte("2"), 99), Obtained: 0, Available: 7000},
		})
		f.Add(byte(rule.Policy), byte(rule.Denominator), whole)
		f.Add(byte(rule.Policy), byte(rule.Denominator), whole[:len(whole)-7])
	}
	for _, rule := range allRules() {
		whole := engine.EncodedItems(rule, toyDocument(f, sheetsSeed...), toyDocument(f, "t b 3 4 9 2=C:2/2"))
		f.Add(byte(rule.Policy), byte(rule.Denominator), whole)
		f.Add(byte(rule.Policy), byte(rule.Denominator), whole[:len(whole)-3])
		older := append(bytes.Clone(whole[:itemsAt(whole)]), whole[itemsAt(whole)+1:]...) // What is behind it is too much.
		older[0] = 6
		f.Add(byte(rule.Policy), byte(rule.Denominator), older)
	}
	f.Add(byte(0), byte(0), []byte("\x01\x00\x00\xff\xff\xff\xff\x0f\x011\x012"))             // claims 2^32 students
	f.Add(byte(0), byte(0), []byte("\x01\x00\x00\x00\xff\xff\xff\xff\x0f"))                   // and 2^32 tests
	f.Add(byte(0), byte(0), []byte("\x01\x00\x00\x02\x011\x011\x00"))                         // one student twice
	f.Add(byte(0), byte(0), []byte("\x01\x00\x00\x011\x01\x01t0123456789abcdef\x01\x02\x00")) // nothing available
	f.Fuzz(func(t *testing.T, policy, denominator byte, b []byte) {
		rule := scoring.Rule{Policy: scoring.Policy(policy % 4), Denominator: scoring.Denominator(denominator % 2)}
		before := allocatedBytes()
		once, err := engine.RecodeBook(b, rule)
		// 256 KiB are read at a time, a test has 17 parts of 4,096 rows under way at most.
		if grown := allocatedBytes() - before; grown > 8<<20+1000*uint64(len(b)) {
			t.Fatalf("%d bytes allocated for %d", grown, len(b))
		}
		// Another book is compared with it as far as they are alike.
		_ = engine.CompareBook(b, engine.EncodedItems(rule, toyDocument(t, sheetsSeed...)), rule)
		if err != nil {
			return
		}
		if err := engine.CompareBook(once, once, rule); err != nil {
			t.Fatalf("%x is not what it is: %v", once, err)
		}
		figures, items, err := engine.ReadBook(b, rule, func(test exam.TestID) *intake.Document { return moreSheets(t, test) })
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range items {
			useAnalysis(t, a)
		}
		for _, a := range figures {
			if a.Count == 0 || a.Min < 0 || a.Max > 100 || a.Mean < a.Min || a.Mean > a.Max || !(a.StdDev >= 0) {
				t.Fatalf("impossible figures: %+v", a)
			}
		}
		if twice, err := engine.RecodeBook(once, rule); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%x became %x, %v", once, twice, err)
		}
	})
}

// sheetsSeed are scans with answers to two tests, one of them again, and better.
var sheetsSeed = []string{
	"t a 1 4 3 1=A:1/1 2=B:0/2 a-long-question=a-long-response:0/1", "t b 3 4 3 1=B:0/1 2=A:2/2", "t c 0 4 3",
	"t d 2 4 3 1=A:1/1 2=A:/2", "t a 3 4 5 1=A:1/1 2=A:2/2", "u a 7 9 3 x=1:3.5/9",
}

// toyDocument is a document as the engine gets it.
func toyDocument(t testing.TB, lines ...string) *intake.Document {
	t.Helper()
	doc := new(intake.Document)
	if err := registry(t, toy{}).Decode(doc, []byte(strings.Join(lines, "\n")), toyType); err != nil {
		t.Fatal(err)
	}
	return doc
}

// moreSheets is a document about a test that is there: a student who is new, one who may
// not be, a question that is new and one that may not be.
func moreSheets(t testing.TB, test exam.TestID) *intake.Document {
	t.Helper()
	doc := toyDocument(t, "x a 900 1000 9 1=D:1/1 new=A:1/1", "x somebody 3 9 9 1=A:1/1 new=B:0/1")
	for i := range doc.Records {
		doc.Records[i].Test = []byte(test)
	}
	return doc
}

// useAnalysis asks for all that is told.
func useAnalysis(t testing.TB, a *itemstats.Analysis) {
	t.Helper()
	var change itemstats.Change
	for i := range a.Questions {
		q := &a.Questions[i]
		if r := q.ItemTotal; q.Sheets > a.Sheets || a.Sheets > a.Rows || r.Defined && !(r.Value >= -1 && r.Value <= 1) {
			t.Fatalf("impossible figures: %+v", q)
		}
		a.Detail(q.Name)
		if i < 2 {
			change.Withdraw = append(change.Withdraw, q.Name)
			whatIf(t, a, change)
		}
	}
}

// allocatedBytes is how much has been allocated so far, in bytes.
func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// A book comes back the same, to the byte.
func TestCheckpointBytes(t *testing.T) {
	t.Parallel()
	rule := scoring.Rule{Policy: scoring.Latest}
	var records []exam.Record
	for i := range 10_000 {
		records = append(records, exam.Record{
			Test: fmt.Appendf(nil, "t%d", i%3), Student: fmt.Appendf(nil, "%d", i*7919), Obtained: exam.Marks(i), Available: 20_000_000, ScannedOn: int64(i),
		})
	}
	b := engine.EncodedBook(rule, records)
	again, err := engine.RecodeBook(b, rule)
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("%d bytes became %d, %v", len(b), len(again), err)
	}
	for n := range len(b) / 97 {
		if _, err := engine.RecodeBook(b[:n*97], rule); err == nil {
			t.Fatalf("cut after %d bytes: not noticed", n*97)
		}
	}
	b[0] = 9
	if _, err := engine.RecodeBook(b, rule); !errors.Is(err, entry.ErrUnknownVersion) {
		t.Errorf("of another version: %v", err)
	}
}

// BenchmarkCheckpoint writes and reads a million marks.
func BenchmarkCheckpoint(b *testing.B) {
	var records []exam.Record
	for i := range 1_000_000 {
		records = append(records, exam.Record{
			Test: []byte("t"), Student: fmt.Appendf(nil, "%d", 10_000_000+i), Obtained: exam.Marks(i%21) * 1000, Available: 20_000,
		})
	}
	encoded := engine.EncodedBook(scoring.Rule{}, records)
	b.ReportMetric(float64(len(encoded))/float64(len(records)), "bytes/mark")
	for b.Loop() {
		if _, err := engine.RecodeBook(encoded, scoring.Rule{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(records)), "ns/mark")
}
