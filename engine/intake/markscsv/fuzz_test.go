package markscsv_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml/vectortest"
)

// FuzzDifferential holds the scanner against encoding/csv, and what is accepted against
// what records must be, under every profile.
func FuzzDifferential(f *testing.F) {
	files, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		for _, v := range vectortest.Read(f, file) {
			if document := v.Document(f); len(document) < 4096 {
				f.Add(document)
			}
		}
	}
	r := registry(f, intake.Limits{})
	f.Fuzz(func(t *testing.T, document []byte) { checkDifferential(t, r, document) })
}

// checkDifferential says everything that can be said about one document.
func checkDifferential(t *testing.T, r *intake.Registry, document []byte) {
	t.Helper()
	for _, contentType := range append(r.Offers(), "text/csv; header=absent", "text/csv; charset=windows-1252") {
		var doc intake.Document
		checkAnswer(t, document, &doc, r.Decode(&doc, document, contentType))
	}
	for _, separator := range []byte(",;\t") {
		checkStdlib(t, document, separator)
	}
}

// checkAnswer checks what every answer must be.
func checkAnswer(t *testing.T, document []byte, doc *intake.Document, err error) {
	t.Helper()
	if err == nil {
		if len(doc.Records) == 0 || len(doc.Records) > bytes.Count(document, []byte("\n"))+1 {
			t.Fatalf("%q: accepted with %d records", document, len(doc.Records))
		}
		for i, r := range doc.Records {
			if exam.CheckID(r.Test) != nil || exam.CheckID(r.Student) != nil ||
				r.Available <= 0 || r.Available > exam.MarksMax || r.Obtained < 0 || r.Obtained > r.Available {
				t.Fatalf("%q: record %d: %+v", document, i+1, r)
			}
		}
		return
	}
	e, ok := errors.AsType[*intake.DocumentError](err)
	if !ok {
		t.Fatalf("%q: not a DocumentError: %v", document, err)
	}
	switch {
	case e.Line < 1 || e.Column < 1, e.Record < 0, e.Reason == "", !slices.Contains(intake.Codes(), e.Code),
		!utf8.ValidString(e.Error()), utf8.RuneCountInString(e.Value) > intake.ValueCharsMax:
		t.Fatalf("%q: %+v", document, e)
	}
}

// What encoding/csv takes and we do not: carriage returns without a line feed, which it
// takes for characters, and control characters, even bytes that are not UTF-8.
var incomparable = regexp.MustCompile(`\r(?:[^\n]|$)|[\x00-\x08\x0B\x0C\x0E-\x1F]`)

// checkStdlib holds the scanner against encoding/csv.
func checkStdlib(t *testing.T, document []byte, separator byte) {
	t.Helper()
	if !utf8.Valid(document) || incomparable.Match(document) {
		return
	}
	stdlib := csv.NewReader(bytes.NewReader(document))
	stdlib.Comma, stdlib.FieldsPerRecord = rune(separator), -1
	want, err := stdlib.ReadAll()
	got, ok := markscsv.Lines(document, separator)
	for _, line := range want {
		if len(line) > markscsv.FieldsMax {
			return
		}
	}
	if ok != (err == nil) {
		t.Fatalf("%q by %q: the scanner says %v, encoding/csv %v", document, separator, ok, err)
	}
	for _, line := range got {
		for i := range line {
			line[i] = strings.ReplaceAll(line[i], "\r\n", "\n") // As encoding/csv does in quotes.
		}
	}
	if difference := cmp.Diff(want, got); ok && difference != "" {
		t.Fatalf("%q by %q: encoding/csv (-) and scanner (+) differ:\n%s", document, separator, difference)
	}
}
