package itemstats

import (
	"slices"

	"markr/engine/exam"
)

// Test is what the kept sheets of one test say of its questions. It has one writer.
//
// Its kept sheets are those of the rows of a ledger: row 0 comes first, and each row keeps
// its place. The table of values by scores has a slab for each score:
//
//	slab   sheets | a question's values, by code … | the next question's …
//
// in cells of 32 bits, so that a sheet is counted in one piece of memory.
type Test struct {
	mode      mode
	questions []question
	order     []uint16 // of questions, by id
	widths    int      // of values of all questions, see question.width
	texts     []text   // how long ones are spelled
	spelled   map[exam.Text]bool
	scores    scores
	slabs     []*slab  // by place of the score
	offsets   []uint32 // where each question's cells begin in a slab or in sums, and their end
	sums      *sums    // in place of slabs
	sheets    sheets
	leftOut   int
	differing int
	epoch     uint32 // of the views: what is by scores and older is copied before it is changed
	crowded   bool   // a question has more values than cells

	plan plan
}

// mode is how much is kept. It only goes up.
type mode uint8

const (
	byScore mode = iota // values by scores
	bySum               // sums of scores for each value: there are too many scores
	nothing             // there are too many values or questions
)

// question is one question of a test. Views have copies: its slices only grow.
type question struct {
	id     exam.Text
	values []Value // by code less 1
	free   bool    // values are classes, and bytes of sheets above ValuesMax
	// class has the codes of classes by those that the values had before there were too
	// many of them.
	class *[ValuesMax + 1]uint8
	room  uint32 // cells
}

type text struct {
	text    exam.Text
	spelled string
}

type slab struct {
	epoch uint32
	cells []uint32
}

// sums are what is kept of each value when there are too many scores.
type sums struct {
	epoch  uint32
	all    moments
	values []valueSums
}

type valueSums struct{ sheets, marks uint64 }

// code is the code that a sheet's byte stands for.
func (q *question) code(b byte) uint8 {
	switch {
	case !q.free || b == 0:
		return b
	case b > ValuesMax:
		return b - ValuesMax
	}
	return q.class[b]
}

// byteOf is the byte of a sheet for a code.
func (q *question) byteOf(code uint8) byte {
	if q.free {
		return code + ValuesMax
	}
	return code
}

// width is how many values the question counts for: a number that never becomes less.
func (q *question) width() int {
	if q.free {
		return ValuesMax
	}
	return len(q.values)
}

// Len is how many rows there are.
func (t *Test) Len() int { return t.sheets.rows }

// Bytes is about what the sheets and the table take in memory.
func (t *Test) Bytes() int {
	n := t.sheets.bytes
	if len(t.slabs) > 0 {
		n += 4 * len(t.slabs) * len(t.slabs[0].cells)
	}
	if t.sums != nil {
		n += 16 * len(t.sums.values)
	}
	return n
}

// Questions is how many questions there are.
func (t *Test) Questions() int { return len(t.questions) }

// Limit is what the test has too many of.
func (t *Test) Limit() Limit { return t.mode.limit() }

// Limit says what a test has too many of.
type Limit string

// The limits: see ValuesMax.
const (
	NoLimit Limit = ""
	Scores  Limit = "scores" // figures that need the table by scores are undefined
	Values  Limit = "values" // of one question, or questions: nothing is known
)

func (m mode) limit() Limit {
	switch m {
	case bySum:
		return Scores
	case nothing:
		return Values
	default:
		return NoLimit
	}
}

// find is a question's number.
func (t *Test) find(id exam.Text) (at int, ok bool) {
	place, ok := t.place(id)
	if !ok {
		return 0, false
	}
	return int(t.order[place]), true
}

func (t *Test) place(id exam.Text) (place int, ok bool) {
	return slices.BinarySearchFunc(t.order, id, func(at uint16, id exam.Text) int {
		switch other := t.questions[at].id; {
		case other < id:
			return -1
		case other > id:
			return 1
		}
		return 0
	})
}

// addQuestion adds a question that is new, if there may be one more.
func (t *Test) addQuestion(id exam.Text) (at int, ok bool) {
	if len(t.questions) == QuestionsMax {
		return 0, false
	}
	place, _ := t.place(id)
	at = len(t.questions)
	t.questions = append(t.questions, question{id: id})
	t.order = slices.Insert(t.order, place, uint16(at))
	return at, true
}

// addValue is the code of a value, which may be new; ok is false if there are too many.
// Of a question whose values are classes it has to be one.
func (t *Test) addValue(q *question, v Value) (code uint8, ok bool) {
	for i := range q.values {
		if q.values[i] == v {
			return uint8(i + 1), true
		}
	}
	if len(q.values) == ValuesMax {
		return 0, false
	}
	q.values = append(q.values, v)
	t.crowded = t.crowded || len(q.values) > int(q.room)
	if !q.free {
		t.widths++
	}
	return uint8(len(q.values)), true
}

// setFree makes classes of a question's values, and of what is counted of them.
func (t *Test) setFree(at int) (ok bool) {
	q := &t.questions[at]
	t.widths += ValuesMax - q.width()
	before := q.values
	q.values, q.free, q.class = nil, true, new([ValuesMax + 1]uint8)
	for i, v := range before {
		code, ok := t.addValue(q, v.class())
		if !ok {
			return false
		}
		q.class[i+1] = code
	}
	if at+1 < len(t.offsets) {
		// No class has a higher code than the first of its values, so they have cells.
		t.merge(int(t.offsets[at]), min(len(before), int(q.room)), q.class)
	}
	return true
}

// end ends the analysis: there is too much to tell apart.
func (t *Test) end() {
	*t = Test{mode: nothing, sheets: sheets{rows: t.sheets.rows}}
}
