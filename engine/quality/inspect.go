package quality

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"markr/engine/exam"
)

// Inspection is what the answers of one document say. It is made to be used again.
type Inspection struct {
	runs []run
	keys []Key // of all runs, one after the other

	table     table
	spilled   keySet
	sorted    []exam.Answer
	questions []byte // of the record before, as they are hashed
	again     []byte
	responses []byte
	print     uint32 // of questions
}

// run is a run of records that are all of one test.
type run struct{ end int } // of its keys

// Reset forgets the document, and keeps memory that is worth it.
func (i *Inspection) Reset() {
	const keysKept = 8 << 10
	if cap(i.keys) > keysKept {
		i.keys = nil
	}
	i.runs, i.keys = i.runs[:0], i.keys[:0]
}

// Run are the keys of the document's n-th run of records of one test, from 0. A
// document that was not inspected has none.
func (i *Inspection) Run(n int) []Key {
	if n >= len(i.runs) {
		return nil
	}
	first := 0
	if n > 0 {
		first = i.runs[n-1].end
	}
	return i.keys[first:i.runs[n].end]
}

// Inspect looks at the records of a document, and sets in each what its answers say.
func (i *Inspection) Inspect(records []exam.Record, answers []exam.Answer) {
	if len(answers) == 0 {
		return
	}
	for n := range records {
		r := &records[n]
		if n > 0 && string(r.Test) != string(records[n-1].Test) {
			i.endRun()
		}
		if r.Answers > 0 {
			i.inspect(r, answers[r.FirstAnswer:r.FirstAnswer+r.Answers], uint64(n)+1)
		}
	}
	i.endRun()
}

func (i *Inspection) endRun() {
	if len(i.spilled.list) == 0 {
		i.keys = i.table.take(i.keys)
	} else {
		i.spill()
		i.keys = append(i.keys, i.spilled.list...)
		i.spilled = keySet{}
	}
	i.runs = append(i.runs, run{len(i.keys)})
}

// spill makes room in the table.
func (i *Inspection) spill() {
	for _, k := range i.table.take(nil) {
		i.spilled.add(k)
	}
}

// inspect looks at one record. arrival is any number but 0 that is larger for a later
// record.
func (i *Inspection) inspect(r *exam.Record, answers []exam.Answer, arrival uint64) {
	var sum int64
	marked, ordered := false, true
	for n := range answers {
		a := &answers[n]
		if a.Awarded != exam.MarksUnknown {
			sum += int64(a.Awarded)
			marked = true
			if a.Available != exam.MarksUnknown && a.Awarded > a.Available {
				r.Odd |= exam.OddAwarded
			}
		}
		ordered = ordered && (n == 0 || answers[n-1].Question < a.Question)
		if credited, known := a.Credited(); known && a.Response != 0 && !i.table.note(a.Question, a.Response, credited, arrival) {
			i.spill()
			i.table.note(a.Question, a.Response, credited, arrival)
		}
	}
	// Without the marks of an answer that cannot be used there is no sum.
	if marked && r.Odd&exam.OddAnswer == 0 && sum != int64(r.Obtained) {
		r.Odd |= exam.OddSum
	}
	if !ordered {
		answers = i.sort(answers)
		for n := 1; n < len(answers); n++ {
			if answers[n].Question == answers[n-1].Question {
				r.Odd |= exam.OddRepeated
			}
		}
	}
	i.fingerprint(r, answers)
}

// sort puts answers in an order that does not depend on the one in which they came.
func (i *Inspection) sort(answers []exam.Answer) []exam.Answer {
	i.sorted = append(i.sorted[:0], answers...)
	slices.SortFunc(i.sorted, func(a, b exam.Answer) int {
		switch {
		case a.Question < b.Question, a.Question == b.Question && a.Response < b.Response:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	return i.sorted
}

// fingerprint sets the fingerprints of ordered answers.
func (i *Inspection) fingerprint(r *exam.Record, answers []exam.Answer) {
	i.again, i.responses = i.again[:0], i.responses[:0]
	var before exam.Text
	for n := range answers {
		a := &answers[n]
		i.responses = binary.LittleEndian.AppendUint64(i.responses, uint64(a.Response))
		if a.Question != before || n == 0 { // A set: what is there twice is in it once.
			i.again = binary.LittleEndian.AppendUint64(i.again, uint64(a.Question))
		} else {
			i.responses = binary.LittleEndian.AppendUint64(i.responses, ^uint64(a.Question))
		}
		before = a.Question
	}
	// Nearly always the record before had the same questions.
	if string(i.again) != string(i.questions) {
		i.questions = append(i.questions[:0], i.again...)
		i.print = max(uint32(xxhash.Sum64(i.questions)), 1) // 0 is for none.
	}
	r.Questions = i.print
	r.Responses = exam.PrintOf(exam.Mix(xxhash.Sum64(i.responses), uint64(i.print)))
}
