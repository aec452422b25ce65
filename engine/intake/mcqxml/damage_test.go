package mcqxml_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/mcqxml/vectortest"
)

// smallDocument holds one of everything that markup can be.
const smallDocument = `<?xml version="1.0"?><!-- c --><mcq-test-results><mcq-test-result scanned-on='2017'>` +
	`<student-number>5<!-- x -->&#50;1</student-number><?p q?><test-id><![CDATA[t]]></test-id><a:b/>` +
	`<answer question="1" marks-available="1" marks-awarded="1">&lt;é</answer>` +
	`<summary-marks available="20" obtained = "13" /></mcq-test-result></mcq-test-results>`

// TestCutAnywhere cuts documents short at every byte: none may be accepted.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	decoder := mcqxml.New(intake.Limits{})
	documents := map[string][]byte{
		"utf-8":        []byte(smallDocument),
		"utf-16":       vectortest.Encode(t, smallDocument, "utf-16le"),
		"iso-8859-1":   vectortest.Encode(t, strings.Replace(smallDocument, "?>", ` encoding="ISO-8859-1"?>`, 1), "iso-8859-1"),
		"windows-1252": vectortest.Encode(t, strings.Replace(smallDocument, "?>", ` encoding="windows-1252"?>`, 1), "windows-1252"),
	}
	for name, document := range documents {
		var doc intake.Document
		if err := decoder.Decode(&doc, document, ""); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for end := range document {
			doc.Reset()
			// The bytes behind the end must not be looked at.
			err := decoder.Decode(&doc, slices.Clip(document[:end]), "")
			e, ok := errors.AsType[*intake.DocumentError](err)
			if !ok || e.Code != intake.CodeMalformedXML {
				t.Errorf("%s cut at %d: %v: %s", name, end, err, document[:end])
				continue
			}
			if name == "utf-16" && end%2 == 1 {
				continue // Half a character is wrong in its own way.
			}
			if !strings.Contains(e.Reason, "the document ends") && !strings.Contains(e.Reason, "empty body") &&
				!strings.Contains(e.Reason, " is not UTF-8") {
				t.Errorf("%s cut at %d: the reason does not say so: %v", name, end, err)
			}
		}
	}
}

// TestDamageOfOneByte changes, leaves out and puts in every byte at every place
// of a small document, and holds what the decoder says against the grammar and
// against encoding/xml.
func TestDamageOfOneByte(t *testing.T) {
	if underRace {
		t.Skip("for one goroutine, and long or counting allocations")
	}
	t.Parallel()
	decoder := mcqxml.New(intake.Limits{})
	document := []byte(smallDocument)
	values := []byte("\x00\t\n\r !\"#&'-/0:;<=>?A[]a\x7f\x80\xc3\xe9\xff")
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
			checkDifferential(t, decoder, changed)
			checkDifferential(t, decoder, slices.Insert(bytes.Clone(document), i, b))
		}
		checkDifferential(t, decoder, slices.Delete(bytes.Clone(document), i, i+1))
	}
}

// TestSwappedPieces tears the document apart at its markup and puts two pieces
// in each other's place, which damages it more than a byte does.
func TestSwappedPieces(t *testing.T) {
	t.Parallel()
	decoder := mcqxml.New(intake.Limits{})
	pieces := strings.SplitAfter(strings.ReplaceAll(smallDocument, "<", "\x00<"), "\x00")
	for i := range pieces {
		for j := range i {
			swapped := slices.Clone(pieces)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			checkDifferential(t, decoder, []byte(strings.ReplaceAll(strings.Join(swapped, ""), "\x00", "")))
		}
	}
}
