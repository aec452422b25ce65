package entry_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"markr/wal/entry"
)

// withChecksum makes the last four bytes the right checksum of the position and the
// others, so that a fuzzer gets past it.
func withChecksum(at entry.Position, b []byte) []byte {
	body := b[:len(b)-4]
	covered := append(binary.BigEndian.AppendUint64(nil, uint64(at)), body...)
	return binary.LittleEndian.AppendUint32(slices.Clip(body),
		crc32.Checksum(covered, crc32.MakeTable(crc32.Castagnoli)))
}

// A header either is refused or encodes to the very bytes it was read from: no
// two byte strings mean the same header.
func FuzzDecodeHeader(f *testing.F) {
	h := full()
	f.Add(uint64(h.Position), entry.AppendHeader(nil, &h, entry.Chain{}))
	h.Outcome, h.DuplicateOf, h.Position = entry.Accepted, 0, 1
	h.Source, h.MediaType, h.Detail = "", "", nil
	f.Add(uint64(1), entry.AppendHeader(nil, &h, entry.Chain{}))
	f.Add(uint64(0), []byte{1, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, at uint64, b []byte) {
		if len(b) < 4 {
			return
		}
		stored := withChecksum(entry.Position(at), b)
		h, err := entry.DecodeHeader(entry.Position(at), stored)
		if err != nil {
			return
		}
		linked := h.Chain
		again := entry.AppendHeader(nil, &h, entry.Chain{})
		// The chain depends on what came before, so it is compared as read.
		copy(again[len(again)-20:], linked[:])
		if !bytes.Equal(withChecksum(h.Position, again), stored) {
			t.Fatalf("%x\nbecame\n%x", stored, again)
		}
		entry.Follows(entry.Position(at), stored, entry.Chain{})
	})
}

// A body that is not what was sealed is refused; it costs no more memory than
// its length allows.
func FuzzRaw(f *testing.F) {
	c, err := entry.NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	for _, raw := range documents() {
		if len(raw) < 4<<10 {
			e := c.Seal(entry.Header{}, raw)
			f.Add(e.Size, e.Digest[:], e.Body)
		}
	}
	f.Fuzz(func(t *testing.T, size int64, digest, body []byte) {
		e := &entry.Entry{Header: entry.Header{Position: 1, Outcome: entry.Accepted, Size: size}, Body: body}
		copy(e.Digest[:], digest)
		raw, err := c.Raw(e, nil)
		if err == nil && int64(len(raw)) != size {
			t.Fatalf("%d bytes for a size of %d", len(raw), size)
		}
		// The same bytes sealed come back.
		again, err := c.Raw(c.Seal(entry.Header{Outcome: entry.Accepted}, body), nil)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%d bytes came back as %d: %v", len(body), len(again), err)
		}
	})
}

// A stored body is returned only at its position.
func FuzzDecodeBody(f *testing.F) {
	f.Add(uint64(1), entry.AppendBody(nil, 1, []byte("body")))
	f.Fuzz(func(t *testing.T, at uint64, b []byte) {
		body, err := entry.DecodeBody(entry.Position(at), b)
		if err != nil {
			return
		}
		if !bytes.Equal(entry.AppendBody(nil, entry.Position(at), body), b) {
			t.Fatalf("%x is not what is written for %x", b, body)
		}
	})
}
