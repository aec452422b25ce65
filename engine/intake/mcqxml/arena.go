package mcqxml

import (
	"slices"

	"markr/engine/intake"
)

const (
	// arenaChunkMin is a first chunk: some dozen ids that had to be joined.
	arenaChunkMin = 4 << 10
	// arenaChunkMax bounds the doubling; it is what Document.Reset keeps.
	arenaChunkMax = 1 << 20
)

// take gives size bytes of room, as an empty slice to append to, at the end of
// the document's arena. Where the arena is full it begins a new chunk: what was
// handed out of the old one stays where it is, and lives as long as it is used.
func take(doc *intake.Document, size int) []byte {
	used := len(doc.Arena)
	if cap(doc.Arena)-used < size {
		chunk := max(arenaChunkMin, min(2*cap(doc.Arena), arenaChunkMax), size)
		doc.Arena, used = make([]byte, 0, chunk), 0
	}
	return doc.Arena[used:used:cap(doc.Arena)]
}

// letGoShare is how small the ids of a transcoded text have to be beside it to be worth
// moving.
const letGoShare = 16

// letGo moves the ids of all records out of a long transcoded text of so many bytes, so
// that it need not be held while the records are: it may have three times the bytes of
// the document.
func letGo(doc *intake.Document, textBytes int) {
	size := 0
	for i := range doc.Records {
		size += len(doc.Records[i].Test) + len(doc.Records[i].Student)
	}
	if size > textBytes/letGoShare {
		return
	}
	doc.Arena = nil
	for i := range doc.Records {
		record := &doc.Records[i]
		record.Test = keep(doc, append(take(doc, len(record.Test)), record.Test...))
		record.Student = keep(doc, append(take(doc, len(record.Student)), record.Student...))
	}
}

// keep makes text, appended to what take gave last, a part of the arena.
func keep(doc *intake.Document, text []byte) []byte {
	doc.Arena = doc.Arena[:len(doc.Arena)+len(text)]
	return slices.Clip(text)
}
