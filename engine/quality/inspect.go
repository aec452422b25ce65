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
	noted     [notedAnswers]notedAnswer
	sorted    []exam.Answer
	questions []byte // of a record before, as they are hashed
	again     []byte
	responses []byte
	print     uint32      // of questions
	printed   []exam.Text // the questions of print, if the sheet has them in order and each once
}

// notedAnswer is a response to a question that is in the table, or was. As scans come in
// order, only the first of each kind says anything new, and nearly all are not the first.
type notedAnswer struct {
	question, response exam.Text
	kinds              uint8 // credited 1, not credited 2
}

// notedAnswers is how many are remembered, by the place of the answer on its sheet and the
// last bits of the response: enough for 64 questions with four letters each. Looking there
// takes a fifth of the time of looking into the table.
const notedAnswers = 256

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
	clear(i.noted[:])
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
	marked := false
	// Nearly always the questions are those of the record before.
	printed := i.printed
	same := len(printed) == len(answers)
	given := slices.Grow(i.responses[:0], 8*len(answers))[:8*len(answers)]
	i.responses = given
	for n := range answers {
		a := &answers[n]
		if a.Awarded != exam.MarksUnknown {
			sum += int64(a.Awarded)
			marked = true
			if a.Available != exam.MarksUnknown && a.Awarded > a.Available {
				r.Odd |= exam.OddAwarded
			}
		}
		same = same && printed[n] == a.Question
		binary.LittleEndian.PutUint64(given[8*n:], uint64(a.Response))
		if credited, known := a.Credited(); known && a.Response != 0 {
			i.note(n, a, credited, arrival)
		}
	}
	// Without the marks of an answer that cannot be used there is no sum.
	if marked && r.Odd&exam.OddAnswer == 0 && sum != int64(r.Obtained) {
		r.Odd |= exam.OddSum
	}
	if !same {
		i.fingerprint(r, answers)
		return
	}
	r.Questions = i.print
	r.Responses = exam.PrintOf(exam.Mix(xxhash.Sum64(given), uint64(i.print)))
}

// note notes the answer at a place of a sheet.
func (i *Inspection) note(place int, a *exam.Answer, credited bool, arrival uint64) {
	kind := uint8(2)
	if credited {
		kind = 1
	}
	noted := &i.noted[(uint64(place)<<2^uint64(a.Response))%notedAnswers]
	if noted.question != a.Question || noted.response != a.Response {
		*noted = notedAnswer{question: a.Question, response: a.Response}
	}
	if noted.kinds&kind != 0 {
		return
	}
	noted.kinds |= kind
	if !i.table.note(a.Question, a.Response, credited, arrival) {
		i.spill()
		i.table.note(a.Question, a.Response, credited, arrival)
	}
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

// fingerprint sets the fingerprints of answers, and whether a question is there twice.
func (i *Inspection) fingerprint(r *exam.Record, answers []exam.Answer) {
	i.printed = i.printed[:0]
	for n := range answers {
		if n > 0 && answers[n-1].Question >= answers[n].Question {
			answers, i.printed = i.sort(answers), i.printed[:0]
			break
		}
		i.printed = append(i.printed, answers[n].Question)
	}
	i.again, i.responses = i.again[:0], i.responses[:0]
	var before exam.Text
	for n := range answers {
		a := &answers[n]
		i.responses = binary.LittleEndian.AppendUint64(i.responses, uint64(a.Response))
		if a.Question != before || n == 0 { // A set: what is there twice is in it once.
			i.again = binary.LittleEndian.AppendUint64(i.again, uint64(a.Question))
		} else {
			r.Odd |= exam.OddRepeated
			i.responses = binary.LittleEndian.AppendUint64(i.responses, ^uint64(a.Question))
		}
		before = a.Question
	}
	if string(i.again) != string(i.questions) {
		i.questions = append(i.questions[:0], i.again...)
		i.print = max(uint32(xxhash.Sum64(i.questions)), 1) // 0 is for none.
	}
	r.Questions = i.print
	r.Responses = exam.PrintOf(exam.Mix(xxhash.Sum64(i.responses), uint64(i.print)))
}
