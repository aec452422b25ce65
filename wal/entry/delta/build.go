package delta

import "encoding/binary"

// builder is the state of putting one text together.
type builder struct {
	text     []byte // all of it; up to at it is there
	at       int
	behind   int  // where in the reference; at most its end
	inText   bool // the reference is the text, else the prototype
	commands []byte
	numbers  []byte
	singles  []byte
	texts    []byte
}

// Build puts the text of the streams together. The text's length is the caller's
// to know: streams of another text's length are an [ErrDamaged].
func (s *Streams) Build(text []byte) error {
	b := builder{text: text, commands: s.Commands, numbers: s.Numbers, singles: s.Singles, texts: s.Texts}
	for b.changes(); len(b.commands) > 0; b.changes() {
		command := b.commands[0]
		b.commands = b.commands[1:]
		if !b.do(command) {
			return ErrDamaged
		}
	}
	if b.at != len(text) || len(b.numbers)+len(b.singles)+len(b.texts) > 0 {
		return ErrDamaged
	}
	return nil
}

// changes carries out changes as long as they are simple: of the text itself, at
// its usual distance. It is to [builder.do] what the parser's changes is to its
// difference.
func (b *builder) changes() {
	if !b.inText {
		return
	}
	text, at, behind := b.text, b.at, b.behind
	n := min(len(b.commands), len(b.singles))
	commands, singles := b.commands[:n], b.singles[:n]
	done := 0
	for i, command := range commands {
		agreed := int(command)
		if agreed > commandChangeMax || at+agreed >= len(text) || behind+agreed > at {
			break
		}
		copy(text[at:at+agreed], text[behind:behind+agreed])
		at, behind = at+agreed, behind+agreed+1
		text[at] = singles[i]
		at++
		done++
	}
	b.at, b.behind, b.commands, b.singles = at, behind, b.commands[done:], b.singles[done:]
}

func (b *builder) do(command byte) bool {
	switch command {
	default:
		return command <= commandChangeMax && b.change(uint64(command))
	case commandChange:
		agreed, ok := b.number()
		return ok && b.change(agreed)
	case commandField:
		agreed, ok := b.number()
		length, more := b.number()
		return ok && more && b.copy(agreed) && b.field(length)
	case commandJump:
		agreed, ok := b.number()
		place, more := b.number()
		return ok && more && b.copy(agreed) && b.jump(place)
	}
}

func (b *builder) number() (uint64, bool) {
	n, length := binary.Uvarint(b.numbers)
	if length <= 0 {
		return 0, false
	}
	b.numbers = b.numbers[length:]
	return n, true
}

// reference is what there is of the reference.
func (b *builder) reference() []byte {
	if b.inText {
		return b.text[:b.at]
	}
	return prototype
}

// copy takes from the reference what agrees with it.
func (b *builder) copy(agreed uint64) bool {
	if agreed > uint64(len(b.text)-b.at) {
		return false
	}
	for n := int(agreed); n > 0; {
		// A reference close behind runs into what is being copied.
		piece := copy(b.text[b.at:b.at+n], b.reference()[b.behind:])
		if piece == 0 {
			return false
		}
		b.at, b.behind, n = b.at+piece, b.behind+piece, n-piece
	}
	return true
}

// change takes one byte that differs, behind what agrees.
func (b *builder) change(agreed uint64) bool {
	if !b.copy(agreed) || len(b.singles) == 0 || b.at == len(b.text) || b.behind == len(b.reference()) {
		return false
	}
	b.text[b.at] = b.singles[0]
	b.singles = b.singles[1:]
	b.at, b.behind = b.at+1, b.behind+1
	return true
}

// field takes a piece of text.
func (b *builder) field(length uint64) bool {
	skip := length&1 != 0
	length >>= 1
	if length > uint64(len(b.texts)) || length > uint64(len(b.text)-b.at) {
		return false
	}
	if skip {
		b.behind = referenceEnd(b.reference(), b.behind)
	}
	n := copy(b.text[b.at:], b.texts[:length])
	b.texts = b.texts[n:]
	b.at += n
	return true
}

// jump moves the reference.
func (b *builder) jump(place uint64) bool {
	if place&1 != 0 {
		b.inText, b.behind = true, 0
	}
	place >>= 1
	if place > uint64(len(b.reference())-b.behind) {
		return false
	}
	b.behind += int(place)
	return true
}
