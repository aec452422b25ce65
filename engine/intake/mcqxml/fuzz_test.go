package mcqxml_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/mcqxml/vectortest"
)

// FuzzDifferential holds the scanner against the grammar and against
// encoding/xml, and the decoder against itself in another encoding.
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
	decoder := mcqxml.New(intake.Limits{})
	f.Fuzz(func(t *testing.T, document []byte) {
		checkDifferential(t, decoder, document)
	})
}

// checkDifferential says everything that can be said about one document.
func checkDifferential(t *testing.T, decoder *mcqxml.Decoder, document []byte) {
	t.Helper()
	var doc intake.Document
	err := decoder.Decode(&doc, document, "")
	checkAnswer(t, document, &doc, err)
	vectortest.CheckMarksOnly(t, &doc, err, func(marks *intake.Document) error { return decoder.Decode(marks, document, "") })
	if !isReadAsUTF8(document) {
		return
	}
	got := formOf(err)
	if want := grammarVerdict(document); got != want {
		t.Fatalf("%q:\ngot %q (%v), the grammar says %q", document, got, err, want)
	}
	events, ok := mcqxml.Events(document)
	if ok != (got == wellFormed) {
		t.Fatalf("%q:\nthe scanner alone says %v, the decoder %v", document, ok, err)
	}
	if want := stdlib(document); !want.incomparable {
		if got != want.verdict {
			t.Fatalf("%q:\ngot %q (%v), encoding/xml says %q", document, got, err, want.verdict)
		}
		if difference := cmp.Diff(readable(want.events), readable(events)); ok && difference != "" {
			t.Fatalf("%q:\nencoding/xml (-) and scanner (+) differ:\n%s", document, difference)
		}
	}
	checkUTF16(t, decoder, document, told(&doc, err))
}

// checkAnswer checks what every answer must be.
func checkAnswer(t *testing.T, document []byte, doc *intake.Document, err error) {
	t.Helper()
	if err == nil {
		if len(doc.Records) == 0 {
			t.Fatalf("%q: accepted without a record", document)
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
	case e.Line < 1 || e.Column < 1, e.Record < 0, e.Reason == "", e.Code == "",
		!utf8.ValidString(e.Error()), utf8.RuneCountInString(e.Value) > intake.ValueCharsMax:
		t.Fatalf("%q: %+v", document, e)
	}
}

// checkUTF16 checks that a document says the same in UTF-16.
func checkUTF16(t *testing.T, decoder *mcqxml.Decoder, document []byte, want string) {
	t.Helper()
	if !utf8.Valid(document) || bytes.HasPrefix(document, []byte("\xEF\xBB\xBF")) {
		return
	}
	wide := []byte{0xFE, 0xFF}
	for _, unit := range utf16.Encode([]rune(string(document))) {
		wide = append(wide, byte(unit>>8), byte(unit))
	}
	var doc intake.Document
	err := decoder.Decode(&doc, wide, "")
	if got := told(&doc, err); got != want {
		t.Fatalf("%q:\nas UTF-8:  %s\nas UTF-16: %s", document, want, got)
	}
}

// formOf reduces an answer to what it says of the document's form.
func formOf(err error) intake.Code {
	e, ok := errors.AsType[*intake.DocumentError](err)
	if !ok {
		return wellFormed
	}
	switch e.Code {
	case intake.CodeMalformedXML, intake.CodeDTDForbidden, intake.CodeTooDeep, intake.CodeUnsupportedEncoding:
		return e.Code
	default:
		return wellFormed
	}
}
