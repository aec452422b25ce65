package scoring_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/scoring"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, p := range []scoring.Policy{scoring.Highest, scoring.MostComplete, scoring.Latest, scoring.First} {
		got, err := scoring.ParsePolicy(p.String())
		if err != nil || got != p {
			t.Errorf("ParsePolicy(%q) = %v, %v", p.String(), got, err)
		}
	}
	for _, d := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
		got, err := scoring.ParseDenominator(d.String())
		if err != nil || got != d {
			t.Errorf("ParseDenominator(%q) = %v, %v", d.String(), got, err)
		}
	}
	if _, err := scoring.ParsePolicy("best"); err == nil {
		t.Error("ParsePolicy accepts a policy that does not exist")
	}
	if _, err := scoring.ParseDenominator("class"); err == nil {
		t.Error("ParseDenominator accepts a denominator that does not exist")
	}
	if (scoring.Rule{}).Policy.String() != "highest" || (scoring.Rule{}).Denominator.String() != "test" {
		t.Error("the zero Rule is not the default one")
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	early := scoring.Scan{Obtained: 8000, Available: 20000, ScannedOn: 100, Position: 1, Record: 4}
	late := scoring.Scan{Obtained: 13000, Available: 16000, ScannedOn: 50, Position: 2, Record: 0}
	equal := early
	equal.Position = 9
	undated := equal
	undated.ScannedOn = exam.ScannedOnUnknown
	f := func(p scoring.Policy, better, worse scoring.Scan) {
		t.Helper()
		if !p.Better(better, worse) || p.Better(worse, better) {
			t.Errorf("%v does not prefer %+v to %+v", p, better, worse)
		}
	}
	f(scoring.Highest, late, early)
	f(scoring.Highest, early, equal)
	f(scoring.MostComplete, early, late)
	f(scoring.MostComplete, early, equal)
	f(scoring.Latest, early, late)
	f(scoring.Latest, equal, early)
	f(scoring.Latest, early, undated)
	f(scoring.First, early, late)
	f(scoring.First, late, equal)
}

// Whatever the order, the splitting and the repetition, the same scan is kept:
// replay, retry and restore lean on this.
func TestKeepingTheBetterIsOrderFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := scoring.Policy(rapid.IntRange(0, 3).Draw(t, "policy"))
		n := rapid.IntRange(1, 12).Draw(t, "scans")
		scans := make([]scoring.Scan, n)
		for i := range scans {
			scans[i] = scoring.Scan{
				Obtained:  exam.Marks(rapid.IntRange(0, 3).Draw(t, "obtained")),
				Available: exam.Marks(rapid.IntRange(3, 5).Draw(t, "available")),
				ScannedOn: rapid.Int64Range(-1, 1).Draw(t, "scanned-on"),
				Position:  uint64(i / 2),
				Record:    uint32(i % 2),
			}
		}
		want := keep(p, scans)
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 0))
		again := append(append([]scoring.Scan(nil), scans...), scans[:n/2]...)
		random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		cut := random.IntN(len(again))
		left, right := again[:cut], again[cut:]
		got := keep(p, right)
		if len(left) > 0 {
			got = keep(p, []scoring.Scan{got, keep(p, left)})
		}
		if got != want {
			t.Fatalf("%v keeps %+v, in another order %+v", p, want, got)
		}
	})
}

func keep(p scoring.Policy, scans []scoring.Scan) scoring.Scan {
	kept := scans[0]
	for _, s := range scans[1:] {
		if p.Better(s, kept) {
			kept = s
		}
	}
	return kept
}

// Names with versions are what logs keep.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, p := range []scoring.Policy{scoring.Highest, scoring.MostComplete, scoring.Latest, scoring.First} {
		if got, err := scoring.FindPolicy(p.String(), p.Version()); err != nil || got != p || p.Version() < 1 {
			t.Errorf("FindPolicy(%q, %d) = %v, %v", p.String(), p.Version(), got, err)
		}
		if _, err := scoring.FindPolicy(p.String(), 99); !errors.Is(err, scoring.ErrUnknownVersion) {
			t.Errorf("FindPolicy(%q, 99): %v", p.String(), err)
		}
	}
	for _, d := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
		if got, err := scoring.FindDenominator(d.String(), d.Version()); err != nil || got != d || d.Version() < 1 {
			t.Errorf("FindDenominator(%q, %d) = %v, %v", d.String(), d.Version(), got, err)
		}
		if _, err := scoring.FindDenominator(d.String(), 99); !errors.Is(err, scoring.ErrUnknownVersion) {
			t.Errorf("FindDenominator(%q, 99): %v", d.String(), err)
		}
	}
	if _, err := scoring.FindPolicy("best", 1); err == nil || errors.Is(err, scoring.ErrUnknownVersion) {
		t.Errorf("FindPolicy knows a policy that does not exist: %v", err)
	}
	if got := (scoring.Rule{Policy: scoring.Latest, Denominator: scoring.OfSheet}).String(); got != "latest@1/sheet@1" {
		t.Errorf("a rule is written %s", got)
	}
	if p, d := scoring.Policy(9), scoring.Denominator(9); p.Version() != 0 || d.Version() != 0 {
		t.Error("what does not exist has a version")
	}
}
