package entry

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// headerVersion is the first byte of every header this program writes.
const headerVersion = 2

const (
	checksumBytes = 4 // CRC-32C, little endian; the last bytes in every version
	chainBytes    = len(Chain{})
	// headerBytesMin is a header whose texts are empty and whose numbers are one
	// byte long.
	headerBytesMin = 1 + 1 + 1 + 8 + 4 + 32 + 2 + 3 + chainBytes + checksumBytes
)

// AppendHeader appends the header's stored bytes to dst, sets its ID, and sets its
// Chain to the SHA-256, cut to 128 bits, of previous, the position, and all those bytes
// before the chain itself. previous is the Chain of the last counted entry before this
// one; zero for the first. Position, Ordinal and LastCounted must be set. The bytes are
// laid out in wal/DESIGN.md. The position is not among them, because it is in the key,
// but chain and checksum cover it.
func AppendHeader(dst []byte, h *Header, previous Chain) []byte {
	start := len(dst)
	dst = append(dst, headerVersion, byte(h.Outcome))
	dst = binary.AppendUvarint(dst, uint64(h.Position)-h.Ordinal)
	// What hardly differs from header to header is together: blocks of them shrink.
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.Received.UnixMicro()))
	h.Salt &= 1<<saltBits - 1
	dst = binary.BigEndian.AppendUint32(dst, h.Salt)
	dst = append(dst, h.Digest[:]...)
	dst = binary.AppendUvarint(dst, uint64(h.Size)) // Check has refused a negative size.
	dst = binary.AppendUvarint(dst, uint64(h.back()))
	dst = binary.AppendUvarint(dst, uint64(len(h.Source)))
	dst = append(dst, h.Source...)
	dst = binary.AppendUvarint(dst, uint64(len(h.MediaType)))
	dst = append(dst, h.MediaType...)
	dst = binary.AppendUvarint(dst, uint64(len(h.Detail)))
	dst = append(dst, h.Detail...)
	h.ID = NewID(h.Received, h.Position, h.Salt)
	h.Chain = link(previous, h.Position, dst[start:])
	dst = append(dst, h.Chain[:]...)
	return binary.LittleEndian.AppendUint32(dst, checksum(h.Position, dst[start:]))
}

// back is how many positions before this entry the one is that it names, 0 if it names
// none: the first with the document, of a duplicate; the last that counts, of a refused
// one.
func (h *Header) back() Position {
	if at := h.DuplicateOf + h.LastCounted; at != 0 {
		return h.Position - at
	}
	return 0
}

// DecodeHeader reads the bytes stored as the header at a position. It accepts
// exactly what [AppendHeader] writes for that position: the error is a
// *DamagedError or a *VersionError. The header does not share memory with b.
func DecodeHeader(at Position, b []byte) (Header, error) {
	damaged := func(what string) (Header, error) {
		return Header{}, &DamagedError{Position: at, What: "header: " + what}
	}
	if len(b) <= checksumBytes {
		return damaged("too short")
	}
	body, sum := b[:len(b)-checksumBytes], binary.LittleEndian.Uint32(b[len(b)-checksumBytes:])
	if checksum(at, body) != sum {
		return damaged("checksum differs")
	}
	if body[0] != headerVersion {
		return Header{}, &VersionError{Position: at, What: "header", Version: body[0]}
	}
	if len(b) < headerBytesMin {
		return damaged("too short")
	}
	d := decoder{rest: body[1 : len(body)-chainBytes]}
	h := Header{Position: at}
	h.Outcome = Outcome(d.take(1)[0])
	refused := d.uvarint()
	h.Ordinal = uint64(at) - refused
	h.Received = time.UnixMicro(int64(binary.BigEndian.Uint64(d.take(8)))).UTC()
	h.Salt = binary.BigEndian.Uint32(d.take(4))
	copy(h.Digest[:], d.take(32))
	h.Size = d.size()
	back := Position(d.uvarint())
	h.Source = string(d.text(TextBytesMax))
	h.MediaType = string(d.text(TextBytesMax))
	h.Detail = append(h.Detail, d.text(DetailBytesMax)...)
	copy(h.Chain[:], body[len(body)-chainBytes:])
	h.ID = NewID(h.Received, at, h.Salt)
	switch {
	case d.what != "":
		return damaged(d.what)
	case len(d.rest) != 0:
		return damaged("bytes left over")
	case h.Salt >= 1<<saltBits:
		return damaged("its salt has more than 30 bits")
	case refused > uint64(at) || back >= at:
		return damaged("it refers to what is before the first position")
	case h.Outcome < Accepted || h.Outcome > Event:
		return damaged("unknown outcome")
	case (h.Outcome == Accepted || h.Outcome == Event) && back != 0:
		return damaged("it refers to an earlier entry")
	case h.Outcome == Duplicate && back == 0:
		return damaged("it refers to no earlier entry")
	case h.Outcome == Duplicate:
		h.DuplicateOf = at - back
	case back != 0:
		h.LastCounted = at - back
	}
	return h, nil
}

// Follows says whether the bytes of the header at a position, which [DecodeHeader] has
// accepted, are chained to previous.
func Follows(at Position, b []byte, previous Chain) bool {
	linked := b[:len(b)-checksumBytes-chainBytes]
	return Chain(b[len(linked):len(linked)+chainBytes]) == link(previous, at, linked)
}

// link is the chain value of a header's bytes.
func link(previous Chain, at Position, header []byte) Chain {
	before := append(make([]byte, 0, chainBytes+8), previous[:]...)
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint64(before, uint64(at)))
	hash.Write(header)
	var sum [sha256.Size]byte
	return Chain(hash.Sum(sum[:0]))
}
