package exam_test

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
)

func TestParseMarks(t *testing.T) {
	t.Parallel()
	good := func(text string, want exam.Marks) {
		t.Helper()
		got, err := exam.ParseMarks([]byte(text))
		if err != nil || got != want {
			t.Errorf("ParseMarks(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	bad := func(text string, want error) {
		t.Helper()
		got, err := exam.ParseMarks([]byte(text))
		if !errors.Is(err, want) || got != 0 {
			t.Errorf("ParseMarks(%q) = %d, %v; want 0, %v", text, got, err, want)
		}
	}

	good("0", 0)
	good("13", 13_000)
	good("12.5", 12_500)
	good("12.50", 12_500)
	good("12.500", 12_500)
	good("0.001", 1)
	good("0.125", 125)
	good("1000000", exam.MarksMax)
	good("1000000.000", exam.MarksMax)
	good("999999.999", exam.MarksMax-1)
	good("0000000000000000000000000000020", 20_000)
	good(strings.Repeat("0", 1000)+"1.5", 1_500)

	bad("", exam.ErrMarksSyntax)
	bad(".", exam.ErrMarksSyntax)
	bad(".5", exam.ErrMarksSyntax)
	bad("5.", exam.ErrMarksSyntax)
	bad("1.2.3", exam.ErrMarksSyntax)
	bad("1..2", exam.ErrMarksSyntax)
	bad("+1", exam.ErrMarksSyntax)
	bad("-1", exam.ErrMarksSyntax)
	bad("-0", exam.ErrMarksSyntax)
	bad("1e3", exam.ErrMarksSyntax)
	bad("1.5e3", exam.ErrMarksSyntax)
	bad("0x10", exam.ErrMarksSyntax)
	bad("1,000", exam.ErrMarksSyntax)
	bad("1_000", exam.ErrMarksSyntax)
	bad("1,5", exam.ErrMarksSyntax)
	bad(" 1", exam.ErrMarksSyntax)
	bad("1 ", exam.ErrMarksSyntax)
	bad("1\x00", exam.ErrMarksSyntax)
	bad("NaN", exam.ErrMarksSyntax)
	bad("Inf", exam.ErrMarksSyntax)
	bad("٣", exam.ErrMarksSyntax)
	bad("1/2", exam.ErrMarksSyntax)

	bad("1.0000", exam.ErrMarksDecimals)
	bad("20.00000000000000000001", exam.ErrMarksDecimals)
	bad("1."+strings.Repeat("9", 1000), exam.ErrMarksDecimals)
	bad("2000000.0000", exam.ErrMarksDecimals)

	bad("1000000.001", exam.ErrMarksRange)
	bad("1000001", exam.ErrMarksRange)
	bad("10000000000000000000", exam.ErrMarksRange)   // 2^64 and more
	bad("18446744073709551616", exam.ErrMarksRange)   // 2^64, which is 0 in 64 bits
	bad("18446744073709551616.5", exam.ErrMarksRange) // the same, going on
	bad(strings.Repeat("9", 1000), exam.ErrMarksRange)

	// A number too large is no number if it goes on badly.
	bad("99999999999999999999x", exam.ErrMarksSyntax)
}

// TestParseMarksIsExact holds ParseMarks against a regular expression and
// math/big.
func TestParseMarksIsExact(t *testing.T) {
	t.Parallel()
	syntax := regexp.MustCompile(`^[0-9]+(?:\.([0-9]+))?$`)
	most := big.NewRat(int64(exam.MarksMax), exam.MarksPerUnit)
	text := rapid.OneOf(
		rapid.StringMatching(`[0-9]{1,8}(\.[0-9]{1,4})?`),
		rapid.StringMatching(`0{0,30}[0-9]{0,9}\.?[0-9]{0,5}`),
		rapid.StringMatching(`(1000000|999999)(\.[09]{1,4})?`),
		rapid.StringMatching(`[0-9.eE+,x_ -]{0,8}`),
		rapid.StringMatching(`[0-9]{15,40}(\.[0-9]{1,3})?x?`),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		got, err := exam.ParseMarks([]byte(s))
		parts := syntax.FindStringSubmatch(s)
		var want error
		var value *big.Rat
		if parts != nil {
			value, _ = new(big.Rat).SetString(s)
		}
		switch {
		case parts == nil:
			want = exam.ErrMarksSyntax
		case len(parts[1]) > exam.MarksDecimalsMax:
			want = exam.ErrMarksDecimals
		case value.Cmp(most) > 0:
			want = exam.ErrMarksRange
		}
		if !errors.Is(err, want) {
			t.Fatalf("ParseMarks(%q): error %v, want %v", s, err, want)
		}
		if want == nil && big.NewRat(int64(got), exam.MarksPerUnit).Cmp(value) != 0 {
			t.Fatalf("ParseMarks(%q) = %d thousandths", s, got)
		}
	})
}

// TestMarksString checks that what is printed is exact, shortest and read back
// as the same.
func TestMarksString(t *testing.T) {
	t.Parallel()
	for marks, want := range map[exam.Marks]string{
		0: "0", 1: "0.001", 10: "0.01", 100: "0.1", 1000: "1", 12_500: "12.5", 20_000: "20", 125: "0.125",
		exam.MarksMax: "1000000", exam.MarksMax - 1: "999999.999",
	} {
		if got := marks.String(); got != want {
			t.Errorf("Marks(%d).String() = %q, want %q", int32(marks), got, want)
		}
	}
	check := func(marks exam.Marks) string {
		s := marks.String()
		if back, err := exam.ParseMarks([]byte(s)); err != nil || back != marks {
			return "is read back as something else"
		}
		if strings.Contains(s, ".") && strings.HasSuffix(s, "0") || strings.HasPrefix(s, "0") && len(s) > 1 && s[1] != '.' {
			return "is not the shortest"
		}
		return ""
	}
	for marks := exam.Marks(0); marks <= exam.MarksMax; marks += 9_973 {
		if wrong := check(marks); wrong != "" {
			t.Fatalf("Marks(%d).String() = %q %s", int32(marks), marks, wrong)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		marks := exam.Marks(rapid.Int32Range(0, int32(exam.MarksMax)).Draw(t, "marks"))
		if wrong := check(marks); wrong != "" {
			t.Fatalf("Marks(%d).String() = %q %s", int32(marks), marks, wrong)
		}
	})
}

func BenchmarkParseMarks(b *testing.B) {
	for _, text := range []string{"1", "20", "12.5", "999999.999"} {
		b.Run("text="+text, func(b *testing.B) {
			raw := []byte(text)
			var sum exam.Marks
			for b.Loop() {
				marks, err := exam.ParseMarks(raw)
				if err != nil {
					b.Fatal(err)
				}
				sum = marks
			}
			if sum == 0 {
				b.Fatal("no marks")
			}
		})
	}
}
