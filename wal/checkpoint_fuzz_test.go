package wal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime/metrics"
	"testing"

	"markr/wal/entry"
)

// checkpointHeadBytes is the length of a checkpoint's head, as DESIGN.md has it.
const checkpointHeadBytes = 17 + 1 + 8 + 8 + 16 + 4

// resealed is a checkpoint file with the right checksums as far as it can be divided
// into a head and blocks, so that a fuzzer gets past them.
func resealed(b []byte) []byte {
	b = bytes.Clone(b)
	table := crc32.MakeTable(crc32.Castagnoli)
	if len(b) < checkpointHeadBytes {
		return b
	}
	binary.LittleEndian.PutUint32(b[checkpointHeadBytes-4:], crc32.Checksum(b[17:checkpointHeadBytes-4], table))
	rest := b[checkpointHeadBytes:]
	for number := uint64(0); len(rest) >= 4; number++ {
		size := 4 + uint64(binary.BigEndian.Uint32(rest))
		if size == 4 {
			size += 8
		}
		if size+4 > uint64(len(rest)) {
			break
		}
		sum := crc32.Checksum(binary.BigEndian.AppendUint64(nil, number), table)
		binary.LittleEndian.PutUint32(rest[size:], crc32.Update(sum, table, rest[:size]))
		rest = rest[size+4:]
	}
	return b
}

// Whatever the bytes of a checkpoint file are, it is refused with one of the errors that
// LoadCheckpoint names, or is whole: what was read, saved again, comes back. What is
// allocated is bounded, however much the blocks say they hold.
func FuzzCheckpointFile(f *testing.F) {
	fs := withCheckpoint(f, []byte("what was computed from the log"))
	whole := readFile(f, fs, checkpointFile)
	v := openVault(f, inMemory(fs))
	f.Add(whole, false)
	f.Add(whole, true)
	f.Add(whole[:len(whole)-5], true)
	f.Add(append(bytes.Clone(whole), 0), true)
	// A block whose frame says that it holds 2^32 bytes, and one that has no content.
	head := whole[:checkpointHeadBytes]
	f.Add(append(bytes.Clone(head), "\x00\x00\x00\x0a\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff\x01\x00\x00\x00\x00"...), true)
	f.Add(append(bytes.Clone(head), "\x00\x00\x00\x09\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00\x00\x00\x00\x00"...), true)
	// Of a later position, and of another version.
	f.Add(append(append(bytes.Clone(whole[:25]), 9), whole[26:]...), true)
	f.Add(append(append(bytes.Clone(whole[:17]), 9), whole[18:]...), true)
	f.Fuzz(func(t *testing.T, b []byte, reseal bool) {
		if reseal {
			b = resealed(b)
		}
		write(t, fs, checkpointFile, string(b))
		before := allocatedBytes()
		size, at := int64(0), entry.Position(0)
		err := v.LoadCheckpoint(func(position entry.Position, r io.Reader) (err error) {
			at = position
			size, err = io.Copy(io.Discard, r)
			return err
		})
		// A block as it is stored, as it is given out, and a decoder for it.
		if grown := allocatedBytes() - before; grown > 16<<20+64*uint64(len(b)) {
			t.Fatalf("%d bytes allocated for %d, %d given out", grown, len(b), size)
		}
		if err != nil {
			if !errors.Is(err, entry.ErrDamaged) && !errors.Is(err, entry.ErrUnknownVersion) {
				t.Fatalf("neither damaged nor of another version: %v", err)
			}
			return
		}
		if size > 16<<20 {
			return // It is right, and there are shorter ones to see the rest with.
		}
		got, content, err := load(v)
		if err != nil || got != at || int64(len(content)) != size {
			t.Fatalf("a second time: %d bytes at %d, %v; the first %d at %d", len(content), got, err, size, at)
		}
		if err := save(v, at, content); err != nil {
			t.Fatal(err)
		}
		if again, same, err := load(v); err != nil || again != at || !bytes.Equal(same, content) {
			t.Fatalf("saved again: %d bytes at %d, %v", len(same), again, err)
		}
	})
}

// allocatedBytes is how much has been allocated so far, in bytes.
func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
