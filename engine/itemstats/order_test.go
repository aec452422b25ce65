package itemstats_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/itemstats"
)

// orders is how many orders of arrival are tried.
const orders = 200

// The law: whatever the order in which scans come, in pieces and again, all integers are
// the same.
func TestOrderFree(t *testing.T) {
	t.Parallel()
	for _, c := range cohorts() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkOrders(t, random(t), c.generate(random(t)), orders/4)
		})
	}
}

func checkOrders(t *testing.T, r *rand.Rand, scans []scan, orders int) {
	t.Helper()
	plain := newOffice()
	plain.take(scans...)
	want := plain.test.View().Sums()
	for range orders {
		o := again(r, scans)
		if got := o.test.View().Sums(); got != want {
			t.Fatalf("another order gives\n%s\nwant\n%s", got, want)
		}
	}
}

// sample are the scans of the sample, if it is there.
func sample(t *testing.T) (scans []scan) {
	t.Helper()
	raw, err := os.ReadFile("../../../shared/sample_results.xml")
	if err != nil {
		t.Skip("the sample is not there:", err)
	}
	var doc intake.Document
	if err := mcqxml.New(intake.Limits{}).Decode(&doc, raw, ""); err != nil {
		t.Fatal(err)
	}
	for i := range doc.Records {
		r := &doc.Records[i]
		scans = append(scans, scan{student: string(r.Student), place: i, obtained: r.Obtained, answers: doc.AnswersOf(r)})
	}
	return scans
}

// The sample's figures, which others have computed, in 200 orders.
func TestSample(t *testing.T) {
	t.Parallel()
	scans := sample(t)
	checkOrders(t, random(t), scans, orders)
	o := newOffice()
	o.take(scans...)
	checkFigures(t, o)
	a := o.test.View().Analyse()
	for _, want := range []struct {
		what   string
		figure itemstats.Figure
		value  string
	}{
		{"alpha", a.Alpha, strconv.FormatFloat(-17050.0/61351, 'f', 10, 64)},
		{"KR-20", a.KR20, "-0.2779090805"},
		{"KR-21", a.KR21, "-0.2837993676"},
		{"SEM", a.SEM, "2.2430759307"},
		{"skewness", a.Skewness, "0.2079061200"},
		{"kurtosis", a.Kurtosis, "-0.4224337600"},
	} {
		digits := 10
		if want.what == "skewness" || want.what == "kurtosis" {
			digits = 8
			want.value = want.value[:len(want.value)-2]
		}
		if got := strconv.FormatFloat(want.figure.Value, 'f', digits, 64); got != want.value {
			t.Errorf("%s is %s, want %s", want.what, got, want.value)
		}
	}
	if a.Sheets != 81 || a.Differing != 0 || a.LeftOut != 0 || a.Available != 20_000 {
		t.Errorf("%d sheets, %d differ, %d left out, %d available", a.Sheets, a.Differing, a.LeftOut, a.Available)
	}
	for i := range a.Questions {
		if q := &a.Questions[i]; q.Name != fmt.Sprint(i) || !q.KeyConflict || len(q.Key) != 4 {
			t.Errorf("question %s, key %v", q.Name, q.Key)
		}
	}
}

// A question that only a scan which lost has, or only a sheet that is left out, is none: it
// would count in alpha, and there is no mark of it.
func TestLostQuestion(t *testing.T) {
	t.Parallel()
	answers := func(marks ...exam.Marks) (list []exam.Answer) {
		for q, awarded := range marks {
			list = append(list, exam.Answer{Question: question(q), Response: exam.TextOf([]byte{'A' + byte(awarded/1000)}), Awarded: awarded, Available: 1000})
		}
		return list
	}
	kept := []scan{
		{student: "1", obtained: 2000, answers: answers(1000, 1000)},
		{student: "2", place: 1, obtained: 1000, answers: answers(1000, 0)},
		{student: "3", place: 2, answers: answers(0, 0)},
	}
	o := newOffice()
	o.take(scan{student: "1", place: 3, obtained: 1000, answers: answers(0, 0, 1000)}) // The third question is on this one.
	o.take(kept...)
	lost := exam.Answer{Question: question(7), Awarded: exam.MarksUnknown, Available: 1000}
	o.take(scan{student: "4", place: 4, answers: []exam.Answer{lost}})
	checkFigures(t, o)
	a := o.test.View().Analyse()
	// By hand: 2/1 (1 - (2/9 + 2/9) / (2/3)).
	if len(a.Questions) != 2 || a.Alpha.Value != 2.0/3 || a.Available != 2000 || a.LeftOut != 1 {
		t.Errorf("%d questions, alpha %v, %d available, %d left out", len(a.Questions), a.Alpha, a.Available, a.LeftOut)
	}
	for _, name := range []string{"2", "7"} {
		if a.Question(name) != nil || a.Detail(name) != nil {
			t.Errorf("question %s is told of", name)
		}
		if _, err := a.WhatIf(&itemstats.Change{Withdraw: []string{name}}, nil); !errors.Is(err, itemstats.ErrUnknownQuestion) {
			t.Errorf("without question %s: %v", name, err)
		}
	}
	// It is one as soon as the scan counts.
	o.take(scan{student: "1", place: 5, obtained: 3000, answers: answers(1000, 1000, 1000)})
	checkFigures(t, o)
	if a := o.test.View().Analyse(); a.Question("2") == nil || a.Question("2").Sheets != 1 {
		t.Errorf("of the third question is told %+v", a.Question("2"))
	}
	// Nobody is analysed, so nothing is told.
	bare := newOffice()
	bare.take(scan{student: "4", answers: []exam.Answer{lost}})
	if a := bare.test.View().Analyse(); len(a.Questions) != 0 || a.LeftOut != 1 || a.Rows != 1 {
		t.Errorf("%+v", a)
	}
}

// A sheet that is put on and taken off again leaves nothing.
func TestReplace(t *testing.T) {
	t.Parallel()
	for _, c := range cohorts() {
		r := random(t)
		scans := c.generate(r)
		o := newOffice()
		o.take(scans...)
		// Everybody comes again with other answers and more marks, and last with what was there.
		first := o.kept
		for round := range 3 {
			better := c.generate(r)
			for i := range better {
				better[i].obtained += exam.Marks(1000*(round+1)) * exam.MarksPerUnit
			}
			o.take(better...)
		}
		last := make([]scan, len(first))
		for i, s := range first {
			s.obtained = exam.MarksMax
			last[i] = s
		}
		o.take(last...)
		fresh := newOffice()
		fresh.take(last...)
		if got, want := fmt.Sprintf("%+v", plainOf(o.test.View().Analyse())), fmt.Sprintf("%+v", plainOf(fresh.test.View().Analyse())); got != want {
			t.Errorf("%s: it is\n%s\nwant\n%s", c.name, got, want)
		}
		copy(fresh.kept, last)
		checkFigures(t, fresh)
	}
}

// plainOf is what is told, without what it is computed from; of free questions the values
// that were seen decide what is told apart, so only figures that do not depend on it.
func plainOf(a *itemstats.Analysis) []any {
	told := []any{a.Rows, a.Sheets, a.LeftOut, a.Differing, a.Mean, a.StdDev, a.Skewness, a.Kurtosis, a.Alpha, a.SEM}
	for i := range a.Questions {
		q := &a.Questions[i]
		told = append(told, q.Name, q.Available, q.Sheets, q.Omitted, q.Facility, q.StdDev, q.ItemTotal, q.ItemRest,
			q.Discrimination27, q.Efficiency, q.EffectiveWeight, q.AlphaIfDeleted)
	}
	return told
}

// What was seen stays as it was, whatever comes.
func TestViewStays(t *testing.T) {
	t.Parallel()
	r := random(t)
	scans := cohorts()[1].generate(r)
	o := newOffice()
	views, texts := []*itemstats.View{}, []string{}
	for i := range scans {
		o.take(scans[i])
		if i%10 == 0 {
			views = append(views, o.test.View())
			texts = append(texts, views[len(views)-1].Sums()+views[len(views)-1].Sheets())
		}
	}
	for i, v := range views {
		if v.Sums()+v.Sheets() != texts[i] {
			t.Fatalf("view %d has changed", i)
		}
	}
}
