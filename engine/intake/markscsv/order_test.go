package markscsv_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml/vectortest"
)

// cell writes a value as a table may: with white space, in quotes or not.
func cell(t *rapid.T, value, separator string) string {
	if strings.ContainsAny(value, "\"\r\n,;\t") || rapid.Bool().Draw(t, "quoted") {
		return `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
	}
	if separator != "\t" {
		return rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "space") + value
	}
	return value
}

// written is a table of rows under names, its columns in any order, among others.
func written(t *rapid.T, names []string, rows [][]string) string {
	separator := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "separator")
	end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "line end")
	order := rapid.Permutation(intsTo(len(names)+2)).Draw(t, "order")
	var b strings.Builder
	line := func(values []string) {
		for i, column := range order {
			if i > 0 {
				b.WriteString(separator)
			}
			value := "other"
			if column < len(values) {
				value = values[column]
			} else {
				value = rapid.SampledFrom([]string{"", "x", "a \"b\"", "é\n中,;"}).Draw(t, value)
			}
			b.WriteString(cell(t, value, separator))
		}
		b.WriteString(end)
	}
	line(names)
	for _, row := range rows {
		line(row)
		b.WriteString(rapid.SampledFrom([]string{"", "", end}).Draw(t, "empty line"))
	}
	return b.String()
}

func intsTo(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	return all
}

// However a table is written, and in whatever order its columns stand, it says the same.
func TestTablesHoweverWritten(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	id := rapid.SampledFrom([]string{"1", "002299", "a b", "a,b", `say "x"`, "é中", "12;3", "="})
	rapid.Check(t, func(t *rapid.T) {
		var rows [][]string
		var want strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			available := rapid.IntRange(1, 100_000_000).Draw(t, "available")
			obtained := rapid.IntRange(0, available).Draw(t, "obtained")
			row := []string{id.Draw(t, "test"), id.Draw(t, "student"), exam.Marks(available).String(), exam.Marks(obtained).String()}
			rows = append(rows, row)
			fmt.Fprintf(&want, "record %q %q %s/%s\n", row[1], row[0], row[3], row[2])
		}
		table := written(t, []string{"test-id", "student-number", "available", "obtained"}, rows)
		var doc intake.Document
		err := r.Decode(&doc, []byte(table), markscsv.MediaType)
		if got := vectortest.Told(&doc, err); got != want.String() {
			t.Fatalf("%q:\ngot  %swant %s", table, got, want.String())
		}
	})
}

// A key and points: what a sheet is worth does not depend on the order of columns or of
// lines, and is what counting by hand gives.
func TestAnswersInAnyOrder(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	letter := rapid.SampledFrom([]string{"A", "b", "C", "", "*"})
	rapid.Check(t, func(t *rapid.T) {
		questions := rapid.IntRange(1, 12).Draw(t, "questions")
		names := []string{"Exam", "Student ID", "Scanned"}
		key, points := []string{"9", "KEY", ""}, []string{"9", "POINTS", ""}
		total := 0
		for q := range questions {
			names = append(names, fmt.Sprintf("Q%d", q+1))
			key = append(key, letter.Draw(t, "key"))
			marks := rapid.IntRange(0, 3000).Draw(t, "points")
			points = append(points, exam.Marks(marks).String())
			if key[q+3] != "" {
				total += marks
			}
		}
		if total == 0 {
			return
		}
		rows := [][]string{key, points}
		want := make(map[string]string)
		for s := range rapid.IntRange(1, 4).Draw(t, "students") {
			row := []string{"9", fmt.Sprint("s", s), ""}
			obtained := 0
			for q := range questions {
				row = append(row, letter.Draw(t, "answer"))
				if key[q+3] != "" && strings.EqualFold(row[q+3], key[q+3]) {
					marks, err := exam.ParseMarks([]byte(points[q+3]))
					if err != nil {
						t.Fatal(err)
					}
					obtained += int(marks)
				}
			}
			rows = append(rows, row)
			want[row[1]] = fmt.Sprintf("%v/%v", exam.Marks(obtained), exam.Marks(total))
		}
		rows = rapid.Permutation(rows).Draw(t, "lines")
		table := written(t, names, rows)
		var doc intake.Document
		if err := r.Decode(&doc, []byte(table), "text/csv; profile=keyed"); err != nil {
			t.Fatalf("%q: %v", table, err)
		}
		if len(doc.Records) != len(want) {
			t.Fatalf("%q: %d records", table, len(doc.Records))
		}
		for _, record := range doc.Records {
			if got := fmt.Sprintf("%v/%v", record.Obtained, record.Available); got != want[string(record.Student)] {
				t.Fatalf("%q: %s has %s, want %s", table, record.Student, got, want[string(record.Student)])
			}
		}
		if !slices.IsSortedFunc(doc.Records, func(a, b exam.Record) int {
			return strings.Index(table, string(a.Student)) - strings.Index(table, string(b.Student))
		}) {
			t.Fatalf("%q: records in another order than their lines", table)
		}
	})
}
