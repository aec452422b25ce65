package markscsv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"markr/engine/intake"
	"markr/engine/intake/markscsv"
)

// TestSalvage: what can be read of a record of a table that is refused.
func TestSalvage(t *testing.T) {
	t.Parallel()
	const head = "test-id,student-number,available,obtained,note\n"
	wide := "test-id,student-number,available,obtained" + strings.Repeat(",q", 2*intake.SalvagedMax) + "\n"
	profile, err := markscsv.ParseProfile("reader", []byte(`{"test-id":{"text":"9"},"student-number":{"column":"id"},`+
		`"available":{"column":"max"},"obtained":{"column":"got"}}`))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := intake.NewRegistry(markscsv.New(intake.Limits{}, profile))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		contentType, document string
		record                int
		want                  string
	}{
		"a value that cannot be":   {"text/csv", head + "9,1,20,3,\n9,2,20,21,late\n", 2, "[{test-id 9} {student-number 2} {available 20} {obtained 21} {note late}]"},
		"an earlier record":        {"text/csv", head + "9,1,20,3,\n9,2,20,21,late\n", 1, "[{test-id 9} {student-number 1} {available 20} {obtained 3} {note }]"},
		"quotes":                   {"text/csv", head + "9,\"2\",20,\"2\"\"1\",\"a,b\"\n", 1, `[{test-id 9} {student-number 2} {available 20} {obtained 2"1} {note a,b}]`},
		"a field too few":          {"text/csv", head + "9,2,20\n9,3,20,1,\n", 1, "[{test-id 9} {student-number 2} {available 20}]"},
		"a field too many":         {"text/csv", head + "9,2,20,1,x,y\n", 1, "[{test-id 9} {student-number 2} {available 20} {obtained 1} {note x} {column 6 y}]"},
		"no header line":           {"text/csv; header=absent", "9,2,20,x\n", 1, "[{test-id 9} {student-number 2} {available 20} {obtained x}]"},
		"a profile":                {"text/csv; profile=reader", "id;max;got;\n7;20;x;\n", 1, "[{id 7} {max 20} {got x} {column 4 }]"},
		"Latin":                    {"text/csv; charset=iso-8859-1", head + "9,M\xfcller,20,x,\n", 1, "[{test-id 9} {student-number Müller} {available 20} {obtained x} {note }]"},
		"a record that is not":     {"text/csv", head + "9,2,20,1,\n", 2, "[]"},
		"no record":                {"text/csv", head + "9,2,20,1,\n", 0, "[]"},
		"behind where it breaks":   {"text/csv", head + "9,2,20\n9,3,20,1,\n", 2, "[]"},
		"a header line of nothing": {"text/csv", "a,b\n1,2\n", 1, "[]"},
		"nothing":                  {"text/csv", "", 1, "[]"},
	} {
		if got := fmt.Sprint(registry.Salvage([]byte(c.document), c.contentType, c.record)); got != c.want {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got))
		}
	}
	if got := registry.Salvage([]byte(wide+"9,1,20,x"+strings.Repeat(",1", 2*intake.SalvagedMax)+"\n"), "text/csv", 1); len(got) != intake.SalvagedMax {
		t.Errorf("%d fields are told", len(got))
	}
}
