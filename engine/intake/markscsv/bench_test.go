package markscsv_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
)

// tableOf is a table of marks.
func tableOf(records int) string {
	var b strings.Builder
	b.WriteString("test-id,student-number,available,obtained,first-name,last-name,scanned-on\n")
	for i := range records {
		fmt.Fprintf(&b, "9863,%06d,20,%d,Jane,Austen,2017-12-04T12:12:10+11:00\n", i, i%21)
	}
	return b.String()
}

// answersOf is a table of responses with a key.
func answersOf(records, questions int) string {
	var b strings.Builder
	b.WriteString("Exam,Student ID,Scanned")
	for q := range questions {
		fmt.Fprintf(&b, ",Q%d", q+1)
	}
	fmt.Fprintf(&b, "\n9,KEY,%s\n9,POINTS,%s\n", strings.Repeat(",B", questions), strings.Repeat(",1", questions))
	for i := range records {
		fmt.Fprintf(&b, "9,%d,", i)
		for q := range questions {
			fmt.Fprintf(&b, ",%c", 'A'+(i*q+q)%4)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func BenchmarkDecode(b *testing.B) {
	for _, records := range []int{1, 100, 10_000} {
		bench(b, fmt.Sprintf("table=marks/records=%d", records), "text/csv", tableOf(records), records)
		bench(b, fmt.Sprintf("table=responses/records=%d", records), "text/csv; profile=keyed", answersOf(records, 20), records)
	}
	// The same with the standard library, without the columns' names.
	table := tableOf(10_000)
	b.Run("table=marks/records=10000/reader=stdlib", func(b *testing.B) {
		b.SetBytes(int64(len(table)))
		for b.Loop() {
			lines, err := csv.NewReader(strings.NewReader(table)).ReadAll()
			if err != nil {
				b.Fatal(err)
			}
			for _, line := range lines[1:] {
				if _, err := exam.ParseMarks([]byte(line[3])); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func bench(b *testing.B, name, contentType, table string, records int) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		r := registry(b, intake.Limits{})
		raw := []byte(table)
		var doc intake.Document
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			doc.Reset()
			if err := r.Decode(&doc, raw, contentType); err != nil || len(doc.Records) != records {
				b.Fatalf("%d records, %v", len(doc.Records), err)
			}
		}
	})
}
