package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
)

// Whatever comes, in whatever blocks, under every rule: the same as with maps.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		t.Run(fmt.Sprintf("%v-%v", rule.Policy, rule.Denominator), func(t *testing.T) {
			t.Parallel()
			r := random(t)
			students, test, want := ledger.NewStudents(), ledger.NewTest(rule), newModel(rule)
			numbers := make(map[string]bool)
			var past [][]exam.Record
			for position := uint64(1); position <= 150; position++ {
				records := scans(r, r.IntN(400), 1+r.IntN(6000))
				if len(past) > 0 && r.IntN(5) == 0 {
					// Again, as after a restart; the position stays.
					i := r.IntN(len(past))
					again := test.Take(students, past[i], uint64(i+1), 7)
					if expected := want.take(past[i], uint64(i+1), 7); again != expected || again.Added > 0 {
						t.Fatalf("position %d again: %+v, want %+v", i+1, again, expected)
					}
				}
				past = append(past, records)
				if got, expected := test.Take(students, records, position, 7), want.take(records, position, 7); got != expected {
					t.Fatalf("position %d: %+v, want %+v", position, got, expected)
				}
				for i := range records {
					numbers[string(records[i].Student)] = true
				}
				if test.Len() != len(want.kept) || students.Len() != len(numbers) || test.Available != want.available {
					t.Fatalf("position %d: %d of %d students, %d available; want %d of %d, %d",
						position, test.Len(), students.Len(), test.Available, len(want.kept), len(numbers), want.available)
				}
				if got, expected := test.Scores().Aggregate(test.Available), want.scores.Freeze().Aggregate(want.available); got != expected {
					t.Fatalf("position %d: %+v, want %+v", position, got, expected)
				}
			}
		})
	}
}

// Order and repetition do not matter.
func TestOrderFree(t *testing.T) {
	t.Parallel()
	r := random(t)
	for _, rule := range rules() {
		documents := make([][]exam.Record, 30)
		for i := range documents {
			documents[i] = scans(r, 50, 200)
		}
		figures := func(order []int) string {
			students, test := ledger.NewStudents(), ledger.NewTest(rule)
			for _, i := range order {
				test.Take(students, documents[i], uint64(i+1), 0)
			}
			return fmt.Sprint(test.Len(), test.Available, test.Scores().Aggregate(test.Available))
		}
		order := make([]int, len(documents))
		for i := range order {
			order[i] = i
		}
		want := figures(order)
		for range 5 {
			shuffled := append(slices.Clone(order), order[r.IntN(len(order))], order[0])
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := figures(shuffled); got != want {
				t.Fatalf("%v: %s in the order %v, want %s", rule, got, shuffled, want)
			}
		}
	}
}

// Every row is found by its hash while tables grow, also when all hashes are alike.
func TestIndex(t *testing.T) {
	t.Parallel()
	r := random(t)
	for name, hash := range map[string]func(i int) uint64{
		"random":   func(int) uint64 { return r.Uint64() },
		"alike":    func(int) uint64 { return 42 },
		"high":     func(i int) uint64 { return uint64(i) << 50 },
		"middle":   func(i int) uint64 { return uint64(i) << 20 },
		"low":      func(i int) uint64 { return uint64(i) },
		"wrapping": func(int) uint64 { return ^uint64(0) - r.Uint64N(1000) },
	} {
		var x ledger.Index
		n := 3000
		if name == "random" || name == "middle" {
			n = 60_000 // Tables are split.
		}
		hashes := make([]uint64, 0, n)
		for i := range n {
			hashes = append(hashes, hash(i))
			x.Add(hashes[i])
			for _, row := range []int{i, r.IntN(i + 1)} {
				if !x.Find(hashes[row])[uint32(row)] {
					t.Fatalf("%s: row %d of %d is not found", name, row, i+1)
				}
			}
		}
		for row, h := range hashes {
			if !x.Find(h)[uint32(row)] {
				t.Fatalf("%s: row %d is not found in the end", name, row)
			}
		}
	}
}

// What a view shows never changes, whatever the writer does meanwhile.
func TestView(t *testing.T) {
	t.Parallel()
	for _, rule := range []scoring.Rule{{}, {Policy: scoring.Latest, Denominator: scoring.OfSheet}} {
		r := random(t)
		students, test := ledger.NewStudents(), ledger.NewTest(rule)
		var readers sync.WaitGroup
		for position := uint64(1); position <= 40; position++ {
			test.Take(students, scans(r, 500, 9000), position, 0)
			if position%4 != 0 {
				continue
			}
			rows, numbers := test.View(), students.View()
			want, wantNumbers := dump(rows), dumpNumbers(numbers)
			readers.Go(func() {
				for range 20 {
					if !slices.Equal(dump(rows), want) || !slices.Equal(dumpNumbers(numbers), wantNumbers) {
						t.Error("a view has changed")
						return
					}
				}
			})
		}
		readers.Wait()
	}
}

func dump(v ledger.View) (rows []ledger.Row) {
	_ = v.Each(func(r ledger.Row) error { // Only the function fails.
		rows = append(rows, r)
		return nil
	})
	return rows
}

func dumpNumbers(v ledger.StudentsView) (numbers []string) {
	_ = v.Each(func(number []byte) error {
		numbers = append(numbers, string(number))
		return nil
	})
	return numbers
}

// What is restored from views is the same, and takes scans as the original does.
func TestRestore(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		r := random(t)
		students, test := ledger.NewStudents(), ledger.NewTest(rule)
		for position := uint64(1); position <= 20; position++ {
			test.Take(students, scans(r, 300, 4000), position, 0)
		}
		again, restored := ledger.NewStudents(), ledger.NewTest(rule)
		numbers := dumpNumbers(students.View())
		if !again.Restore(len(numbers)+1, func() ([]byte, bool) {
			if again.Len() == len(numbers) {
				return nil, false
			}
			return []byte(numbers[again.Len()]), true
		}) {
			t.Fatal("two students with one number")
		}
		if !slices.Equal(dumpNumbers(again.View()), numbers) {
			t.Fatal("other students")
		}
		rows := dump(test.View())
		restored.Reserve(len(rows) * r.IntN(10))
		for part := range slices.Chunk(rows, 700) {
			if err := restored.Restore(again, part); err != nil {
				t.Fatal(err)
			}
		}
		restored.Available = test.Available
		for position := uint64(21); position <= 40; position++ {
			records := scans(r, 300, 5000)
			if got, want := restored.Take(again, records, position, 0), test.Take(students, records, position, 0); got != want {
				t.Fatalf("%v: %+v, want %+v", rule, got, want)
			}
			if got, want := restored.Scores().Aggregate(restored.Available), test.Scores().Aggregate(test.Available); got != want {
				t.Fatalf("%v: %+v, want %+v", rule, got, want)
			}
		}
		if err := restored.Restore(again, []ledger.Row{{Student: ledger.Student(again.Len())}}); !errors.Is(err, ledger.ErrRow) {
			t.Fatalf("a student who is not there: %v", err)
		}
		if err := restored.Restore(again, rows[:1]); !errors.Is(err, ledger.ErrRow) {
			t.Fatalf("a student who is there already: %v", err)
		}
		if ledger.NewStudents().Restore(2, func() ([]byte, bool) { return []byte("the same"), true }) {
			t.Fatal("two students with one number were taken")
		}
	}
}

// A number of students that has only been claimed costs nothing. It counts allocations
// and so runs alone.
func TestRestoreClaim(t *testing.T) { //nolint:paralleltest // see above.
	left := 3
	allocated := testing.AllocsPerRun(1, func() {
		students := ledger.NewStudents()
		left = 3
		students.Restore(1<<31, func() ([]byte, bool) {
			left--
			return []byte{'a' + byte(left)}, left >= 0
		})
		if students.Len() != 3 {
			t.Errorf("%d students", students.Len())
		}
	})
	if allocated > 100 {
		t.Errorf("%v allocations for three students of 2^31 claimed", allocated)
	}
}
