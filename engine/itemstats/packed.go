package itemstats

// Sheets are packed a chunk at a time: first what kind of sheet each is, then the codes of
// each question. A column whose bytes are all small takes fewer bits for each of them; one
// without any takes none, and those at the end are left out.
//
//	column  bits for each: 0, 2, 4 or 8 | the sheets' bytes, the first in the lowest bits

// The kinds of sheets.
const (
	withoutAnswers  byte = iota
	notAnalysed          // see leftOut
	analysed             // its marks are those of its answers
	analysedDiffers      // its marks obtained are another number
)

// PackedBytesMax is how long packed sheets are at most.
const PackedBytesMax = (1 + QuestionsMax) * (1 + chunkRows)

// Pack appends the n-th chunk of sheets to b. Sheets that are the same are packed the same.
func (s *Stored) Pack(b []byte, n int) []byte {
	c, rows := s.chunks[n], min(s.Rows-n*chunkRows, chunkRows)
	var kinds [chunkRows]byte
	for i, marks := range c.marks[:rows] {
		kinds[i] = kindOf(marks)
	}
	end := len(b)
	for column := range 1 + c.questions {
		bytes := kinds[:rows]
		if column > 0 {
			bytes = c.codes[(column-1)*c.room:][:rows]
		}
		head := len(b)
		if b = packColumn(b, bytes); b[head] != 0 {
			end = len(b)
		}
	}
	return b[:end]
}

func kindOf(marks int32) byte {
	switch {
	case marks == noAnswers:
		return withoutAnswers
	case marks == leftOut:
		return notAnalysed
	case marks&differs != 0:
		return analysedDiffers
	default:
		return analysed
	}
}

func packColumn(b, column []byte) []byte {
	var all byte
	for _, c := range column {
		all |= c
	}
	switch {
	case all == 0:
		return append(b, 0)
	case all < 1<<2:
		b = append(b, 2)
		for len(column) >= 4 {
			b = append(b, column[0]|column[1]<<2|column[2]<<4|column[3]<<6)
			column = column[4:]
		}
		return packRest(b, column, 2)
	case all < 1<<4:
		b = append(b, 4)
		for len(column) >= 2 {
			b = append(b, column[0]|column[1]<<4)
			column = column[2:]
		}
		return packRest(b, column, 4)
	default:
		return append(append(b, 8), column...)
	}
}

func packRest(b, rest []byte, bits int) []byte {
	if len(rest) == 0 {
		return b
	}
	var last byte
	for i, c := range rest {
		last |= c << (i * bits)
	}
	return append(b, last)
}

// unpackColumn is packColumn the other way; ok is false if there is no column.
func unpackColumn(column, b []byte) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	bits := int(b[0])
	n := (len(column)*bits + 7) / 8
	if b = b[1:]; n > len(b) {
		return nil, false
	}
	packed, rest := b[:n], b[n:]
	switch bits {
	case 0:
		clear(column)
	case 2:
		for len(column) >= 4 && len(packed) > 0 {
			p := packed[0]
			column[0], column[1], column[2], column[3] = p&3, p>>2&3, p>>4&3, p>>6
			column, packed = column[4:], packed[1:]
		}
		unpackRest(column, packed, bits)
	case 4:
		for len(column) >= 2 && len(packed) > 0 {
			p := packed[0]
			column[0], column[1] = p&15, p>>4
			column, packed = column[2:], packed[1:]
		}
		unpackRest(column, packed, bits)
	case 8:
		copy(column, packed)
	default:
		return nil, false
	}
	return rest, true
}

func unpackRest(column, packed []byte, bits int) {
	for i := range column {
		column[i] = packed[0] >> (i * bits) & (1<<bits - 1)
	}
}

// unpack makes a chunk of packed sheets, of at most so many questions. Their marks are not
// in it yet.
func unpack(packed []byte, room, rows, questions int) (c *chunk, kinds [chunkRows]byte, ok bool) {
	if len(packed) > 0 {
		if packed, ok = unpackColumn(kinds[:rows], packed); !ok {
			return nil, kinds, false
		}
	}
	columns := 0
	for rest := packed; len(rest) > 0; columns++ {
		n := 1 + (rows*int(rest[0])+7)/8
		if columns == questions || n > len(rest) {
			return nil, kinds, false
		}
		rest = rest[n:]
	}
	c = newChunk(0, room, columns)
	for q := range columns {
		if packed, ok = unpackColumn(c.codes[q*room:][:rows], packed); !ok {
			return nil, kinds, false
		}
	}
	return c, kinds, true
}

// FirstDifference is the first of some packed sheets that is another than in others; -1 if
// none is.
func FirstDifference(a, b []byte, rows int) int {
	left, leftKinds, ok := unpack(a, rows, rows, QuestionsMax)
	right, rightKinds, also := unpack(b, rows, rows, QuestionsMax)
	if !ok || !also {
		return 0
	}
	for i := range rows {
		for q := range max(left.questions, right.questions) {
			if leftKinds[i] != rightKinds[i] || left.code(q, i) != right.code(q, i) {
				return i
			}
		}
	}
	return -1
}

// code is a sheet's byte for a question.
func (c *chunk) code(question, at int) byte {
	if question >= c.questions {
		return 0
	}
	return c.codes[question*c.room+at]
}
