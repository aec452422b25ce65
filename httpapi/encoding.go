package httpapi

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressBytesMin is the shortest body worth compressing, in bytes: below it the
// answer fits into one packet either way, and the client's inflater costs more
// than the bytes it saves. An aggregate is far below it, a list far above.
const compressBytesMin = 1024

// coding is a content coding that a response may carry.
type coding uint8

// The codings, the server's favourite last: of codings a client likes equally
// well the greatest is taken. zstd packs lists as tightly as gzip at a third of
// the work.
const (
	codingIdentity coding = iota
	codingGzip
	codingZstd
	codings // how many there are
)

// String is the coding's name in Accept-Encoding and Content-Encoding.
func (c coding) String() string {
	switch c {
	case codingGzip:
		return "gzip"
	case codingZstd:
		return "zstd"
	default:
		return "identity"
	}
}

// codingOf finds a coding by its name, in any case. x-gzip is gzip, as RFC 9110
// section 8.4.1.3 asks.
func codingOf(name []byte) (coding, bool) {
	for c := range codings {
		if bytes.EqualFold(name, []byte(c.String())) {
			return c, true
		}
	}
	if bytes.EqualFold(name, []byte("x-gzip")) {
		return codingGzip, true
	}
	return codingIdentity, false
}

// accepted holds the quality of each coding in thousandths, as one
// Accept-Encoding gave it; 0 is "not acceptable".
type accepted [codings]int

// parseAcceptEncoding reads an Accept-Encoding header by RFC 9110 section 12.5.3:
// a coding that is not named has the quality of "*"; identity, when neither named
// nor covered by "*", is acceptable but the last choice. An absent header admits
// every coding and wishes for none, and an empty one admits identity alone: both
// come out as identity only.
func parseAcceptEncoding(header []byte) accepted {
	const unnamed, lastChoice = -1, 1
	wildcard := unnamed
	qualities := accepted{unnamed, unnamed, unnamed}
	for element := range bytes.SplitSeq(header, []byte(",")) {
		name, quality, ok := parseWeighted(element)
		if !ok {
			continue
		}
		if len(name) == 1 && name[0] == '*' {
			wildcard = quality
			continue
		}
		if c, known := codingOf(name); known {
			qualities[c] = max(qualities[c], quality)
		}
	}
	for c, quality := range qualities {
		switch {
		case quality != unnamed:
		case wildcard != unnamed:
			qualities[c] = wildcard
		case coding(c) == codingIdentity:
			qualities[c] = lastChoice
		default:
			qualities[c] = 0
		}
	}
	return qualities
}

// choose picks the coding for a body of size bytes; ok is false when the client
// takes none of them, not even the plain bytes. A body too short to gain stays
// plain unless the client refuses plain bytes.
func (a accepted) choose(size int) (chosen coding, ok bool) {
	if size < compressBytesMin && a[codingIdentity] > 0 {
		return codingIdentity, true
	}
	for c := range codings {
		if a[c] > 0 && a[c] >= a[chosen] {
			chosen = c
		}
	}
	return chosen, a[chosen] > 0
}

// parseWeighted splits one element of an Accept or Accept-Encoding header into
// its value, without parameters, and its quality in thousandths, 1000 when none
// is given. A malformed quality makes the element unusable: ok is false.
func parseWeighted(element []byte) (value []byte, quality int, ok bool) {
	value, parameters, _ := bytes.Cut(element, []byte(";"))
	value = bytes.Trim(value, " \t")
	quality = qualityMax
	for len(parameters) > 0 {
		var parameter []byte
		parameter, parameters, _ = bytes.Cut(parameters, []byte(";"))
		name, weight, _ := bytes.Cut(parameter, []byte("="))
		if !bytes.EqualFold(bytes.Trim(name, " \t"), []byte("q")) {
			continue
		}
		if quality, ok = parseQuality(bytes.Trim(weight, " \t")); !ok {
			return nil, 0, false
		}
	}
	return value, quality, len(value) > 0
}

// qualityMax is quality 1, in thousandths.
const qualityMax = 1000

// parseQuality reads a qvalue, 0 to 1 with at most three decimals, in thousandths.
func parseQuality(text []byte) (quality int, ok bool) {
	const decimalsMax = 3
	if len(text) == 0 || text[0] != '0' && text[0] != '1' {
		return 0, false
	}
	quality = int(text[0]-'0') * qualityMax
	fraction := text[1:]
	if len(fraction) == 0 {
		return quality, true
	}
	if fraction[0] != '.' || len(fraction) > 1+decimalsMax {
		return 0, false
	}
	scale := qualityMax / 10
	for _, digit := range fraction[1:] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		quality += int(digit-'0') * scale
		scale /= 10
	}
	return quality, quality <= qualityMax
}

// errNotAcceptable: the client refuses even the plain bytes.
var errNotAcceptable = refuse(codeNotAcceptable,
	"The Accept-Encoding header allows none of identity, gzip and zstd.")

// encode puts body into the coding that the client likes best, and names it in
// the response. Plain bytes come back as they are.
func (r *request) encode(body []byte) ([]byte, error) {
	chosen, err := r.negotiate(len(body))
	if err != nil || chosen == codingIdentity {
		return body, err
	}
	return r.server.content.compressor.append(nil, body, chosen)
}

// negotiate picks the coding for a body of size bytes and names it in the
// response. The caller has set Vary.
func (r *request) negotiate(size int) (coding, error) {
	header := r.headerList("Accept-Encoding")
	if len(header) == 0 {
		return codingIdentity, nil
	}
	chosen, ok := parseAcceptEncoding(header).choose(size)
	if !ok {
		return codingIdentity, errNotAcceptable
	}
	if chosen != codingIdentity {
		r.setHeader("Content-Encoding", chosen.String())
	}
	return chosen, nil
}

// compressor holds the writers of the codings. There are as many of each as
// there are processors: more would compress nothing faster, and each holds up to
// a megabyte, so that a crowd of readers of long lists costs them waiting instead
// of costing the server its memory.
//
// fasthttp's own helpers are not used because, past a certain load, they skip the
// work and say so to nobody: the answer would be an empty body.
type compressor struct {
	gzips chan *gzip.Writer
	zstd  *zstd.Encoder
}

// newCompressor makes a compressor for so many processors.
func newCompressor(processors int) (*compressor, error) {
	// Level 5 is where gzip stops gaining much for its time.
	const gzipLevel = 5
	// A window over 8 MiB would be refused by browsers (RFC 9659); lists repeat
	// themselves within a few hundred bytes, and memory follows the window.
	const windowBytes = 1 << 20
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(processors),
		zstd.WithWindowSize(windowBytes), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	c := &compressor{gzips: make(chan *gzip.Writer, processors), zstd: encoder}
	for range processors {
		writer, err := gzip.NewWriterLevel(io.Discard, gzipLevel)
		if err != nil {
			return nil, fmt.Errorf("make gzip writer: %w", err)
		}
		c.gzips <- writer
	}
	return c, nil
}

// append appends body in the coding to dst.
func (c *compressor) append(dst, body []byte, as coding) ([]byte, error) {
	switch as {
	case codingGzip:
		writer := <-c.gzips
		defer func() { c.gzips <- writer }()
		out := appender{bytes: dst}
		writer.Reset(&out)
		if _, err := writer.Write(body); err != nil {
			return nil, fmt.Errorf("gzip %d bytes: %w", len(body), err)
		}
		if err := writer.Close(); err != nil {
			return nil, fmt.Errorf("gzip %d bytes: %w", len(body), err)
		}
		return out.bytes, nil
	case codingZstd:
		return c.zstd.EncodeAll(body, dst), nil
	default:
		return append(dst, body...), nil
	}
}

// appender is an io.Writer onto a slice.
type appender struct{ bytes []byte }

// Write appends p; it never fails.
func (a *appender) Write(p []byte) (int, error) {
	a.bytes = append(a.bytes, p...)
	return len(p), nil
}
