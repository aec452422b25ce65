package itemstats

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"markr/engine/exam"
)

// Sums are all integers that a view has, in an order that does not depend on the one in
// which they came.
func (v *View) Sums() string {
	lines := []string{fmt.Sprintf("mode %d, rows %d, left out %d, differing %d", v.mode, v.rows, v.leftOut, v.differing)}
	for i := range v.questions {
		q := &v.questions[i]
		values := slices.Clone(q.values)
		slices.SortFunc(values, func(x, y Value) int {
			return cmp.Or(cmp.Compare(x.Response, y.Response), cmp.Compare(x.Awarded, y.Awarded), cmp.Compare(x.Available, y.Available))
		})
		lines = append(lines, fmt.Sprintf("question %v free %v values %v", q.id, q.free, values))
		for code, value := range q.values {
			cell := v.offsets[i] + uint32(code)
			if v.sums != nil {
				lines = append(lines, fmt.Sprintf("question %v %v: %+v", q.id, value, v.sums.values[cell]))
			}
			for at, s := range v.slabs {
				if s.cells[cell] > 0 {
					lines = append(lines, fmt.Sprintf("question %v %v score %d: %d", q.id, value, v.scores[at], s.cells[cell]))
				}
			}
		}
	}
	if v.sums != nil {
		lines = append(lines, fmt.Sprintf("all %+v", v.sums.all))
	}
	for at, s := range v.slabs {
		lines = append(lines, fmt.Sprintf("score %d: %d", v.scores[at], s.cells[0]))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Sheets are all sheets of a view, by row, if they are kept.
func (v *View) Sheets() string {
	var b strings.Builder
	if v.mode == nothing {
		return ""
	}
	for row := range v.rows {
		c, at := v.chunks[row>>chunkBits], row&chunkMask
		fmt.Fprint(&b, c.marks[at])
		for q := range v.questions {
			if q < c.questions {
				fmt.Fprint(&b, " ", c.codes[q*c.room+at])
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Held is what an analysis holds in memory beside what the test has, too.
func (a *Analysis) Held() int {
	return int(reflect.TypeFor[Analysis]().Size()) + behind(reflect.ValueOf(a).Elem())
}

// behind is what a value points at.
func behind(v reflect.Value) (n int) {
	switch v.Type() {
	case reflect.TypeFor[question](), reflect.TypeFor[*chunk](), reflect.TypeFor[*slab](), reflect.TypeFor[*sums](), reflect.TypeFor[text]():
		return 0 // It is the test's.
	}
	if v.Kind() == reflect.Pointer {
		return int(v.Type().Elem().Size()) + behind(v.Elem())
	}
	if v.Kind() == reflect.Slice {
		n = v.Len() * int(v.Type().Elem().Size())
		for i := range v.Len() {
			n += behind(v.Index(i))
		}
	}
	if v.Kind() == reflect.Struct {
		for _, field := range v.Fields() {
			n += behind(field)
		}
	}
	return n
}

// FigureOf is a figure in both ways of computing it, which have to give the same.
func FigureOf(root bool, numerator, denominator []int64) (quick, exact float64) {
	of := func(list []int64) (wides []wide) {
		for _, n := range list {
			wides = append(wides, wideOf(n))
		}
		return wides
	}
	return figure(root, wide{}, of(numerator), of(denominator)).Value, exactly(root, of(numerator), of(denominator))
}

// SumOf is the sum of the marks on a sheet.
func (t *Test) SumOf(row uint32) exam.Marks {
	return exam.Marks(t.sheets.chunks[row>>chunkBits].marks[row&chunkMask] & marksMask)
}
