package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"markr/engine/exam"
	"markr/engine/ledger"
)

// oddScans are scans of students whose numbers are alike but for zeros, with a few
// names and answers.
func oddScans(r interface{ IntN(int) int }, n int) []exam.Record {
	records := make([]exam.Record, n)
	for i := range records {
		number := strings.Repeat("0", r.IntN(3)*r.IntN(9)) + fmt.Sprint(r.IntN(80))
		records[i] = exam.Record{
			Test: []byte("t"), Student: []byte(number), Obtained: exam.Marks(r.IntN(3)), Available: 10,
			Names: exam.Print(r.IntN(3)), Responses: exam.Print(r.IntN(2)),
		}
	}
	return records
}

// Whatever the order and the repetition, as many students are odd as by the plain way,
// and the same ones are told; also after a restart.
func TestOddOrderFree(t *testing.T) {
	t.Parallel()
	r := random(t)
	for _, rule := range rules() {
		documents := make([][]exam.Record, 30)
		elsewhere := oddScans(r, 50) // Of another test.
		names, answers, alike := make(map[string]exam.Print), make(map[string]exam.Print), make(map[string]map[string]bool)
		for i := range documents {
			documents[i] = oddScans(r, 20)
			for _, record := range documents[i] {
				number := string(record.Student)
				names[number] = names[number].Plus(record.Names)
				answers[number] = answers[number].Plus(record.Responses)
				bare := strings.TrimLeft(number, "0")
				if alike[bare] == nil {
					alike[bare] = make(map[string]bool)
				}
				alike[bare][number] = true
			}
		}
		var want ledger.Odd
		var differing, zeros []string
		for number := range names {
			if names[number] == exam.PrintSeveral {
				want.Names++
				differing = append(differing, number)
			}
			if answers[number] == exam.PrintSeveral {
				want.Answers++
			}
			if len(alike[strings.TrimLeft(number, "0")]) > 1 {
				want.Zeros++
				zeros = append(zeros, number)
			}
		}
		slices.Sort(differing)
		slices.Sort(zeros)
		for range 4 {
			order := append(r.Perm(len(documents)), r.IntN(len(documents)), 0)
			students, test, other := ledger.NewStudents(), ledger.NewTest(rule), ledger.NewTest(rule)
			for n, i := range order {
				test.Take(students, documents[i], uint64(i+1), 0)
				if n == 10 {
					other.Take(students, elsewhere, 100, 0)
				}
			}
			check := func(students *ledger.Students, test *ledger.Test) {
				t.Helper()
				if got := test.Odd(); got != want {
					t.Fatalf("%v: %+v in the order %v, want %+v", rule, got, order, want)
				}
				var gotDiffering, gotZeros []string
				view := test.View()
				all := dumpNumbers(students.View())
				view.Differing(true, func(row ledger.Row) { gotDiffering = append(gotDiffering, all[row.Student]) })
				view.Aliased(students.View(), func(rows []ledger.Row, numbers []string) {
					for i, row := range rows {
						if all[row.Student] != numbers[i] || len(rows) < 2 {
							t.Errorf("%+v has the number %s", row, numbers[i])
						}
					}
					gotZeros = append(gotZeros, numbers...)
				})
				slices.Sort(gotDiffering)
				slices.Sort(gotZeros)
				if !slices.Equal(gotDiffering, differing) || !slices.Equal(gotZeros, zeros) {
					t.Fatalf("%v: told are %v and %v, want %v and %v", rule, gotDiffering, gotZeros, differing, zeros)
				}
			}
			check(students, test)
			again, restored := ledger.NewStudents(), ledger.NewTest(rule)
			numbers := dumpNumbers(students.View())
			again.Restore(len(numbers), func() ([]byte, bool) { return []byte(numbers[again.Len()]), true })
			if err := restored.Restore(again, dump(test.View())); err != nil {
				t.Fatal(err)
			}
			if err := restored.RestoreZeros(test.Odd().Zeros); err != nil {
				t.Fatal(err)
			}
			check(again, restored)
			// One more like the others is seen by both.
			more := []exam.Record{{Student: []byte("000000000000000000000000" + differing[0]), Available: 10}}
			test.Take(students, more, 200, 0)
			restored.Take(again, more, 200, 0)
			if test.Odd() != restored.Odd() || test.Odd().Zeros <= want.Zeros {
				t.Fatalf("%v: after one more %+v and %+v", rule, test.Odd(), restored.Odd())
			}
		}
	}
}
