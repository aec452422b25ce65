package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/quality"
	"markr/engine/scoring"
)

// oddLines are scans in which everything may be odd.
func oddLines(r *rand.Rand) []string {
	lines := make([]string, 1+r.IntN(20))
	for i := range lines {
		student := strings.Repeat("0", max(0, r.IntN(6)-3)) + fmt.Sprint(r.IntN(60))
		available := 2
		if r.IntN(30) == 0 {
			available = 3
		}
		scannedOn := "5"
		if r.IntN(30) == 0 {
			scannedOn = "yesterday"
		}
		line := fmt.Sprintf("t%d %s %d %d %s", r.IntN(3), student, r.IntN(3), available, scannedOn)
		if r.IntN(5) > 0 {
			line += " name=n" + fmt.Sprint(r.IntN(3)/2)
		}
		for q := range r.IntN(4) {
			if r.IntN(10) == 0 {
				q = 0
			}
			line += fmt.Sprintf(" %d=%s:%d/%d", q, []string{"A", "B", "", "a-long-response"}[r.IntN(4)], r.IntN(12)/10, r.IntN(11)/10)
		}
		if r.IntN(20) == 0 {
			line += " 1=A:x/1"
		}
		lines[i] = line
	}
	return lines
}

// saying is what a scan says of names, or of answers, and its fingerprint.
type saying struct {
	text  string
	print exam.Print
}

// differ says whether scans say different things. Those that say nothing differ from none.
// collided says that they do and cannot be told apart, because their fingerprints are the
// same: that is how one student in 65,534 with different scans is missed.
func differ(scans []saying) (differ, collided bool) {
	var texts []string
	var together exam.Print
	for _, s := range scans {
		if s.text != "" && !slices.Contains(texts, s.text) {
			texts = append(texts, s.text)
		}
		together = together.Plus(s.print)
	}
	differ = len(texts) > 1
	collided = differ && together != exam.PrintSeveral
	return differ && !collided, collided
}

// qualityModel counts findings the plain way: from all scans, anew. collisions are the
// students whose scans differ and have the same fingerprints.
func qualityModel(t testing.TB, documents [][]string) (findings map[exam.TestID]quality.Counts, collisions int) {
	t.Helper()
	type scan struct{ names, answers saying }
	formats := registry(t, toy{})
	counts := make(map[exam.TestID]quality.Counts)
	students := make(map[exam.TestID]map[string][]scan)
	tallies := make(map[exam.TestID][2]map[string]int)
	credited := make(map[exam.TestID]map[string]int)
	for _, document := range documents {
		for _, line := range document {
			fields := strings.Fields(line)
			id := exam.TestID(fields[0])
			if students[id] == nil {
				students[id] = make(map[string][]scan)
				tallies[id] = [2]map[string]int{{}, {}}
				credited[id] = make(map[string]int)
			}
			c := counts[id]
			if fields[4] == "yesterday" {
				c[quality.BadScannedOn]++
			}
			var read intake.Document
			if err := formats.Decode(&read, []byte(line), toyType); err != nil {
				t.Fatal(err)
			}
			s := scan{saying{print: read.Records[0].Names}, saying{print: read.Records[0].Responses}}
			var obtained, sum int
			_, _ = fmt.Sscan(fields[2], &obtained)
			var answers, questions []string
			bad, above := false, false
			for _, field := range fields[5:] {
				if name, ok := strings.CutPrefix(field, "name="); ok {
					s.names.text = name
					continue
				}
				answer, marks, _ := strings.Cut(field, ":")
				question, response, _ := strings.Cut(answer, "=")
				var awarded, available int
				if _, err := fmt.Sscanf(marks, "%d/%d", &awarded, &available); err != nil {
					bad = true
					continue
				}
				sum += awarded
				above = above || awarded > available
				answers, questions = append(answers, answer), append(questions, question)
				if response != "" {
					credited[id][answer] |= 1 << awarded
				}
			}
			slices.Sort(answers)
			slices.Sort(questions)
			distinct := slices.Compact(slices.Clone(questions))
			s.answers.text = strings.Join(answers, " ")
			for kind, odd := range map[quality.Kind]bool{
				quality.BadAnswers: bad, quality.AwardedAbove: above, quality.RepeatedQuestions: len(distinct) < len(questions),
				quality.SumMismatch: len(answers) > 0 && !bad && sum != obtained,
			} {
				if odd {
					c[kind]++
				}
			}
			tallies[id][0][fields[3]]++
			if len(questions) > 0 {
				tallies[id][1][strings.Join(distinct, " ")]++
			}
			students[id][fields[1]] = append(students[id][fields[1]], s)
			counts[id] = c
		}
	}
	for id, c := range counts {
		alike := make(map[string]int)
		for number, scans := range students[id] {
			var names, answers []saying
			for _, s := range scans {
				names, answers = append(names, s.names), append(answers, s.answers)
			}
			for kind, said := range map[quality.Kind][]saying{quality.DifferentNames: names, quality.DifferentAnswers: answers} {
				different, collided := differ(said)
				if different {
					c[kind]++
				}
				if collided {
					collisions++
				}
			}
			alike[strings.TrimLeft(number, "0")]++
		}
		for _, n := range alike {
			if n > 1 {
				c[quality.LeadingZeros] += n
			}
		}
		for i, kind := range []quality.Kind{quality.SeveralAvailable, quality.DifferentQuestions} {
			all, most := 0, 0
			for _, n := range tallies[id][i] {
				all, most = all+n, max(most, n)
			}
			c[kind] = all - most
		}
		for _, both := range credited[id] {
			if both == 3 {
				c[quality.KeyConflict]++
			}
		}
		counts[id] = c
	}
	return counts, collisions
}

// findings are those the engine counts; it checks that they add up.
func (h *house) findings(t testing.TB) map[exam.TestID]quality.Counts {
	t.Helper()
	s := h.State()
	counts := make(map[exam.TestID]quality.Counts)
	var sum quality.Counts
	for _, test := range s.List("", "", 1000) {
		counts[test.ID] = test.Findings
		sum.Move(&quality.Counts{}, &test.Findings)
	}
	if sum != s.Findings() {
		t.Errorf("the tests have %v, the state %v", sum, s.Findings())
	}
	return counts
}

// Whatever comes, again, under every rule, through restarts with and without a
// checkpoint: the findings are those of the scans that were accepted.
func TestQualityAgainstModel(t *testing.T) {
	t.Parallel()
	rounds := 1
	if *long {
		rounds = 10
	}
	for range rounds {
		qualityAgainstModel(t)
	}
}

func qualityAgainstModel(t *testing.T) {
	t.Helper()
	for _, rule := range []scoring.Rule{{}, {Policy: scoring.Latest, Denominator: scoring.OfSheet}} {
		r := newRandom(t)
		fs := vfs.NewMem()
		h, _ := openWith(t, fs, rule, 300)
		var documents [][]string
		for step := range 150 {
			switch r.IntN(12) {
			case 0:
				h.close(t)
				h, _ = openWith(t, fs, rule, 300)
			case 1:
				if len(documents) > 0 {
					h.post(t, documents[r.IntN(len(documents))]...)
				}
			case 2:
				if _, err := h.Import(t.Context(), submission("t1 a 1")); err == nil {
					t.Fatal("half a record was accepted")
				}
			default:
				lines := oddLines(r)
				if receipt := h.post(t, lines...); receipt.DuplicateOf.Version() == 0 {
					documents = append(documents, lines)
				}
			}
			want, collisions := qualityModel(t, documents)
			if got := h.findings(t); !maps.Equal(got, want) {
				t.Fatalf("%v, step %d:\ngot  %v\nwant %v", rule, step, got, want)
			}
			// Some hundred students have scans that differ: more than three of whom the
			// fingerprints are the same would be found in one run of ten million.
			if collisions > 3 {
				t.Fatalf("%v, step %d: %d students have different scans with the same fingerprint", rule, step, collisions)
			}
		}
		h.close(t)
		var from *atomic.Uint64
		if h, from = openWith(t, fs, rule, 300); from.Load() == 1 {
			t.Error("no checkpoint was taken up")
		}
		got := h.findings(t)
		for kind, n := range h.State().Findings() {
			if n == 0 {
				t.Errorf("%v was never found", quality.Kind(kind))
			}
		}
		h.close(t)
		plain := open(t, fs, rule)
		if from := plain.findings(t); !maps.Equal(from, got) {
			t.Errorf("the checkpoint gives %v\nthe log %v", got, from)
		}
		plain.close(t)
	}
}
