package entry

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// castagnoli is the table of CRC-32C, which processors compute in hardware; the
// standard library makes it once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// decoder takes fields off the front of a header. After a field that is not
// there it yields zeros, and what says why: callers look once, at the end.
type decoder struct {
	rest []byte
	what string
}

// fail notes the first thing that is wrong.
func (d *decoder) fail(what string) {
	if d.what == "" {
		d.what = what
	}
	d.rest = nil
}

// take takes n bytes; fields of fixed length are at most 32 bytes long.
func (d *decoder) take(n int) []byte {
	if len(d.rest) < n {
		d.fail("too short")
		return make([]byte, n)
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

// uvarint takes a number in its shortest form: a number has one form only, so
// that equal headers have equal bytes.
func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || n > 1 && d.rest[n-1] == 0 {
		d.fail("bad number")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// size takes a document's length.
func (d *decoder) size() int64 {
	v := d.uvarint()
	if v > DocumentBytesMax {
		d.fail("impossible size")
		return 0
	}
	return int64(v)
}

// text takes a length and as many bytes.
func (d *decoder) text(bytesMax uint64) []byte {
	n := d.uvarint()
	if n > min(bytesMax, uint64(len(d.rest)), math.MaxInt32) {
		d.fail("impossible length")
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}
