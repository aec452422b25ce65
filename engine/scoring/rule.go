package scoring

import "fmt"

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

var policyNames = [...]string{
	Highest:      "highest",
	MostComplete: "most-complete",
	Latest:       "latest",
	First:        "first",
}

// ParsePolicy reads a policy's name: highest, most-complete, latest or first.
func ParsePolicy(name string) (Policy, error) {
	for p, known := range policyNames {
		if name == known {
			return Policy(p), nil
		}
	}
	return 0, fmt.Errorf("scoring policy %q: must be one of %q", name, policyNames)
}

// String is the policy's name.
func (p Policy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
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

var denominatorNames = [...]string{OfTest: "test", OfSheet: "sheet"}

// ParseDenominator reads a denominator's name: test or sheet.
func ParseDenominator(name string) (Denominator, error) {
	for d, known := range denominatorNames {
		if name == known {
			return Denominator(d), nil
		}
	}
	return 0, fmt.Errorf("denominator %q: must be one of %q", name, denominatorNames)
}

// String is the denominator's name.
func (d Denominator) String() string {
	if int(d) < len(denominatorNames) {
		return denominatorNames[d]
	}
	return fmt.Sprintf("denominator(%d)", uint8(d))
}

// Rule is a policy and a denominator. The zero Rule is the default one.
type Rule struct {
	Policy      Policy
	Denominator Denominator
}
