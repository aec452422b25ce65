package mcqxml_test

import (
	"flag"
	"strconv"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/mcqxml/vectortest"
)

var (
	long   = flag.Bool("long", false, "run the long tests")
	update = flag.Bool("update", false, "write what the decoder says into testdata/vectors")
)

// TestVectors runs the cases in testdata/vectors.
func TestVectors(t *testing.T) {
	t.Parallel()
	cases := vectortest.Run(t, "testdata/vectors", *update, func(t *testing.T, v *vectortest.Vector) string {
		t.Helper()
		var limits intake.Limits
		limits.RecordsMax, _ = strconv.Atoi(v.Options["records"])
		limits.DepthMax, _ = strconv.Atoi(v.Options["depth"])
		var doc intake.Document
		raw := v.Document(t)
		decoder := mcqxml.New(limits)
		err := decoder.Decode(&doc, raw, v.Options["charset"])
		vectortest.CheckMarksOnly(t, &doc, err, func(marks *intake.Document) error {
			return decoder.Decode(marks, raw, v.Options["charset"])
		})
		return told(&doc, err)
	})
	if cases < 500 {
		t.Errorf("only %d cases: were files lost?", cases)
	}
}

// told says what a decoder made of a document.
func told(doc *intake.Document, err error) string { return vectortest.Told(doc, err) }
