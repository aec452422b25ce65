package engine

import (
	"bytes"

	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/engine/summary"
	"markr/wal/entry"
)

// EncodedBook is a checkpoint of a book with these records.
func EncodedBook(rule scoring.Rule, records []exam.Record) []byte {
	b := newBook(rule)
	b.apply(ImportRef{Position: 1}, records)
	return encoded(b, newRefusals())
}

// RecodeBook reads a checkpoint and writes it again.
func RecodeBook(checkpoint []byte, rule scoring.Rule) ([]byte, error) {
	r := newRefusals()
	b, err := decodeBook(bytes.NewReader(checkpoint), 1, rule, r)
	if err != nil {
		return nil, err
	}
	return encoded(b, r), nil
}

// ReadBook reads a checkpoint, and every figure of what it holds.
func ReadBook(checkpoint []byte, rule scoring.Rule) (figures []summary.Aggregate, err error) {
	b, err := decodeBook(bytes.NewReader(checkpoint), 1, rule, newRefusals())
	if err != nil {
		return nil, err
	}
	for _, test := range b.publish().List("", "", 1<<20) {
		figures = append(figures, test.Aggregate())
	}
	return figures, nil
}

func encoded(b *book, r *refusals) []byte {
	var to bytes.Buffer
	view := b.view()
	view.refused = r.view()
	_ = view.encode(&to) // A buffer takes everything.
	return to.Bytes()
}

// ApplyTo is a checkpoint of what this one becomes when more records are applied to it,
// as if they had come with the last import of the test that they all are of.
func ApplyTo(checkpoint []byte, at entry.Position, rule scoring.Rule, records ...exam.Record) ([]byte, error) {
	r := newRefusals()
	b, err := decodeBook(bytes.NewReader(checkpoint), at, rule, r)
	if err != nil {
		return nil, err
	}
	b.apply(b.test(records[0].Test).last, records)
	return encoded(b, r), nil
}
