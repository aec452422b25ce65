package itemstats

import "markr/engine/exam"

// plan is how the values of a draft are those of the test. It is memory for one run.
type plan struct {
	draft     *Draft
	run       *draftRun
	questions []planned
	values    []target // of all questions, by code, with one in front for code 0
}

type planned struct {
	question int
	first    int // of its values
}

// target is where a value is counted, and what a sheet has for it.
type target struct {
	cell uint32
	code byte
}

// Begin makes ready to keep sheets of a draft's n-th run of records, from 0; the run is
// all about this test. What is on any of them may be told from then on. spell gives the
// text that stands for a long one.
func (t *Test) Begin(d *Draft, n int, spell func(exam.Text) string) {
	p := &t.plan
	p.draft, p.run = nil, nil
	if t.mode == nothing || n >= len(d.runs) {
		return
	}
	p.draft, p.run = d, &d.runs[n]
	if p.run.tooMany || !t.meet(p, spell) {
		t.end()
		return
	}
	t.meetScores(d.marks[p.run.first:p.run.end])
	for i := range p.questions {
		q := &p.questions[i]
		for at := range p.values[q.first:p.end(i)] {
			if at > 0 {
				p.values[q.first+at].cell = t.offsets[q.question] + uint32(t.questions[q.question].code(p.values[q.first+at].code)) - 1
			}
		}
	}
}

// Done ends what Begin began: the draft is its owner's again.
func (t *Test) Done() { t.plan.draft, t.plan.run = nil, nil }

// meetScores adds the scores that are new, unless there are too many.
func (t *Test) meetScores(sheets []int32) {
	for _, marks := range sheets {
		if t.mode != byScore {
			return
		}
		if marks < 0 {
			continue
		}
		if _, known := t.scores.find(marks & marksMask); !known {
			t.scores.add(marks & marksMask)
			t.slabs = append(t.slabs, &slab{epoch: t.epoch, cells: make([]uint32, t.cells())})
			t.sumIfMany()
		}
	}
}

// end is where the values of a question end.
func (p *plan) end(i int) int {
	if i+1 < len(p.questions) {
		return p.questions[i+1].first
	}
	return len(p.values)
}

// meet finds the questions and values of a run and adds those that are new; it is false
// if there are too many.
func (t *Test) meet(p *plan, spell func(exam.Text) string) bool {
	p.questions, p.values = p.questions[:0], p.values[:0]
	drafts := p.draft.questions[p.run.firstQuestion:p.run.endQuestion]
	for i := range drafts {
		d := &drafts[i]
		// Mostly questions come in the same order.
		at, ok := i, i < len(t.questions) && t.questions[i].id == d.id
		if !ok {
			if at, ok = t.find(d.id); !ok {
				at, ok = t.addQuestion(d.id)
				t.spell(d.id, spell)
			}
		}
		if !ok {
			return false
		}
		first := len(p.values)
		p.questions, p.values = append(p.questions, planned{at, first}), append(p.values, target{})
		q := &t.questions[at]
		if d.free && !q.free && !t.setFree(at) {
			return false
		}
		if q.free == d.free && t.meetValues(p, q, d.values, spell) {
			continue
		}
		// Values of one document are told apart, and those of all are not, or not any more.
		if !q.free && !t.setFree(at) {
			return false
		}
		p.values = p.values[:first+1]
		if !t.meetClasses(p, q, d.values) {
			return false
		}
	}
	if t.crowded || len(t.offsets) != len(t.questions)+1 {
		t.sumIfMany() // Before cells are made for all of them.
		t.relay()
	}
	return true
}

func (t *Test) meetValues(p *plan, q *question, values []Value, spell func(exam.Text) string) bool {
	for _, v := range values {
		known := len(q.values)
		code, ok := t.addValue(q, v)
		if !ok {
			return false
		}
		if len(q.values) > known {
			t.spell(v.Response, spell)
		}
		p.values = append(p.values, target{code: q.byteOf(code)})
	}
	return true
}

func (t *Test) meetClasses(p *plan, q *question, values []Value) bool {
	for _, v := range values {
		code, ok := t.addValue(q, v.class())
		if !ok {
			return false
		}
		p.values = append(p.values, target{code: q.byteOf(code)})
	}
	return true
}

// spell notes how a long text is spelled.
func (t *Test) spell(long exam.Text, spell func(exam.Text) string) {
	if _, short := long.Inline(); short || t.spelled[long] {
		return
	}
	if t.spelled == nil {
		t.spelled = make(map[exam.Text]bool)
	}
	t.spelled[long] = true
	t.texts = append(t.texts, text{long, spell(long)})
}

// Keep keeps the sheet of a record, by its index in the document, as that of a row: of the
// next one, or of one that has a sheet already, which is taken off. Begin was called with
// the record's run.
func (t *Test) Keep(row uint32, record int) {
	if t.mode == nothing {
		t.sheets.rows = max(t.sheets.rows, int(row)+1)
		return
	}
	var c *chunk
	var at int
	if int(row) < t.sheets.rows {
		t.takeOff(row)
		c, at = t.sheets.change(row, len(t.questions))
		for q := range c.questions {
			c.codes[q*c.room+at] = 0
		}
	} else {
		c, at = t.sheets.append(len(t.questions))
	}
	c.marks[at] = noAnswers
	if t.plan.run == nil {
		return
	}
	marks := t.plan.draft.marks[record]
	c.marks[at] = marks
	if marks < 0 {
		if marks == leftOut {
			t.leftOut++
		}
		return
	}
	t.putOn(c, at, record, marks)
}

func (t *Test) putOn(c *chunk, at, record int, marks int32) {
	if marks&differs != 0 {
		t.differing++
	}
	r := &t.plan.run.records[record]
	cells := t.plan.draft.cells[r.FirstAnswer : r.FirstAnswer+r.Answers]
	if t.mode == bySum {
		s := t.changeSums()
		s.all.add(marks&marksMask, 1)
		for _, answer := range cells {
			if answer.code != 0 {
				q := &t.plan.questions[answer.question]
				to := t.plan.values[q.first+int(answer.code)]
				c.codes[q.question*c.room+at] = to.code
				s.values[to.cell].add(marks & marksMask)
			}
		}
		return
	}
	count := t.changeSlab(marks & marksMask)
	count[0]++
	for _, answer := range cells {
		if answer.code != 0 {
			q := &t.plan.questions[answer.question]
			to := t.plan.values[q.first+int(answer.code)]
			c.codes[q.question*c.room+at] = to.code
			count[to.cell]++
		}
	}
}

// takeOff takes the sheet of a row off what is counted.
func (t *Test) takeOff(row uint32) {
	c, at := t.sheets.chunks[row>>chunkBits], int(row&chunkMask)
	marks := c.marks[at]
	if marks < 0 {
		if marks == leftOut {
			t.leftOut--
		}
		return
	}
	if marks&differs != 0 {
		t.differing--
	}
	marks &= marksMask
	if t.mode == bySum {
		s := t.changeSums()
		s.all.remove(marks)
		for q := range c.questions {
			if b := c.codes[q*c.room+at]; b != 0 {
				s.values[t.offsets[q]+uint32(t.questions[q].code(b))-1].remove(marks)
			}
		}
		return
	}
	count := t.changeSlab(marks)
	count[0]--
	for q := range c.questions {
		if b := c.codes[q*c.room+at]; b != 0 {
			count[t.offsets[q]+uint32(t.questions[q].code(b))-1]--
		}
	}
}

func (v *valueSums) add(marks int32)    { v.sheets++; v.marks += uint64(marks) }
func (v *valueSums) remove(marks int32) { v.sheets--; v.marks -= uint64(marks) }
