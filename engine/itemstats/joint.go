package itemstats

import (
	"cmp"
	"slices"
)

// shift are sheets with the same marks that gain the same by a change.
type shift struct {
	marks, delta int32 // thousandths
	sheets       uint64
}

// joint counts the sheets by marks and by what they gain.
func (a *Analysis) joint(list []altered) []shift {
	if len(list) <= 1 && a.view.mode == byScore {
		return a.jointByScore(list)
	}
	return a.walk(list)
}

// jointByScore reads it from the table.
func (a *Analysis) jointByScore(list []altered) (both []shift) {
	v := a.view
	for _, at := range a.ascending {
		cells := v.slabs[at].cells
		rest := uint64(cells[0])
		if len(list) > 0 {
			x := &list[0]
			first := v.offsets[x.q.at]
			for code, sheets := range cells[first : int(first)+len(v.questions[x.q.at].values)] {
				if sheets > 0 && x.deltas[code+1] != 0 {
					both = append(both, shift{v.scores[at], x.deltas[code+1], uint64(sheets)})
					rest -= uint64(sheets)
				}
			}
		}
		if rest > 0 {
			both = append(both, shift{v.scores[at], 0, rest})
		}
	}
	return together(both)
}

// together adds up shifts that are alike.
func together(both []shift) []shift {
	slices.SortFunc(both, func(x, y shift) int { return cmp.Or(cmp.Compare(x.marks, y.marks), cmp.Compare(x.delta, y.delta)) })
	n := 0
	for i, s := range both {
		if i > 0 && both[n-1].marks == s.marks && both[n-1].delta == s.delta {
			both[n-1].sheets += s.sheets
			continue
		}
		both[n] = s
		n++
	}
	return both[:n]
}

// gain is what the sheets' bytes for one question are worth.
type gain struct {
	question int
	of       [256]int32
	column   []byte // the bytes of a chunk's sheets
}

// walk looks at every sheet, a chunk at a time.
func (a *Analysis) walk(list []altered) []shift {
	v := a.view
	gains := make([]gain, len(list))
	for i := range list {
		q := &v.questions[list[i].q.at]
		gains[i].question = list[i].q.at
		for b := range 256 {
			if b <= ValuesMax || q.free && b <= 2*ValuesMax {
				gains[i].of[b] = list[i].deltas[q.code(byte(b))]
			}
		}
	}
	counts := a.jointCounts(list)
	if counts.dense != nil {
		for g := range gains {
			for b := range gains[g].of {
				gains[g].of[b] /= counts.unit
			}
		}
	}
	var gained [chunkRows]int32
	var none [chunkRows]byte
	for i, c := range v.chunks {
		rows := min(v.rows-i*chunkRows, chunkRows)
		for g := range gains {
			gains[g].column = none[:rows] // None of these sheets has it.
			if gains[g].question < c.questions {
				gains[g].column = c.codes[gains[g].question*c.room:][:rows]
			}
		}
		gainAll(gained[:rows], gains)
		counts.add(c.marks[:rows], gained[:rows])
	}
	return together(counts.shifts())
}

// gainAll sets what the sheets of a chunk gain by all questions together: three at a time,
// because adding to memory takes longer than looking up.
func gainAll(gained []int32, gains []gain) {
	clear(gained)
	for len(gains) > 0 {
		x := &gains[0]
		xs := x.column[:len(gained)]
		switch len(gains) {
		case 1:
			for at := range gained {
				gained[at] += x.of[xs[at]]
			}
			return
		case 2:
			y := &gains[1]
			ys := y.column[:len(gained)]
			for at := range gained {
				gained[at] += x.of[xs[at]] + y.of[ys[at]]
			}
			return
		}
		y, z := &gains[1], &gains[2]
		ys, zs := y.column[:len(gained)], z.column[:len(gained)]
		for at := range gained {
			gained[at] += x.of[xs[at]] + y.of[ys[at]] + z.of[zs[at]]
		}
		gains = gains[3:]
	}
}

// jointCounts count pairs of marks and gains: in an array in units that divide all of them,
// or in a map where that were too long.
type jointCounts struct {
	unit      int32
	least     int32 // gain, in units
	width     int32
	dense     []uint32
	inverse   uint64 // of the unit, in 2^-32 and rounded up
	scattered map[[2]int32]uint64
}

// jointMax is how many pairs are counted in an array: 4 MB.
const jointMax = 1 << 20

func (a *Analysis) jointCounts(list []altered) *jointCounts {
	unit, most := a.marksUnit()
	var least, highest int64
	for i := range list {
		low, high := int32(0), int32(0)
		for _, d := range list[i].deltas {
			unit = divisor(unit, uint64(max(d, -d)))
			low, high = min(low, d), max(high, d)
		}
		least, highest = least+int64(low), highest+int64(high)
	}
	unit = max(unit, 1)
	width := (highest-least)/int64(unit) + 1
	if size := width * (most/int64(unit) + 1); size <= jointMax {
		return &jointCounts{
			unit: int32(unit), least: int32(least / int64(unit)), width: int32(width), dense: make([]uint32, size), inverse: 1<<32/unit + 1,
		}
	}
	return &jointCounts{scattered: make(map[[2]int32]uint64)}
}

// marksUnit divides the marks of all sheets, the highest of which comes with it.
func (a *Analysis) marksUnit() (unit uint64, most int64) {
	v := a.view
	if v.mode == byScore {
		if len(a.ascending) > 0 {
			most = int64(v.scores[a.ascending[len(a.ascending)-1]])
		}
		return uint64(a.unit), most
	}
	for i, c := range v.chunks {
		for _, marks := range c.marks[:min(v.rows-i*chunkRows, chunkRows)] {
			if marks >= 0 {
				most = max(most, int64(marks&marksMask))
				unit = divisor(unit, uint64(marks&marksMask))
			}
		}
	}
	return unit, most
}

func (j *jointCounts) add(sheets, gained []int32) {
	if j.dense == nil {
		for i, marks := range sheets {
			if marks >= 0 {
				j.scattered[[2]int32{marks & marksMask, gained[i]}]++
			}
		}
		return
	}
	dense, width, least, inverse := j.dense, j.width, j.least, j.inverse
	gained = gained[:len(sheets)]
	for i, marks := range sheets {
		if marks >= 0 {
			// Marks are multiples of the unit and below 2^30, so what the inverse is too much
			// adds less than one; and multiplying is much quicker than dividing.
			score := int32(uint64(marks&marksMask) * inverse >> 32)
			dense[score*width+gained[i]-least]++
		}
	}
}

func (j *jointCounts) shifts() (both []shift) {
	for at, sheets := range j.dense {
		if sheets > 0 {
			both = append(both, shift{int32(at) / j.width * j.unit, (int32(at)%j.width + j.least) * j.unit, uint64(sheets)})
		}
	}
	for pair, sheets := range j.scattered {
		both = append(both, shift{pair[0], pair[1], sheets})
	}
	return both
}
