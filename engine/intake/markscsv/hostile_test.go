package markscsv_test

import (
	"runtime"
	"strings"
	"testing"

	"markr/engine/intake"
)

// Memory does not grow with a field, a line, or what is wrong. Not parallel, because
// memory is measured.
func TestHostileTables(t *testing.T) {
	r := registry(t, intake.Limits{})
	const header = "test-id,student-number,available,obtained,note\n"
	const mib = 1 << 20
	tests := []struct{ name, contentType, document, want string }{
		{"a long field", "text/csv", header + "1,2,20,13," + strings.Repeat("x", 8*mib), ""},
		{"a long field in quotes", "text/csv", header + `1,2,20,13,"` + strings.Repeat(`""`, 4*mib) + `"`, ""},
		{"a long id in quotes", "text/csv", header + `1,"` + strings.Repeat(`""`, 4*mib) + `",20,13,x`, "must not be longer"},
		{"a field that never ends", "text/csv", header + `1,2,20,13,"` + strings.Repeat("\n", 8*mib), "the document ends inside the quoted field"},
		{"a line of separators", "text/csv", strings.Repeat(",", 8*mib), "limit of 4096 fields"},
		{"a second line of separators", "text/csv", header + strings.Repeat(",", 8*mib), "limit of 4096 fields"},
		{"empty lines", "text/csv", header + strings.Repeat("\n", 8*mib), "holds no sheet"},
		{"lines of nothing", "text/csv", header + strings.Repeat(",,,,\n", 2*mib), "holds no sheet"},
		{"records without end", "text/csv", header + strings.Repeat("1,2,20,13,\n", mib/2), "limit of 100000 records"},
		{"wrong records without end", "text/csv", header + strings.Repeat("1,2,20,x,\n", 90_000), "must be digits"},
		{
			"keys without end", "text/csv; profile=keyed",
			"Exam,Student ID,Scanned,Q1\n" + strings.Repeat("9,KEY,,A\n", mib/2), "key-row \"9\" is given twice",
		},
	}
	for _, test := range tests {
		document := []byte(test.document)
		var doc intake.Document
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		err := r.Decode(&doc, document, test.contentType)
		runtime.ReadMemStats(&after)
		switch {
		case test.want == "" && (err != nil || len(doc.Records) != 1),
			test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v", test.name, err)
		}
		limit := uint64(1 << 20)
		if strings.HasPrefix(test.name, "records") {
			limit = 40 << 20 // 100 000 records before there is one too many
		}
		if held := after.TotalAlloc - before.TotalAlloc; held > limit {
			t.Errorf("%s: %d bytes for a document of %d", test.name, held, len(document))
		}
	}
}

// The text of a long table in another encoding is let go of: what is left are ids.
func TestLongTranscodedTable(t *testing.T) {
	t.Parallel()
	const header = "test-id,student-number,available,obtained,note\n"
	table := header + strings.Repeat("9,00\xE91,20,13,"+strings.Repeat("\xE9", 4000)+"\n", 1000)
	var doc intake.Document
	if err := registry(t, intake.Limits{}).Decode(&doc, []byte(table), "text/csv; charset=iso-8859-1"); err != nil {
		t.Fatal(err)
	}
	for i, record := range doc.Records {
		if string(record.Test) != "9" || string(record.Student) != "00é1" {
			t.Fatalf("record %d: %q %q", i+1, record.Test, record.Student)
		}
	}
	if len(doc.Records) != 1000 || cap(doc.Arena) > 1<<20 {
		t.Errorf("%d records, %d bytes held", len(doc.Records), cap(doc.Arena))
	}
}

// In the steady state nothing is allocated for a table without a profile. Not parallel,
// because allocations are counted.
func TestNoAllocations(t *testing.T) {
	r := registry(t, intake.Limits{})
	table := []byte(tableOf(100))
	var doc intake.Document
	const perDocument = 4 // The content type's parameters are a map, whatever it holds.
	if allocations := testing.AllocsPerRun(20, func() {
		doc.Reset()
		if err := r.Decode(&doc, table, "text/csv"); err != nil || len(doc.Records) != 100 {
			t.Fatalf("%d records, %v", len(doc.Records), err)
		}
	}); allocations > perDocument {
		t.Errorf("%v allocations", allocations)
	}
}
