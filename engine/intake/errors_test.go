package intake_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"markr/engine/intake"
)

func TestDocumentErrorText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  intake.DocumentError
		want string
	}{
		{
			intake.DocumentError{Reason: "the document is EBCDIC"},
			"the document is EBCDIC",
		},
		{
			intake.DocumentError{Value: "koi8-r", Reason: "is not read"},
			`"koi8-r" is not read`,
		},
		{
			intake.DocumentError{Line: 4, Column: 7, Reason: "the document ends inside a comment"},
			"line 4, column 7: the document ends inside a comment",
		},
		{
			intake.DocumentError{Record: 2, Line: 40, Column: 3, Field: "test-id", Reason: "is missing"},
			"record 2, line 40, column 3: test-id is missing",
		},
		{
			intake.DocumentError{
				Record: 2, Line: 40, Column: 3, Field: "summary-marks/obtained", Value: "a\"b\n", Reason: "must be digits",
			},
			`record 2, line 40, column 3: summary-marks/obtained "a\"b\n" must be digits`,
		},
		{
			intake.DocumentError{Record: 2, Field: "test-id", Reason: "is missing"},
			"record 2, test-id is missing",
		},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestCutValue(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", intake.ValueCharsMax)
	wide := strings.Repeat("😀", intake.ValueCharsMax)
	for text, want := range map[string]string{
		"":                        "",
		"13":                      "13",
		" 13 ":                    " 13 ",
		long:                      long,
		long + "y":                long,
		wide:                      wide,
		wide + "y":                wide,
		long[1:] + "é":            long[1:] + "é",
		"\xff":                    "\uFFFD",
		"a\xc3":                   "a\uFFFD",
		strings.Repeat("x", 1e6):  long,
		strings.Repeat("é", 1000): strings.Repeat("é", intake.ValueCharsMax),
	} {
		if got := intake.CutValue([]byte(text)); got != want {
			t.Errorf("CutValue(%.80q) = %q, want %q", text, got, want)
		}
	}
}

func TestCutValueProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 600),
			rapid.Map(rapid.StringN(0, 200, -1), func(s string) []byte { return []byte(s) }),
		).Draw(t, "text")
		got := intake.CutValue(text)
		switch {
		case !utf8.ValidString(got):
			t.Fatalf("CutValue(%q) = %q is not UTF-8", text, got)
		case utf8.RuneCountInString(got) > intake.ValueCharsMax:
			t.Fatalf("CutValue(%q) = %q has too many characters", text, got)
		case utf8.Valid(text) && !strings.HasPrefix(string(text), got):
			t.Fatalf("CutValue(%q) = %q is not its beginning", text, got)
		case utf8.Valid(text) && utf8.RuneCount(text) >= intake.ValueCharsMax && utf8.RuneCountInString(got) != intake.ValueCharsMax:
			t.Fatalf("CutValue(%q) = %q is cut too short", text, got)
		}
	})
}
