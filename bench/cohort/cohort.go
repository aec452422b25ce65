package cohort

import (
	"io"
	"iter"
	"math"
	"strconv"
)

// Cohort is a cohort of students, their tests and the documents about them. It is
// immutable and safe for concurrent use.
type Cohort struct {
	opts Options

	rescans          int // per test
	documentsPerTest int
	foldBelow        uint64 // of 2^32
	blankBelow       uint64 // of 2^32

	openings []string // per question: the answer's line up to the marks awarded
}

// New returns the cohort that opts describe. The error wraps [ErrOptions].
func New(opts Options) (*Cohort, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	c := &Cohort{
		opts:       opts,
		rescans:    int(math.Round(opts.RescanShare * float64(opts.Students))),
		foldBelow:  uint64(opts.FoldShare * (1 << 32)),
		blankBelow: uint64(opts.BlankShare * (1 << 32)),
		openings:   make([]string, opts.Questions),
	}
	c.documentsPerTest = (c.scans() + opts.RecordsPerDocument - 1) / opts.RecordsPerDocument
	for i := range c.openings {
		c.openings[i] = "\t\t<answer question=\"" + strconv.Itoa(i) + "\" marks-available=\"1\" marks-awarded=\""
	}
	return c, nil
}

// Documents is how many documents there are.
func (c *Cohort) Documents() int { return c.opts.Tests * c.documentsPerTest }

// Records is how many sheets all documents hold together.
func (c *Cohort) Records() int { return c.opts.Tests * c.scans() }

// scans is how many sheets of one test go through the scanner.
func (c *Cohort) scans() int { return c.opts.Students + c.rescans }

// Options returns what the cohort was made of, defaults filled in.
func (c *Cohort) Options() Options { return c.opts }

// AppendDocument appends document i, counting from 0, to dst. Documents of
// different tests alternate, as if every test had a scanner of its own; within a
// test they are in the order of scanning.
func (c *Cohort) AppendDocument(dst []byte, i int) []byte {
	return c.AppendSheets(dst, c.Sheets(i))
}

// AppendSheets appends a document with the given sheets to dst. Sheets that were
// changed on their way are a document that no cohort has; what is put into them has
// to be text that XML need not escape.
func (c *Cohort) AppendSheets(dst []byte, sheets iter.Seq[*Sheet]) []byte {
	dst = append(dst, documentOpening...)
	for s := range sheets {
		dst = c.appendSheet(dst, s)
	}
	return append(dst, documentClosing...)
}

// WriteDocument writes document i to w, in pieces: a document of any length needs
// little memory.
func (c *Cohort) WriteDocument(w io.Writer, i int) error {
	const pieceBytes = 64 << 10
	piece := append(make([]byte, 0, pieceBytes+pieceBytes/4), documentOpening...)
	for s := range c.Sheets(i) {
		piece = c.appendSheet(piece, s)
		if len(piece) < pieceBytes {
			continue
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		piece = piece[:0]
	}
	_, err := w.Write(append(piece, documentClosing...))
	return err
}

// All yields every document in order. The bytes are valid until the next one is
// asked for.
func (c *Cohort) All() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		var document []byte
		for i := range c.Documents() {
			document = c.AppendDocument(document[:0], i)
			if !yield(i, document) {
				return
			}
		}
	}
}
