package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

// A bodyCoding is a content coding that a request body may have.
type bodyCoding uint8

// The codings of request bodies. Deflate is the zlib format, as RFC 9110 has it;
// the bare format some clients send under this name carries no checksum, so that
// damage on the way could pass for marks.
const (
	bodyUnknown bodyCoding = iota
	bodyIdentity
	bodyGzip
	bodyZstd
	bodyDeflate
)

// acceptBodyCodings is what the Accept-Encoding header of a refusal lists.
const acceptBodyCodings = "gzip, zstd, deflate, identity"

// String is the coding's name in a Content-Encoding header and in metrics.
func (c bodyCoding) String() string {
	switch c {
	case bodyIdentity:
		return "identity"
	case bodyGzip:
		return "gzip"
	case bodyZstd:
		return "zstd"
	case bodyDeflate:
		return "deflate"
	default:
		return "other"
	}
}

// bodyCodingOf reads the Content-Encoding header. More than one coding is one
// too many: nobody compresses twice but to hide something.
func bodyCodingOf(header *fasthttp.RequestHeader) bodyCoding {
	fields := header.PeekAll(fasthttp.HeaderContentEncoding)
	if len(fields) == 0 {
		return bodyIdentity
	}
	if len(fields) > 1 {
		return bodyUnknown
	}
	name := bytes.TrimSpace(fields[0])
	for _, c := range [...]bodyCoding{bodyIdentity, bodyGzip, bodyZstd, bodyDeflate} {
		if bytes.EqualFold(name, []byte(c.String())) {
			return c
		}
	}
	switch {
	case len(name) == 0:
		return bodyIdentity
	case bytes.EqualFold(name, []byte("x-gzip")):
		return bodyGzip
	}
	return bodyUnknown
}

// What decoders hold beside the decoded bytes, and so take from the budget.
const (
	// zstdWindowBytesMax is the largest window of a zstd body, the limit of
	// RFC 9659 for HTTP.
	zstdWindowBytesMax = 8 << 20
	zstdBytesHeld      = zstdWindowBytesMax + 1<<20 // and its blocks
	inflateBytesHeld   = 64 << 10                   // a window of 32 KiB and tables
)

// decode takes the content coding off a document that has been received whole. What
// it takes to do so is computing, so it is done in turn with others.
func (s *Server) decode(r *request, c bodyCoding) error {
	coded := r.document
	r.document = body{server: s}
	defer coded.release()
	if c == bodyIdentity || len(coded.bytes) == 0 { // an empty body is an empty document in every coding
		r.document, coded = coded, body{server: s}
		return nil
	}
	defer s.engine.TakeTurn(int(coded.decodedBytes(c)))()
	b, source := &r.document, bytes.NewReader(coded.bytes)
	switch c {
	case bodyGzip:
		return s.gunzip(b, source)
	case bodyDeflate:
		return s.inflate(b, source)
	default:
		return s.unzstd(b, source)
	}
}

// usualRatio is how many times as long documents are without their coding, about.
const usualRatio = 16

// decodedBytes is how long the document in a body is without its coding, about.
func (b *body) decodedBytes(c bodyCoding) int64 {
	if c == bodyIdentity {
		return int64(len(b.bytes))
	}
	return int64(len(b.bytes)) * usualRatio
}

func (s *Server) gunzip(b *body, source *bytes.Reader) error {
	if err := b.take(inflateBytesHeld); err != nil {
		return err
	}
	decoder, _ := s.gzips.Get().(*gzip.Reader)
	defer s.gzips.Put(decoder)
	// Reset reads the header of the first member. After each member a further
	// one may follow and nothing else.
	if err := decoder.Reset(source); err != nil {
		return codingError(bodyGzip, err)
	}
	return codingError(bodyGzip, b.fill(decoder, -1, s.limits.DecodedBytesMax))
}

func (s *Server) inflate(b *body, source *bytes.Reader) error {
	if err := b.take(inflateBytesHeld); err != nil {
		return err
	}
	decoder, err := zlib.NewReader(source)
	if err != nil {
		return codingError(bodyDeflate, err)
	}
	defer func() { _ = decoder.Close() }() // it holds nothing that could fail to close
	if err := b.fill(decoder, -1, s.limits.DecodedBytesMax); err != nil {
		return codingError(bodyDeflate, err)
	}
	if source.Len() > 0 {
		return codingError(bodyDeflate, errTrailing)
	}
	return nil
}

func (s *Server) unzstd(b *body, source *bytes.Reader) error {
	if err := b.take(zstdBytesHeld); err != nil {
		return err
	}
	// Decoders are not kept: each may hold a window of megabytes.
	decoder, err := zstd.NewReader(source,
		zstd.WithDecoderConcurrency(1), // no goroutines
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdWindowBytesMax),
	)
	if err != nil {
		return codingError(bodyZstd, err)
	}
	defer decoder.Close()
	return codingError(bodyZstd, b.fill(decoder, -1, s.limits.DecodedBytesMax))
}

// errTrailing: something follows the end of a compressed body.
var errTrailing = errors.New("something follows the end of the compressed data")

// codingError is why decoding stopped: what we said, or else what is wrong with the
// compressed data.
func codingError(c bodyCoding, err error) error {
	switch {
	case err == nil, errors.Is(err, errOverLimit), errors.Is(err, errBudget):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it ends before its end mark")
	}
	return &badCodingError{coding: c, err: err}
}

// badCodingError: a body is not what its content coding says.
type badCodingError struct {
	coding bodyCoding
	err    error
}

// Error names the coding and what is wrong.
func (e *badCodingError) Error() string { return fmt.Sprintf("not valid %v: %v", e.coding, e.err) }

// Unwrap gives what the decoder said.
func (e *badCodingError) Unwrap() error { return e.err }
