package entry

import (
	"encoding/binary"
	"hash/crc32"
)

// AppendBody appends the stored bytes of an entry's body to dst: the body and a
// checksum of the position and the body, so that neither a changed body nor one
// that belongs to another position passes.
func AppendBody(dst []byte, at Position, body []byte) []byte {
	dst = append(dst, body...)
	return binary.LittleEndian.AppendUint32(dst, checksum(at, body))
}

// DecodeBody returns the body within the bytes stored at a position, or a
// *DamagedError. The body shares memory with b.
func DecodeBody(at Position, b []byte) ([]byte, error) {
	if len(b) <= checksumBytes {
		return nil, &DamagedError{Position: at, What: "body: too short"}
	}
	body := b[: len(b)-checksumBytes : len(b)-checksumBytes]
	if binary.LittleEndian.Uint32(b[len(body):]) != checksum(at, body) {
		return nil, &DamagedError{Position: at, What: "body: checksum differs"}
	}
	return body, nil
}

// checksum covers the position that bytes are stored at, too.
func checksum(at Position, b []byte) uint32 {
	var position [8]byte
	binary.BigEndian.PutUint64(position[:], uint64(at))
	return crc32.Update(crc32.Checksum(position[:], castagnoli()), castagnoli(), b)
}
