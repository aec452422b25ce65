package quality_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"

	"markr/engine/exam"
	"markr/engine/quality"
)

// sheets are records of a test with so many answers each, of so many different responses;
// mixed ones repeat questions, and give them in any order.
func sheets(r *rand.Rand, records, questions, responses int, mixed bool) (all []exam.Record, answers []exam.Answer) {
	for range records {
		first := len(answers)
		for q := range questions {
			if mixed {
				q = r.IntN(questions)
			}
			available := exam.Marks(1000)
			if mixed && r.IntN(20) == 0 {
				available = exam.MarksUnknown
			}
			answers = append(answers, exam.Answer{
				Question: exam.TextOf(fmt.Append(nil, q)), Response: exam.TextOf(fmt.Append(nil, "r", r.IntN(responses))),
				Awarded: exam.Marks(r.IntN(2)) * 1000, Available: available,
			})
		}
		all = append(all, exam.Record{
			Test: []byte{'t', byte('0' + len(all)*3/records)}, FirstAnswer: uint32(first), Answers: uint32(len(answers) - first),
		})
	}
	return all, answers
}

// plainKeys are the responses of a run of records that begins with one, in the order in
// which they came, found the plain way.
func plainKeys(records []exam.Record, answers []exam.Answer, first int) (keys []quality.Key) {
	for n, record := range records {
		for _, a := range answers[record.FirstAnswer : record.FirstAnswer+record.Answers] {
			credited, known := a.Credited()
			if !known || a.Response == 0 {
				continue
			}
			at := slices.IndexFunc(keys, func(k quality.Key) bool { return k.Question == a.Question && k.Response == a.Response })
			if at < 0 {
				keys, at = append(keys, quality.Key{Question: a.Question, Response: a.Response}), len(keys)
			}
			if kind := map[bool]*uint64{true: &keys[at].Credited, false: &keys[at].Not}[credited]; *kind == 0 {
				*kind = uint64(first + n + 1)
			}
		}
	}
	return keys
}

// plainPrints are the fingerprints of a sheet, made the plain way.
func plainPrints(answers []exam.Answer) (questions uint32, responses exam.Print) {
	answers = slices.Clone(answers)
	slices.SortFunc(answers, func(a, b exam.Answer) int {
		if a.Question != b.Question {
			return map[bool]int{true: -1, false: 1}[a.Question < b.Question]
		}
		return int(int64(a.Response) - int64(b.Response))
	})
	var of, given []byte
	for n, a := range answers {
		given = binary.LittleEndian.AppendUint64(given, uint64(a.Response))
		if n > 0 && a.Question == answers[n-1].Question {
			given = binary.LittleEndian.AppendUint64(given, ^uint64(a.Question))
		} else {
			of = binary.LittleEndian.AppendUint64(of, uint64(a.Question))
		}
	}
	questions = max(uint32(xxhash.Sum64(of)), 1)
	return questions, exam.PrintOf(exam.Mix(xxhash.Sum64(given), uint64(questions)))
}

// repeats says whether a question is on a sheet twice.
func repeats(answers []exam.Answer) bool {
	questions := make(map[exam.Text]bool)
	for _, a := range answers {
		questions[a.Question] = true
	}
	return len(questions) < len(answers)
}

// An inspection finds what is found by looking at everything the plain way, whatever it
// has inspected before.
func TestInspectionAgainstModel(t *testing.T) {
	t.Parallel()
	r := random(t)
	var seen quality.Inspection
	for range 300 {
		records, answers := sheets(r, 3+r.IntN(40), 1+r.IntN(90), 1+r.IntN(12), r.IntN(2) == 0)
		seen.Reset()
		seen.Inspect(records, answers)
		for n := range records {
			record := &records[n]
			questions, responses := plainPrints(answers[record.FirstAnswer : record.FirstAnswer+record.Answers])
			repeated := record.Odd&exam.OddRepeated != 0
			if record.Questions != questions || record.Responses != responses || repeated != repeats(answers[record.FirstAnswer:record.FirstAnswer+record.Answers]) {
				t.Fatalf("record %d has the fingerprints %x %x, repeats %v; want %x %x", n, record.Questions, record.Responses, repeated, questions, responses)
			}
		}
		for run, first := 0, 0; first < len(records); run++ {
			end := first
			for end < len(records) && string(records[end].Test) == string(records[first].Test) {
				end++
			}
			if difference := cmp.Diff(plainKeys(records[first:end], answers, first), seen.Run(run)); difference != "" {
				t.Fatalf("records %d to %d: plain (-) and inspected (+) differ:\n%s", first, end, difference)
			}
			first = end
		}
	}
}

// BenchmarkInspect inspects a document of 100 sheets with 20 questions.
func BenchmarkInspect(b *testing.B) {
	for _, responses := range []int{4, 400} {
		b.Run(fmt.Sprintf("responses=%d", responses), func(b *testing.B) {
			records, answers := sheets(rand.New(rand.NewPCG(1, 0)), 100, 20, responses, false)
			for n := range records {
				records[n].Test = []byte("t")
			}
			var seen quality.Inspection
			for b.Loop() {
				seen.Reset()
				seen.Inspect(records, answers)
			}
			if len(seen.Run(0)) < 2*responses {
				b.Errorf("%d responses seen", len(seen.Run(0)))
			}
		})
	}
}

// BenchmarkTake takes such a document into a test that has others like it.
func BenchmarkTake(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 0))
	records, answers := sheets(random, 100, 20, 4, false)
	for n := range records {
		records[n].Test = []byte("t")
	}
	var seen quality.Inspection
	seen.Inspect(records, answers)
	var test quality.Test
	position := uint64(0)
	for b.Loop() {
		position++
		test.Take(records, position<<24, seen.Run(0), 0)
	}
	if len(test.Store().Keys) != 80 {
		b.Errorf("%d responses are kept", len(test.Store().Keys))
	}
}
