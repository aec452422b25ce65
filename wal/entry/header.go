package entry

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// headerVersion is the first byte of every header this program writes.
const headerVersion = 1

const (
	checksumBytes = 4 // CRC-32C, little endian; the last bytes in every version
	chainBytes    = sha256.Size
	// headerBytesMin is a header whose texts are empty and whose numbers are one
	// byte long.
	headerBytesMin = 1 + 1 + 2 + 16 + 1 + 32 + 2 + 3 + chainBytes + checksumBytes
)

// AppendHeader appends the header's stored bytes to dst and sets its Chain to
// the SHA-256 of previous and of all those bytes before the chain itself.
// previous is the Chain of the last counted entry before this one; zero for the
// first. Position and Ordinal must be set. The bytes are laid out in
// wal/DESIGN.md.
func AppendHeader(dst []byte, h *Header, previous Chain) []byte {
	start := len(dst)
	dst = append(dst, headerVersion, byte(h.Outcome))
	dst = binary.AppendUvarint(dst, uint64(h.Position))
	dst = binary.AppendUvarint(dst, h.Ordinal)
	dst = append(dst, h.ID[:]...)
	dst = binary.AppendVarint(dst, h.Received.UnixMicro())
	dst = append(dst, h.Digest[:]...)
	dst = binary.AppendUvarint(dst, uint64(h.Size)) // Check has refused a negative size.
	dst = binary.AppendUvarint(dst, uint64(h.DuplicateOf))
	dst = binary.AppendUvarint(dst, uint64(len(h.Source)))
	dst = append(dst, h.Source...)
	dst = binary.AppendUvarint(dst, uint64(len(h.MediaType)))
	dst = append(dst, h.MediaType...)
	dst = binary.AppendUvarint(dst, uint64(len(h.Detail)))
	dst = append(dst, h.Detail...)
	h.Chain = link(previous, dst[start:])
	dst = append(dst, h.Chain[:]...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli()))
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
	if crc32.Checksum(body, castagnoli()) != sum {
		return damaged("checksum differs")
	}
	if body[0] != headerVersion {
		return Header{}, &VersionError{Position: at, What: "header", Version: body[0]}
	}
	if len(b) < headerBytesMin {
		return damaged("too short")
	}
	d := decoder{rest: body[1 : len(body)-chainBytes]}
	var h Header
	h.Outcome = Outcome(d.take(1)[0])
	h.Position = Position(d.uvarint())
	h.Ordinal = d.uvarint()
	copy(h.ID[:], d.take(16))
	h.Received = time.UnixMicro(d.varint()).UTC()
	copy(h.Digest[:], d.take(32))
	h.Size = d.size()
	h.DuplicateOf = Position(d.uvarint())
	h.Source = string(d.text(TextBytesMax))
	h.MediaType = string(d.text(TextBytesMax))
	h.Detail = append(h.Detail, d.text(DetailBytesMax)...)
	copy(h.Chain[:], body[len(body)-chainBytes:])
	switch {
	case d.what != "":
		return damaged(d.what)
	case len(d.rest) != 0:
		return damaged("bytes left over")
	case h.Position != at:
		return damaged("it is the header of another position")
	case h.Outcome != Accepted && h.Outcome != Refused && h.Outcome != Duplicate:
		return damaged("unknown outcome")
	case (h.Outcome == Duplicate) != (h.DuplicateOf != 0) || h.DuplicateOf >= at:
		return damaged("it refers to no earlier entry")
	}
	return h, nil
}

// Follows says whether the bytes of a header, which [DecodeHeader] has accepted,
// are chained to previous.
func Follows(b []byte, previous Chain) bool {
	linked := b[:len(b)-checksumBytes-chainBytes]
	return Chain(b[len(linked):len(linked)+chainBytes]) == link(previous, linked)
}

// link is the chain value of a header's bytes.
func link(previous Chain, header []byte) Chain {
	hash := sha256.New()
	hash.Write(previous[:])
	hash.Write(header)
	var c Chain
	hash.Sum(c[:0])
	return c
}
