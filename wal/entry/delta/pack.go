package delta

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/huff0"
)

// How a block of a stream is packed: the low bits of the number in front of it.
const (
	packedPlain  = iota // as it is
	packedShared        // Huffman, with the table of this kind of stream that comes with the program
	packedOwn           // Huffman, with a table of its own in front
	packedRun           // one byte, again and again
	packings            // how many there are
)

const (
	// blockBytes is what one table is for.
	blockBytes = 64 << 10
	// ownBytesMin is from when on a table of its own pays: it takes some 50 bytes.
	ownBytesMin = 512
	// interleavedBytesMin is from when on four bit streams are read at once: their
	// lengths take 6 bytes.
	interleavedBytesMin = 1 << 10
)

// Packer packs streams and unpacks them. It is for one goroutine at a time.
type Packer struct {
	own    *huff0.Scratch
	shared [len(sharedTables)]*huff0.Scratch
}

// NewPacker returns a Packer.
func NewPacker() (*Packer, error) {
	p := &Packer{own: &huff0.Scratch{Reuse: huff0.ReusePolicyNone}}
	for i, table := range sharedTables {
		scratch, rest, err := huff0.ReadTable([]byte(table), nil)
		if err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("delta: read shared table %d: %w", i, err)
		}
		scratch.Reuse = huff0.ReusePolicyMust
		p.shared[i] = scratch
	}
	return p, nil
}

// Append appends the packed streams to dst.
func (p *Packer) Append(dst []byte, s *Streams) []byte {
	for kind, stream := range s.all() {
		rest := *stream
		dst = binary.AppendUvarint(dst, uint64(len(rest)))
		for len(rest) > 0 {
			n := min(len(rest), blockBytes)
			dst = p.appendBlock(dst, rest[:n], p.shared[kind])
			rest = rest[n:]
		}
	}
	return dst
}

func (p *Packer) appendBlock(dst, block []byte, shared *huff0.Scratch) []byte {
	packing, scratch, compress := packedShared, shared, huff0.Compress1X
	if len(block) >= ownBytesMin {
		packing, scratch = packedOwn, p.own
	}
	if len(block) >= interleavedBytesMin {
		compress = huff0.Compress4X
	}
	packed, _, err := compress(block, scratch)
	switch {
	case errors.Is(err, huff0.ErrUseRLE):
		packing, packed = packedRun, block[:1]
	case err != nil || len(packed) >= len(block):
		packing, packed = packedPlain, block // It does not pay; there is no other error.
	}
	dst = binary.AppendUvarint(dst, uint64(len(packed))*packings+uint64(packing))
	return append(dst, packed...)
}

// Unpack reads back the streams of a text of a size. An [ErrDamaged] says that a
// body is not the packed streams of such a text.
func (p *Packer) Unpack(s *Streams, body []byte, size int) error {
	s.reset()
	left := storedMax(size)
	for kind, stream := range s.all() {
		total, n := binary.Uvarint(body)
		if n <= 0 || total > uint64(left) {
			return ErrDamaged
		}
		body = body[n:]
		left -= int(total)
		for int(total) > len(*stream) {
			var err error
			if *stream, body, err = p.unpackBlock(*stream, body, min(int(total)-len(*stream), blockBytes), kind); err != nil {
				return err
			}
		}
	}
	if len(body) > 0 {
		return ErrDamaged
	}
	return nil
}

// unpackBlock appends a block of n bytes to dst and returns what follows it in
// body.
func (p *Packer) unpackBlock(dst, body []byte, n, kind int) (stream, rest []byte, err error) {
	number, length := binary.Uvarint(body)
	packing, packedBytes := number%packings, number/packings
	if length <= 0 || packedBytes > uint64(len(body)-length) {
		return nil, nil, ErrDamaged
	}
	packed, rest := body[length:length+int(packedBytes)], body[length+int(packedBytes):]
	switch packing {
	case packedPlain:
		dst = append(dst, packed...)
	case packedRun:
		if len(packed) != 1 {
			return nil, nil, ErrDamaged
		}
		for range n {
			dst = append(dst, packed[0])
		}
		return dst, rest, nil
	default:
		return p.unpackHuffman(dst, packed, rest, n, packing, kind)
	}
	if len(packed) != n {
		return nil, nil, ErrDamaged
	}
	return dst, rest, nil
}

func (p *Packer) unpackHuffman(dst, packed, rest []byte, n int, packing uint64, kind int) (stream, after []byte, err error) {
	table := p.shared[kind]
	if packing == packedOwn {
		table = p.own
		if _, packed, err = huff0.ReadTable(packed, table); err != nil {
			return nil, nil, ErrDamaged
		}
	}
	from := len(dst)
	for cap(dst) < from+n {
		dst = append(dst[:cap(dst)], 0)
	}
	dst = dst[:from+n]
	into := dst[from:from:len(dst)]
	if n >= interleavedBytesMin {
		into, err = table.Decoder().Decompress4X(into[:n], packed)
	} else {
		into, err = table.Decoder().Decompress1X(into, packed)
	}
	if err != nil || len(into) != n {
		return nil, nil, ErrDamaged
	}
	return dst, rest, nil
}
