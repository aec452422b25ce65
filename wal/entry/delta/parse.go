package delta

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Where the reference is looked for when markup itself differs, and for how much
// of a text. Records are some KB long, so the next of their elements is within
// searchBytes; the first records of a text stand for all.
const (
	searchBytes      = 4 << 10
	searchStartBytes = 8 << 10
	// anchorBytes tells one element's beginning from another's; where so many do
	// not occur, anchorBytesMin may.
	anchorBytes    = 17
	anchorBytesMin = 8
	// How many searches a text may cost: some, and one more for so many bytes.
	searchesMin   = 16
	searchesEvery = 2 << 10
	// A text is given up on the way when more than a quarter of it would be stored as
	// it is, beyond a first record that has nothing to lean on; and at its end when
	// that is more than half of it.
	storedShare = 4
	storedFirst = 4 << 10
	// TextBytesMin is the shortest text that is taken: below it a body would be longer
	// than its text.
	TextBytesMin = 64
)

// storedMax is how many bytes the streams of a text of a size have at most.
func storedMax(size int) int { return storedFirst + size/storedShare }

// parser is the state of taking one text apart.
type parser struct {
	*Streams

	text      []byte
	at        int
	reference []byte // the prototype, and later the text itself
	behind    int    // where in the reference
	inText    bool   // the reference is the text
	searches  int    // how many are left
}

// Parse takes a text apart into s. It is false if that is not worth while; s is
// then of no use.
func (s *Streams) Parse(text []byte) bool {
	s.reset()
	if len(text) < TextBytesMin {
		return false
	}
	p := parser{Streams: s, text: text, reference: prototype, searches: searchesMin + len(text)/searchesEvery}
	storedMax := storedMax(len(text))
	for p.at < len(text) {
		p.difference(p.changes())
		if p.size() > storedMax {
			return false
		}
	}
	return p.size() <= len(text)/2
}

// changesMax is how many changes are taken before it is seen whether they pay.
const changesMax = 1 << 10

// changes takes the text up to the next difference that is more than one byte, and
// says for how many bytes text and reference agreed before it. Most differences
// are one letter or one digit, so this is where the time goes: everything is in
// variables, and the longest word that fits is compared at once.
func (p *parser) changes() (agreed int) {
	text, reference, at, behind := p.text, p.reference, p.at, p.behind
	commands, singles := p.Commands, p.Singles
	for range changesMax {
		from := at
		for {
			if at+8 > len(text) || behind+8 > len(reference) {
				for at < len(text) && behind < len(reference) && text[at] == reference[behind] {
					at, behind = at+1, behind+1
				}
				break
			}
			if differ := binary.LittleEndian.Uint64(text[at:]) ^ binary.LittleEndian.Uint64(reference[behind:]); differ != 0 {
				n := bits.TrailingZeros64(differ) >> 3
				at, behind = at+n, behind+n
				break
			}
			at, behind = at+8, behind+8
		}
		agreed = at - from
		if at+3 > len(text) || behind+3 > len(reference) || text[at+1] != reference[behind+1] || text[at+2] != reference[behind+2] {
			break
		}
		if agreed <= commandChangeMax {
			commands = append(commands, byte(agreed))
		} else {
			commands = append(commands, commandChange)
			p.Numbers = binary.AppendUvarint(p.Numbers, uint64(agreed))
		}
		singles = append(singles, text[at])
		at, behind, agreed = at+1, behind+1, 0
	}
	p.at, p.behind, p.Commands, p.Singles = at, behind, commands, singles
	return agreed
}

// difference takes what comes after text and reference have agreed for so many
// bytes: another element, or another text in the same field.
func (p *parser) difference(agreed int) {
	text, at := p.text, p.at
	if agreed > 0 && at < len(text) && text[at-1] == '<' && p.jump(agreed, 1) {
		return
	}
	reference := p.reference
	if p.inText {
		reference = reference[:at] // What comes from here on is not known to who reads it back.
	}
	end, next := fieldEnd(text, at), referenceEnd(reference, p.behind)
	if end == len(text) || next < len(reference) && text[end] == reference[next] {
		p.field(agreed, text[at:end], true)
		p.behind = next
		return
	}
	if p.jump(agreed, 0) {
		return
	}
	// Nothing to lean on: take a piece as it is, and try again behind it. The
	// reference stays where it is.
	p.field(agreed, text[at:fieldEnd(text, at+1)], false)
}

// field stores a piece of text; skip says that the reference goes to the end of its
// field.
func (p *parser) field(agreed int, piece []byte, skip bool) {
	length := uint64(len(piece)) << 1
	if skip {
		length |= 1
	}
	p.Commands = append(p.Commands, commandField)
	p.Numbers = binary.AppendUvarint(p.Numbers, uint64(agreed))
	p.Numbers = binary.AppendUvarint(p.Numbers, length)
	p.Texts = append(p.Texts, piece...)
	p.at += len(piece)
}

// jump looks for a place where the text goes on as it does here, or so many bytes
// back, and moves the reference there.
func (p *parser) jump(agreed, back int) bool {
	at := p.at - back
	if p.searches == 0 || at+anchorBytesMin > len(p.text) {
		return false
	}
	p.searches--
	behind := p.behind - back
	place, inText := p.find(p.text[at:min(at+anchorBytes, len(p.text))], at)
	if place < 0 {
		if place, inText = p.find(p.text[at:at+anchorBytesMin], at); place < 0 {
			return false
		}
	}
	p.Commands = append(p.Commands, commandJump)
	p.Numbers = binary.AppendUvarint(p.Numbers, uint64(agreed-back))
	if inText {
		// From the text's beginning, because mostly it is in the first record.
		p.Numbers = binary.AppendUvarint(p.Numbers, uint64(place)<<1|1)
		p.reference, p.inText = p.text, true
	} else {
		p.Numbers = binary.AppendUvarint(p.Numbers, uint64(place-behind)<<1)
	}
	p.at, p.behind = at, place
	return true
}

// find looks for an anchor ahead in the reference, and then at the beginning of
// the text, which inText says.
func (p *parser) find(anchor []byte, at int) (place int, inText bool) {
	end := min(p.behind+searchBytes, len(p.reference))
	if p.inText {
		end = min(end, at)
	}
	if p.behind < end {
		if i := bytes.Index(p.reference[p.behind:end], anchor); i >= 0 {
			return p.behind + i, false
		}
	}
	return bytes.Index(p.text[:min(at, searchStartBytes)], anchor), true
}

// referenceEnd is the place of the next end of a field in a reference, as far as it
// is looked for: a reference may be looked at again and again.
func referenceEnd(reference []byte, from int) int {
	return fieldEnd(reference[:min(from+searchBytes, len(reference))], from)
}

// fieldEnd is the place of the next end of a field, or the text's.
func fieldEnd(text []byte, from int) int {
	for from < len(text) && text[from] != '<' && text[from] != '"' {
		from++
	}
	return from
}
