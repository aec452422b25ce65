package itemstats

import "slices"

// cells is how long a slab is.
func (t *Test) cells() uint32 {
	if len(t.offsets) == 0 {
		return 1
	}
	return t.offsets[len(t.offsets)-1]
}

// relay lays out the cells anew where questions, values or classes of values are new. What
// was counted is brought along.
func (t *Test) relay() {
	type move struct{ from, to, length uint32 }
	var moves []move
	offsets := make([]uint32, 1, len(t.questions)+1)
	offsets[0] = 1
	for i := range t.questions {
		q := &t.questions[i]
		if i+1 < len(t.offsets) {
			moves = append(moves, move{t.offsets[i], offsets[i], t.offsets[i+1] - t.offsets[i]})
		}
		// Twice as many as before, so that it is not done again for every value.
		room := max(q.room, 1)
		for int(room) < len(q.values) {
			room *= 2
		}
		q.room = room
		offsets = append(offsets, offsets[i]+room)
	}
	t.offsets, t.crowded = offsets, false
	for i, s := range t.slabs {
		again := &slab{t.epoch, make([]uint32, t.cells())}
		again.cells[0] = s.cells[0]
		for _, m := range moves {
			copy(again.cells[m.to:], s.cells[m.from:m.from+m.length])
		}
		t.slabs[i] = again
	}
	if t.sums != nil {
		again := &sums{t.epoch, t.sums.all, make([]valueSums, t.cells())}
		for _, m := range moves {
			copy(again.values[m.to:], t.sums.values[m.from:m.from+m.length])
		}
		t.sums = again
	}
}

// changeSlab are the cells of a score, to be changed.
func (t *Test) changeSlab(marks int32) []uint32 {
	at, _ := t.scores.find(marks)
	s := t.slabs[at]
	if s.epoch != t.epoch {
		s = &slab{t.epoch, slices.Clone(s.cells)}
		t.slabs[at] = s
	}
	return s.cells
}

// changeSums are the sums, to be changed.
func (t *Test) changeSums() *sums {
	if t.sums.epoch != t.epoch {
		t.sums = &sums{t.epoch, t.sums.all, slices.Clone(t.sums.values)}
	}
	return t.sums
}

// merge adds up what is counted of values of a question, of which the first cell is given,
// by their classes.
func (t *Test) merge(first, values int, class *[ValuesMax + 1]uint8) {
	for i := range t.slabs {
		if t.slabs[i].epoch != t.epoch {
			t.slabs[i] = &slab{t.epoch, slices.Clone(t.slabs[i].cells)}
		}
		mergeCells(t.slabs[i].cells[first:first+values], class, func(to *uint32, from uint32) { *to += from })
	}
	if t.mode == bySum {
		mergeCells(t.changeSums().values[first:first+values], class, func(to *valueSums, from valueSums) {
			to.sheets, to.marks = to.sheets+from.sheets, to.marks+from.marks
		})
	}
}

func mergeCells[T any](cells []T, class *[ValuesMax + 1]uint8, add func(to *T, from T)) {
	before := slices.Clone(cells)
	clear(cells)
	for i, c := range before {
		add(&cells[class[i+1]-1], c)
	}
}

// slabCells are how many cells' memory a slab takes beside its cells.
const slabCells = 16

// sumIfMany gives up the table by scores if it would have too many cells. All it looks
// at only grows.
func (t *Test) sumIfMany() {
	if t.mode == byScore && (t.widths+slabCells)*len(t.scores.values) > CellsMax {
		t.sum()
	}
}

// sum gives up the table by scores: there are too many of them.
func (t *Test) sum() {
	s := &sums{epoch: t.epoch, values: make([]valueSums, t.cells())}
	for at, marks := range t.scores.values {
		cells := t.slabs[at].cells
		s.all.add(marks, uint64(cells[0]))
		for i, sheets := range cells[1:] {
			s.values[i+1].sheets += uint64(sheets)
			s.values[i+1].marks += uint64(sheets) * uint64(marks)
		}
	}
	t.mode, t.sums, t.slabs, t.scores = bySum, s, nil, scores{}
}
