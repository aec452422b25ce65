package itemstats_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/engine/summary"
)

// What a change would do is what comes of it when every sheet is marked anew.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	for _, c := range cohorts()[:3] {
		r := random(t)
		o := newOffice()
		o.take(c.generate(r)...)
		a := o.test.View().Analyse()
		for _, change := range []itemstats.Change{
			{},
			{Withdraw: []string{"2"}},
			{Withdraw: []string{"0", "3"}},
			{Keys: []itemstats.NewKey{{Question: "1", Responses: []string{"A"}}}},
			{Withdraw: []string{"4"}, Keys: []itemstats.NewKey{{Question: "0", Responses: []string{"B", "C"}}, {Question: "2", Responses: []string{""}}}},
		} {
			w, err := a.WhatIf(&change, threeGrades(t))
			if err != nil {
				t.Fatal(err)
			}
			checkWhatIf(t, c.name, newBatch(o.kept), change, w)
		}
	}
}

// threeGrades are the boundaries that changes are looked at with.
func threeGrades(t *testing.T) (boundaries []itemstats.Boundary) {
	t.Helper()
	for _, text := range []string{"35.5", "70", "50"} {
		from, err := summary.ParsePercent(text)
		if err != nil {
			t.Fatal(err)
		}
		boundaries = append(boundaries, itemstats.Boundary{Grade: text, From: from})
	}
	return boundaries
}

// A change is the same for sheets of many chunks, of which the first were made before
// anybody knew of all questions.
func TestWhatIfOfMany(t *testing.T) {
	t.Parallel()
	r := random(t)
	c := cohort{students: 1300, scans: 1300, questions: 6, responses: 3, marks: 1500, left: 9, keys: 30}
	scans := c.generate(r)
	for i := range scans[:700] {
		scans[i].answers = slices.DeleteFunc(scans[i].answers, func(a exam.Answer) bool { return a.Question == question(4) })
	}
	o := newOffice()
	for some := range slices.Chunk(scans, 350) {
		o.take(some...)
	}
	a := o.test.View().Analyse()
	b := newBatch(o.kept)
	for _, change := range []itemstats.Change{
		{Withdraw: []string{"4"}},
		{Withdraw: []string{"4", "0"}},
		{Withdraw: []string{"0", "4"}, Keys: []itemstats.NewKey{{Question: "1", Responses: []string{"C"}}}},
		{Withdraw: []string{"0", "1", "2", "4"}},
		{Withdraw: []string{"0", "1", "4"}, Keys: []itemstats.NewKey{{Question: "5", Responses: []string{"A", "B"}}, {Question: "3", Responses: []string{"B"}}}},
	} {
		w, err := a.WhatIf(&change, threeGrades(t))
		if err != nil {
			t.Fatal(err)
		}
		checkWhatIf(t, "many", b, change, w)
	}
}

// marked are the sheets under a change.
func (b *batch) marked(change itemstats.Change) (after *batch) {
	after = &batch{shares: make(map[string]rats), answers: b.answers, total: make(rats, len(b.total))}
	for s := range after.total {
		after.total[s] = new(big.Rat)
	}
	for q, id := range b.questions {
		if slices.ContainsFunc(change.Withdraw, func(name string) bool { return exam.TextOf([]byte(name)) == id }) {
			continue
		}
		item := slices.Clone(b.items[q])
		for _, key := range change.Keys {
			if exam.TextOf([]byte(key.Question)) != id {
				continue
			}
			for s, sheet := range b.answers {
				item[s] = new(big.Rat)
				if answer, there := sheet[id]; there && slices.ContainsFunc(key.Responses, func(r string) bool { return exam.TextOf([]byte(r)) == answer.Response }) {
					item[s] = marksOf(answer.Available)
				}
			}
		}
		for s := range item {
			after.total[s].Add(after.total[s], item[s])
		}
		after.questions, after.items = append(after.questions, id), append(after.items, item)
		after.available = append(after.available, b.available[q])
	}
	return after
}

// percent is every sheet's percentage.
func (b *batch) percent() (list rats) {
	of := new(big.Rat)
	for _, m := range b.available {
		of.Add(of, marksOf(m))
	}
	for _, x := range b.total {
		list = append(list, over(times(rat(100), x), of))
	}
	return list
}

func checkWhatIf(t *testing.T, name string, b *batch, change itemstats.Change, w *itemstats.WhatIf) {
	t.Helper()
	after := b.marked(change)
	for _, side := range []struct {
		b *batch
		f *itemstats.Figures
	}{{b, &w.Before}, {after, &w.After}} {
		is := compared{t, fmt.Sprintf("%s %+v", name, change)}
		p := side.b.percent()
		is.want("mean", itemstats.Figure{Value: side.f.Mean, Defined: true}, nearest(mean(p)))
		is.want("standard deviation", itemstats.Figure{Value: side.f.StdDev, Defined: true}, root(variance(p), 1))
		is.want("alpha", side.f.Alpha, nearest(plainAlpha(side.b.items)))
		if side.f.Count != len(p) || side.f.Questions != len(side.b.items) {
			t.Errorf("%d sheets, %d questions", side.f.Count, side.f.Questions)
		}
	}
	cuts := []*big.Rat{rat(70), rat(50), big.NewRat(355, 10)}
	grade := func(x *big.Rat) int {
		at := slices.IndexFunc(cuts, func(c *big.Rat) bool { return x.Cmp(c) >= 0 })
		if at < 0 {
			return len(cuts)
		}
		return at
	}
	var moved [3]int // lowered, unchanged, raised
	grades, moves := make([][2]int, len(cuts)+1), make(map[[2]int]int)
	before, now := b.percent(), after.percent()
	for s := range before {
		moved[now[s].Cmp(before[s])+1]++
		from, to := grade(before[s]), grade(now[s])
		grades[from][0]++
		grades[to][1]++
		if from != to {
			moves[[2]int{from, to}]++
		}
	}
	if got := [3]int{w.Lowered, w.Unchanged, w.Raised}; got != moved {
		t.Errorf("%s %+v: moved %v, want %v", name, change, got, moved)
	}
	for i, g := range w.Grades {
		if got := [2]int{g.Before, g.After}; got != grades[i] {
			t.Errorf("%s %+v: grade %d has %v, want %v", name, change, i, got, grades[i])
		}
	}
	for _, m := range w.Moves {
		if moves[[2]int{m.From, m.To}] != m.Sheets {
			t.Errorf("%s %+v: %+v, want %v", name, change, m, moves)
		}
		delete(moves, [2]int{m.From, m.To})
	}
	if len(moves) > 0 {
		t.Errorf("%s %+v: not told: %v", name, change, moves)
	}
}

// What cannot be looked at is said.
func TestWhatIfErrors(t *testing.T) {
	t.Parallel()
	o := newOffice()
	o.take(cohorts()[4].generate(random(t))...)
	a := o.test.View().Analyse()
	for want, change := range map[error]itemstats.Change{
		itemstats.ErrUnknownQuestion: {Withdraw: []string{"77"}},
		itemstats.ErrTwice:           {Withdraw: []string{"1"}, Keys: []itemstats.NewKey{{Question: "1"}}},
		itemstats.ErrNothingLeft:     {Withdraw: []string{"0", "1"}},
	} {
		if _, err := a.WhatIf(&change, nil); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", change, err, want)
		}
	}
}
