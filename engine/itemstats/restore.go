package itemstats

import (
	"math/bits"

	"markr/engine/exam"
)

// Restoring makes a Test of what was stored, sheet by sheet.
type Restoring struct {
	test  *Test
	rows  int
	bytes [][]meaning // of sheets, by question
}

// meaning is what a byte of a sheet stands for.
type meaning struct {
	cell    uint32 // 0: nothing
	awarded int32
}

// Restore begins with what the sheets do not tell; s is not to be changed afterwards. The
// error is [ErrStored]. What is allocated is in proportion to what there is in s, and, when
// they come, to the sheets: never to a number that is only claimed.
func Restore(s *Stored) (*Restoring, error) {
	m, ok := modeOf(s.Limit)
	if !ok || len(s.Questions) > QuestionsMax || m != byScore && len(s.Scores) > 0 || m == nothing && len(s.Questions)+len(s.Texts) > 0 {
		return nil, ErrStored
	}
	// All that is by scores is copied before it is changed.
	t := &Test{mode: m, epoch: 1}
	for i := range s.Questions {
		q := &s.Questions[i]
		if _, known := t.find(q.ID); known {
			return nil, ErrStored
		}
		at, _ := t.addQuestion(q.ID)
		if t.questions[at], ok = q.restore(); !ok {
			return nil, ErrStored
		}
		t.widths += t.questions[at].width()
	}
	for _, known := range s.Texts {
		if _, short := known.Text.Inline(); short || t.spelled[known.Text] || len(known.Spelled) > exam.TextBytesMax {
			return nil, ErrStored
		}
		t.spell(known.Text, func(exam.Text) string { return known.Spelled })
	}
	if len(t.questions) > 0 {
		t.relay()
	}
	if !t.restoreScores(s.Scores) {
		return nil, ErrStored
	}
	r := &Restoring{test: t, rows: s.Rows}
	for i := range t.questions {
		r.bytes = append(r.bytes, t.questions[i].meanings(t.offsets[i]))
	}
	return r, nil
}

// restoreScores makes room to count by scores.
func (t *Test) restoreScores(scores []int32) bool {
	if t.mode == bySum {
		t.sums = &sums{epoch: t.epoch, values: make([]valueSums, t.cells())}
	}
	if (t.widths+slabCells)*len(scores) > CellsMax {
		return false
	}
	none := &slab{cells: make([]uint32, t.cells())}
	for _, marks := range scores {
		if _, known := t.scores.find(marks); known || marks < 0 || marks > int32(exam.MarksMax) {
			return false
		}
		t.scores.add(marks)
		t.slabs = append(t.slabs, none)
	}
	return true
}

// meanings are what the bytes of sheets stand for. Bytes behind its end stand for nothing.
func (q *question) meanings(first uint32) []meaning {
	list := make([]meaning, 1, 1+len(q.values))
	mean := func(code uint8) {
		if code == 0 {
			list = append(list, meaning{})
			return
		}
		list = append(list, meaning{first + uint32(code) - 1, int32(q.values[code-1].Awarded)})
	}
	if q.free {
		for _, class := range q.class[1:] {
			mean(class)
		}
	}
	for code := range q.values {
		mean(uint8(code + 1))
	}
	return list
}

// Take takes the next sheets, as many as are packed together. The error is [ErrStored].
func (r *Restoring) Take(packed []byte) error {
	t := r.test
	first := t.sheets.rows
	rows := min(r.rows-first, chunkRows)
	if rows <= 0 || t.mode == nothing {
		return ErrStored
	}
	room := chunkRows
	if first == 0 { // It grows by doubling.
		room = max(chunkMin, 1<<bits.Len(uint(rows-1)))
	}
	c, kinds, ok := unpack(packed, room, rows, len(t.questions))
	if !ok || !r.count(c, kinds[:rows]) {
		return ErrStored
	}
	t.sheets.chunks = append(t.sheets.chunks, c)
	t.sheets.rows += rows
	t.sheets.bytes += c.bytes()
	return nil
}

// count counts the sheets of a chunk, and sets their marks.
func (r *Restoring) count(c *chunk, kinds []byte) bool {
	t := r.test
	var sums [chunkRows]int64
	var have [chunkRows]byte
	for q := range c.questions {
		means := r.bytes[q]
		for at, b := range c.codes[q*c.room:][:len(kinds)] {
			if int(b) >= len(means) || b != 0 && means[b].cell == 0 {
				return false
			}
			sums[at] += int64(means[b].awarded)
			have[at] |= b
		}
	}
	for at, kind := range kinds {
		// Only a sheet that is analysed has answers in it, and at least one.
		if (kind >= analysed) != (have[at] != 0) || sums[at] > int64(exam.MarksMax) {
			return false
		}
		switch kind {
		case withoutAnswers:
			c.marks[at] = noAnswers
			continue
		case notAnalysed:
			c.marks[at] = leftOut
			t.leftOut++
			continue
		case analysedDiffers:
			c.marks[at] = int32(sums[at]) | differs
			t.differing++
		default:
			c.marks[at] = int32(sums[at])
		}
		if t.mode == byScore {
			if _, known := t.scores.find(int32(sums[at])); !known {
				return false
			}
		}
	}
	if t.mode == bySum {
		r.countSums(c, len(kinds))
	} else {
		r.countScores(c, len(kinds))
	}
	return true
}

func (r *Restoring) countScores(c *chunk, rows int) {
	var slabs [chunkRows][]uint32
	for at, marks := range c.marks[:rows] {
		if marks >= 0 {
			slabs[at] = r.test.changeSlab(marks & marksMask)
			slabs[at][0]++
		}
	}
	for q := range c.questions {
		means := r.bytes[q]
		for at, b := range c.codes[q*c.room:][:rows] {
			if b != 0 {
				slabs[at][means[b].cell]++
			}
		}
	}
}

func (r *Restoring) countSums(c *chunk, rows int) {
	s := r.test.sums
	for _, marks := range c.marks[:rows] {
		if marks >= 0 {
			s.all.add(marks&marksMask, 1)
		}
	}
	for q := range c.questions {
		means := r.bytes[q]
		for at, b := range c.codes[q*c.room:][:rows] {
			if b != 0 {
				s.values[means[b].cell].add(c.marks[at] & marksMask)
			}
		}
	}
}

// End is the test when all sheets have been taken, if they are those of rows whose marks
// obtained are given. The error is [ErrStored].
func (r *Restoring) End(rows int, obtained func(row uint32) exam.Marks) (*Test, error) {
	t := r.test
	if t.mode == nothing {
		t.sheets.rows = r.rows
	}
	if t.sheets.rows != r.rows || rows != r.rows {
		return nil, ErrStored
	}
	for n, c := range t.sheets.chunks {
		for at, marks := range c.marks[:min(rows-n*chunkRows, chunkRows)] {
			if marks >= 0 && (marks&differs != 0) != (marks&marksMask != int32(obtained(uint32(n*chunkRows+at)))) {
				return nil, ErrStored
			}
		}
	}
	return t, nil
}
