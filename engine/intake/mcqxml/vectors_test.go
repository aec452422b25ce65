package mcqxml_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"markr/engine/exam"
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
	files, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	cases := 0
	for _, file := range files {
		vectors := vectortest.Read(t, file)
		cases += len(vectors)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			for i := range vectors {
				v := &vectors[i]
				t.Run(v.Name, func(t *testing.T) {
					got := run(t, v)
					if *update {
						v.Want = got
					}
					if got != v.Want {
						t.Errorf("input:\n%s\ngot:\n%s\nwant:\n%s", v.Input, got, v.Want)
					}
				})
			}
			if *update {
				writeVectors(t, file, vectors)
			}
		})
	}
	if cases < 500 {
		t.Errorf("only %d cases: were files lost?", cases)
	}
}

// run decodes the input and says in words what came of it.
func run(t *testing.T, v *vectortest.Vector) string {
	t.Helper()
	var limits intake.Limits
	limits.RecordsMax, _ = strconv.Atoi(v.Options["records"])
	limits.DepthMax, _ = strconv.Atoi(v.Options["depth"])
	var doc intake.Document
	raw := v.Document(t)
	return told(&doc, mcqxml.New(limits).Decode(&doc, raw, v.Options["charset"]))
}

// told says what a decoder made of a document.
func told(doc *intake.Document, err error) string {
	if documentError, ok := errors.AsType[*intake.DocumentError](err); ok {
		return fmt.Sprintf("%s\n%v\n", documentError.Code, documentError)
	}
	if err != nil {
		return fmt.Sprintf("not a DocumentError: %v\n", err)
	}
	var b strings.Builder
	for _, r := range doc.Records {
		fmt.Fprintf(&b, "record %q %q %v/%v", r.Student, r.Test, r.Obtained, r.Available)
		if r.ScannedOn != exam.ScannedOnUnknown {
			fmt.Fprintf(&b, " %s", time.Unix(0, r.ScannedOn).UTC().Format(time.RFC3339Nano))
		}
		b.WriteByte('\n')
	}
	if doc.Findings != (intake.Findings{}) {
		fmt.Fprintf(&b, "findings %d scanned-on, %d answers\n", doc.Findings.BadScannedOn, doc.Findings.BadAnswers)
	}
	return b.String()
}

func writeVectors(t *testing.T, file string, vectors []vectortest.Vector) {
	t.Helper()
	var b strings.Builder
	for i, v := range vectors {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s%s\n---\n%s", v.Head, v.Input, v.Want)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
