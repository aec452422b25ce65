package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/klauspost/compress/zstd"

	"markr/wal/entry"
)

// The files of a checkpoint, beside the store.
const (
	checkpointName    = "checkpoint"
	checkpointNameTmp = "checkpoint.tmp"
)

// The bytes of a checkpoint are in DESIGN.md, "Checkpoint".
const (
	checkpointTitle      = "markr checkpoint\n"
	checkpointVersion    = 2
	checkpointHeadBytes  = len(checkpointTitle) + 1 + 8 + 8 + len(entry.Chain{}) + checksumBytes
	checkpointBlockBytes = 1 << 20
	// A zstd frame of what does not shrink is longer by three bytes for each 128 KiB and
	// its head.
	packedBytesMax = checkpointBlockBytes + 64
)

// SaveCheckpoint makes what write writes the vault's checkpoint: whatever the user
// of the log has computed from the entries up to position at, so as not to read
// them again. It takes the place of the one before it in one step, and is durable
// when SaveCheckpoint returns. A checkpoint that could not be saved harms nothing:
// the one before it stays. One goroutine saves; appends and reads go on meanwhile.
//
// The error is write's, [entry.ErrReadOnly] below the floor of free space,
// [entry.ErrNotFound] if at is not a position of the log, or the disk's.
func (v *Vault) SaveCheckpoint(at entry.Position, write func(io.Writer) error) error {
	done, err := v.use()
	if err != nil {
		return err
	}
	defer done()
	if err := v.writable(); err != nil {
		return err
	}
	head, err := v.checkpointHead(at)
	if err != nil {
		return fmt.Errorf("save checkpoint of position %d: %w", at, err)
	}
	if err := v.directory.writeCheckpoint(head, write); err != nil {
		// What is left of it is overwritten by the next one.
		return fmt.Errorf("save checkpoint of position %d: %w", at, err)
	}
	return nil
}

// LoadCheckpoint calls read with the vault's checkpoint. What read gets has been
// checked, block by block, but only when LoadCheckpoint returns nil was that all of
// it: on an error, whatever read has made of it must be thrown away.
//
// The error is read's, [entry.ErrNotFound] if there is no checkpoint, a
// *[entry.DamagedError] if it is damaged or not one of this log, a
// *[entry.VersionError], or the disk's. None of them says anything about the log.
func (v *Vault) LoadCheckpoint(read func(at entry.Position, r io.Reader) error) error {
	done, err := v.use()
	if err != nil {
		return err
	}
	defer done()
	f, err := v.opts.FS.Open(v.directory.join(checkpointName), vfs.SequentialReadsOption)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("load checkpoint: %w", entry.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("load checkpoint: %w", err)
	}
	err = v.readCheckpoint(f, read)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("load checkpoint: %w", err)
	}
	return nil
}

// checkpointHead is the beginning of a checkpoint of a position: it says which log
// it is about, as exactly as the chain can.
func (v *Vault) checkpointHead(at entry.Position) ([]byte, error) {
	if at > v.Last() {
		return nil, notFound(at)
	}
	snapshot := v.db.NewSnapshot()
	defer func() { _ = snapshot.Close() }() // It has no error to return.
	link, err := linkBefore(snapshot, at+1)
	if err != nil {
		return nil, err
	}
	head := append(make([]byte, 0, checkpointHeadBytes), checkpointTitle...)
	head = append(head, checkpointVersion)
	head = binary.BigEndian.AppendUint64(head, uint64(at))
	head = binary.BigEndian.AppendUint64(head, link.ordinal)
	head = append(head, link.chain[:]...)
	return appendChecksum(head, len(checkpointTitle)), nil
}

func (v *Vault) readCheckpoint(f io.Reader, read func(at entry.Position, r io.Reader) error) error {
	head := make([]byte, checkpointHeadBytes)
	if _, err := io.ReadFull(f, head); err != nil {
		return cutShort(err)
	}
	version, rest, err := openRecord("checkpoint", 0, head[len(checkpointTitle):])
	switch {
	case string(head[:len(checkpointTitle)]) != checkpointTitle:
		return &entry.DamagedError{What: "checkpoint: it does not begin like one"}
	case err != nil:
		return err
	case version != checkpointVersion:
		return &entry.VersionError{What: "checkpoint", Version: version}
	}
	at := entry.Position(binary.BigEndian.Uint64(rest))
	want, err := v.checkpointHead(at)
	if errors.Is(err, entry.ErrNotFound) || err == nil && string(want) != string(head) {
		return &entry.DamagedError{What: fmt.Sprintf("checkpoint: it is one of position %d of another log", at)}
	}
	if err != nil {
		return err
	}
	blocks := &blockReader{from: f}
	blocks.unpacker, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(checkpointBlockBytes))
	if err != nil {
		return err
	}
	defer blocks.unpacker.Close()
	if err := read(at, blocks); err != nil {
		return err
	}
	// Whoever is content with the beginning has not seen whether the rest is there.
	if _, err := blocks.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return errors.Join(err, errors.New("checkpoint: more in it than was read"))
	}
	return nil
}

// writeCheckpoint puts a checkpoint in its place, whole or not at all.
func (d directory) writeCheckpoint(head []byte, write func(io.Writer) error) error {
	plain, err := d.fs.Create(d.join(checkpointNameTmp), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	// Written back as it goes: a burst at the end would be felt by the log's syncs.
	f := vfs.NewSyncingFile(plain, vfs.SyncingFileOptions{BytesPerSync: bytesPerSync})
	_, err = f.Write(head)
	blocks := &blockWriter{to: f, block: make([]byte, 0, checkpointBlockBytes)}
	if err == nil {
		blocks.packer, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	}
	if err == nil {
		err = write(blocks)
	}
	if err == nil {
		err = blocks.end()
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := d.fs.Rename(d.join(checkpointNameTmp), d.join(checkpointName)); err != nil {
		return err
	}
	return d.sync(d.path)
}

// blockHeadBytes is the length in front of a block.
const blockHeadBytes = 4

// blockWriter cuts what is written into blocks, compressed, with checksums.
type blockWriter struct {
	to     io.Writer
	packer *zstd.Encoder
	block  []byte // the block at hand
	packed []byte // memory for it as it is stored
	count  uint64 // of blocks written
	total  uint64 // of bytes in them
}

// Write is io.Writer's.
func (w *blockWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), checkpointBlockBytes-len(w.block))
		w.block = append(w.block, rest[:n]...)
		rest = rest[n:]
		if len(w.block) == checkpointBlockBytes {
			if err := w.flush(); err != nil {
				return len(p) - len(rest), err
			}
		}
	}
	return len(p), nil
}

// flush writes the block at hand and begins a new one.
func (w *blockWriter) flush() error {
	w.total += uint64(len(w.block))
	w.packed = w.packer.EncodeAll(w.block, append(w.packed[:0], make([]byte, blockHeadBytes)...))
	w.block = w.block[:0]
	binary.BigEndian.PutUint32(w.packed, uint32(len(w.packed)-blockHeadBytes))
	return w.put(w.packed)
}

// put writes a block's length and bytes, and their checksum.
func (w *blockWriter) put(block []byte) error {
	_, err := w.to.Write(binary.LittleEndian.AppendUint32(block, blockChecksum(w.count, block)))
	w.count++
	return err
}

// end writes the end mark: a block of no bytes, so its length is followed by how many
// bytes there are in all.
func (w *blockWriter) end() error {
	if len(w.block) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.put(binary.BigEndian.AppendUint64(make([]byte, blockHeadBytes, blockHeadBytes+8+checksumBytes), w.total))
}

// blockChecksum covers a block's number, so that blocks cannot change places.
func blockChecksum(number uint64, block []byte) uint32 {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], number)
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(n[:], table), table, block)
}

// blockReader gives out the bytes of blocks whose checksums are right.
type blockReader struct {
	from     io.Reader
	unpacker *zstd.Decoder
	packed   []byte // memory of the block at hand as it is stored
	block    []byte // memory of the block at hand
	rest     []byte // of it, not yet given out
	count    uint64
	total    uint64
	err      error
}

// Read is io.Reader's.
func (r *blockReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		r.err = r.next()
	}
	if r.err != nil {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next reads a block; io.EOF says that it was the end mark.
func (r *blockReader) next() error {
	if r.packed == nil {
		r.packed = make([]byte, blockHeadBytes+packedBytesMax+checksumBytes)
	}
	if _, err := io.ReadFull(r.from, r.packed[:blockHeadBytes]); err != nil {
		return cutShort(err)
	}
	length := binary.BigEndian.Uint32(r.packed)
	if length > packedBytesMax {
		return &entry.DamagedError{What: "checkpoint: impossible length of a block"}
	}
	size := blockHeadBytes + int(length)
	if length == 0 {
		size += 8 // the end mark's total
	}
	stored := r.packed[:size+checksumBytes]
	if _, err := io.ReadFull(r.from, stored[blockHeadBytes:]); err != nil {
		return cutShort(err)
	}
	if binary.LittleEndian.Uint32(stored[size:]) != blockChecksum(r.count, stored[:size]) {
		return &entry.DamagedError{What: fmt.Sprintf("checkpoint: checksum of block %d differs", r.count)}
	}
	if length == 0 {
		if total := binary.BigEndian.Uint64(stored[blockHeadBytes:]); total != r.total {
			return &entry.DamagedError{What: fmt.Sprintf("checkpoint: %d bytes, its end says %d", r.total, total)}
		}
		return io.EOF
	}
	var err error
	if r.block, err = r.unpacker.DecodeAll(stored[blockHeadBytes:size], r.block[:0]); err != nil {
		return &entry.DamagedError{What: fmt.Sprintf("checkpoint: block %d: %v", r.count, err)}
	}
	r.count++
	r.rest = r.block
	r.total += uint64(len(r.block))
	return nil
}

// cutShort tells a file that ends early from a disk that cannot read.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &entry.DamagedError{What: "checkpoint: it is cut short"}
	}
	return err
}
