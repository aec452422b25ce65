package quality

import "slices"

// Kind is a kind of finding.
type Kind uint8

// The kinds, in the order in which they are told. What is counted is in brackets.
const (
	DifferentNames     Kind = iota // scans of one student have different names (students)
	DifferentAnswers               // scans of one student have different answers (students)
	LeadingZeros                   // student numbers that differ only by leading zeros (students)
	SumMismatch                    // marks obtained that are not the sum of those awarded (scans)
	AwardedAbove                   // more marks awarded than available for a question (scans)
	RepeatedQuestions              // a question is twice on a sheet (scans)
	BadAnswers                     // an answer without a usable question or marks (scans)
	BadScannedOn                   // scanned-on is not a date with a time zone (scans)
	SeveralAvailable               // other marks available than on most sheets (scans)
	DifferentQuestions             // other questions than on most sheets (scans)
	KeyConflict                    // a response that is credited on one sheet and not on another (responses)
	kinds
)

// KindCount is how many kinds there are.
const KindCount = int(kinds)

func kindNames() []string {
	return []string{
		DifferentNames: "different_names", DifferentAnswers: "different_answers", LeadingZeros: "leading_zeros",
		SumMismatch: "sum_mismatch", AwardedAbove: "awarded_above_available", RepeatedQuestions: "repeated_questions",
		BadAnswers: "bad_answers", BadScannedOn: "bad_scanned_on", SeveralAvailable: "several_available",
		DifferentQuestions: "different_questions", KeyConflict: "key_conflict",
	}
}

// String is the kind's name.
func (k Kind) String() string { return kindNames()[k] }

// ParseKind reads a kind's name.
func ParseKind(name string) (Kind, bool) {
	k := slices.Index(kindNames(), name)
	return Kind(max(k, 0)), k >= 0
}

// Kinds lists all kinds.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Counts are how many findings there are of each kind.
type Counts [KindCount]int

// Any says whether there is a finding.
func (c *Counts) Any() bool { return *c != Counts{} }

// Move adds what has come and takes off what was there before.
func (c *Counts) Move(before, now *Counts) {
	for k := range c {
		c[k] += now[k] - before[k]
	}
}
