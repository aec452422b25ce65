package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"markr/httpapi"
	"markr/wal"
	"markr/wal/entry"
)

// The limits of the fuzzed servers: small, so that a fuzzer gets over them.
const (
	fuzzBodyBytesMax    = 64 << 10
	fuzzDecodedBytesMax = 256 << 10
)

// newFuzzed is a server with small limits, on a vault that keeps few refused documents.
func newFuzzed(f *testing.F) *border {
	f.Helper()
	opened, err := wal.Open(wal.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1, RefusedBytesMax: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	b := newBorderOn(f, opened, func(opts *httpapi.Options) {
		impatient(opts)
		opts.Logger = nil
		opts.Limits.BodyBytesMax, opts.Limits.DecodedBytesMax = fuzzBodyBytesMax, fuzzDecodedBytesMax
		opts.Limits.BytesInFlightMax = fuzzBodyBytesMax + 2*fuzzDecodedBytesMax + httpapi.ZstdBytesHeld
	})
	if err := b.engine.WaitReady(f.Context()); err != nil {
		f.Fatal(err)
	}
	return b
}

var importID = regexp.MustCompile(`"import_id":"([0-9a-f-]{36})"`)

// keptAs fails the test unless what an answer names was kept as these bytes; kept is
// false if it names nothing.
func keptAs(t *testing.T, b *border, codec *entry.Codec, answer string, document []byte) (kept bool) {
	t.Helper()
	named := importID.FindStringSubmatch(answer)
	if named == nil {
		return false
	}
	h, err := b.vault.Find(uuid.MustParse(named[1]))
	if err != nil {
		t.Fatalf("%s is not in the vault: %v", answer, err)
	}
	if want := codec.Seal(entry.Header{}, document); h.Digest != want.Digest || h.Size != want.Size {
		t.Fatalf("%s: %d bytes were kept, not the %d sent", answer, h.Size, want.Size)
	}
	return true
}

// FuzzBodyCoding holds the decoding of compressed bodies, behind the server, against
// other decoders. A body that they read is kept as they read it, or is over a limit; one
// that they do not read is refused and leaves nothing; memory follows the limits.
func FuzzBodyCoding(f *testing.F) {
	codings := []string{"gzip", "deflate", "zstd"}
	content := document(sheet("1", "1", 1, 2))
	for i, coding := range codings {
		whole := bodyCodings[coding](f, content)
		f.Add(byte(i), whole)
		f.Add(byte(i), whole[:len(whole)-3])
		f.Add(byte(i), append(bytes.Clone(whole), whole...))
		f.Add(byte(i), append(bytes.Clone(whole), 0))
		f.Add(byte(i), bodyCodings[coding](f, strings.Repeat(" ", fuzzDecodedBytesMax)))
		f.Add(byte(i), bodyCodings[coding](f, strings.Repeat(" ", fuzzDecodedBytesMax+1)))
		f.Add(byte(i), []byte{})
	}
	f.Add(byte(2), []byte("\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00"))      // a window of 3.75 TiB
	f.Add(byte(2), []byte("\x50\x2a\x4d\x18\xff\xff\xff\xff"))          // a frame to be skipped, of 4 GiB
	f.Add(byte(2), []byte("\x50\x2a\x4d\x18\x01\x00\x00\x00x"))         // and of one byte
	f.Add(byte(0), []byte("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03a")) // a name without an end
	codec, err := entry.NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	b := newFuzzed(f)
	f.Fuzz(func(t *testing.T, which byte, sent []byte) {
		if len(sent) > fuzzBodyBytesMax {
			return
		}
		coding := codings[int(which)%len(codings)]
		want, wantErr := decodedElsewhere(coding, sent)
		before := allocatedBytes()
		c := &script{in: bytes.NewReader(fmt.Appendf(nil, "%sContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", typed, coding, len(sent), sent))}
		_ = b.ServeConn(c) // what it thinks of the connection is its own business
		if grown := allocatedBytes() - before; grown > 4*(fuzzDecodedBytesMax+httpapi.ZstdBytesHeld) {
			t.Fatalf("%s: %d bytes were allocated for %d", coding, grown, len(sent))
		}
		if held := b.HeldBytes(); held != 0 {
			t.Fatalf("%s: %d bytes are still held", coding, held)
		}
		status, answer := answerOf(t, c.out.Bytes())
		kept := keptAs(t, b, codec, answer, want)
		over := errors.Is(wantErr, errDecodedElsewhereTooLarge)
		switch {
		case wantErr == nil && !kept:
			t.Fatalf("%s: another decoder reads %d bytes; answered %d %s", coding, len(want), status, answer)
		case over && (kept || status != http.StatusRequestEntityTooLarge):
			t.Fatalf("%s: over the limit; answered %d %s", coding, status, answer)
		case wantErr != nil && (kept || status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge):
			t.Fatalf("%s: another decoder: %v; answered %d %s", coding, wantErr, status, answer)
		}
	})
}

// answerOf is the one answer on a connection.
func answerOf(t *testing.T, out []byte) (status int, body string) {
	t.Helper()
	response, rest := answersOf(t, out)
	if len(response) != 1 || rest != "" {
		t.Fatalf("%d answers and %q", len(response), rest)
	}
	return response[0].StatusCode, response[0].body
}

var errDecodedElsewhereTooLarge = errors.New("more than the limit")

// decodedElsewhere is a body decoded by the standard library and, as there is no zstd in
// it, by a decoder that gets the whole frame at once.
func decodedElsewhere(coding string, sent []byte) (decoded []byte, err error) {
	if len(sent) == 0 {
		return nil, nil // An empty document, in every coding.
	}
	from := bytes.NewReader(sent)
	switch coding {
	case "zstd":
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		return decoder.DecodeAll(sent, make([]byte, 0, fuzzDecodedBytesMax))
	case "gzip":
		reader, err := gzip.NewReader(from)
		if err != nil {
			return nil, err
		}
		decoded, err = io.ReadAll(io.LimitReader(reader, fuzzDecodedBytesMax+1))
		return atMost(decoded, reader, err)
	default:
		reader, err := zlib.NewReader(from)
		if err != nil {
			return nil, err
		}
		decoded, err = io.ReadAll(io.LimitReader(reader, fuzzDecodedBytesMax+1))
		if err == nil && len(decoded) <= fuzzDecodedBytesMax && from.Len() > 0 {
			err = errors.New("something follows")
		}
		return atMost(decoded, reader, err)
	}
}

// atMost is the error of what is over the limit. If it is damaged as well, behind the
// limit, that is one error of two, and either may be told.
func atMost(decoded []byte, rest io.Reader, err error) ([]byte, error) {
	if len(decoded) <= fuzzDecodedBytesMax {
		return decoded, err
	}
	if _, err := io.Copy(io.Discard, rest); err != nil {
		return nil, err
	}
	return nil, errDecodedElsewhereTooLarge
}

// allocatedBytes is how much has been allocated so far, in bytes.
func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
