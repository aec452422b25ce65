package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
)

// keptScans are what a test has kept of some scans, with the students it knows them by.
type keptScans struct {
	students *ledger.Students
	test     *ledger.Test
}

// scanAt is a scan and where it stands in the log.
type scanAt struct {
	record   exam.Record
	position uint64
	index    int
}

// keep is what is kept of a set of scans that come in this order.
func keep(rule scoring.Rule, scans []scanAt) keptScans {
	k := keptScans{ledger.NewStudents(), ledger.NewTest(rule)}
	for _, s := range scans {
		k.test.Take(k.students, []exam.Record{s.record}, s.position, s.index)
	}
	return k
}

// plus is what is kept of two sets together, made from what is kept of each alone: the
// merge of the law in markr/engine/scoring.
func (k keptScans) plus(rule scoring.Rule, other keptScans) keptScans {
	return keep(rule, append(k.scans(rule), other.scans(rule)...))
}

// scans are all that is known of them, as scans again. Where a rule does not look at the
// available marks of a scan, only those are known that raised the test's; any others
// raise nothing.
func (k keptScans) scans(rule scoring.Rule) (all []scanAt) {
	numbers, view := k.students.View(), k.test.View()
	rises := make(map[uint64]exam.Marks)
	for _, rise := range view.Rises() {
		rises[rise.Arrival] = rise.Available
	}
	again := func(row ledger.Row) error {
		record := exam.Record{
			Test: []byte("t"), Student: numbers.At(int(row.Student)), Obtained: row.Obtained, Available: row.Available, ScannedOn: row.ScannedOn,
		}
		if !rule.NeedsAvailable() {
			record.Available = rises[row.Arrival]
		}
		at := ledger.ArrivalOf(row.Arrival)
		all = append(all, scanAt{record, at.Position, at.Record})
		return nil
	}
	_ = errors.Join(view.Each(again), view.EachPassed(again)) // Neither fails, because again does not.
	return all
}

// text is all that is known, in an order of its own: students are in the order in which
// they came, and that is the one thing in which two orders of arrival differ.
func (k keptScans) text() string {
	numbers, view := k.students.View(), k.test.View()
	var lines []string
	line := func(what string) func(row ledger.Row) error {
		return func(row ledger.Row) error {
			student := numbers.At(int(row.Student))
			row.Student = 0
			lines = append(lines, fmt.Sprintf("%s %s %+v", what, student, row))
			return nil
		}
	}
	_ = errors.Join(view.Each(line("kept")), view.EachPassed(line("passed"))) // Neither fails, because line does not.
	slices.Sort(lines)
	lines = slices.Compact(lines) // One that has passed may be noted twice.
	return fmt.Sprintf("available %v, %+v, %+v\n%s", k.test.Available, view.Rises(),
		k.test.Scores().Aggregate(k.test.Available), strings.Join(lines, "\n"))
}

// The merge law, on what is really kept: of three sets of scans that may share some,
// under every rule.
func TestMergeLaw(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		t.Run(fmt.Sprintf("%v-%v", rule.Policy, rule.Denominator), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				scans := rapid.SliceOfN(rapid.Custom(drawScan), 1, 40).Draw(t, "scans")
				for i := range scans {
					scans[i].position, scans[i].index = uint64(i/3+1), i%3
				}
				subset := func(name string) keptScans {
					var some []scanAt
					for i, in := range rapid.SliceOfN(rapid.Bool(), len(scans), len(scans)).Draw(t, name) {
						if in {
							some = append(some, scans[i])
						}
					}
					return keep(rule, some)
				}
				a, b, c := subset("a"), subset("b"), subset("c")
				same := func(law string, left, right keptScans) {
					if left.text() != right.text() {
						t.Fatalf("%v: %s:\n%s\nand\n%s", rule, law, left.text(), right.text())
					}
				}
				same("a + b = b + a", a.plus(rule, b), b.plus(rule, a))
				same("(a + b) + c = a + (b + c)", a.plus(rule, b).plus(rule, c), a.plus(rule, b.plus(rule, c)))
				same("a + a = a", a.plus(rule, a), a)
				// What is kept does not depend on how the scans came, either.
				shuffled := rapid.Permutation(append(slices.Clone(scans), scans[:len(scans)/2]...)).Draw(t, "order")
				same("in another order, some of them again", keep(rule, shuffled), keep(rule, scans))
				cut := rapid.IntRange(0, len(scans)).Draw(t, "cut")
				same("in two parts", keep(rule, scans[:cut]).plus(rule, keep(rule, scans[cut:])), keep(rule, scans))
			})
		})
	}
}

func drawScan(t *rapid.T) scanAt {
	available := exam.Marks(rapid.IntRange(1, 3).Draw(t, "available")) * 10_000
	return scanAt{record: exam.Record{
		Test: []byte("t"), Student: fmt.Append(nil, rapid.IntRange(0, 4).Draw(t, "student")),
		Obtained: exam.Marks(rapid.IntRange(0, 3).Draw(t, "obtained")) * 2_500, Available: available,
		ScannedOn: rapid.Int64Range(0, 2).Draw(t, "scanned-on"),
	}}
}

// At gives the rows that Each gives.
func TestAt(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		r := random(t)
		students, test := ledger.NewStudents(), ledger.NewTest(rule)
		for position := uint64(1); position <= 20; position++ {
			test.Take(students, scans(r, 400, 9000), position, 0)
		}
		view, numbers := test.View(), students.View()
		for i, row := range dump(view) {
			if view.At(i) != row {
				t.Fatalf("%v: row %d is %+v, %+v by Each", rule, i, view.At(i), row)
			}
		}
		for i, number := range dumpNumbers(numbers) {
			if string(numbers.At(i)) != number {
				t.Fatalf("student %d is %q, %q by Each", i, numbers.At(i), number)
			}
		}
	}
}
