package itemstats

import "markr/engine/exam"

// Draft is what the answers of one document are, made ready for [Test.Take]. It is made to
// be used again.
type Draft struct {
	runs      []draftRun
	questions []draftQuestion // of all runs, one after the other; those behind are memory
	used      int             // of them
	cells     []cell          // one for each answer of the document
	marks     []int32         // one for each record

	order  []uint16             // where the last sheet's answers belong
	table  [tablePlaces]uint16  // of the run: finds questions, as their number and 1
	places []uint16             // of the table that are used
	seen   [QuestionsMax]uint32 // the last record that had the question, from 1
}

const tablePlaces = 2 * QuestionsMax

// draftRun is a run of records that are all of one test.
type draftRun struct {
	first, end    int // records
	firstQuestion int
	endQuestion   int
	many, tooMany bool // values of a question; more than are told apart at all
	records       []exam.Record
}

// draftQuestion is a question of one run.
type draftQuestion struct {
	id     exam.Text
	values []Value // by code less 1
	free   bool    // values are classes
	many   bool    // there are more
}

// cell is an answer: the question by its number in the run, and the value by its code.
type cell struct {
	question uint16
	code     uint8 // 0: does not count
}

// Reset forgets the document, and keeps memory that is worth it.
func (d *Draft) Reset() {
	const cellsKept, marksKept, questionsKept = 64 << 10, 4096, 1024
	if cap(d.cells) > cellsKept {
		d.cells = nil
	}
	if cap(d.marks) > marksKept {
		d.marks = nil
	}
	if cap(d.questions) > questionsKept {
		d.questions = nil
	}
	clear(d.runs)
	d.runs, d.cells, d.marks, d.used = d.runs[:0], d.cells[:0], d.marks[:0], 0
}

// Read reads the answers of a document. The records are not kept longer than the draft is
// used.
func (d *Draft) Read(records []exam.Record, answers []exam.Answer) {
	if len(answers) == 0 {
		return
	}
	if cap(d.cells) < len(answers) {
		d.cells = make([]cell, len(answers))
	}
	if cap(d.marks) < len(records) {
		d.marks = make([]int32, len(records))
	}
	d.cells, d.marks = d.cells[:len(answers)], d.marks[:len(records)]
	clear(d.seen[:])
	for first := 0; first < len(records); {
		end := first + 1
		for end < len(records) && string(records[end].Test) == string(records[first].Test) {
			end++
		}
		run := draftRun{first: first, end: end, firstQuestion: d.used, records: records}
		for n := first; n < end && !run.tooMany; n++ {
			d.sheet(&run, n, answers)
		}
		run.endQuestion = d.used
		if run.many && !run.tooMany {
			d.again(&run, answers)
		}
		for _, place := range d.places {
			d.table[place] = 0
		}
		d.places, d.order = d.places[:0], d.order[:0]
		d.runs = append(d.runs, run)
		first = end
	}
}

// sheet reads one record's answers.
func (d *Draft) sheet(run *draftRun, n int, answers []exam.Answer) {
	r := &run.records[n]
	from, to := r.FirstAnswer, r.FirstAnswer+r.Answers
	if from == to {
		d.marks[n] = noAnswers
		return
	}
	for i := from; i < to; i++ {
		if answers[i].Awarded == exam.MarksUnknown {
			d.marks[n] = leftOut
			return
		}
	}
	var sum int64
	for i := from; i < to; i++ {
		a := &answers[i]
		at, ok := d.find(run, int(i-from), a.Question)
		if !ok {
			run.tooMany = true
			return
		}
		q := &d.questions[run.firstQuestion+at]
		c := &d.cells[i]
		*c = cell{question: uint16(at)}
		if d.seen[at] == uint32(n)+1 {
			continue // Only the first answer to a question counts.
		}
		d.seen[at] = uint32(n) + 1
		sum += int64(a.Awarded)
		c.code = q.code(Value{a.Response, a.Awarded, a.Available})
		run.many = run.many || q.many
	}
	d.marks[n] = sheetMarks(sum, r.Obtained)
}

func sheetMarks(sum int64, obtained exam.Marks) int32 {
	switch {
	case sum > int64(exam.MarksMax):
		return leftOut
	case sum != int64(obtained):
		return int32(sum) | differs
	}
	return int32(sum)
}

// code is the value's code. It is 0 where there are too many: then it is asked for once
// more, of classes.
func (q *draftQuestion) code(v Value) uint8 {
	if q.many {
		return 0
	}
	for i := range q.values {
		if q.values[i] == v {
			return uint8(i + 1)
		}
	}
	if len(q.values) == ValuesMax {
		q.many = true
		return 0
	}
	q.values = append(q.values, v)
	return uint8(len(q.values))
}

// find is a question's number in the run. It is mostly where it was on the sheet before.
func (d *Draft) find(run *draftRun, nth int, id exam.Text) (at int, ok bool) {
	if nth < len(d.order) {
		at = int(d.order[nth])
		if d.questions[run.firstQuestion+at].id == id {
			return at, true
		}
	}
	place := int(exam.Mix(uint64(id), 0) % tablePlaces)
	for ; d.table[place] != 0; place = (place + 1) % tablePlaces {
		at = int(d.table[place]) - 1
		if d.questions[run.firstQuestion+at].id == id {
			d.expect(nth, at)
			return at, true
		}
	}
	at = d.used - run.firstQuestion
	if at == QuestionsMax {
		return 0, false
	}
	if d.used == len(d.questions) {
		d.questions = append(d.questions, draftQuestion{})
	}
	q := &d.questions[d.used]
	*q = draftQuestion{id: id, values: q.values[:0]}
	d.used++
	d.table[place] = uint16(at + 1)
	d.places = append(d.places, uint16(place))
	d.expect(nth, at)
	return at, true
}

func (d *Draft) expect(nth, at int) {
	switch {
	case nth < len(d.order):
		d.order[nth] = uint16(at)
	case nth == len(d.order):
		d.order = append(d.order, uint16(at))
	}
}

// again reads the answers to questions with too many values as classes of them.
func (d *Draft) again(run *draftRun, answers []exam.Answer) {
	questions := d.questions[run.firstQuestion:run.endQuestion]
	for i := range questions {
		if q := &questions[i]; q.many {
			*q = draftQuestion{id: q.id, values: q.values[:0], free: true}
		}
	}
	const again = 1 << 31 // No record has such a number.
	for n := run.first; n < run.end; n++ {
		if d.marks[n] == noAnswers || d.marks[n] == leftOut {
			continue
		}
		r := &run.records[n]
		for i := r.FirstAnswer; i < r.FirstAnswer+r.Answers; i++ {
			c := &d.cells[i]
			q := &questions[c.question]
			if !q.free || d.seen[c.question] == uint32(n)+1|again {
				continue
			}
			d.seen[c.question] = uint32(n) + 1 | again
			a := &answers[i]
			c.code = q.code(Value{a.Response, a.Awarded, a.Available}.class())
			run.tooMany = run.tooMany || q.many
		}
	}
}
