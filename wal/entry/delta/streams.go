package delta

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// ErrDamaged says that streams or a body are not what was written.
var ErrDamaged = errors.New("delta: damaged")

// Commands, one byte each: how far text and reference agree, and what comes then.
const (
	// A command up to commandChangeMax is a change: text and reference agree for so
	// many bytes, and then differ in one, which is in Singles.
	commandChangeMax = 250
	commandChange    = 251 // a change after more bytes: their number is in Numbers
	commandField     = 252 // the rest of a field differs: its text is in Texts
	commandJump      = 253 // the reference goes elsewhere
)

// Streams are a text taken apart, by kind, because bytes of a kind resemble each
// other. Their memory is used again by the next text.
type Streams struct {
	Commands []byte // what to do
	Numbers  []byte // varints: lengths and places
	Singles  []byte // single bytes that differ
	Texts    []byte // longer pieces that differ
}

// all are the streams in their order in a body.
func (s *Streams) all() [4]*[]byte {
	return [4]*[]byte{&s.Commands, &s.Numbers, &s.Singles, &s.Texts}
}

func (s *Streams) reset() {
	for _, stream := range s.all() {
		*stream = (*stream)[:0]
	}
}

// size is how many bytes there are in all.
func (s *Streams) size() int {
	return len(s.Commands) + len(s.Numbers) + len(s.Singles) + len(s.Texts)
}

// Cap is how much memory the streams hold, in bytes.
func (s *Streams) Cap() int {
	return cap(s.Commands) + cap(s.Numbers) + cap(s.Singles) + cap(s.Texts)
}

// What a digest is made of begins with IdentityPrefix and the version, so that
// neither streams of another version nor anything else that is hashed, if it keeps
// clear of the prefix, ever shares one.
const (
	IdentityPrefix  = "delta "
	identityVersion = IdentityPrefix + "1\n"
)

// Identity is a SHA-256 that stands for the text of a size with these streams, and
// for no other: the streams say all there is to say about a text, and a text has
// one form only. It hashes a twentieth of the text's bytes.
func (s *Streams) Identity(size int) [sha256.Size]byte {
	const lengths = 1 + 4 // of the text and of the streams
	head := append(make([]byte, 0, len(identityVersion)+8*lengths), identityVersion...)
	head = binary.BigEndian.AppendUint64(head, uint64(size))
	for _, stream := range s.all() {
		head = binary.BigEndian.AppendUint64(head, uint64(len(*stream)))
	}
	hash := sha256.New()
	hash.Write(head)
	for _, stream := range s.all() {
		hash.Write(*stream)
	}
	var identity [sha256.Size]byte
	hash.Sum(identity[:0])
	return identity
}
