package entry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"

	"markr/wal/entry/delta"
)

// The first byte of a body says how the document is kept in the rest of it.
const (
	codecPlain = 1 // as it is, because nothing makes it shorter
	codecZstd  = 2 // one zstd frame that states its content's size
	codecDelta = 3 // CRC-32C of the document, little endian, and packed delta streams

	// The first two, with a digest that covers the media type, too.
	codecPlainTyped = 4
	codecZstdTyped  = 5
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
	benches sync.Pool // of *bench
}

// bench is what one document needs while it is worked on.
type bench struct {
	streams delta.Streams
	packer  *delta.Packer
	packed  []byte // a body before its length is known
}

// NewCodec returns a Codec.
func NewCodec() (*Codec, error) {
	// The fastest level: it is for documents that are not like scanners', and those
	// are few. No frame checksum, because the digest is stronger. A single segment,
	// because only such a frame states its content's size when that is below 256.
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
	c := &Codec{encoder: encoder, decoder: decoder}
	first, err := newBench()
	if err != nil {
		return nil, err
	}
	c.benches.Put(first)
	c.benches.New = func() any {
		another, _ := newBench() // It has no error that the first did not have.
		return another
	}
	return c, nil
}

func newBench() (*bench, error) {
	packer, err := delta.NewPacker()
	if err != nil {
		return nil, fmt.Errorf("make delta packer: %w", err)
	}
	return &bench{packer: packer}, nil
}

// put keeps a bench for the next document, unless a huge one has passed.
func (c *Codec) put(b *bench) {
	if cap(b.packed)+b.streams.Cap() <= benchBytesMax {
		c.benches.Put(b)
	}
}

// Seal makes an entry of a header and a document: it sets Digest and Size, and
// compresses the document into Body. It keeps neither raw nor a part of it.
//
// What resembles a scanner's document goes into delta streams, and its digest is
// that of the streams; what does not is compressed by zstd or left as it is, and
// its digest is that of its bytes. Which it is depends on the document alone, and
// not on any library, so that a document has the same digest for ever.
func (c *Codec) Seal(h Header, raw []byte) *Entry {
	b, _ := c.benches.Get().(*bench)
	defer c.put(b)
	h.Size = int64(len(raw))
	e := &Entry{Header: h}
	if b.streams.Parse(raw) {
		e.Digest = b.streams.Identity(len(raw))
		b.packed = binary.LittleEndian.AppendUint32(append(b.packed[:0], codecDelta), crc32.Checksum(raw, castagnoli()))
		b.packed = b.packer.Append(b.packed, &b.streams)
		e.Body = append(make([]byte, 0, len(b.packed)), b.packed...)
		return e
	}
	e.Digest = plainDigest(raw)
	c.pack(b, e, raw, codecZstd, codecPlain)
	return e
}

// SealTyped is Seal for a document whose media type decides how it is read: the
// digest covers both, so that the same bytes to be read in another way are another
// document, and not a duplicate.
func (c *Codec) SealTyped(h Header, raw []byte) *Entry {
	b, _ := c.benches.Get().(*bench)
	defer c.put(b)
	h.Size = int64(len(raw))
	e := &Entry{Header: h}
	e.Digest = typedDigest(h.MediaType, raw)
	c.pack(b, e, raw, codecZstdTyped, codecPlainTyped)
	return e
}

// pack makes the body: packed, or plain where nothing makes it shorter.
func (c *Codec) pack(b *bench, e *Entry, raw []byte, packed, plain byte) {
	if len(raw) > benchBytesMax {
		e.Body = c.packLong(raw, packed, plain)
		return
	}
	b.packed = c.encoder.EncodeAll(raw, append(b.packed[:0], packed))
	if len(b.packed) <= len(raw) {
		e.Body = append(make([]byte, 0, len(b.packed)), b.packed...)
	} else {
		e.Body = append(append(make([]byte, 0, 1+len(raw)), plain), raw...)
	}
}

// typedDigest is the digest of a document together with its media type. What is
// hashed begins as plainDigest lets no document begin.
func typedDigest(mediaType string, raw []byte) Digest {
	hash := sha256.New()
	hash.Write([]byte(delta.IdentityPrefix + "typed\n"))
	hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(mediaType))))
	hash.Write([]byte(mediaType))
	hash.Write(raw)
	var d Digest
	hash.Sum(d[:0])
	return d
}

// packLong is the body of a long document without streams. It is made where it stays,
// in room that is taken once, because a second copy would be felt.
func (c *Codec) packLong(raw []byte, packed, plain byte) []byte {
	room := make([]byte, 0, len(raw)+len(raw)>>10+64) // what does not get shorter gets little longer
	body := c.encoder.EncodeAll(raw, append(room, packed))
	switch {
	case len(body) > len(raw):
		return append(append(body[:0], plain), raw...)
	case len(body) <= cap(body)/2:
		return append(make([]byte, 0, len(body)), body...)
	default:
		return body
	}
}

// plainDigest is the digest of a document without streams: the SHA-256 of its bytes.
// One that begins as what is hashed of streams does is hashed with something in front
// of it, so that nobody can write a document with the digest of another.
func plainDigest(raw []byte) Digest {
	if !bytes.HasPrefix(raw, []byte(delta.IdentityPrefix)) {
		return sha256.Sum256(raw)
	}
	hash := sha256.New()
	hash.Write([]byte(delta.IdentityPrefix + "not\n"))
	hash.Write(raw)
	var d Digest
	hash.Sum(d[:0])
	return d
}

// benchBytesMax keeps one huge document from staying in the pool for ever.
const benchBytesMax = 4 << 20

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
	case codecDelta:
		raw, what := c.undelta(dst, body, e)
		if what != "" {
			return damaged(what)
		}
		return raw, nil
	case codecPlain, codecPlainTyped:
		if int64(len(body)) != e.Size {
			return damaged(fmt.Sprintf("%d bytes, the header says %d", len(body), e.Size))
		}
		dst = append(dst[:0], body...)
	case codecZstd, codecZstdTyped:
		var what string
		if dst, what = c.unpack(dst, body, e.Size); what != "" {
			return damaged(what)
		}
	default:
		return nil, &VersionError{Position: e.Position, What: "body", Version: codec}
	}
	digest := plainDigest
	if codec == codecPlainTyped || codec == codecZstdTyped {
		digest = func(raw []byte) Digest { return typedDigest(e.MediaType, raw) }
	}
	if digest(dst) != e.Digest {
		return damaged("digest differs")
	}
	return dst, nil
}

// undelta puts a document together in dst[:0]; what is wrong, if anything, is said
// in words. The digest is that of the streams, so that what is damaged is found
// before anything is made of it.
func (c *Codec) undelta(dst, body []byte, e *Entry) (raw []byte, what string) {
	if e.Size < 0 || e.Size > DocumentBytesMax || len(body) < checksumBytes {
		return nil, fmt.Sprintf("%d bytes cannot hold a document of %d", len(body), e.Size)
	}
	b, _ := c.benches.Get().(*bench)
	defer c.put(b)
	size := int(e.Size)
	if err := b.packer.Unpack(&b.streams, body[checksumBytes:], size); err != nil {
		return nil, "not packed streams"
	}
	if b.streams.Identity(size) != e.Digest {
		return nil, "digest differs"
	}
	if cap(dst) < size {
		dst = make([]byte, size)
	}
	raw = dst[:size]
	if err := b.streams.Build(raw); err != nil {
		return nil, "its streams do not fit together"
	}
	if crc32.Checksum(raw, castagnoli()) != binary.LittleEndian.Uint32(body) {
		return nil, "checksum differs"
	}
	return raw, ""
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
