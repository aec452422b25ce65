package cohort_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"markr/bench/cohort"
)

func mustNew(tb testing.TB, opts cohort.Options) *cohort.Cohort {
	tb.Helper()
	c, err := cohort.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// ordinary is a cohort with everything in it.
func ordinary(seed uint64) cohort.Options {
	opts := cohort.Default()
	opts.Seed, opts.Tests, opts.Students = seed, 3, 700
	return opts
}

// TestBytes pins what a seed means: a change of these digests is a change of every
// published figure made from a cohort.
func TestBytes(t *testing.T) {
	t.Parallel()
	full := ordinary(7)
	full.RescanShare, full.FoldShare, full.BlankShare = 1, 1, 1
	tiny := cohort.Options{Students: 1, Questions: 1, Choices: 2, RecordsPerDocument: 1, RescanShare: 1, FoldShare: 1}
	wide := cohort.Options{Tests: 700, Students: 5, Choices: 8, RecordsPerDocument: 2, RescanShare: 0.5, FoldShare: 0.3}
	for _, tt := range []struct {
		name string
		opts cohort.Options
		want string
	}{
		{"default", cohort.Default(), "814e9531cce5e2831729519bdd66d02f42521915499194016181af679b810dbd"},
		{"ordinary", ordinary(7), "d19f6eedcd0f1779e67ec06889242e9af9cd1a860368ac7661e6ac9577fa88de"},
		{"everything", full, "b4dcb7fa638c72cc6ba56355a6f7b580ce7edd154775f69babca251aed14d9e0"},
		{"tiny", tiny, "f50036ec7cfb883881f00984c201d35c4161dbd4de2234a027264595ec143212"},
		{"wide", wide, "4b3217c0c6072289f385a8eddd57c40e85305dc8b800f800cee556341e6dd56d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sum := sha256.New()
			for _, document := range mustNew(t, tt.opts).All() {
				sum.Write(document)
			}
			if got := hex.EncodeToString(sum.Sum(nil)); got != tt.want {
				t.Errorf("sha256 of all documents = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAnyOrder(t *testing.T) {
	t.Parallel()
	c := mustNew(t, ordinary(3))
	var inOrder [][]byte
	for _, document := range c.All() {
		inOrder = append(inOrder, bytes.Clone(document))
	}
	if len(inOrder) != c.Documents() {
		t.Fatalf("All yielded %d documents, Documents() = %d", len(inOrder), c.Documents())
	}
	for i := c.Documents() - 1; i >= 0; i-- {
		if !bytes.Equal(c.AppendDocument(nil, i), inOrder[i]) {
			t.Errorf("document %d alone differs from document %d in order", i, i)
		}
		var written bytes.Buffer
		if err := c.WriteDocument(&written, i); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written.Bytes(), inOrder[i]) {
			t.Errorf("document %d written in pieces differs", i)
		}
	}
}

func TestWriteDocumentStopsAtAnError(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	c := mustNew(t, cohort.Options{RecordsPerDocument: 1000})
	writer := &failingWriter{err: full, after: 1}
	if err := c.WriteDocument(writer, 0); !errors.Is(err, full) {
		t.Errorf("error = %v, want %v", err, full)
	}
	if writer.writes != 2 {
		t.Errorf("%d writes, want 2: the document goes out in pieces and stops", writer.writes)
	}
}

type failingWriter struct {
	err           error
	after, writes int
}

func (w *failingWriter) Write(p []byte) (int, error) {
	w.writes++
	if w.writes > w.after {
		return 0, w.err
	}
	return len(p), nil
}

// parsed is a document as encoding/xml sees it.
type parsed struct {
	Results []struct {
		ScannedOn string `xml:"scanned-on,attr"`
		First     string `xml:"first-name"`
		Last      string `xml:"last-name"`
		Student   string `xml:"student-number"`
		Test      string `xml:"test-id"`
		Answers   []struct {
			Question  int    `xml:"question,attr"`
			Available int    `xml:"marks-available,attr"`
			Awarded   int    `xml:"marks-awarded,attr"`
			Choice    string `xml:",chardata"`
		} `xml:"answer"`
		Summary struct {
			Available int `xml:"available,attr"`
			Obtained  int `xml:"obtained,attr"`
		} `xml:"summary-marks"`
	} `xml:"mcq-test-result"`
}

// TestRendering reads the documents back and compares them with the sheets.
func TestRendering(t *testing.T) {
	t.Parallel()
	c := mustNew(t, ordinary(11))
	records := 0
	for i, document := range c.All() {
		var p parsed
		if err := xml.Unmarshal(document, &p); err != nil {
			t.Fatalf("document %d: %v", i, err)
		}
		n := 0
		for s := range c.Sheets(i) {
			r := p.Results[n]
			n++
			var got, want []string
			for _, a := range r.Answers {
				got = append(got, fmt.Sprint(a.Question, a.Available, a.Awarded, a.Choice))
			}
			for _, a := range s.Answers {
				want = append(want, fmt.Sprint(a.Question, 1, a.Awarded, strings.Trim(string(a.Choice), "\x00")))
			}
			if r.First != s.FirstName || r.Last != s.LastName || r.Student != s.StudentNumber ||
				r.Test != s.TestID || r.ScannedOn != s.ScannedOn.Format(time.RFC3339) ||
				r.Summary.Available != s.Available || r.Summary.Obtained != s.Obtained || !slices.Equal(got, want) {
				t.Fatalf("document %d, record %d: parsed %+v, sheet %+v", i, n, r, *s)
			}
		}
		if n != len(p.Results) {
			t.Fatalf("document %d has %d records, %d sheets", i, len(p.Results), n)
		}
		records += n
	}
	if records != c.Records() {
		t.Errorf("documents hold %d records, Records() = %d", records, c.Records())
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	t.Parallel()
	nan := 0.0
	nan /= nan
	for name, opts := range map[string]cohort.Options{
		"tests":                {Tests: -1},
		"students":             {Students: cohort.StudentsMax + 1},
		"questions":            {Questions: cohort.QuestionsMax + 1},
		"choices":              {Choices: 1},
		"records per document": {RecordsPerDocument: -5},
		"rescan share":         {RescanShare: 1.01},
		"fold share":           {FoldShare: -0.1},
		"blank share":          {BlankShare: nan},
	} {
		_, err := cohort.New(opts)
		if !errors.Is(err, cohort.ErrOptions) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error = %v, want one that names it and wraps ErrOptions", name, err)
		}
	}
}

func BenchmarkAppendDocument(b *testing.B) {
	for _, records := range []int{1, 100} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			opts := cohort.Default()
			opts.Tests, opts.Students, opts.RecordsPerDocument = 10, 1_000_000, records
			c := mustNew(b, opts)
			document := c.AppendDocument(nil, 0)
			b.SetBytes(int64(len(document)))
			i := 0
			for b.Loop() {
				i = (i + 1) % c.Documents()
				document = c.AppendDocument(document[:0], i)
			}
			if !bytes.HasSuffix(document, []byte("</mcq-test-results>\n")) {
				b.Fatal("the document is not complete")
			}
		})
	}
}
