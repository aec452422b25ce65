package engine

import (
	"bytes"

	"markr/engine/exam"
	"markr/engine/scoring"
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

func encoded(b *book, r *refusals) []byte {
	var to bytes.Buffer
	view := b.view()
	view.refused = r.view()
	_ = view.encode(&to) // A buffer takes everything.
	return to.Bytes()
}
