package engine_test

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// written is a roll as text, a line for each student.
func written(t testing.TB, roll *engine.Roll) []string {
	t.Helper()
	var lines []string
	for reader := roll.Read(0); ; {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %v/%v %v %v %v %d %d", row.Student, row.Obtained, row.Available,
			row.Percentage, row.PercentileRank, row.Import, row.Position, row.Record))
	}
}

// traced is the same, student by student, of what Trace says of the students in order
// of their first scans.
func (h *house) traced(t testing.TB, id exam.TestID, students []string) []string {
	t.Helper()
	var lines []string
	for _, student := range students {
		trace, err := h.Trace(t.Context(), id, student)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range trace.Scans {
			if s.Kept {
				lines = append(lines, fmt.Sprintf("%s %v/%v %v %v %v %d %d", student, trace.Obtained, trace.Available,
					trace.Percentage, trace.PercentileRank, s.Import.ID, s.Import.Position, s.Record))
			}
		}
	}
	return lines
}

// The roll of now says of every student what Trace says, and the roll of a position,
// whenever it is asked for, what it said then: under every rule, and after a restart.
func TestRoll(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		t.Run(rule.Policy.String()+"/"+rule.Denominator.String(), func(t *testing.T) {
			t.Parallel()
			r := newRandom(t)
			fs := vfs.NewMem()
			h, _ := openWith(t, fs, rule, 300)
			then := make(map[entry.Position][]string)
			var students []string
			seen := make(map[string]bool)
			for range 30 {
				lines := make([]string, 1+r.IntN(40))
				for i := range lines {
					student, available := fmt.Sprintf("s%d", r.IntN(300)), 10+10*r.IntN(3)
					lines[i] = fmt.Sprintf("m %s %d %d %d", student, r.IntN(available+1), available, r.IntN(9))
					if !seen[student] {
						seen[student] = true
						students = append(students, student)
					}
				}
				h.post(t, lines...)
				h.post(t, "other x 1 2") // Positions at which this test stays as it is.
				roll, err := h.Roll(t.Context(), "m", 0)
				if err != nil {
					t.Fatal(err)
				}
				then[roll.Position] = written(t, roll)
				wantLines(t, "now", then[roll.Position], h.traced(t, "m", students))
			}
			for range 2 {
				for position, want := range then {
					roll, err := h.Roll(t.Context(), "m", position)
					if err != nil || roll.Position != position {
						t.Fatalf("position %d: %v, %v", position, roll, err)
					}
					wantLines(t, fmt.Sprintf("position %d", position), written(t, roll), want)
				}
				h.close(t)
				h, _ = openWith(t, fs, rule, 300)
			}
			h.close(t)
		})
	}
}

func wantLines(t testing.TB, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: line %d of %d, of %d wanted\n%s\nwant\n%s", what, i+1, len(got), len(want),
				strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
		}
	}
}

// What a roll says is so by definition, too: a plain count over the marks.
func TestRollByDefinition(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	r := newRandom(t)
	marks := make(map[string]int)
	lines := make([]string, 400)
	for i := range lines {
		student, obtained := fmt.Sprint(r.IntN(250)), r.IntN(31)
		lines[i] = fmt.Sprintf("m %s %d 30", student, obtained)
		marks[student] = max(marks[student], obtained)
	}
	h.post(t, lines...)
	roll, err := h.Roll(t.Context(), "m", 0)
	if err != nil {
		t.Fatal(err)
	}
	reader := roll.Read(0)
	for range marks {
		row, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		obtained, halves := marks[string(row.Student)], int64(0)
		for _, other := range marks {
			switch {
			case other < obtained:
				halves += 2
			case other == obtained:
				halves++
			}
		}
		percentage, _ := big.NewRat(int64(100*obtained), 30).Float64()
		rank, _ := big.NewRat(100*halves, int64(2*len(marks))).Float64()
		if row.Obtained != exam.Marks(obtained*exam.MarksPerUnit) || row.Percentage != percentage || row.PercentileRank != rank {
			t.Errorf("%s: %+v, want %d, %v and %v", row.Student, row, obtained, percentage, rank)
		}
	}
	if _, err := reader.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last: %v", err)
	}
}

// A place goes on in the same roll whatever has come since, and under another rule not
// at all.
func TestRollAgain(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	h.post(t, "m a 1 10", "m b 2 10", "m c 3 10")
	first, err := h.Roll(t.Context(), "m", 0)
	if err != nil {
		t.Fatal(err)
	}
	want, place := written(t, first), first.Place(1)
	h.post(t, "m b 9 10", "m d 4 20")
	again, err := h.RollAgain(t.Context(), "m", place)
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "again", written(t, again), want)
	if twice, err := h.RollAgain(t.Context(), "m", place); err != nil || twice != again {
		t.Errorf("the roll is made anew for the next page: %v", err)
	}
	for _, at := range []struct {
		test     exam.TestID
		position entry.Position
		want     error
	}{{"m", 3, engine.ErrUnknownPosition}, {"n", 0, engine.ErrUnknownTest}, {"n", 1, engine.ErrUnknownTest}} {
		if _, err := h.Roll(t.Context(), at.test, at.position); !errors.Is(err, at.want) {
			t.Errorf("%s at %d: %v, want %v", at.test, at.position, err, at.want)
		}
	}
	h.commit(t, h.reprocess(t, scoring.Rule{Policy: scoring.Latest}), engine.CommitOptions{})
	if _, err := h.RollAgain(t.Context(), "m", place); !errors.Is(err, engine.ErrRollGone) {
		t.Errorf("under another rule: %v", err)
	}
}

// Past rolls are let go of a minute after they were last asked for.
func TestPastRollsGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, vfs.NewMem(), scoring.Rule{})
		defer h.close(t)
		h.post(t, "m a 1 10")
		h.post(t, "m a 2 10")
		if _, err := h.Roll(t.Context(), "m", 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		if h.RollsKept() != 1 {
			t.Error("gone within the minute")
		}
		time.Sleep(2 * time.Second)
		if h.RollsKept() != 0 {
			t.Error("kept for ever")
		}
	})
}
