package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal/entry"
)

func rules() []scoring.Rule {
	var all []scoring.Rule
	for _, policy := range []scoring.Policy{scoring.Highest, scoring.MostComplete, scoring.Latest, scoring.First} {
		for _, denominator := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
			all = append(all, scoring.Rule{Policy: policy, Denominator: denominator})
		}
	}
	return all
}

// newDiary is an empty one.
func newDiary() *diary {
	return &diary{make(map[entry.Position]map[exam.TestID]string), make(map[exam.TestID][]string), make(map[string][]string)}
}

// diary is what was answered when the log ended at each position.
type diary struct {
	figures map[entry.Position]map[exam.TestID]string
	steps   map[exam.TestID][]string
	scans   map[string][]string // by test and student, in order of arrival
}

func figuresOf(test *engine.Test) string {
	return fmt.Sprintf("available=%v %+v", test.Available, test.Aggregate())
}

// write posts a document about one test and notes what is answered then.
func (d *diary) write(t *testing.T, h *house, r *rand.Rand) {
	t.Helper()
	id := exam.TestID(fmt.Sprintf("t%d", r.IntN(3)))
	lines := make([]string, 1+r.IntN(40))
	for i := range lines {
		available := 10 + 10*r.IntN(3)
		lines[i] = fmt.Sprintf("%s s%d %d %d %d", id, r.IntN(200), r.IntN(available+1), available, r.IntN(9))
	}
	receipt := h.post(t, lines...)
	for i, line := range lines {
		fields := strings.Fields(line)
		of := fields[0] + " " + fields[1]
		d.scans[of] = append(d.scans[of], fmt.Sprintf("%d %d: %s of %s", receipt.Position, i+1, fields[2], fields[3]))
	}
	now := d.note(h)
	d.steps[id] = append(d.steps[id], fmt.Sprintf("%d : {%d %d %d} 192.0.2.1 %v %s", receipt.Position,
		receipt.StudentsAdded, receipt.MarksRaised, receipt.Unchanged, h.State().Rule().Rule, now[id]))
}

// note notes what is answered now.
func (d *diary) note(h *house) map[exam.TestID]string {
	now := make(map[exam.TestID]string)
	for _, test := range h.State().List("", "", 100) {
		now[test.ID] = figuresOf(test)
	}
	d.figures[h.State().Position()] = now
	return now
}

// change notes what is answered after an event has changed the rule, and that it has.
func (d *diary) change(h *house, event string) {
	for id, figures := range d.note(h) {
		d.steps[id] = append(d.steps[id], fmt.Sprintf("%d %s: {0 0 0} operator %v %s", h.State().Position(), event, h.State().Rule().Rule, figures))
	}
}

// compare holds an engine's memory against the diary.
func (d *diary) compare(t *testing.T, h *house, r *rand.Rand) {
	t.Helper()
	d.comparePast(t, h, r)
	d.compareScans(t, h)
}

func (d *diary) comparePast(t *testing.T, h *house, r *rand.Rand) {
	t.Helper()
	for range 20 {
		at := entry.Position(1 + r.IntN(len(d.figures)))
		for id, want := range d.figures[at] {
			test, err := h.TestAt(t.Context(), id, at)
			if err != nil {
				t.Fatal(err)
			}
			if got := figuresOf(test); got != want {
				t.Fatalf("%s at position %d: %s\nwant %s", id, at, got, want)
			}
		}
	}
	for id, want := range d.steps {
		var got []string
		err := h.History(t.Context(), id, 1, 0, func(s engine.Step) error {
			if (s.Import.ID == uuid.Nil) != (s.Event != "") {
				t.Errorf("step %+v", s)
			}
			got = append(got, fmt.Sprintf("%d %s: %v %s %v available=%v %+v",
				s.Import.Position, s.Event, s.Effects, s.Source, s.Rule, s.Available, s.Aggregate))
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("history of %s: %v\n%s\nwant\n%s", id, err, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func (d *diary) compareScans(t *testing.T, h *house) {
	t.Helper()
	for of, want := range d.scans {
		id, student, _ := strings.Cut(of, " ")
		trace, err := h.Trace(t.Context(), exam.TestID(id), student)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		kept := 0
		for _, s := range trace.Scans {
			got = append(got, fmt.Sprintf("%d %d: %v of %v", s.Import.Position, s.Record, s.Obtained, s.Available))
			if s.Kept {
				kept++
			}
		}
		if !slices.Equal(got, want) || kept != 1 || trace.ScansTotal != len(want) {
			t.Fatalf("%s has the scans %v, %d of them kept; want %v", of, got, kept, want)
		}
	}
}

// What was answered when the log ended at a position is answered for it ever after,
// and each student's scans are all found, under every rule: after a restart from a
// checkpoint, and after one from the log.
func TestThePast(t *testing.T) {
	t.Parallel()
	for _, rule := range rules() {
		t.Run(rule.Policy.String()+"/"+rule.Denominator.String(), func(t *testing.T) {
			t.Parallel()
			r := newRandom(t)
			fs := vfs.NewMem()
			d := newDiary()
			h, _ := openWith(t, fs, rule, 300)
			for round := range 3 {
				for range 25 {
					d.write(t, h, r)
				}
				d.compare(t, h, r)
				h.close(t)
				if round == 2 {
					h = open(t, fs, rule) // From the log alone.
				} else {
					h, _ = openWith(t, fs, rule, 300)
				}
				d.compare(t, h, r)
			}
			h.close(t)
		})
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	h.post(t, "m a 13 20", "m a 9 20", "m b 5 20")
	h.post(t, "m a 13 20", "n c 1 2")
	h.post(t, "m d 10 40")
	trace, err := h.Trace(t.Context(), "m", "a")
	if err != nil {
		t.Fatal(err)
	}
	if trace.Count != 3 || trace.Position != 3 || trace.Obtained != 13_000 || trace.Available != 40_000 ||
		trace.Percentage != 32.5 || trace.PercentileRank != 100*2.5/3 {
		t.Errorf("a has %+v", trace)
	}
	var got []string
	for _, s := range trace.Scans {
		got = append(got, fmt.Sprintf("%d/%d %v/%v %v %s", s.Import.Position, s.Record, s.Obtained, s.Available, s.Kept, s.Why))
	}
	want := []string{
		"1/1 13/20 true has the most marks obtained",
		"1/2 9/20 false has 9 marks obtained, the kept one 13",
		"2/1 13/20 false has the same marks as the kept one, and arrived after it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("scans of a:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if only, err := h.Trace(t.Context(), "n", "c"); err != nil || len(only.Scans) != 1 || only.Scans[0].Why != "is the only scan" {
		t.Errorf("c has %+v, %v", only, err)
	}
	for _, of := range []struct {
		test    exam.TestID
		student string
		want    error
	}{{"x", "a", engine.ErrUnknownTest}, {"m", "z", engine.ErrUnknownStudent}, {"n", "a", engine.ErrUnknownStudent}} {
		if _, err := h.Trace(t.Context(), of.test, of.student); !errors.Is(err, of.want) {
			t.Errorf("Trace(%s, %s): %v, want %v", of.test, of.student, err, of.want)
		}
	}
}

// Of a student with very many scans some are shown, and the kept one.
func TestTraceOfManyScans(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{Policy: scoring.Highest, Denominator: scoring.OfSheet})
	defer h.close(t)
	lines := make([]string, 300)
	for i := range lines {
		lines[i] = fmt.Sprintf("m a %d 20", i%10)
	}
	lines[250] = "m a 11 20"
	lines[270] = "m a 1 30"
	h.post(t, lines...)
	trace, err := h.Trace(t.Context(), "m", "a")
	if err != nil {
		t.Fatal(err)
	}
	last := trace.Scans[len(trace.Scans)-1]
	if trace.ScansTotal != 300 || len(trace.Scans) != engine.TraceScansMax+1 || !last.Kept || last.Record != 251 {
		t.Errorf("%d of %d scans, the last is %+v", len(trace.Scans), trace.ScansTotal, last)
	}
	if want := 100 * 11.0 / 30; trace.Available != 30_000 || trace.Percentage != want {
		t.Errorf("%v of %v marks are %v percent, want %v", trace.Obtained, trace.Available, trace.Percentage, want)
	}
}

func TestPastErrors(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	h.post(t, "m a 1 2")
	h.post(t, "n a 1 2")
	for _, c := range []struct {
		test exam.TestID
		at   entry.Position
		want error
	}{{"m", 3, engine.ErrUnknownPosition}, {"n", 1, engine.ErrUnknownTest}, {"x", 2, engine.ErrUnknownTest}, {"m", 1, nil}} {
		if _, err := h.TestAt(t.Context(), c.test, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s at %d: %v, want %v", c.test, c.at, err, c.want)
		}
	}
	stop := errors.New("stop")
	if err := h.History(t.Context(), "m", 0, 0, func(engine.Step) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("History: %v, not what its caller returned", err)
	}
	if err := h.History(t.Context(), "x", 0, 0, func(engine.Step) error { return nil }); !errors.Is(err, engine.ErrUnknownTest) {
		t.Errorf("History of an unknown test: %v", err)
	}
}

// A time stands for what had been received until then.
func TestPositionAt(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	now := fixedClock()
	e, err := engine.Open(engine.Options{Log: vault, Intake: registry(t, toy{}), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := &house{Engine: e, vault: vault}
	defer h.close(t)
	check := func(when time.Time, want entry.Position) {
		t.Helper()
		if got, err := h.PositionAt(when); err != nil || got != want {
			t.Errorf("at %v: position %d, %v; want %d", when, got, err, want)
		}
	}
	check(now, 0)
	for i := range 5 {
		now = fixedClock().Add(time.Duration(i) * time.Hour)
		h.post(t, fmt.Sprintf("m a %d 20", i))
	}
	check(fixedClock().Add(-time.Second), 0)
	check(fixedClock(), 1)
	check(fixedClock().Add(90*time.Minute), 2)
	check(fixedClock().Add(4*time.Hour), 5)
	check(fixedClock().Add(400*time.Hour), 5)
}
