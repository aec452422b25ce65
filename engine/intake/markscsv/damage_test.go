package markscsv_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml/vectortest"
)

// smallTable holds one of everything that a table can be made of.
const smallTable = "test-id,\"student-number\",available,obtained,note\r\n" +
	"1234,\"00\"\"2299\",20,13.5,\"a,\r\nb\"\n" +
	"\n1234,521585128,20,17,é\n,,,,\n1234,521585129,20,11,x"

// TestCutAnywhere cuts tables short at every byte. A table does not say where it ends,
// so a cut between two lines cannot be seen, nor one inside the last field of the last
// line; it must be refused everywhere else.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "utf-8 with mark", "utf-16le"} {
		document := vectortest.Encode(t, smallTable, encoding)
		width := 1
		if encoding == "utf-16le" {
			width = 2
		}
		mark := len(document) - width*len(smallTable)
		if encoding == "utf-16le" {
			mark = 2
		}
		r := registry(t, intake.Limits{})
		accepted := 0
		for end := range document {
			var doc intake.Document
			// The bytes behind the end must not be looked at.
			err := r.Decode(&doc, slices.Clip(document[:end]), "text/csv")
			at := min((end-mark)/width, len(smallTable))
			if encoding == "utf-16le" {
				at = len(string([]rune(smallTable)[:max(at, 0)]))
			}
			if err != nil {
				if _, ok := errors.AsType[*intake.DocumentError](err); !ok {
					t.Errorf("%q cut at %d: %v", encoding, end, err)
				}
				continue
			}
			accepted++
			rest := smallTable[at:]
			line := smallTable[strings.LastIndexByte(smallTable[:at], '\n')+1 : at]
			atLineEnd := line == "" || rest == "" || rest[0] == '\n' || strings.HasPrefix(rest, "\r\n")
			if !atLineEnd && strings.Count(line, ",") != 4 {
				t.Errorf("%q cut at %d: accepted: %q", encoding, end, smallTable[:at])
			}
		}
		if accepted == 0 || accepted > 30 {
			t.Errorf("%q: %d cuts were accepted", encoding, accepted)
		}
	}
}

// TestDamageOfOneByte changes, leaves out and puts in every byte at every place of a
// small table, and holds what the decoder says against encoding/csv.
func TestDamageOfOneByte(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	document := []byte(smallTable)
	values := []byte("\x00\t\n\r \",;.09a\xc3\xff")
	if *long {
		values = values[:0]
		for b := range 256 {
			values = append(values, byte(b))
		}
	}
	for i := range document {
		for _, b := range values {
			changed := bytes.Clone(document)
			changed[i] = b
			checkDifferential(t, r, changed)
			checkDifferential(t, r, slices.Insert(bytes.Clone(document), i, b))
		}
		checkDifferential(t, r, slices.Delete(bytes.Clone(document), i, i+1))
	}
}
