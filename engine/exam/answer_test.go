package exam_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
)

// A short text is its own Text, and no two texts have the same.
func TestText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "0", "A", "10", "question", "1234567", "12345678", "\x00", "\x00\x00", "é中"} {
		got, inline := exam.TextOf([]byte(text)).Inline()
		if want := len(text) <= exam.TextBytesInline; inline != want || inline && got != text {
			t.Errorf("%q: %q, %v", text, got, inline)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "a"), rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "b")
		if (exam.TextOf(a) == exam.TextOf(b)) != (string(a) == string(b)) {
			t.Fatalf("%q and %q: %x, %x", a, b, uint64(exam.TextOf(a)), uint64(exam.TextOf(b)))
		}
	})
	if exam.TextOf([]byte("2")) >= exam.TextOf([]byte("10")) {
		t.Error("10 is before 2")
	}
	// Stored in checkpoints, so it never changes.
	if got := uint64(exam.TextOf([]byte("question-17"))); got != 0xff8398d214db9592 {
		t.Errorf("%#x", got)
	}
	long := strings.Repeat("x", exam.TextBytesMax)
	if exam.TextOf([]byte(long)) != exam.TextOf([]byte(long+"y")) || exam.TextOf([]byte(long)) == exam.TextOf([]byte(long[1:])) {
		t.Error("other bytes count than the first TextBytesMax")
	}
}

// What is known of several scans does not depend on their order or repetition.
func TestPrintLaws(t *testing.T) {
	t.Parallel()
	some := rapid.SampledFrom([]exam.Print{exam.PrintNone, 1, 2, 0xfffe, exam.PrintSeveral})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := some.Draw(t, "a"), some.Draw(t, "b"), some.Draw(t, "c")
		if a.Plus(b) != b.Plus(a) || a.Plus(b).Plus(c) != a.Plus(b.Plus(c)) || a.Plus(a) != a {
			t.Fatalf("%v, %v, %v: %v %v, %v %v", a, b, c, a.Plus(b), b.Plus(a), a.Plus(b).Plus(c), a.Plus(b.Plus(c)))
		}
		if a != b && a != exam.PrintNone && b != exam.PrintNone && a.Plus(b) != exam.PrintSeveral {
			t.Fatalf("%v and %v do not differ", a, b)
		}
	})
	seen := make(map[exam.Print]bool)
	for i := range 100_000 {
		p := exam.PrintOf(exam.Mix(uint64(i), 7))
		if p == exam.PrintNone || p == exam.PrintSeveral {
			t.Fatalf("%d has the fingerprint %v", i, p)
		}
		seen[p] = true
	}
	if len(seen) < 50_000 { // 51 244 are expected.
		t.Errorf("%d different ones of 100 000", len(seen))
	}
	if exam.PrintOfNames(0, 0) != exam.PrintNone || exam.PrintOfNames(1, 0) == exam.PrintOfNames(0, 1) {
		t.Error("names are not told apart")
	}
}
