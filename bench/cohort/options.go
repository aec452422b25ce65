package cohort

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Options describe a cohort. The zero value of a number is its default; the zero
// value of a share is none. [Default] has the shares of an ordinary examination.
type Options struct {
	// Seed picks one of 2^64 cohorts of the same shape.
	Seed uint64
	// Tests is how many tests there are; default 1, at most [TestsMax].
	Tests int
	// Students is how many students there are, and every student sits every
	// test; default 1000, at most [StudentsMax].
	Students int
	// Questions is how many a test has, each worth one mark; default 20, at most
	// [QuestionsMax].
	Questions int
	// Choices is how many options a question has, lettered from A; default 4, 2
	// to [ChoicesMax].
	Choices int
	// RecordsPerDocument is how many sheets a scanner puts into one document, the
	// last of a test may have fewer; default 100, at most [RecordsMax].
	RecordsPerDocument int
	// RescanShare is how many sheets are put through the scanner again, as a
	// share of the students, 0 to 1.
	RescanShare float64
	// FoldShare is the share of scans in which a fold hides some answers, 0 to
	// 1. Sheets that are scanned again are mostly those.
	FoldShare float64
	// BlankShare is the share of the questions a student does not know that are
	// left blank instead of guessed, 0 to 1.
	BlankShare float64
	// Start is when the first test goes into the scanner, with the time zone of
	// the place; default 2026-06-15T09:00:00+10:00.
	Start time.Time

	// What follows puts several cohorts into one examination: those of the same
	// seed sit the same questions.

	// FirstStudent is the place of the first student among all that a seed has;
	// the students of two cohorts differ if their places do. At most StudentsMax
	// together with Students.
	FirstStudent int
	// Ability is how much abler than others these students are, in thousandths of
	// a standard deviation, -3000 to 3000.
	Ability int
	// TestIDs name the tests; default biology-2026-a, chemistry-2026-a, ….
	TestIDs []string
	// Miskeyed are the questions of every test that credit a wrong option,
	// counting from 0. Nil draws about one in 40; empty means none.
	Miskeyed []int
}

// Bounds of [Options]. They are far above any real cohort and keep every
// product within 64 bits.
const (
	TestsMax     = 1_000_000
	StudentsMax  = 90_000_000 // as many as there are student numbers of eight digits
	QuestionsMax = 1000
	ChoicesMax   = 8
	RecordsMax   = 100_000 // as many as Markr accepts
	AbilityMax   = 3000
)

// Default describes one ordinary examination: 1000 students, 20 questions, a
// sheet in ten scanned again, a scan in twenty folded.
func Default() Options {
	return Options{
		Seed:        1,
		RescanShare: 0.10,
		FoldShare:   0.05,
		BlankShare:  0.05,
	}.withDefaults()
}

// ErrOptions is wrapped by what [New] says of options out of range.
var ErrOptions = errors.New("cohort options out of range")

func (o Options) withDefaults() Options {
	setDefault(&o.Tests, 1)
	setDefault(&o.Students, 1000)
	setDefault(&o.Questions, 20)
	setDefault(&o.Choices, 4)
	setDefault(&o.RecordsPerDocument, 100)
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.June, 15, 9, 0, 0, 0, time.FixedZone("", 10*60*60))
	}
	return o
}

func setDefault(field *int, value int) {
	if *field == 0 {
		*field = value
	}
}

func (o Options) validate() error {
	for _, n := range []struct {
		name     string
		value    int
		from, to int
	}{
		{"tests", o.Tests, 1, TestsMax},
		{"students", o.Students, 1, StudentsMax},
		{"questions", o.Questions, 1, QuestionsMax},
		{"choices", o.Choices, 2, ChoicesMax},
		{"records per document", o.RecordsPerDocument, 1, RecordsMax},
		{"first student", o.FirstStudent, 0, StudentsMax - o.Students},
		{"ability", o.Ability, -AbilityMax, AbilityMax},
	} {
		if n.value < n.from || n.value > n.to {
			return fmt.Errorf("%w: %s is %d, must be %d to %d", ErrOptions, n.name, n.value, n.from, n.to)
		}
	}
	if len(o.TestIDs) > 0 && len(o.TestIDs) != o.Tests {
		return fmt.Errorf("%w: %d test ids for %d tests", ErrOptions, len(o.TestIDs), o.Tests)
	}
	for _, s := range []struct {
		name  string
		value float64
	}{
		{"rescan share", o.RescanShare},
		{"fold share", o.FoldShare},
		{"blank share", o.BlankShare},
	} {
		if math.IsNaN(s.value) || s.value < 0 || s.value > 1 {
			return fmt.Errorf("%w: %s is %v, must be 0 to 1", ErrOptions, s.name, s.value)
		}
	}
	return nil
}
