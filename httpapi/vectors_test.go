package httpapi_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml/vectortest"
	"markr/engine/intake/qtixml"
)

// statusOf is the contract's status of each code, on its own.
var statusOf = map[intake.Code]int{
	intake.CodeMalformedXML: 400, intake.CodeUnsupportedEncoding: 400, intake.CodeDTDForbidden: 400, intake.CodeTooDeep: 400,
	intake.CodeTooLarge:      413,
	intake.CodeWrongDocument: 422, intake.CodeEmptyDocument: 422, intake.CodeMissingField: 422,
	intake.CodeRepeatedField: 422, intake.CodeInvalidValue: 422,
}

// refusal is what a client reads of a refused document.
type refusal struct {
	Status int
	Code   intake.Code
	Errors []struct {
		Code                 intake.Code
		Record, Line, Column int
		Field, Value, Reason string
	}
}

// TestVectorsOverHTTP posts the decoders' vectors, in every content coding by
// turns. A bad document is answered with its status, its code, and the place that
// the vector pins: record, line, column, field, value and reason. Of a good one all
// records count, of a bad one none.
func TestVectorsOverHTTP(t *testing.T) {
	t.Parallel()
	for _, format := range []struct {
		name, mediaType       string
		sent, refused, others int // at least so many, and at most so many left out
	}{
		{"mcqxml", scannerType, 500, 300, 20},
		{"markscsv", markscsv.MediaType, 120, 70, 5},
		{"qtixml", qtixml.MediaType, 50, 35, 5},
	} {
		t.Run(format.name, func(t *testing.T) {
			t.Parallel()
			files, err := filepath.Glob("../engine/intake/" + format.name + "/testdata/vectors/*.txt")
			if err != nil {
				t.Fatal(err)
			}
			b := newBorder(t, nil)
			codings := []string{"identity", "gzip", "zstd", "deflate"}
			var sent, refused, other int
			for _, file := range files {
				vectors := vectortest.Read(t, file)
				for i := range vectors {
					v := &vectors[i]
					if v.Options["records"] != "" || v.Options["depth"] != "" {
						other++ // is for a decoder with limits of its own
						continue
					}
					name := strings.TrimSuffix(filepath.Base(file), ".txt") + "/" + v.Name
					coding := codings[sent%len(codings)]
					sent++
					if !strings.HasPrefix(v.Want, "record ") {
						refused++
					}
					checkVector(t, b, name, coding, format.mediaType, v)
				}
			}
			if sent < format.sent || refused < format.refused || other > format.others {
				t.Errorf("%d vectors, %d of them refused, %d left out: were files lost?", sent, refused, other)
			}
			t.Logf("%d documents, %d of them refused", sent, refused)
		})
	}
}

func checkVector(t *testing.T, b *border, name, coding, mediaType string, v *vectortest.Vector) {
	t.Helper()
	raw, contentType := string(v.Document(t)), v.ContentType(mediaType)
	if coding != "identity" {
		raw = string(bodyCodings[coding](t, raw))
	}
	before := b.engine.State().Tests()
	got := b.post(t, raw, "Content-Type", contentType, "Content-Encoding", coding)
	if strings.HasPrefix(v.Want, "record ") {
		records := strings.Count("\n"+v.Want, "\nrecord ")
		var receipt struct{ Records int }
		if err := json.Unmarshal([]byte(got.body), &receipt); err != nil || got.StatusCode != 200 || receipt.Records != records {
			t.Errorf("%s (%s): %s %s, want %d records", name, coding, got.Status, got.body, records)
		}
		return
	}
	code, place, _ := strings.Cut(strings.TrimSuffix(v.Want, "\n"), "\n")
	var answer refusal
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || len(answer.Errors) != 1 {
		t.Errorf("%s (%s): %s %s: %v", name, coding, got.Status, got.body, err)
		return
	}
	e := answer.Errors[0]
	told := intake.DocumentError{
		Code: e.Code, Record: e.Record, Line: e.Line, Column: e.Column, Field: e.Field, Value: e.Value, Reason: e.Reason,
	}
	if want := statusOf[intake.Code(code)]; got.StatusCode != want || answer.Status != want {
		t.Errorf("%s (%s): %s, want %d", name, coding, got.Status, want)
	}
	if string(answer.Code) != code || string(e.Code) != code || told.Error() != place {
		t.Errorf("%s (%s): %s, %s\nwant %s, %s", name, coding, answer.Code, told.Error(), code, place)
	}
	if after := b.engine.State().Tests(); after != before {
		t.Errorf("%s (%s): refused, and %d tests became %d", name, coding, before, after)
	}
}
