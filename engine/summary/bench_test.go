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
