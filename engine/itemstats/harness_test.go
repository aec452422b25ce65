package itemstats_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"markr/engine/exam"
	"markr/engine/itemstats"
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

// scan is a scan of a student. Of two with the same marks the one with the smaller place
// in the log is kept.
type scan struct {
	student  string
	place    int
	obtained exam.Marks
	answers  []exam.Answer
}

// office keeps the better scan of each student, the plain way.
type office struct {
	test itemstats.Test
	rows map[string]uint32
	kept []scan // by row
}

func newOffice() *office { return &office{rows: make(map[string]uint32)} }

// take takes a document.
func (o *office) take(scans ...scan) {
	var answers []exam.Answer
	records := make([]exam.Record, len(scans))
	for i, s := range scans {
		records[i] = exam.Record{Test: []byte("t"), Obtained: s.obtained, FirstAnswer: uint32(len(answers)), Answers: uint32(len(s.answers))}
		answers = append(answers, s.answers...)
	}
	var d itemstats.Draft
	d.Read(records, answers)
	o.test.Begin(&d, 0, func(t exam.Text) string { return "long " + t.String() })
	for i, s := range scans {
		row, known := o.rows[s.student]
		switch {
		case !known:
			row = uint32(len(o.kept))
			o.rows[s.student] = row
			o.kept = append(o.kept, s)
		case s.obtained > o.kept[row].obtained, s.obtained == o.kept[row].obtained && s.place < o.kept[row].place:
			o.kept[row] = s
		default:
			continue
		}
		o.test.Keep(row, i)
	}
}

// again is an office that takes scans in any order, in pieces and some of them again.
func again(r *rand.Rand, scans []scan) *office {
	scans = slices.Clone(scans)
	for range len(scans) / 5 {
		scans = append(scans, scans[r.IntN(len(scans))])
	}
	r.Shuffle(len(scans), func(i, j int) { scans[i], scans[j] = scans[j], scans[i] })
	o := newOffice()
	for len(scans) > 0 {
		n := 1 + r.IntN(min(len(scans), 40))
		o.take(scans[:n]...)
		scans = scans[n:]
		if r.IntN(4) == 0 {
			o.test.View() // Somebody looks: what follows must not change what was seen.
		}
	}
	return o
}

// cohort says what scans are generated.
type cohort struct {
	name                string
	students, scans     int
	questions           int
	responses           int   // that students choose from; 0: anything
	marks               int32 // available for a question, thousandths
	decimals            bool  // any part of the marks may be awarded
	absent, left, wrong int   // one of so many: questions absent or left out, marks that are not the sum; 0: none
	unknown             int   // one of so many sheets has an answer without marks; 0: none
	keys                int   // different marks for one response, when a key is corrected; 0: none
}

func cohorts() []cohort {
	return []cohort{
		{name: "plain", students: 100, scans: 140, questions: 8, responses: 4, marks: 1000, left: 20},
		{name: "odd", students: 80, scans: 150, questions: 9, responses: 5, marks: 2000, absent: 6, left: 5, wrong: 7, unknown: 12, keys: 9},
		{name: "decimals", students: 90, scans: 120, questions: 7, responses: 3, marks: 1500, decimals: true, left: 9},
		{name: "free", students: 180, scans: 220, questions: 3, marks: 1000, left: 9},
		{name: "two", students: 3, scans: 5, questions: 2, responses: 2, marks: 1000},
		{name: "one", students: 1, scans: 2, questions: 1, responses: 2, marks: 1000},
		{name: "alike", students: 30, scans: 30, questions: 4, responses: 1, marks: 1000},
	}
}

// scans generates scans. Better students are right more often.
func (c cohort) generate(r *rand.Rand) []scan {
	scans := make([]scan, c.scans)
	one := func(of int) bool { return of > 0 && r.IntN(of) == 0 }
	for i := range scans {
		s := scan{student: fmt.Sprint(r.IntN(c.students)), place: i}
		if i < c.students {
			s.student = fmt.Sprint(i)
		}
		able := r.Float64()
		for q := range c.questions {
			if one(c.absent) {
				continue
			}
			a := exam.Answer{Question: exam.TextOf(strconv.AppendInt(nil, int64(q), 10)), Available: exam.Marks(c.marks)}
			switch {
			case one(c.left):
			case c.responses == 0:
				a.Response = exam.TextOf([]byte(fmt.Sprint("response ", r.IntN(100_000))))
				a.Awarded = exam.Marks(c.marks) * exam.Marks(r.IntN(2))
			default:
				chosen := q % c.responses
				if r.Float64() > able {
					chosen = r.IntN(c.responses)
				}
				a.Response = exam.TextOf([]byte{'A' + byte(chosen)})
				if chosen == q%c.responses != one(c.keys) {
					a.Awarded = exam.Marks(c.marks)
				}
				if c.decimals && a.Awarded > 0 {
					a.Awarded = exam.Marks(1 + r.IntN(9)*int(c.marks)/10)
				}
			}
			s.obtained += a.Awarded
			s.answers = append(s.answers, a)
		}
		if one(c.unknown) && len(s.answers) > 0 {
			s.answers[r.IntN(len(s.answers))].Awarded = exam.MarksUnknown
		}
		if one(c.wrong) {
			s.obtained += 500
		}
		scans[i] = s
	}
	return scans
}
