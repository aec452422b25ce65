package delta_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// random is a source that prints its seed if the test fails, and takes it back from
// MARKR_TEST_SEED.
func random(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("MARKR_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("repeat with MARKR_TEST_SEED=%d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// shape is how a scanner writes.
type shape struct {
	indent, newline, quote string
	questions              int
	folds                  bool // some sheets lack answers
	test                   string
}

func tabs() shape { return shape{indent: "\t", newline: "\n", quote: `"`, questions: 20, test: "1234"} }

// anyShape is one of many ways to write.
func anyShape(r *rand.Rand) shape {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	return shape{
		indent: pick("\t", "  ", "    ", ""), newline: pick("\n", "\n", "\r\n", ""), quote: pick(`"`, `"`, `'`),
		questions: r.IntN(60), folds: r.IntN(2) == 0, test: pick("1234", "9863", "biology-2026-a", "a/b", "Prüfung 7"),
	}
}

// sheets makes a document of so many records.
func sheets(r *rand.Rand, s shape, records int) []byte {
	first := strings.Fields("Ada Ben Chloe Dev Emma Finn Grace Hana Ivan Jun Kai Lena Mia Noah Olga Priya Quinn Rosa Sam Tara")
	last := strings.Fields("Adams Brown Chen Davis Evans Fischer Garcia Hughes Ito Jones Kim Lopez Martin Nguyen O'Brien Patel Singh Taylor Wright Young")
	var b strings.Builder
	line := func(depth int, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		b.WriteString(strings.Repeat(s.indent, depth) + strings.ReplaceAll(text, `"`, s.quote) + s.newline)
	}
	at := time.Date(2026, 6, 1+r.IntN(28), 8+r.IntN(10), 0, 0, 0, time.FixedZone("", 10*3600))
	line(0, `<?xml version="1.0" encoding="UTF-8" ?>`)
	line(0, `<mcq-test-results>`)
	for range records {
		at = at.Add(time.Duration(1+r.IntN(4)) * time.Second)
		line(1, `<mcq-test-result scanned-on="%s">`, at.Format(time.RFC3339))
		line(2, `<first-name>%s</first-name>`, first[r.IntN(len(first))])
		line(2, `<last-name>%s</last-name>`, last[r.IntN(len(last))])
		line(2, `<student-number>%d</student-number>`, 1+r.IntN(99_999_999))
		line(2, `<test-id>%s</test-id>`, s.test)
		right, available := 0, 0
		for q := range s.questions {
			if s.folds && r.IntN(12) == 0 {
				continue
			}
			awarded, letter := r.IntN(5)/2%2, string(rune('A'+r.IntN(5)))
			if r.IntN(20) == 0 {
				letter = ""
			}
			right, available = right+awarded, available+1
			line(2, `<answer question="%d" marks-available="1" marks-awarded="%d">%s</answer>`, q, awarded, letter)
		}
		line(2, `<summary-marks available="%d" obtained="%d" />`, available, right)
		line(1, `</mcq-test-result>`)
	}
	line(0, `</mcq-test-results>`)
	return []byte(b.String())
}
