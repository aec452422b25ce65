package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"markr/engine/exam"
	"markr/engine/ledger"
)

// A test as it was is what a test is to which only the documents until then have come,
// under every rule, and whatever else has been taken since.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		t.Run(fmt.Sprintf("%v-%v", rule.Policy, rule.Denominator), func(t *testing.T) {
			t.Parallel()
			r := random(t)
			students, test, then := ledger.NewStudents(), ledger.NewTest(rule), newModel(rule)
			documents := make([][]exam.Record, 80)
			for i := range documents {
				documents[i] = scans(r, r.IntN(300), 1000)
				test.Take(students, documents[i], uint64(i+1), 0)
			}
			view := test.View()
			// What comes later changes nothing of the past, also if it is what came
			// before.
			test.Take(students, scans(r, 500, 1000), 100, 0)
			test.Take(students, documents[3], 4, 0)
			next := uint64(1)
			check := func(position uint64, got *ledger.Test) {
				t.Helper()
				if g, w := fmt.Sprint(got.Len(), got.Available, got.Scores().Aggregate(got.Available)),
					fmt.Sprint(len(then.kept), then.available, then.scores.Freeze().Aggregate(then.available)); g != w {
					t.Fatalf("at position %d: %s, want %s", position, g, w)
				}
			}
			last, err := view.Replay(ledger.Retake{Rule: rule, Through: uint64(len(documents))}, func(position uint64, got *ledger.Test, done ledger.Effects) error {
				for len(documents[next-1]) == 0 {
					next++
				}
				if want := then.take(documents[next-1], next, 0); position != next || done != want {
					t.Fatalf("position %d: %+v, want %+v at %d", position, done, want, next)
				}
				check(position, got)
				next++
				if r.IntN(8) == 0 {
					at, err := test.View().Replay(ledger.Retake{Rule: rule, Through: position}, nil)
					if err != nil {
						t.Fatal(err)
					}
					check(position, at)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			check(uint64(len(documents)), last)
			stop := errors.New("stop")
			if _, err := view.Replay(ledger.Retake{Rule: rule, Through: 7}, func(uint64, *ledger.Test, ledger.Effects) error { return stop }); !errors.Is(err, stop) {
				t.Errorf("Replay returned %v, not what its caller returned", err)
			}
		})
	}
}

// Whatever the order and however often scans are taken, each student's are all there,
// once, and the one that counts is the same; and so is the past.
func TestScansOrderFree(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		r := random(t)
		documents := make([][]exam.Record, 20)
		want := make(map[string][]ledger.Arrival)
		for i := range documents {
			documents[i] = scans(r, 60, 100)
			for n := range documents[i] {
				number := string(documents[i][n].Student)
				want[number] = append(want[number], ledger.Arrival{Position: uint64(i + 1), Record: n})
			}
		}
		story := func(order []int) (string, *ledger.Students, *ledger.Test) {
			students, test := ledger.NewStudents(), ledger.NewTest(rule)
			for _, i := range order {
				test.Take(students, documents[i], uint64(i+1), 0)
			}
			var lines []string
			last, err := test.View().Replay(ledger.Retake{Rule: rule, Through: 20}, func(position uint64, at *ledger.Test, done ledger.Effects) error {
				lines = append(lines, fmt.Sprint(position, at.Available, done, at.Scores().Aggregate(at.Available)))
				return nil
			})
			if err != nil || last.Passed() != 20*60-last.Len() {
				t.Fatalf("%v: %d scans passed of %d students, %v", rule, last.Passed(), last.Len(), err)
			}
			return fmt.Sprint(lines), students, test
		}
		order := make([]int, len(documents))
		for i := range order {
			order[i] = i
		}
		first, inOrder, kept := story(order)
		for range 3 {
			shuffled := append(slices.Clone(order), order[r.IntN(len(order))], order[0])
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			got, students, test := story(shuffled)
			if got != first {
				t.Fatalf("%v: in the order %v the past is\n%s\nwant\n%s", rule, shuffled, got, first)
			}
			for number, arrivals := range want {
				student, ok := students.Find([]byte(number))
				if !ok {
					t.Fatalf("%q is not there", number)
				}
				found, ok := test.Scans(student)
				if !ok || !slices.Equal(found.All(), arrivals) {
					t.Fatalf("%v: scans of %q are at %v, want %v", rule, number, found.All(), arrivals)
				}
				same, _ := inOrder.Find([]byte(number))
				other, _ := kept.Scans(same)
				if found.Kept() != other.Kept() || found.Score != other.Score {
					t.Fatalf("%v: of %q %v is kept, in order %v", rule, number, found.Kept(), other.Kept())
				}
			}
			if _, ok := students.Find([]byte("nobody")); ok {
				t.Fatal("a student was found who is not there")
			}
		}
	}
}
