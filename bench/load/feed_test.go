package load_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"markr/bench/cohort"
	"markr/bench/load"
)

func testTarget() load.Target {
	return load.Target{Address: netip.MustParseAddrPort("127.0.0.1:1"), Host: "127.0.0.1:1"}
}

func newCohort(tb testing.TB, opts cohort.Options) *cohort.Cohort {
	tb.Helper()
	c, err := cohort.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestImportsAreDistinct takes more documents than were rendered and looks at
// every one.
func TestImportsAreDistinct(t *testing.T) {
	t.Parallel()
	c := newCohort(t, cohort.Options{
		Tests: 2, Students: 60, Questions: 3, RecordsPerDocument: 10, RescanShare: 0.3, FoldShare: 0.2,
	})
	const connections, rounds = 3, 40
	imports, err := load.NewImports(testTarget(), c, connections)
	if err != nil {
		t.Fatal(err)
	}
	digests := make(map[[32]byte]bool)
	students := make(map[string]bool)
	records, rescans := 0, 0
	for connection := range connections {
		feed := imports.Feed(connection)
		for range rounds {
			head, body, found := bytes.Cut(feed(), []byte("\r\n\r\n"))
			if !found || !strings.HasPrefix(string(head), "POST /import HTTP/1.1\r\n") ||
				!strings.Contains(string(head), "\r\nContent-Length: "+strconv.Itoa(len(body))) {
				t.Fatalf("request head:\n%s", head)
			}
			if digest := sha256.Sum256(body); digests[digest] {
				t.Fatal("the same document twice")
			} else {
				digests[digest] = true
			}
			var document struct {
				Results []struct {
					Number string `xml:"student-number"`
					Test   string `xml:"test-id"`
				} `xml:"mcq-test-result"`
			}
			if err := xml.Unmarshal(body, &document); err != nil {
				t.Fatal(err)
			}
			inDocument := make(map[string]bool)
			for _, r := range document.Results {
				records++
				if inDocument[r.Number] {
					rescans++
				} else if students[r.Number] {
					t.Fatalf("student number %s in two documents", r.Number)
				}
				inDocument[r.Number], students[r.Number] = true, true
			}
		}
	}
	if int64(len(students)) != imports.Students() {
		t.Errorf("%d students, Students() = %d", len(students), imports.Students())
	}
	if rescans < records/20 {
		t.Errorf("%d rescans in %d records: who is who in a document was lost", rescans, records)
	}
}

func TestImportsRunOut(t *testing.T) {
	t.Parallel()
	// The last connection starts where the numbers of eight digits end.
	const records = 60_000
	c := newCohort(t, cohort.Options{Students: 1, RecordsPerDocument: records})
	imports, err := load.NewImports(testTarget(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	feed := imports.Feed(0)
	n := 0
	for feed() != nil {
		n++
	}
	if want := cohort.StudentsMax / records; n != want {
		t.Errorf("%d documents before the numbers ran out, want %d", n, want)
	}
}

func BenchmarkImports(b *testing.B) {
	for _, records := range []int{1, 100} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			opts := cohort.Default()
			opts.Tests, opts.Students, opts.RecordsPerDocument = 10, 100_000, records
			imports, err := load.NewImports(testTarget(), newCohort(b, opts), 1)
			if err != nil {
				b.Fatal(err)
			}
			feed := imports.Feed(0)
			b.SetBytes(imports.BodyBytes())
			for b.Loop() {
				if feed() == nil {
					feed = imports.Feed(0)
				}
			}
			if imports.Students() == 0 {
				b.Fatal("no documents")
			}
		})
	}
}
