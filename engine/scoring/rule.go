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

func policies() []named {
	return []named{Highest: {"highest", 1}, MostComplete: {"most-complete", 1}, Latest: {"latest", 1}, First: {"first", 1}}
}

// ParsePolicy reads a policy's name: highest, most-complete, latest or first. Of
// several versions it is the newest.
func ParsePolicy(name string) (Policy, error) {
	p, err := newest(policies(), "scoring policy", name)
	return Policy(p), err
}

// FindPolicy is the policy of a name and a version, as logs and checkpoints name it.
// The error wraps [ErrUnknownVersion] or says that there is no such name.
func FindPolicy(name string, version int) (Policy, error) {
	p, err := exactly(policies(), "scoring policy", named{name, version})
	return Policy(p), err
}

// String is the policy's name.
func (p Policy) String() string { return p.named().name }

// Version is the policy's version, from 1. What a version keeps never changes.
func (p Policy) Version() int { return p.named().version }

func (p Policy) named() named {
	if all := policies(); int(p) < len(all) {
		return all[p]
	}
	return named{fmt.Sprintf("policy(%d)", uint8(p)), 0}
}

// Denominator is what obtained marks are a percentage of. The zero Denominator
// is [OfTest].
type Denominator uint8

// The denominators.
const (
	OfTest  Denominator = iota // the highest available of all accepted scans of the test
	OfSheet                    // the highest available of the student's own accepted scans
)

func denominators() []named { return []named{OfTest: {"test", 1}, OfSheet: {"sheet", 1}} }

// ParseDenominator reads a denominator's name: test or sheet. Of several versions it
// is the newest.
func ParseDenominator(name string) (Denominator, error) {
	d, err := newest(denominators(), "denominator", name)
	return Denominator(d), err
}

// FindDenominator is the denominator of a name and a version; see [FindPolicy].
func FindDenominator(name string, version int) (Denominator, error) {
	d, err := exactly(denominators(), "denominator", named{name, version})
	return Denominator(d), err
}

// String is the denominator's name.
func (d Denominator) String() string { return d.named().name }

// Version is the denominator's version, from 1. What a version divides by never
// changes.
func (d Denominator) Version() int { return d.named().version }

func (d Denominator) named() named {
	if all := denominators(); int(d) < len(all) {
		return all[d]
	}
	return named{fmt.Sprintf("denominator(%d)", uint8(d)), 0}
}

// Rule is a policy and a denominator. The zero Rule is the default one.
type Rule struct {
	Policy      Policy
	Denominator Denominator
}

// String names both parts with their versions, for example highest@1/test@1.
func (r Rule) String() string {
	return fmt.Sprintf("%v@%d/%v@%d", r.Policy, r.Policy.Version(), r.Denominator, r.Denominator.Version())
}

// Known says whether the rule is one that this program has.
func (r Rule) Known() bool {
	return int(r.Policy) < len(policies()) && int(r.Denominator) < len(denominators())
}

// NeedsAvailable says whether a student's scans are told apart, or made percentages,
// by their own available marks.
func (r Rule) NeedsAvailable() bool { return r.Policy == MostComplete || r.Denominator == OfSheet }

// NeedsScannedOn says whether a student's scans are told apart by their time.
func (r Rule) NeedsScannedOn() bool { return r.Policy == Latest }
