package entry

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The first byte of a body says how the document is kept in the rest of it.
const (
	codecPlain = 1 // as it is, because compressing does not make it shorter
	codecZstd  = 2 // one zstd frame that states its content's size
)

// A zstd block takes at least zstdBlockBytesMin and yields at most
// zstdBlockYieldMax bytes (RFC 8878, section 3.1.1.2), so a body cannot stand
// for more than its length allows.
const (
	zstdBlockBytesMin = 4
	zstdBlockYieldMax = 128 << 10
)

// windowBytes is the farthest reference back. Documents repeat within a record
// or two, so a larger window finds nothing and costs memory per encoder.
const windowBytes = 1 << 20

// Codec turns documents into entries and back. It is safe for concurrent use,
// and needs no closing.
type Codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	scratch sync.Pool // of *[]byte: compressed bodies before their length is known
}

// NewCodec returns a Codec.
func NewCodec() (*Codec, error) {
	// The fastest level: 100 scanner records of 170,820 bytes become 5,957 bytes
	// (BenchmarkSeal); the next level is slower for 1 % less. No frame checksum,
	// because the digest is stronger. A single segment, because only such a frame
	// states its content's size when that is below 256.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(windowBytes), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	// The limit to the capacity given is what keeps a frame that lies about its
	// content from growing it.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0),
		zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(DocumentBytesMax))
	if err != nil {
		return nil, fmt.Errorf("make zstd decoder: %w", err)
	}
	return &Codec{encoder: encoder, decoder: decoder}, nil
}

// Seal makes an entry of a header and a document: it sets Digest and Size, and
// compresses the document into Body. It keeps neither raw nor a part of it.
func (c *Codec) Seal(h Header, raw []byte) *Entry {
	h.Digest = sha256.Sum256(raw)
	h.Size = int64(len(raw))
	scratch, _ := c.scratch.Get().(*[]byte)
	if scratch == nil {
		scratch = new([]byte)
	}
	packed := c.encoder.EncodeAll(raw, append((*scratch)[:0], codecZstd))
	e := &Entry{Header: h}
	if len(packed) <= len(raw) {
		e.Body = append(make([]byte, 0, len(packed)), packed...)
	} else {
		e.Body = append(append(make([]byte, 0, 1+len(raw)), codecPlain), raw...)
	}
	if cap(packed) <= scratchBytesMax {
		*scratch = packed
		c.scratch.Put(scratch)
	}
	return e
}

// scratchBytesMax keeps one huge document from staying in the pool for ever.
const scratchBytesMax = 4 << 20

// Raw returns the entry's document in dst[:0], which it grows if it is too short.
// It checks size and digest: a document that is not the one that was sealed is a
// *DamagedError, a body from a newer program a *VersionError. It allocates at
// most the size in the header, and that only if the body can stand for as much.
// A duplicate has no document of its own: [ErrNotFound].
func (c *Codec) Raw(e *Entry, dst []byte) ([]byte, error) {
	damaged := func(what string) ([]byte, error) {
		return nil, &DamagedError{Position: e.Position, What: "document: " + what}
	}
	if e.Outcome == Duplicate {
		return nil, fmt.Errorf("read document of position %d, a duplicate of %d: %w",
			e.Position, e.DuplicateOf, ErrNotFound)
	}
	if len(e.Body) == 0 {
		return damaged("no body")
	}
	codec, body := e.Body[0], e.Body[1:]
	switch codec {
	case codecPlain:
		if int64(len(body)) != e.Size {
			return damaged(fmt.Sprintf("%d bytes, the header says %d", len(body), e.Size))
		}
		dst = append(dst[:0], body...)
	case codecZstd:
		var what string
		if dst, what = c.unpack(dst, body, e.Size); what != "" {
			return damaged(what)
		}
	default:
		return nil, &VersionError{Position: e.Position, What: "body", Version: codec}
	}
	if sha256.Sum256(dst) != e.Digest {
		return damaged("digest differs")
	}
	return dst, nil
}

// unpack decompresses a body into dst[:0]; what is wrong, if anything, is said in
// words.
func (c *Codec) unpack(dst, body []byte, size int64) (raw []byte, what string) {
	var frame zstd.Header
	if err := frame.Decode(body); err != nil {
		return nil, "not a zstd frame"
	}
	if !frame.HasFCS || frame.FrameContentSize != uint64(size) { // A negative size equals no content size below 2^63.
		return nil, fmt.Sprintf("the frame says %d bytes, the header %d", frame.FrameContentSize, size)
	}
	if size > DocumentBytesMax || size > int64(len(body)/zstdBlockBytesMin+1)*zstdBlockYieldMax {
		return nil, fmt.Sprintf("%d bytes cannot hold a document of %d", len(body), size)
	}
	if int64(cap(dst)) < size {
		dst = make([]byte, 0, size)
	}
	raw, err := c.decoder.DecodeAll(body, dst[:0:size])
	if err != nil {
		return nil, fmt.Sprintf("decompress: %v", err)
	}
	if int64(len(raw)) != size {
		return nil, fmt.Sprintf("%d bytes, the header says %d", len(raw), size)
	}
	return raw, ""
}
