package intake

import "slices"

const (
	// arenaChunkMin is a first chunk: some dozen ids that had to be joined.
	arenaChunkMin = 4 << 10
	// arenaChunkMax bounds the doubling; it is what Document.Reset keeps.
	arenaChunkMax = 1 << 20
)

// Take gives size bytes of room, as an empty slice to append to, at the end of
// the document's arena; it is for decoders. Where the arena is full it begins a new chunk: what was
// handed out of the old one stays where it is, and lives as long as it is used.
func (d *Document) Take(size int) []byte {
	used := len(d.Arena)
	if cap(d.Arena)-used < size {
		chunk := max(arenaChunkMin, min(2*cap(d.Arena), arenaChunkMax), size)
		d.Arena, used = make([]byte, 0, chunk), 0
	}
	return d.Arena[used:used:cap(d.Arena)]
}

// Keep makes text, appended to what Take gave last, a part of the arena.
func (d *Document) Keep(text []byte) []byte {
	d.Arena = d.Arena[:len(d.Arena)+len(text)]
	return slices.Clip(text)
}

// TakeText is Take for all of a document's text in another encoding, if Room has room for
// it. If not, the decoder may do whatever it likes: what it says does not count.
func (d *Document) TakeText(size int) (text []byte, ok bool) {
	if d.Room != nil {
		if d.noRoom = d.Room(size); d.noRoom != nil {
			return nil, false
		}
	}
	return d.Take(size), true
}

// letGoShare is how small the ids of a transcoded text have to be beside it to be worth
// moving.
const letGoShare = 16

// LetGo moves the ids of all records out of a long transcoded text of so many bytes, so
// that it need not be held while the records are: it may have three times the bytes of
// the document. It is for decoders, when a document is read.
func (d *Document) LetGo(textBytes int) {
	if textBytes <= arenaChunkMax {
		return
	}
	size := 0
	for i := range d.Records {
		size += len(d.Records[i].Test) + len(d.Records[i].Student)
	}
	if size > textBytes/letGoShare {
		return
	}
	d.Arena = nil
	for i := range d.Records {
		record := &d.Records[i]
		record.Test = d.Keep(append(d.Take(len(record.Test)), record.Test...))
		record.Student = d.Keep(append(d.Take(len(record.Student)), record.Student...))
	}
}
