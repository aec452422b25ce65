package itemstats

// sheets are the kept sheets of a test, one for each row of its ledger: the marks, and a
// byte for each question. They are in chunks, question by question in each, so that
// whoever looks at a few questions of all sheets reads little, and a sheet is in one
// piece of memory.
type sheets struct {
	chunks []*chunk
	rows   int
	bytes  int    // of all chunks
	epoch  uint32 // of who has seen them: chunks that are older are copied before they are changed
}

const (
	chunkBits = 9
	chunkRows = 1 << chunkBits
	chunkMask = chunkRows - 1
	chunkMin  = 4 // rows of the first chunk at first: most tests are small
)

// chunk is up to chunkRows sheets. Its slices stay as they are: one that has to grow is
// made anew.
type chunk struct {
	epoch     uint32
	room      int
	questions int
	marks     []int32 // room
	codes     []byte  // questions x room
}

func newChunk(epoch uint32, room, questions int) *chunk {
	return &chunk{epoch, room, questions, make([]int32, room), make([]byte, questions*room)}
}

// grown is a copy with room for more.
func (c *chunk) grown(epoch uint32, room, questions int) *chunk {
	g := newChunk(epoch, max(room, c.room), max(questions, c.questions))
	copy(g.marks, c.marks)
	if g.room == c.room {
		copy(g.codes, c.codes)
		return g
	}
	for q := range c.questions {
		copy(g.codes[q*g.room:], c.codes[q*c.room:(q+1)*c.room])
	}
	return g
}

// append makes room for one more sheet, with so many questions. Nobody who has a view
// looks behind its end.
func (s *sheets) append(questions int) (c *chunk, at int) {
	last, at := s.rows>>chunkBits, s.rows&chunkMask
	switch {
	case last == len(s.chunks):
		room := chunkRows
		if last == 0 {
			room = chunkMin
		}
		s.chunks = append(s.chunks, newChunk(s.epoch, room, questions))
		s.bytes += s.chunks[last].bytes()
	case at == s.chunks[last].room:
		s.grow(last, 2*at, questions)
	case s.chunks[last].questions < questions:
		s.grow(last, 0, questions)
	}
	s.rows++
	return s.chunks[last], at
}

// change is a sheet that is about to be written anew, with so many questions.
func (s *sheets) change(row uint32, questions int) (c *chunk, at int) {
	n := row >> chunkBits
	if c = s.chunks[n]; c.epoch != s.epoch || c.questions < questions {
		s.grow(int(n), 0, questions)
	}
	return s.chunks[n], int(row & chunkMask)
}

func (s *sheets) grow(n, room, questions int) {
	s.bytes -= s.chunks[n].bytes()
	s.chunks[n] = s.chunks[n].grown(s.epoch, room, questions)
	s.bytes += s.chunks[n].bytes()
}

func (c *chunk) bytes() int { return 4*len(c.marks) + len(c.codes) }
