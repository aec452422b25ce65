package summary

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"markr/engine/exam"
)

// percentUnit is how many units of a Percent make one percent.
const percentUnit = 1_000_000

// percentDecimalsMax is how many digits may follow the point of a Percent.
const percentDecimalsMax = 6

// ErrPercent says that a text is not a percentage between 0 and 100.
var ErrPercent = errors.New("must be a decimal between 0 and 100 with at most six digits after the point")

// Percent is an exact percentage between 0 and 100.
type Percent struct{ millionths uint64 }

// ParsePercent reads a decimal between 0 and 100 with at most six digits after
// the point: "10", "99.9". The error wraps [ErrPercent].
func ParsePercent(text string) (Percent, error) {
	whole, fraction, pointed := strings.Cut(text, ".")
	if pointed && fraction == "" || len(fraction) > percentDecimalsMax || strings.ContainsAny(text, "+-_") {
		return Percent{}, fmt.Errorf("percentile %q: %w", text, ErrPercent)
	}
	digits := whole + fraction + strings.Repeat("0", percentDecimalsMax-len(fraction))
	value, err := strconv.ParseUint(digits, 10, 64)
	if whole == "" || err != nil || value > 100*percentUnit {
		return Percent{}, fmt.Errorf("percentile %q: %w", text, ErrPercent)
	}
	return Percent{value}, nil
}

// Compare orders percentages.
func (p Percent) Compare(q Percent) int { return cmp.Compare(p.millionths, q.millionths) }

// Reached says whether obtained marks are at least this percentage of those available.
func (p Percent) Reached(obtained, available exam.Marks) bool {
	// Marks are under 2^30, so neither side overflows.
	return uint64(obtained)*100*percentUnit >= p.millionths*uint64(available)
}

// String is the shortest decimal: "10", "99.9".
func (p Percent) String() string {
	whole, rest := p.millionths/percentUnit, p.millionths%percentUnit
	if rest == 0 {
		return strconv.FormatUint(whole, 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%06d", whole, rest), "0")
}

// Float64 is the float64 nearest to the percentage.
func (p Percent) Float64() float64 { return float64(p.millionths) / percentUnit }
