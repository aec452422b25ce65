package quality_test

import (
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"markr/engine/exam"
	"markr/engine/quality"
)

// random is a source that prints its seed if the test fails, and takes it back from
// MARKR_TEST_SEED.
func random(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MARKR_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("repeat with MARKR_TEST_SEED=%d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// document is a document of one test, with so many records of which about every third
// is odd in every way.
type document struct {
	position uint64
	records  []exam.Record
	seen     quality.Inspection
}

func newDocument(r *rand.Rand, position uint64, records, responses int) *document {
	d := &document{position: position}
	var answers []exam.Answer
	for range records {
		record := exam.Record{
			Test: []byte("t"), Obtained: 1000, Available: exam.Marks(20_000 + 1000*(r.IntN(3*responses)/2/responses*r.IntN(responses))),
			FirstAnswer: uint32(len(answers)),
		}
		if r.IntN(3) == 0 {
			record.Odd = exam.OddScannedOn | exam.OddAnswer
		}
		for q := range 1 + r.IntN(4) {
			answers = append(answers, exam.Answer{
				Question: exam.TextOf([]byte{'q', byte('0' + q*r.IntN(3))}),
				Response: exam.TextOf(strconv.AppendInt(nil, int64(r.IntN(responses)), 10)),
				Awarded:  exam.Marks(r.IntN(3)-1) * 1000, Available: 1000 * exam.Marks(r.IntN(2)),
			})
		}
		record.Answers = uint32(len(answers)) - record.FirstAnswer
		for i := range answers[record.FirstAnswer:] {
			if a := &answers[int(record.FirstAnswer)+i]; a.Awarded < 0 {
				a.Awarded = exam.MarksUnknown
			}
		}
		d.records = append(d.records, record)
	}
	d.seen.Inspect(d.records, answers)
	return d
}

// told is all there is to tell of a test.
type told struct {
	Counts               quality.Counts
	Scans                [][]uint64
	Available, Questions []quality.Tallied
	Conflicts            []quality.Key
	Stored               quality.Stored
}

func tell(t *quality.Test) told {
	all := told{t.Counts(), nil, t.Available(), t.Questions(), t.Conflicts(), t.Store()}
	for _, kind := range quality.Kinds() {
		all.Scans = append(all.Scans, t.Scans(kind))
	}
	return all
}

// The law: whatever the order in which the documents come, everything that is told is
// the same, also where more is odd than is kept.
func TestOrderFree(t *testing.T) {
	t.Parallel()
	for _, responses := range []int{3, 3000} {
		r := random(t)
		documents := make([]*document, 60)
		for i := range documents {
			documents[i] = newDocument(r, uint64(i+1), 100+r.IntN(60), responses)
		}
		take := func(test *quality.Test, d *document) {
			test.Take(d.records, d.position<<24, d.seen.Run(0), 0)
		}
		var want quality.Test
		for _, d := range documents {
			take(&want, d)
		}
		first := tell(&want)
		if len(first.Scans[quality.BadScannedOn]) != quality.ScansMax || first.Counts[quality.BadScannedOn] <= quality.ScansMax {
			t.Fatalf("%d scans are told of %d", len(first.Scans[quality.BadScannedOn]), first.Counts[quality.BadScannedOn])
		}
		if many := responses > 1000; many != (len(first.Stored.Keys) == quality.KeysMax) || many != (len(first.Available) == quality.TalliedMax) {
			t.Fatalf("%d keys, %d values", len(first.Stored.Keys), len(first.Available))
		}
		for range 3 {
			shuffled := slices.Clone(documents)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			var test quality.Test
			for i, d := range shuffled {
				take(&test, d)
				if i%20 == 19 { // As a restart does it.
					stored := test.Store()
					var err error
					if test, err = quality.Restore(&stored); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := tell(&test); !reflect.DeepEqual(got, first) {
				t.Fatal(cmp.Diff(first, got))
			}
		}
	}
}

// What no test can have been is refused.
func TestRestoreImpossible(t *testing.T) {
	t.Parallel()
	d := newDocument(random(t), 1, 200, 50)
	var test quality.Test
	test.Take(d.records, 1<<24, d.seen.Run(0), 0)
	for name, damage := range map[string]func(*quality.Stored){
		"fewer than are listed": func(s *quality.Stored) { s.Scans[4].Count = 1 },
		"not in order":          func(s *quality.Stored) { slices.Reverse(s.Scans[4].Newest) },
		"a value twice":         func(s *quality.Stored) { s.Available.List = append(s.Available.List, s.Available.List[0]) },
		"fewer scans":           func(s *quality.Stored) { s.Questions.Scans = 1 },
		"a value of no scan":    func(s *quality.Stored) { s.Available.List[0].Scans = 0 },
		"keys not in order":     func(s *quality.Stored) { slices.Reverse(s.Keys) },
		"no question":           func(s *quality.Stored) { s.Keys[0].Question = 0 },
	} {
		stored := test.Store()
		damage(&stored)
		if _, err := quality.Restore(&stored); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// A set of positions has what was added, and its runs are it.
func TestPositions(t *testing.T) {
	t.Parallel()
	r := random(t)
	var p, again quality.Positions
	want := make(map[uint64]bool)
	for range 2000 {
		for at, n := uint64(r.IntN(5000)), r.IntN(5); n >= 0; n-- {
			if p.Add(at) == want[at] {
				t.Fatalf("%d: there before: %v", at, want[at])
			}
			want[at] = true
			at++
		}
	}
	covered := 0
	p.EachRun(func(from, to uint64) {
		again.AddRun(from, to)
		covered += int(to - from)
		if want[to] || from > 0 && want[from-1] {
			t.Errorf("the run from %d to %d is not all of it", from, to)
		}
	})
	if covered != len(want) || !reflect.DeepEqual(again.Clone(), p) {
		t.Errorf("runs have %d of %d", covered, len(want))
	}
}

// Names of kinds are part of the API.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, k := range quality.Kinds() {
		if got, ok := quality.ParseKind(k.String()); !ok || got != k {
			t.Errorf("%v", k)
		}
	}
	if _, ok := quality.ParseKind("nothing"); ok {
		t.Error("a kind that does not exist")
	}
}
