package itemstats

import (
	"errors"
	"slices"

	"markr/engine/exam"
)

// ErrStored says that something stored cannot be what a test has kept.
var ErrStored = errors.New("itemstats: impossible state of a test")

// Stored is all of a Test, to be written down: what the sheets do not tell, and the sheets,
// packed. The table by scores, and the marks of a sheet, are computed from it.
type Stored struct {
	Limit     Limit
	Questions []StoredQuestion // in the order in which they came
	Scores    []int32          // that sheets have ever had, thousandths, in the order in which they came; none beyond a limit
	Texts     []StoredText     // how long ones are spelled, in the order in which they came
	Rows      int              // sheets, see ChunkRows

	chunks []*chunk
}

// StoredQuestion is a question with all values that scans have ever had for it.
type StoredQuestion struct {
	ID     exam.Text
	Values []Value // by code less 1; of a free one, classes of them
	Free   bool    // responses are not told apart
	// Classes are, of a free one, the codes of classes by those of values, less 1, that sheets
	// from before it was free may have.
	Classes []uint8
}

// StoredText is how a long text is spelled.
type StoredText struct {
	Text    exam.Text
	Spelled string
}

// Most of what a test can have.
const (
	// TextsMax is how many long texts: of each question its name and its responses.
	TextsMax = QuestionsMax * (ValuesMax + 1)
	// ChunkRows is how many sheets are packed together.
	ChunkRows = chunkRows
)

// Store is what the test keeps now. It costs a pointer for every 512 sheets and a copy of
// the list of questions, and later the copy of each 512 sheets of which one is changed. What
// there is by scores is not copied.
func (t *Test) Store() Stored {
	t.sheets.epoch++
	s := Stored{Limit: t.mode.limit(), Scores: slices.Clip(t.scores.values), Rows: t.sheets.rows, chunks: slices.Clone(t.sheets.chunks)}
	for i := range t.questions {
		q := &t.questions[i]
		stored := StoredQuestion{ID: q.id, Values: slices.Clip(q.values), Free: q.free}
		if q.free {
			stored.Classes = q.classes()
		}
		s.Questions = append(s.Questions, stored)
	}
	for _, known := range t.texts {
		s.Texts = append(s.Texts, StoredText{known.text, known.spelled})
	}
	return s
}

// classes are those of the values that were told apart once.
func (q *question) classes() []uint8 {
	n := len(q.class)
	for n > 1 && q.class[n-1] == 0 {
		n--
	}
	return slices.Clone(q.class[1:n])
}

// restore makes a question of what was stored, if it can be one.
func (s *StoredQuestion) restore() (q question, ok bool) {
	q = question{id: s.ID, values: s.Values, free: s.Free}
	if len(s.Values) > ValuesMax || len(s.Classes) > ValuesMax || !s.Free && len(s.Classes) > 0 {
		return q, false
	}
	for i, v := range s.Values {
		if v.Awarded < 0 || v.Awarded > exam.MarksMax || v.Available < exam.MarksUnknown || v.Available > exam.MarksMax ||
			(v.Response == answered) != (s.Free && v.Response != 0) || slices.Contains(s.Values[:i], v) {
			return q, false
		}
	}
	if s.Free {
		q.class = new([ValuesMax + 1]uint8)
		copy(q.class[1:], s.Classes)
	}
	for _, class := range s.Classes {
		if class == 0 || int(class) > len(s.Values) {
			return q, false
		}
	}
	return q, true
}

// modeOf is the mode of a limit.
func modeOf(l Limit) (m mode, ok bool) {
	for m = range nothing + 1 {
		if m.limit() == l {
			return m, true
		}
	}
	return nothing, false
}
