package summary_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"markr/engine/exam"
	"markr/engine/summary"
)

func filled(distinct, students int) *summary.Scores {
	random := rand.New(rand.NewPCG(1, 2))
	c := new(summary.Scores)
	for range students {
		c.Add(summary.OfTest(exam.Marks(random.IntN(distinct))))
	}
	return c
}

func BenchmarkScores(b *testing.B) {
	const students = 1_000_000
	for _, distinct := range []int{21, 1001, 1_000_000} {
		c := filled(distinct, students)
		d := c.Freeze()
		b.Run(fmt.Sprintf("op=aggregate/distinct=%d", distinct), func(b *testing.B) {
			for b.Loop() {
				if d.Aggregate(1_000_000).Count != students {
					b.Fatal("wrong count")
				}
			}
		})
		p, _ := summary.ParsePercent("99.9")
		b.Run(fmt.Sprintf("op=percentile/distinct=%d", distinct), func(b *testing.B) {
			for b.Loop() {
				if d.Percentile(p, 1_000_000) <= 0 {
					b.Fatal("wrong percentile")
				}
			}
		})
		random := rand.New(rand.NewPCG(3, 4))
		b.Run(fmt.Sprintf("op=move/distinct=%d", distinct), func(b *testing.B) {
			previous := exam.Marks(-1)
			for b.Loop() {
				next := exam.Marks(random.IntN(distinct))
				c.Add(summary.OfTest(next))
				if previous >= 0 {
					c.Remove(summary.OfTest(previous))
				}
				previous = next
			}
		})
	}
}

// What the reads of a distribution cost, of few and of very many scores.
func BenchmarkReads(b *testing.B) {
	const students = 1_000_000
	for _, distinct := range []int{21, 1_000_000} {
		d := filled(distinct, students).Freeze()
		available := exam.Marks(distinct)
		random := rand.New(rand.NewPCG(5, 6))
		for name, read := range map[string]func() bool{
			"histogram20":   func() bool { return len(d.Histogram(20, available)) == 20 },
			"histogram1000": func() bool { return len(d.Histogram(1000, available)) == 1000 },
			"standing":      func() bool { return d.Standing(summary.OfTest(exam.Marks(random.IntN(distinct)))).All == students },
			"below":         func() bool { return d.Below(summary.AtPart(random.IntN(1000), 1000), available) <= students },
			"distinct":      func() bool { return d.Distinct() <= distinct },
			"page100": func() bool {
				after, n := summary.OfTest(exam.Marks(random.IntN(distinct))), 0
				for range d.Each(&after) {
					if n++; n == 100 {
						break
					}
				}
				return n <= 100
			},
			"z": func() bool {
				_, ok := d.Norms(available).Z(summary.OfTest(exam.Marks(random.IntN(distinct))))
				return ok
			},
		} {
			b.Run(fmt.Sprintf("op=%s/distinct=%d", name, distinct), func(b *testing.B) {
				for b.Loop() {
					if !read() {
						b.Fatal("wrong answer")
					}
				}
			})
		}
	}
}

// The same of scores of sheets, whose moments take a pass.
func BenchmarkNormsOfSheets(b *testing.B) {
	random := rand.New(rand.NewPCG(7, 8))
	var scores summary.Scores
	for range 1_000_000 {
		of := 1 + random.IntN(1_000_000)
		scores.Add(summary.OfSheet(exam.Marks(random.IntN(of+1)), exam.Marks(of)))
	}
	d := scores.Freeze()
	for b.Loop() {
		if _, ok := d.Norms(1).Z(summary.OfSheet(1, 2)); !ok {
			b.Fatal("no z")
		}
	}
}
