package mcqxml_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

var (
	long   = flag.Bool("long", false, "run the long tests")
	update = flag.Bool("update", false, "write what the decoder says into testdata/vectors")
)

// vector is one case of a file in testdata/vectors; testdata/README.md says how
// they are written.
type vector struct {
	head    string // the line with name and options, for writing the file again
	name    string
	options map[string]string
	input   string
	want    string
}

// TestVectors runs the cases in testdata/vectors.
func TestVectors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	cases := 0
	for _, file := range files {
		vectors := readVectors(t, file)
		cases += len(vectors)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			for i := range vectors {
				v := &vectors[i]
				t.Run(v.name, func(t *testing.T) {
					got := v.run(t)
					if *update {
						v.want = got
					}
					if got != v.want {
						t.Errorf("input:\n%s\ngot:\n%s\nwant:\n%s", v.input, got, v.want)
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
func (v *vector) run(t *testing.T) string {
	t.Helper()
	var limits intake.Limits
	limits.RecordsMax, _ = strconv.Atoi(v.options["records"])
	limits.DepthMax, _ = strconv.Atoi(v.options["depth"])
	var doc intake.Document
	raw := v.document(t)
	return told(&doc, mcqxml.New(limits).Decode(&doc, raw, v.options["charset"]))
}

// document is the input in its surroundings and its encoding.
func (v *vector) document(tb testing.TB) []byte {
	tb.Helper()
	const (
		student = "<student-number>1</student-number>"
		test    = "<test-id>t</test-id>"
		marks   = `<summary-marks available="20" obtained="13"/>`
		good    = "<mcq-test-result>" + student + test + marks + "</mcq-test-result>"
	)
	root := func(s string) string { return "<mcq-test-results>\n" + s + "\n</mcq-test-results>" }
	record := func(s string) string { return root("<mcq-test-result>" + s + "</mcq-test-result>") }
	text := strings.ReplaceAll(unescape(tb, v.input), "{good}", good)
	switch in := v.options["in"]; in {
	case "":
	case "root":
		text = root(good + "\n" + text)
	case "record":
		text = root("<mcq-test-result>\n" + text + "\n</mcq-test-result>")
	case "student-number":
		text = record("<student-number>" + text + "</student-number>" + test + marks)
	case "test-id":
		text = record(student + "<test-id>" + text + "</test-id>" + marks)
	case "summary-marks":
		text = record(student + test + "<summary-marks " + text + "/>")
	case "scanned-on":
		text = root("<mcq-test-result scanned-on=\"" + text + "\">" + student + test + marks + "</mcq-test-result>")
	case "answer":
		text = record(student + test + "<answer " + text + ">A</answer>" + marks)
	default:
		tb.Fatalf("unknown surroundings %q", in)
	}
	return encode(tb, text, v.options["encoded"])
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

// encode writes text as a scanner with that encoding would.
func encode(tb testing.TB, text, encoding string) []byte {
	tb.Helper()
	switch encoding {
	case "":
		return []byte(text)
	case "utf-8 with mark":
		return []byte("\xEF\xBB\xBF" + text)
	case "utf-16be", "utf-16le":
		raw := []byte{0xFE, 0xFF}
		for _, unit := range utf16.Encode([]rune(text)) {
			raw = append(raw, byte(unit>>8), byte(unit))
		}
		if encoding == "utf-16le" {
			for i := 0; i < len(raw); i += 2 {
				raw[i], raw[i+1] = raw[i+1], raw[i]
			}
		}
		return raw
	}
	tables := map[string]*charmap.Charmap{"iso-8859-1": charmap.ISO8859_1, "windows-1252": charmap.Windows1252}
	raw, err := tables[encoding].NewEncoder().Bytes([]byte(text))
	if err != nil {
		tb.Fatalf("encode as %s: %v", encoding, err)
	}
	return raw
}

// unescape reads the escapes that testdata/README.md lists.
func unescape(tb testing.TB, text string) string {
	tb.Helper()
	repetition := regexp.MustCompile(`\{([^{}]*)\*(\d+)\}`)
	text = repetition.ReplaceAllStringFunc(text, func(match string) string {
		parts := repetition.FindStringSubmatch(match)
		times, err := strconv.Atoi(parts[2])
		if err != nil {
			tb.Fatalf("repetition %s: %v", match, err)
		}
		var b strings.Builder
		for i := range times {
			b.WriteString(strings.ReplaceAll(parts[1], "%", strconv.Itoa(i)))
		}
		return b.String()
	})
	escape := regexp.MustCompile(`\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[rnt])`)
	return escape.ReplaceAllStringFunc(text, func(match string) string {
		plain, err := strconv.Unquote(`"` + match + `"`)
		if err != nil {
			tb.Fatalf("escape %s: %v", match, err)
		}
		return plain
	})
}

func readVectors(tb testing.TB, file string) []vector {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	head := regexp.MustCompile(`^=== (.*?)(?: \[(.*)\])?$`)
	var vectors []vector
	var into *string
	for line := range strings.Lines(string(content)) {
		switch {
		case strings.HasPrefix(line, "=== "):
			parts := head.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			v := vector{head: line, name: parts[1], options: make(map[string]string)}
			for option := range strings.SplitSeq(parts[2], ", ") {
				key, value, _ := strings.Cut(option, " ")
				v.options[key] = value
			}
			vectors = append(vectors, v)
			into = &vectors[len(vectors)-1].input
		case line == "---\n":
			v := &vectors[len(vectors)-1]
			v.input = strings.TrimSuffix(v.input, "\n")
			into = &v.want
		case into == nil:
			tb.Fatalf("%s begins with %q", file, line)
		default:
			*into += line
		}
	}
	for i := range vectors {
		// Between cases there are empty lines.
		vectors[i].want = strings.TrimRight(vectors[i].want, "\n") + "\n"
	}
	return vectors
}

func writeVectors(t *testing.T, file string, vectors []vector) {
	t.Helper()
	var b strings.Builder
	for i, v := range vectors {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s%s\n---\n%s", v.head, v.input, v.want)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
