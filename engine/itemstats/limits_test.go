package itemstats_test

import (
	"fmt"
	"testing"

	"markr/engine/exam"
	"markr/engine/itemstats"
)

func question(q int) exam.Text { return exam.TextOf(fmt.Append(nil, q)) }

// Beyond a limit less is told, nothing wrong, and the same in any order.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := random(t)
	// Questions worth powers of two: nearly every sheet has a score of its own.
	var scores, values, questions []scan
	for i := range 30_000 {
		s := scan{student: fmt.Sprint(i % 29_000), place: i}
		x := r.Uint32()
		for q := range 17 {
			weight := exam.Marks(1 << q * 7)
			a := exam.Answer{Question: question(q), Response: exam.TextOf([]byte{'A' + byte(x>>q&1)}), Available: weight}
			if x>>q&1 == 1 {
				a.Awarded = weight
			}
			s.obtained += a.Awarded
			s.answers = append(s.answers, a)
		}
		scores = append(scores, s)
	}
	// A free question whose marks are many, too.
	for i := range 1000 {
		values = append(values, scan{student: fmt.Sprint(i), place: i, obtained: exam.Marks(i), answers: []exam.Answer{
			{Question: question(1), Response: exam.TextOf(fmt.Append(nil, i)), Awarded: exam.Marks(i), Available: 1000},
		}})
		questions = append(questions, scan{student: fmt.Sprint(i), place: i, answers: []exam.Answer{{Question: question(i), Available: 1000}}})
	}
	for _, c := range []struct {
		scans []scan
		limit itemstats.Limit
	}{{scores, itemstats.Scores}, {values, itemstats.Values}, {questions, itemstats.Values}} {
		checkOrders(t, r, c.scans, 1)
		o := again(r, c.scans)
		if o.test.Limit() != c.limit {
			t.Errorf("the limit is %q, want %q", o.test.Limit(), c.limit)
		}
		a := o.test.View().Analyse()
		if c.limit == itemstats.Values {
			if len(a.Questions) > 0 || a.Alpha.Defined || o.test.Bytes() > 0 {
				t.Errorf("%d questions are told of, %d bytes kept", len(a.Questions), o.test.Bytes())
			}
			continue
		}
		if o.test.Bytes() > 4*itemstats.CellsMax+40*len(o.kept) {
			t.Errorf("%d bytes kept", o.test.Bytes())
		}
		// Variances and covariances in floating point are near enough to see what is wrong.
		for i := range a.Questions {
			q := &a.Questions[i]
			if q.Discrimination27.Defined || q.Efficiency.Defined || !q.ItemRest.Defined || !q.AlphaIfDeleted.Defined {
				t.Errorf("question %s: %+v", q.Name, q)
			}
		}
		few := newOffice()
		few.take(o.kept[:2000]...)
		checkSums(t, few.test.View().Analyse(), o.kept[:2000])
		checkSums(t, a, o.kept)
	}
}

// What an analysis says that it takes in memory is about what it takes.
func TestBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []cohort{
		{students: 600, scans: 600, questions: 100, responses: 5, marks: 1000, left: 9},
		{students: 2000, scans: 2000, questions: 20, responses: 4, marks: 1000},
		{students: 20, scans: 20, questions: 3, responses: 4, marks: 1000},
		{students: 3000, scans: 3000, questions: 2, responses: 90, marks: 100_000, decimals: true},
	} {
		o := newOffice()
		o.take(c.generate(random(t))...)
		a := o.test.View().Analyse()
		if says, holds := a.Bytes(), a.Held(); says < holds*3/4 || says > holds*4/3 {
			t.Errorf("%d questions, %d scores: says %d bytes and holds %d", c.questions, len(a.Conditional), says, holds)
		}
	}
}

// checkSums compares what needs no table with plain sums.
func checkSums(t *testing.T, a *itemstats.Analysis, kept []scan) {
	t.Helper()
	var sum, n float64
	right := make(map[exam.Text]float64)
	with := make(map[exam.Text]float64)
	for _, s := range kept {
		n++
		sum += float64(s.obtained)
		for _, answer := range s.answers {
			if answer.Awarded > 0 {
				right[answer.Question]++
				with[answer.Question] += float64(s.obtained)
			}
		}
	}
	if got := a.Mean.Value; got < sum/n/1000*(1-1e-12) || got > sum/n/1000*(1+1e-12) {
		t.Errorf("mean %v, want %v", got, sum/n/1000)
	}
	for i := range a.Questions {
		q := &a.Questions[i]
		covariance := (with[q.ID] - right[q.ID]*sum/n) / n
		if want := covariance / 1000 * float64(q.Available) / 1000 / a.StdDev.Value; q.Reliability.Value < want-1e-9 || q.Reliability.Value > want+1e-9 {
			t.Errorf("question %s: reliability index %v, want %v", q.Name, q.Reliability.Value, want)
		}
	}
}

// The quick way of computing gives what the long one gives.
func TestFigures(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 50_000 {
		n := []int64{r.Int64N(1 << (1 + r.IntN(62))), r.Int64N(1 << (1 + r.IntN(62)))}
		d := []int64{1 + r.Int64N(1<<(1+r.IntN(62))), 1 + r.Int64N(1<<(1+r.IntN(62)))}
		if r.IntN(4) == 0 {
			n[1], d[1] = n[0], d[0] // A square.
		}
		for _, root := range []bool{false, true} {
			if quick, exact := itemstats.FigureOf(root, n, d); quick != exact {
				t.Fatalf("%v of %v over %v: %v, exactly %v", root, n, d, quick, exact)
			}
		}
	}
}
