package ledger_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/engine/summary"
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

// model is the plain version: maps.
type model struct {
	rule      scoring.Rule
	kept      map[string]modelKept
	scores    summary.Scores
	available exam.Marks
}

type modelKept struct {
	scoring.Scan

	highest exam.Marks
}

func newModel(rule scoring.Rule) *model {
	return &model{rule: rule, kept: make(map[string]modelKept)}
}

func (m *model) take(records []exam.Record, position uint64, first int) ledger.Effects {
	var done ledger.Effects
	for i := range records {
		r := &records[i]
		m.available = max(m.available, r.Available)
		scan := scoring.Scan{
			Obtained: r.Obtained, Available: r.Available, ScannedOn: r.ScannedOn, Position: position, Record: uint32(first + i),
		}
		old, known := m.kept[string(r.Student)]
		now := old
		if !known || m.rule.Policy.Better(scan, old.Scan) {
			now.Scan = scan
		}
		now.highest = max(old.highest, r.Available)
		m.kept[string(r.Student)] = now
		switch before, after := m.score(old), m.score(now); {
		case !known:
			m.scores.Add(after)
			done.Added++
		case before != after:
			m.scores.Remove(before)
			m.scores.Add(after)
			done.Raised++
		default:
			done.Unchanged++
		}
	}
	return done
}

func (m *model) score(k modelKept) summary.Score {
	if m.rule.Denominator == scoring.OfSheet && k.highest > 0 {
		return summary.OfSheet(k.Obtained, k.highest)
	}
	return summary.OfTest(k.Obtained)
}

// rules are all of them.
func rules() []scoring.Rule {
	var all []scoring.Rule
	for _, policy := range []scoring.Policy{scoring.Highest, scoring.MostComplete, scoring.Latest, scoring.First} {
		for _, denominator := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
			all = append(all, scoring.Rule{Policy: policy, Denominator: denominator})
		}
	}
	return all
}

// scans makes records of a test; students come again and again, with numbers of
// every length.
func scans(r *rand.Rand, n, students int) []exam.Record {
	records := make([]exam.Record, n)
	for i := range records {
		available := exam.Marks(1+r.IntN(4)) * 10_000
		records[i] = exam.Record{
			Test: []byte("t"), Student: studentNumber(r.IntN(students)),
			Obtained: exam.Marks(r.IntN(int(available)/1000+1)) * 1000, Available: available,
			ScannedOn: int64(r.IntN(5)),
		}
	}
	return records
}

// studentNumber is the number of the n-th student: some are as short and some as
// long as an id may be, and some differ in their last byte alone.
func studentNumber(n int) []byte {
	text := strconv.AppendInt(nil, int64(n), 10)
	lengths := [...]int{0, 0, 0, 14, 15, 16, 17, 40, exam.IDBytesMax}
	for want := lengths[n%len(lengths)]; len(text) < want; {
		text = append([]byte{'x'}, text...)
	}
	return text
}
