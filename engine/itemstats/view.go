package itemstats

import (
	"slices"

	"markr/engine/exam"
)

// View is a test as it was at one moment. It never changes.
type View struct {
	mode      mode
	questions []question
	order     []uint16
	texts     []text
	scores    []int32
	slabs     []*slab
	offsets   []uint32
	sums      *sums
	chunks    []*chunk
	rows      int
	leftOut   int
	differing int
}

// View is the test as it is now. It costs a pointer for every 512 sheets, every score and
// every question, and later the copy of each of them that is changed.
func (t *Test) View() *View {
	t.epoch++
	t.sheets.epoch++
	return &View{
		mode: t.mode, questions: slices.Clone(t.questions), order: slices.Clone(t.order), texts: slices.Clip(t.texts),
		scores: slices.Clip(t.scores.values), slabs: slices.Clone(t.slabs), offsets: t.offsets, sums: t.sums,
		chunks: slices.Clone(t.sheets.chunks), rows: t.sheets.rows, leftOut: t.leftOut, differing: t.differing,
	}
}

// Limit is what the test has too many of.
func (v *View) Limit() Limit { return v.mode.limit() }

// Spell is a text as it is spelled.
func (v *View) Spell(t exam.Text) string {
	if spelled, short := t.Inline(); short {
		return spelled
	}
	for i := range v.texts {
		if v.texts[i].text == t {
			return v.texts[i].spelled
		}
	}
	return t.String()
}
