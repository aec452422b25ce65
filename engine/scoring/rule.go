package scoring

import (
	"fmt"
	"slices"
)

// Policy decides which of a student's scans of a test is kept. The zero Policy
// is [Highest].
type Policy uint8

// The policies. Of scans that a policy holds equal, the one with the smallest
// (position, record) is kept, except by Latest, which keeps the largest.
const (
	Highest      Policy = iota // highest obtained
	MostComplete               // highest available, then highest obtained
	Latest                     // latest scanned-on, then latest arrival
	First                      // first arrival
)

func policyNames() []string {
	return []string{Highest: "highest", MostComplete: "most-complete", Latest: "latest", First: "first"}
}

// ParsePolicy reads a policy's name: highest, most-complete, latest or first.
func ParsePolicy(name string) (Policy, error) {
	if p := slices.Index(policyNames(), name); p >= 0 {
		return Policy(p), nil
	}
	return 0, fmt.Errorf("scoring policy %q: must be one of %q", name, policyNames())
}

// String is the policy's name.
func (p Policy) String() string {
	if names := policyNames(); int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("policy(%d)", uint8(p))
}

// Denominator is what obtained marks are a percentage of. The zero Denominator
// is [OfTest].
type Denominator uint8

// The denominators.
const (
	OfTest  Denominator = iota // the highest available of all accepted scans of the test
	OfSheet                    // the highest available of the student's own accepted scans
)

func denominatorNames() []string { return []string{OfTest: "test", OfSheet: "sheet"} }

// ParseDenominator reads a denominator's name: test or sheet.
func ParseDenominator(name string) (Denominator, error) {
	if d := slices.Index(denominatorNames(), name); d >= 0 {
		return Denominator(d), nil
	}
	return 0, fmt.Errorf("denominator %q: must be one of %q", name, denominatorNames())
}

// String is the denominator's name.
func (d Denominator) String() string {
	if names := denominatorNames(); int(d) < len(names) {
		return names[d]
	}
	return fmt.Sprintf("denominator(%d)", uint8(d))
}

// Rule is a policy and a denominator. The zero Rule is the default one.
type Rule struct {
	Policy      Policy
	Denominator Denominator
}

// Known says whether the rule is one that this program has.
func (r Rule) Known() bool {
	return int(r.Policy) < len(policyNames()) && int(r.Denominator) < len(denominatorNames())
}

// NeedsAvailable says whether a student's scans are told apart, or made percentages,
// by their own available marks.
func (r Rule) NeedsAvailable() bool { return r.Policy == MostComplete || r.Denominator == OfSheet }

// NeedsScannedOn says whether a student's scans are told apart by their time.
func (r Rule) NeedsScannedOn() bool { return r.Policy == Latest }
