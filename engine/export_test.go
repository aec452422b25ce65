package engine

import (
	"bytes"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/scoring"
)

// EncodedBook is a checkpoint of a book with these records.
func EncodedBook(rule scoring.Rule, records []exam.Record) []byte {
	b := newBook(rule)
	b.apply(ImportRef{Position: 1}, &intake.Document{Records: records})
	return encoded(b)
}

// RecodeBook reads a checkpoint and writes it again.
func RecodeBook(checkpoint []byte, rule scoring.Rule) ([]byte, error) {
	b, err := decodeBook(bytes.NewReader(checkpoint), 1, rule)
	if err != nil {
		return nil, err
	}
	return encoded(b), nil
}

func encoded(b *book) []byte {
	var to bytes.Buffer
	_ = b.view().encode(&to) // A buffer takes everything.
	return to.Bytes()
}
