// Package vectortest reads the decoders' test vectors, documents beside what their
// decoder has to say about them, for the tests of every room that documents pass.
package vectortest

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

// Vector is one case of a file in testdata/vectors; testdata/README.md says how
// they are written.
type Vector struct {
	Head    string // the line with name and options, for writing the file again
	Name    string
	Options map[string]string
	Input   string
	Want    string
}

// Read reads the cases of a file.
func Read(tb testing.TB, file string) []Vector {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	head := regexp.MustCompile(`^=== (.*?)(?: \[(.*)\])?$`)
	var vectors []Vector
	var into *string
	for line := range strings.Lines(string(content)) {
		switch {
		case strings.HasPrefix(line, "=== "):
			parts := head.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			v := Vector{Head: line, Name: parts[1], Options: make(map[string]string)}
			for option := range strings.SplitSeq(parts[2], ", ") {
				key, value, _ := strings.Cut(option, " ")
				v.Options[key] = value
			}
			vectors = append(vectors, v)
			into = &vectors[len(vectors)-1].Input
		case line == "---\n":
			v := &vectors[len(vectors)-1]
			v.Input = strings.TrimSuffix(v.Input, "\n")
			into = &v.Want
		case into == nil:
			tb.Fatalf("%s begins with %q", file, line)
		default:
			*into += line
		}
	}
	for i := range vectors {
		// Between cases there are empty lines.
		vectors[i].Want = strings.TrimRight(vectors[i].Want, "\n") + "\n"
	}
	return vectors
}

// Document is the input in its surroundings and its encoding.
func (v *Vector) Document(tb testing.TB) []byte {
	tb.Helper()
	const (
		student = "<student-number>1</student-number>"
		test    = "<test-id>t</test-id>"
		marks   = `<summary-marks available="20" obtained="13"/>`
		good    = "<mcq-test-result>" + student + test + marks + "</mcq-test-result>"
	)
	root := func(s string) string { return "<mcq-test-results>\n" + s + "\n</mcq-test-results>" }
	record := func(s string) string { return root("<mcq-test-result>" + s + "</mcq-test-result>") }
	text := strings.ReplaceAll(unescape(tb, v.Input), "{good}", good)
	switch in := v.Options["in"]; in {
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
	return Encode(tb, text, v.Options["encoded"])
}

// Encode writes text as a scanner with that encoding would.
func Encode(tb testing.TB, text, encoding string) []byte {
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
