package markscsv_test

import (
	"errors"
	"testing"

	"markr/engine/intake"
)

// A record is told by its place among the sheets, with what does not count; lines that
// are no sheets are not among them.
func TestDescribe(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	for _, test := range []struct {
		contentType, table string
		record             int
		want               intake.Description
	}{
		{
			"text/csv", "test-id,student-number,available,obtained,last-name,first-name,scanned-on,note\n\n1,2,20,13,,,,\"a\nb\"\n" +
				"1,3,20,13,\"O\"\"Neill\", Jane ,yesterday,\n",
			1,
			intake.Description{Line: 5, FirstName: "Jane", LastName: `O"Neill`, ScannedOn: "yesterday"},
		},
		{"text/csv; header=absent", "1,2,20,13\r\n1,3,20,13", 1, intake.Description{Line: 2}},
		{
			"text/csv; profile=keyed", "Exam,Student ID,Scanned,Q1\n9,1,2017-12-04T12:12:10Z,A\n9,KEY,,A\n9,POINTS,,1\n9,2,x,A\n",
			1,
			intake.Description{Line: 5, ScannedOn: "x"},
		},
	} {
		if got, err := r.Describe([]byte(test.table), test.contentType, test.record); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.contentType, got, err, test.want)
		}
		for _, record := range []int{-1, 2} {
			if _, err := r.Describe([]byte(test.table), test.contentType, record); !errors.Is(err, intake.ErrNoRecord) {
				t.Errorf("%s, record %d: %v", test.contentType, record, err)
			}
		}
	}
	if _, err := r.Describe([]byte("a,b\n"), "text/csv", 0); err == nil {
		t.Error("another table was described")
	}
}
