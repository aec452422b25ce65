package engine_test

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine/exam"
	"markr/engine/scoring"
)

// model is the reference: every accepted scan in a list, everything computed from
// it anew, with big rationals.
type model struct {
	rule  scoring.Rule
	scans map[exam.TestID][]modelScan
}

type modelScan struct {
	student string
	scoring.Scan
}

func newModel(rule scoring.Rule) *model {
	return &model{rule: rule, scans: make(map[exam.TestID][]modelScan)}
}

func (m *model) add(test exam.TestID, s modelScan) { m.scans[test] = append(m.scans[test], s) }

// figures computes what house.figures must print.
func (m *model) figures(test exam.TestID) string {
	kept := make(map[string]scoring.Scan)
	own := make(map[string]exam.Marks)
	var available exam.Marks
	for _, s := range m.scans[test] {
		if old, known := kept[s.student]; !known || m.rule.Policy.Better(s.Scan, old) {
			kept[s.student] = s.Scan
		}
		own[s.student] = max(own[s.student], s.Available)
		available = max(available, s.Available)
	}
	if len(kept) == 0 {
		return "unknown test"
	}
	var scores []*big.Rat
	for student, s := range kept {
		of := available
		if m.rule.Denominator == scoring.OfSheet {
			of = own[student]
		}
		scores = append(scores, big.NewRat(100*int64(s.Obtained), int64(of)))
	}
	slices.SortFunc(scores, (*big.Rat).Cmp)
	n := big.NewRat(int64(len(scores)), 1)
	sum, squares := new(big.Rat), new(big.Rat)
	for _, x := range scores {
		sum.Add(sum, x)
		squares.Add(squares, new(big.Rat).Mul(x, x))
	}
	mean := new(big.Rat).Quo(sum, n)
	variance := new(big.Rat).Quo(squares, n)
	variance.Sub(variance, new(big.Rat).Mul(mean, mean))
	deviation, _ := new(big.Float).Sqrt(new(big.Float).SetPrec(1000).SetRat(variance)).Float64()
	at := func(quarter int64) float64 {
		rank := int64(len(scores)-1) * quarter
		value := new(big.Rat).Set(scores[rank/4])
		if rank%4 != 0 {
			step := new(big.Rat).Sub(scores[rank/4+1], value)
			value.Add(value, step.Mul(step, big.NewRat(rank%4, 4)))
		}
		return nearest(value)
	}
	return fmt.Sprintf("n=%d mean=%v sd=%v min=%v p25=%v p50=%v p75=%v max=%v",
		len(scores), nearest(mean), deviation, at(0), at(1), at(2), at(3), at(4))
}

func nearest(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// Random documents, refusals, re-posts and restarts: after each step every
// figure of every test is the model's.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	for _, rule := range []scoring.Rule{
		{},
		{Policy: scoring.MostComplete},
		{Policy: scoring.Latest},
		{Policy: scoring.First},
		{Denominator: scoring.OfSheet},
		{Policy: scoring.Latest, Denominator: scoring.OfSheet},
	} {
		name := rule.Policy.String() + "/" + rule.Denominator.String()
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareWithModel(t, random, rule, 300)
		})
	}
}

func compareWithModel(t *testing.T, random *rand.Rand, rule scoring.Rule, steps int) {
	t.Helper()
	fs := vfs.NewMem()
	h := open(t, fs, rule)
	defer func() { h.close(t) }()
	want := newModel(rule)
	var sent []string
	for step := range steps {
		switch choice := random.IntN(20); {
		case choice == 0:
			h.close(t)
			h = open(t, fs, rule)
		case choice < 3:
			if _, err := h.Import(t.Context(), submission("m a 1 2", fmt.Sprint("torn ", step))); err == nil {
				t.Fatal("a document with half a record was accepted")
			}
		case choice < 5 && len(sent) > 0:
			h.post(t, sent[random.IntN(len(sent))])
		default:
			document := randomDocument(random)
			r := h.post(t, document...)
			if r.DuplicateOf.Version() != 0 {
				continue
			}
			sent = append(sent, strings.Join(document, "\n"))
			for i, line := range document {
				var test exam.TestID
				var s modelScan
				var obtained, available int
				if _, err := fmt.Sscan(line, &test, &s.student, &obtained, &available, &s.ScannedOn); err != nil {
					t.Fatal(err)
				}
				s.Obtained, s.Available = exam.Marks(1000*obtained), exam.Marks(1000*available)
				s.Position, s.Record = uint64(r.Position), uint32(i)
				want.add(test, s)
			}
		}
		for _, test := range slices.Sorted(maps.Keys(want.scans)) {
			if got, want := h.figures(t, test), want.figures(test); got != want {
				t.Fatalf("step %d, test %s:\ngot  %s\nwant %s", step, test, got, want)
			}
		}
	}
}

func randomDocument(random *rand.Rand) []string {
	lines := make([]string, 1+random.IntN(12))
	for i := range lines {
		available := 1 + random.IntN(9)
		lines[i] = fmt.Sprintf("test%d student%d %d %d %d",
			random.IntN(3), random.IntN(25), random.IntN(available+1), available, random.IntN(4))
	}
	return lines
}
