package vectortest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"markr/engine/exam"
	"markr/engine/intake"
)

// Run runs the cases of every file in dir, and says how many there are. decode says
// in words what comes of a case; update writes that down.
func Run(t *testing.T, dir string, update bool, decode func(*testing.T, *Vector) string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	cases := 0
	for _, file := range files {
		vectors := Read(t, file)
		cases += len(vectors)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			for i := range vectors {
				v := &vectors[i]
				t.Run(v.Name, func(t *testing.T) {
					got := decode(t, v)
					if update {
						v.Want = got
					}
					if got != v.Want {
						t.Errorf("input:\n%s\ngot:\n%s\nwant:\n%s", v.Input, got, v.Want)
					}
				})
			}
			if update {
				write(t, file, vectors)
			}
		})
	}
	return cases
}

// ContentType is what the document is sent as: the case's own type or else the
// format's, with the charset of the case.
func (v *Vector) ContentType(mediaType string) string {
	if own := v.Options["type"]; own != "" {
		mediaType = own
	}
	if charset := v.Options["charset"]; charset != "" {
		mediaType += `; charset="` + charset + `"`
	}
	return mediaType
}

// Told says in words what a decoder made of a document.
func Told(doc *intake.Document, err error) string {
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

// CheckMarksOnly decodes a document again for somebody who wants nothing but marks, and
// holds what comes of that to doc and err, which came of the whole.
func CheckMarksOnly(tb testing.TB, doc *intake.Document, err error, decode func(*intake.Document) error) {
	tb.Helper()
	marks := intake.Document{MarksOnly: true}
	againErr := decode(&marks)
	if len(marks.Inspection.Run(0)) > 0 {
		tb.Error("answers were inspected that nobody wants")
	}
	whole := intake.Document{Records: doc.Records}
	marks.Findings = intake.Findings{}
	if got, want := Told(&marks, againErr), Told(&whole, err); got != want {
		tb.Errorf("for marks only:\n%s\nwant:\n%s", got, want)
	}
}

func write(t *testing.T, file string, vectors []Vector) {
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
