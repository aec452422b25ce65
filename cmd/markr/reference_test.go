package main_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

var referenceSteps = flag.Int("reference.steps", 0, "steps of TestReference; 0: 1500, with -long 20000")

// reference is what a server must answer: plain maps, and every import in order.
type reference struct {
	*model

	imports []imported     // by position, the first is 1
	raws    [][]byte       // what was sent, of each
	first   map[string]int // position of the first accepted import of these bytes
}

// receipt is the answer to an import.
type receipt struct {
	ImportID    string   `json:"import_id"`
	Position    int      `json:"position"`
	TestIDs     []string `json:"test_ids"`
	Records     int      `json:"records"`
	Added       int      `json:"students_added"`
	Raised      int      `json:"marks_raised"`
	Unchanged   int      `json:"unchanged"`
	DuplicateOf *string  `json:"duplicate_of"`
}

// take counts a document, and is what must be answered but for the import id, which
// is the server's.
func (r *reference) take(p *paper, digest string) (want receipt) {
	one := imported{Position: len(r.imports) + 1, Outcome: "accepted", Digest: digest, Records: len(p.records)}
	want = receipt{Position: one.Position, Records: len(p.records)}
	for _, scan := range p.records {
		if !slices.Contains(want.TestIDs, scan.test) {
			want.TestIDs = append(want.TestIDs, scan.test)
		}
		switch best, known := r.obtained[scan.test][scan.student]; {
		case p.bad:
		case !known:
			want.Added++
		case scan.obtained > best:
			want.Raised++
		default:
			want.Unchanged++
		}
		if !p.bad {
			r.add(&paper{records: []record{scan}})
		}
	}
	switch at, again := r.first[digest]; {
	case p.bad:
		one.Outcome, one.Records = "refused", 0
	case again:
		one.Outcome, one.DuplicateOf = "duplicate", &r.imports[at-1].ID
		want.DuplicateOf = one.DuplicateOf
	default:
		r.first[digest] = one.Position
	}
	r.imports, r.raws = append(r.imports, one), append(r.raws, p.raw)
	return want
}

// TestReference takes random steps with one client against the real program and a
// reference in plain maps: documents that are accepted, refused, sent again, and
// scanned again with other marks; aggregates, lists and documents read back; gentle
// and sudden restarts. Every answer must be the reference's.
func TestReference(t *testing.T) {
	t.Parallel()
	seed, steps := drawSeed(t), *referenceSteps
	if steps == 0 {
		steps = 1500
		if *long {
			steps = 20_000
		}
	}
	w := &walk{
		t: t, dir: t.TempDir(), http: newHTTPClient(t), random: rand.New(rand.NewPCG(seed, 0)), did: make(map[string]int),
		want: &reference{model: newModel(), first: make(map[string]int)},
	}
	w.server = serve(t, w.dir)
	for step := range steps {
		w.step()
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
	}
	for test := range w.want.obtained {
		w.aggregate(test)
	}
	w.listTests("")
	t.Logf("%d steps: %v", steps, w.did)
}

// walk is the state of a TestReference.
type walk struct {
	t      *testing.T
	dir    string
	http   *http.Client
	random *rand.Rand
	server *process
	want   *reference
	papers []*paper
	did    map[string]int // steps, by kind
}

// step takes one step.
func (w *walk) step() {
	kind := "aggregate"
	switch n := w.random.IntN(1000); {
	case n < 350:
		kind = "import"
		w.post(w.newPaper())
	case n < 400 && len(w.papers) > 0:
		kind = "import again"
		w.post(w.papers[w.random.IntN(len(w.papers))])
	case n < 430:
		kind = "list tests"
		w.listTests(fmt.Sprintf("test-%d", w.random.IntN(3)))
	case n < 480:
		kind = "list imports"
		w.listImports(1 + w.random.IntN(20))
	case n < 530 && len(w.want.imports) > 0:
		kind = "document"
		w.document(w.random.IntN(len(w.want.imports)))
	case n < 532:
		kind = "restart"
		if code := w.server.stop(w.t); code != 0 {
			w.t.Errorf("exit %d", code)
		}
		w.server = serve(w.t, w.dir)
	case n < 534:
		kind = "kill"
		w.server.kill()
		w.server = serve(w.t, w.dir)
	default:
		w.aggregate(w.test())
	}
	w.did[kind]++
}

// test is the id of one of few tests.
func (w *walk) test() string { return fmt.Sprintf("test-%d", w.random.IntN(25)) }

// newPaper makes a document of few students and tests, so that most are rescans.
func (w *walk) newPaper() *paper {
	p := &paper{number: len(w.papers), bad: w.random.IntN(8) == 0}
	count := 1 + w.random.IntN(6)
	badAt := w.random.IntN(count)
	var b strings.Builder
	fmt.Fprintf(&b, "<mcq-test-results><!-- %d -->", p.number)
	for i := range count {
		r := record{test: w.test(), student: fmt.Sprintf("%03d", w.random.IntN(40)), available: 1 + w.random.IntN(30)}
		r.obtained = w.random.IntN(r.available + 1)
		p.records = append(p.records, r)
		obtained := fmt.Sprint(r.obtained)
		if p.bad && i == badAt {
			obtained = fmt.Sprint(r.available + 1)
		}
		fmt.Fprintf(&b, "<mcq-test-result><test-id> %s </test-id><student-number>%s</student-number>"+
			"<summary-marks obtained='%s' available='%d'/></mcq-test-result>", r.test, r.student, obtained, r.available)
	}
	b.WriteString("</mcq-test-results>")
	p.raw = []byte(b.String())
	w.papers = append(w.papers, p)
	return p
}

func (w *walk) post(p *paper) {
	want := w.want.take(p, digestText(w.t, p.raw))
	status, body, err := post(w.http, w.server.url, p.raw)
	if err != nil {
		w.t.Fatal(err)
	}
	var got receipt
	if err := json.Unmarshal(body, &got); err != nil {
		w.t.Fatalf("%v: %s", err, body)
	}
	w.want.imports[want.Position-1].ID = got.ImportID
	if p.bad {
		if status != http.StatusUnprocessableEntity || got.ImportID == "" {
			w.t.Errorf("a bad document: status %d: %s", status, body)
		}
		return
	}
	want.ImportID = got.ImportID
	wanted, err := json.Marshal(want)
	if err != nil {
		w.t.Fatal(err)
	}
	if status != http.StatusOK || !bytes.Equal(body, wanted) {
		w.t.Errorf("import: status %d\ngot  %s\nwant %s", status, body, wanted)
	}
}

func (w *walk) aggregate(test string) {
	status, body, err := get(w.http, w.server.url+"/results/"+test+"/aggregate")
	if err != nil {
		w.t.Fatal(err)
	}
	if w.want.obtained[test] == nil {
		if status != http.StatusNotFound {
			w.t.Errorf("test %s, which nobody has named: status %d: %s", test, status, body)
		}
		return
	}
	var got figures
	if err := json.Unmarshal(body, &got); err != nil || status != http.StatusOK {
		w.t.Fatalf("test %s: status %d, %v: %s", test, status, err, body)
	}
	if want := w.want.aggregate(test); got != want {
		w.t.Errorf("test %s: %+v, want %+v", test, got, want)
	}
}

// listTests walks the list of tests in pages of chance.
func (w *walk) listTests(prefix string) {
	var want []string
	for _, test := range slices.Sorted(maps.Keys(w.want.obtained)) {
		if strings.HasPrefix(test, prefix) {
			f := w.want.aggregate(test)
			want = append(want, fmt.Sprint(test, f.Count, f.Mean))
		}
	}
	var got []string
	for cursor := ""; ; {
		var page struct {
			Tests []struct {
				ID    string
				Count int
				Mean  float64
			}
			Next *string `json:"next_cursor"`
		}
		query := fmt.Sprintf("/results?limit=%d&prefix=%s%s", 1+w.random.IntN(20), prefix, cursor)
		getJSON(w.t, w.http, w.server.url+query, &page)
		for _, test := range page.Tests {
			got = append(got, fmt.Sprint(test.ID, test.Count, test.Mean))
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("tests with %q:\ngot  %v\nwant %v", prefix, got, want)
	}
}

// listImports looks at the newest imports.
func (w *walk) listImports(limit int) {
	var page struct{ Imports []imported }
	getJSON(w.t, w.http, fmt.Sprintf("%s/imports?limit=%d", w.server.url, limit), &page)
	if want := min(limit, len(w.want.imports)); len(page.Imports) != want {
		w.t.Fatalf("%d imports, want %d", len(page.Imports), want)
	}
	for i, got := range page.Imports {
		want := w.want.imports[len(w.want.imports)-1-i]
		if text(got) != text(want) {
			w.t.Errorf("import %d:\ngot  %s\nwant %s", want.Position, text(got), text(want))
		}
	}
}

func text(i imported) string {
	of := "nothing"
	if i.DuplicateOf != nil {
		of = *i.DuplicateOf
	}
	return fmt.Sprintf("%s at %d, %s, digest %s, %d records, duplicate of %s", i.ID, i.Position, i.Outcome, i.Digest, i.Records, of)
}

// document reads back what was sent.
func (w *walk) document(number int) {
	status, body, err := get(w.http, w.server.url+"/imports/"+w.want.imports[number].ID+"/document")
	if err != nil || status != http.StatusOK || !bytes.Equal(body, w.want.raws[number]) {
		w.t.Errorf("document %d: status %d, %v: %s", number+1, status, err, body)
	}
}
