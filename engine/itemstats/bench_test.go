package itemstats_test

import (
	"testing"

	"markr/engine/exam"
	"markr/engine/itemstats"
)

// million is a test of 100 questions and so many students.
func million(b *testing.B, students int) *itemstats.Test {
	b.Helper()
	return seated(b, students, 100)
}

func seated(b *testing.B, students, questions int) *itemstats.Test {
	b.Helper()
	test := new(itemstats.Test)
	scans := cohort{students: 20_000, scans: 20_000, questions: questions, responses: 5, marks: 1000, left: 50}.generate(random(b))
	var answers []exam.Answer
	records := make([]exam.Record, len(scans))
	for i, s := range scans {
		records[i] = exam.Record{Obtained: s.obtained, FirstAnswer: uint32(len(answers)), Answers: uint32(len(s.answers))}
		answers = append(answers, s.answers...)
	}
	var d itemstats.Draft
	d.Read(records, answers)
	test.Begin(&d, 0, exam.Text.String)
	for row := range students {
		test.Keep(uint32(row), row%len(records))
	}
	return test
}

// BenchmarkAnalyse computes everything of 100 questions and a million students anew.
func BenchmarkAnalyse(b *testing.B) {
	test := million(b, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		test.View().Analyse()
	}
}

// BenchmarkWhatIf looks at one question, and at three, of a million sheets.
func BenchmarkWhatIf(b *testing.B) {
	a := million(b, 1_000_000).View().Analyse()
	for name, change := range map[string]itemstats.Change{"one": {Withdraw: []string{"7"}}, "three": {Withdraw: []string{"7", "8", "50"}}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := a.WhatIf(&change, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkKeep takes a sheet of 100 questions off and puts another in its place.
func BenchmarkKeep(b *testing.B) {
	test := million(b, 20_000)
	b.ResetTimer()
	for i := range b.N {
		test.Keep(uint32(i%20_000), i*7%20_000)
	}
}

// BenchmarkRead makes a document of one sheet ready and counts it, again and again, and a
// document of a hundred: both of 20 questions.
func BenchmarkRead(b *testing.B) {
	scans := cohort{students: 100, scans: 100, questions: 20, responses: 4, marks: 1000, left: 50}.generate(random(b))
	var answers []exam.Answer
	records := make([]exam.Record, len(scans))
	for i, s := range scans {
		records[i] = exam.Record{Obtained: s.obtained, FirstAnswer: uint32(len(answers)), Answers: uint32(len(s.answers))}
		answers = append(answers, s.answers...)
	}
	for name, sheets := range map[string]int{"sheets=1": 1, "sheets=100": 100} {
		var d itemstats.Draft
		var test itemstats.Test
		read := func() {
			d.Reset()
			d.Read(records[:sheets], answers)
		}
		b.Run("draft/"+name, func(b *testing.B) {
			for b.Loop() {
				read()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sheets), "ns/sheet")
		})
		b.Run("count/"+name, func(b *testing.B) {
			read()
			row := uint32(0)
			for b.Loop() {
				test.Begin(&d, 0, exam.Text.String)
				for i := range sheets {
					test.Keep(row, i)
					row++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sheets), "ns/sheet")
		})
	}
}
