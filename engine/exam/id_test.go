package exam_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"markr/engine/exam"
)

func TestCheckID(t *testing.T) {
	t.Parallel()
	check := func(text string, want error) {
		t.Helper()
		if err := exam.CheckID([]byte(text)); !errors.Is(err, want) {
			t.Errorf("CheckID(%q) = %v, want %v", text, err, want)
		}
	}

	check("1", nil)
	check("002299", nil)
	check("123456789012345678901234567890", nil)
	check("a/b c?d#e%", nil)
	check("é中😀", nil)
	check("\u00a0", nil) // a no-break space is no control character
	check("\u200b", nil) // nor is a zero-width space
	check("\ufffd", nil) // the replacement character may stand there
	check(strings.Repeat("x", 256), nil)
	check(strings.Repeat("é", 128), nil)

	check("", exam.ErrIDEmpty)
	check(strings.Repeat("x", 257), exam.ErrIDLong)
	check(strings.Repeat("é", 129), exam.ErrIDLong)
	check("a\nb", exam.ErrIDControl)
	check("\x00", exam.ErrIDControl)
	check("\x1f", exam.ErrIDControl)
	check("\x7f", exam.ErrIDControl)
	check("é\x7f", exam.ErrIDControl)
	check("\u0080", exam.ErrIDControl)
	check("a\u0085", exam.ErrIDControl)
	check("\u009f", exam.ErrIDControl)
	check("\xff", exam.ErrIDUTF8)
	check("a\xc3", exam.ErrIDUTF8)
	check("\xc0\x80", exam.ErrIDUTF8)
	check("\xed\xa0\x80", exam.ErrIDUTF8)
}

// TestCheckIDEveryCharacter holds CheckID against the standard library's tables.
func TestCheckIDEveryCharacter(t *testing.T) {
	t.Parallel()
	var text []byte
	for r := range rune(utf8.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		text = utf8.AppendRune(append(text[:0], 'x'), r)
		var want error
		if unicode.IsControl(r) {
			want = exam.ErrIDControl
		}
		if err := exam.CheckID(text); !errors.Is(err, want) {
			t.Fatalf("CheckID(%q) = %v, want %v", text, err, want)
		}
	}
}

func TestCheckIDAgreesWithTheSlowWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 300),
			rapid.Map(rapid.StringN(0, 300, 300), func(s string) []byte { return []byte(s) }),
		).Draw(t, "text")
		good := len(text) >= 1 && len(text) <= exam.IDBytesMax && utf8.Valid(text) &&
			strings.IndexFunc(string(text), unicode.IsControl) < 0
		if err := exam.CheckID(text); (err == nil) != good {
			t.Fatalf("CheckID(%q) = %v", text, err)
		}
	})
}
