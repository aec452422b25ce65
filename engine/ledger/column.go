package ledger

import "slices"

// Rows are kept in chunks, so that growing copies nothing and a view costs a
// pointer a chunk. The first chunk of a column grows like any slice: most tests have
// fewer students than a chunk has rows.
const (
	chunkBits = 12
	chunkRows = 1 << chunkBits
	chunkMask = chunkRows - 1
)

// column is an append-only list of rows that can be changed in place, also while
// there are views of it: a chunk is copied before the first change after a view.
type column[T any] struct {
	chunks [][]T
	rows   int
	// private are the chunks that no view has; the others are copied before they are
	// changed. Nil while there has not been a view.
	private []bool
}

func (c *column[T]) append(row T) {
	last := c.rows >> chunkBits
	if last == len(c.chunks) {
		size := chunkRows
		if last == 0 {
			size = 4
		}
		c.chunks = append(c.chunks, make([]T, 0, size))
		if c.private != nil {
			c.private = append(c.private, true)
		}
	}
	// Behind what views have seen: they do not look there.
	c.chunks[last] = append(c.chunks[last], row)
	c.rows++
}

// at is a row, to be read.
func (c *column[T]) at(row uint32) *T { return &c.chunks[row>>chunkBits][row&chunkMask] }

// change is a row, to be written.
func (c *column[T]) change(row uint32) *T {
	chunk := row >> chunkBits
	if c.private != nil && !c.private[chunk] {
		old := c.chunks[chunk]
		c.chunks[chunk] = append(make([]T, 0, cap(old)), old...)
		c.private[chunk] = true
	}
	return &c.chunks[chunk][row&chunkMask]
}

// view is the column as it is now.
func (c *column[T]) view() columnView[T] {
	c.private = make([]bool, len(c.chunks))
	v := columnView[T]{chunks: make([][]T, len(c.chunks))}
	for i, chunk := range c.chunks {
		v.chunks[i] = slices.Clip(chunk)
	}
	return v
}

// columnView is a column as it was.
type columnView[T any] struct{ chunks [][]T }

// each calls fn with the rows, a chunk at a time.
func (v columnView[T]) each(fn func([]T) error) error {
	for _, chunk := range v.chunks {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	return nil
}
