package wal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

const checkpointFile = "data/checkpoint"

func save(v *wal.Vault, at entry.Position, content []byte) error {
	return v.SaveCheckpoint(at, func(w io.Writer) error {
		// In pieces, as an encoder writes.
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 70_001)
			if _, err := w.Write(rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return nil
	})
}

func load(v *wal.Vault) (at entry.Position, content []byte, err error) {
	err = v.LoadCheckpoint(func(position entry.Position, r io.Reader) error {
		at = position
		var err error
		content, err = io.ReadAll(r)
		return err
	})
	return at, content, err
}

func scrambled(r *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// withCheckpoint is a closed vault of three entries with a checkpoint of the second.
func withCheckpoint(tb testing.TB, content []byte) *vfs.MemFS {
	tb.Helper()
	fs := filled(tb)
	v := openVault(tb, inMemory(fs))
	if err := errors.Join(save(v, 2, content), v.Close()); err != nil {
		tb.Fatal(err)
	}
	return fs
}

// further is an entry after those of filled.
func further(tb testing.TB) []*entry.Entry {
	tb.Helper()
	return waltest.NewMaker(tb).Accepted(1, 2, 3, 9)[3:]
}

func readFile(tb testing.TB, fs vfs.FS, name string) []byte {
	tb.Helper()
	f, err := fs.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
	return b
}

// What was saved comes back, also after the vault was closed, whatever its size;
// the newest one is the one there is.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	const block = 1 << 20
	r := waltest.Random(t)
	fs := filled(t)
	v := openVault(t, inMemory(fs))
	if _, _, err := load(v); !errors.Is(err, entry.ErrNotFound) {
		t.Fatalf("without one: %v", err)
	}
	for i, size := range []int{0, 1, 100, block - 1, block, block + 1, 3*block + 5} {
		want, at := scrambled(r, size), entry.Position(i%4)
		if err := save(v, at, want); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			v = openVault(t, inMemory(fs))
		}
		if got, content, err := load(v); err != nil || got != at || !bytes.Equal(content, want) {
			t.Fatalf("%d bytes at %d: came back as %d bytes at %d, %v", size, at, len(content), got, err)
		}
	}
	if err := v.Append(further(t)); err != nil {
		t.Fatal(err)
	}
	if at, _, err := load(v); err != nil || at != 2 {
		t.Fatalf("after the log has grown: %d, %v", at, err)
	}
}

// Every bit that differs and every byte that is missing is noticed.
func TestCheckpointDamaged(t *testing.T) {
	t.Parallel()
	content := []byte("what was computed from the log")
	fs := withCheckpoint(t, content)
	whole := readFile(t, fs, checkpointFile)
	v := openVault(t, inMemory(fs))
	f := func(what string, changed []byte) {
		t.Helper()
		write(t, fs, checkpointFile, string(changed))
		_, got, err := load(v)
		if _, ok := errors.AsType[*entry.DamagedError](err); !ok {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	for i := range whole {
		f(fmt.Sprintf("cut after %d bytes", i), whole[:i])
		for bit := range 8 {
			changed := bytes.Clone(whole)
			changed[i] ^= 1 << bit
			f(fmt.Sprintf("bit %d of byte %d", bit, i), changed)
		}
	}
	write(t, fs, checkpointFile, string(whole))
	if at, got, err := load(v); err != nil || at != 2 || !bytes.Equal(got, content) {
		t.Fatalf("as it was: %q at %d, %v", got, at, err)
	}
}

// Blocks that have changed places are noticed though each is whole.
func TestCheckpointBlocksExchanged(t *testing.T) {
	t.Parallel()
	fs := withCheckpoint(t, scrambled(waltest.Random(t), 2<<20))
	whole := readFile(t, fs, checkpointFile)
	const head = 17 + 1 + 8 + 8 + 16 + 4
	tail := len(whole) - (4 + 8 + 4)
	block := 4 + int(binary.BigEndian.Uint32(whole[head:])) + 4
	if head+2*block != tail {
		t.Fatalf("%d bytes are not two blocks of %d", len(whole), block)
	}
	changed := bytes.Clone(whole[:head])
	changed = append(changed, whole[head+block:tail]...)
	changed = append(changed, whole[head:head+block]...)
	write(t, fs, checkpointFile, string(append(changed, whole[tail:]...)))
	if _, _, err := load(openVault(t, inMemory(fs))); !errors.Is(err, entry.ErrDamaged) {
		t.Fatal(err)
	}
}

// A newer program's checkpoint is told from a damaged one, and left alone.
func TestCheckpointVersion(t *testing.T) {
	t.Parallel()
	fs := withCheckpoint(t, []byte("x"))
	b := readFile(t, fs, checkpointFile)
	write(t, fs, checkpointFile, string(wal.CheckpointOfVersion(b, 9)))
	_, _, err := load(openVault(t, inMemory(fs)))
	if version, ok := errors.AsType[*entry.VersionError](err); !ok || version.Version != 9 {
		t.Fatal(err)
	}
}

// A checkpoint that was made from another log, or from more of this one than there
// is, is not used, though it is whole.
func TestCheckpointOfAnotherLog(t *testing.T) {
	t.Parallel()
	b := readFile(t, withCheckpoint(t, []byte("x")), checkpointFile)
	for _, c := range []struct {
		name      string
		documents []int
	}{{"Other", []int{4, 5, 6}}, {"Shorter", []int{1}}, {"Empty", nil}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fs := vfs.NewMem()
			fill(t, fs, waltest.NewMaker(t).Accepted(c.documents...))
			write(t, fs, checkpointFile, string(b))
			if _, _, err := load(openVault(t, inMemory(fs))); !errors.Is(err, entry.ErrDamaged) ||
				!strings.Contains(err.Error(), "another log") {
				t.Fatal(err)
			}
		})
	}
}

// What cannot be saved leaves the one before it.
func TestCheckpointNotSaved(t *testing.T) {
	t.Parallel()
	fs := withCheckpoint(t, []byte("before"))
	v := openVault(t, inMemory(fs))
	stop := errors.New("cannot be encoded")
	err := v.SaveCheckpoint(3, func(w io.Writer) error {
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if err := save(v, 4, []byte("of the future")); !errors.Is(err, entry.ErrNotFound) {
		t.Fatal(err)
	}
	if at, content, err := load(v); err != nil || at != 2 || string(content) != "before" {
		t.Fatalf("%q at %d, %v", content, at, err)
	}
	if err := v.LoadCheckpoint(func(entry.Position, io.Reader) error { return stop }); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if err := v.LoadCheckpoint(func(entry.Position, io.Reader) error { return nil }); err == nil {
		t.Fatal("a checkpoint that was not read to its end passed")
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := save(v, 3, nil); !errors.Is(err, entry.ErrClosed) {
		t.Fatal(err)
	}
	if _, _, err := load(v); !errors.Is(err, entry.ErrClosed) {
		t.Fatal(err)
	}
	reading := inMemory(fs)
	reading.ReadOnly = true
	if err := save(openVault(t, reading), 3, nil); !errors.Is(err, wal.ErrOpenedForReading) {
		t.Fatal(err)
	}
}

// A power cut before any write operation leaves the one before or the new one,
// whole.
func TestCheckpointCrash(t *testing.T) {
	t.Parallel()
	contents := [][]byte{[]byte("old"), bytes.Repeat([]byte("new "), 600_000)}
	for _, unsynced := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("unsynced=%d", unsynced), func(t *testing.T) {
			t.Parallel()
			r := waltest.Random(t)
			mem := vfs.NewCrashableMem()
			fill(t, mem, waltest.NewMaker(t).Accepted(1, 2, 3))
			disk := waltest.NewCrashDisk(mem)
			v := openVault(t, inMemory(disk))
			if err := save(v, 1, contents[0]); err != nil {
				t.Fatal(err)
			}
			seen := map[entry.Position]int{}
			disk.Before = func(operation int) {
				image := disk.Image(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))})
				left := openVault(t, inMemory(image))
				at, content, err := load(left)
				if err != nil || at < 1 || at > 2 || !bytes.Equal(content, contents[at-1]) {
					t.Errorf("operation %d: %d bytes at %d, %v", operation, len(content), at, err)
				}
				seen[at]++
				if err := left.Close(); err != nil {
					t.Error(err)
				}
			}
			err := save(v, 2, contents[1])
			disk.Before = nil
			if err != nil || seen[1] < 5 {
				t.Fatalf("%v, images by position: %v", err, seen)
			}
			image := disk.ImageNow(vfs.CrashCloneCfg{})
			if at, _, err := load(openVault(t, inMemory(image))); err != nil || at != 2 {
				t.Fatalf("after it was saved: %d, %v", at, err)
			}
		})
	}
}

// Whatever operation of the disk fails, the one before stays or the new one is
// there, the failure is told, and the log is not touched.
func TestCheckpointFault(t *testing.T) {
	t.Parallel()
	for at := int64(1); ; at++ {
		mem := withCheckpoint(t, []byte("old"))
		var operation atomic.Int64
		operation.Store(-1 << 40)
		failing := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
			about := strings.HasPrefix(op.Path, checkpointFile) || op.Path == "data" && op.Kind == errorfs.OpFileSync
			if about && op.Kind.ReadOrWrite() == errorfs.OpIsWrite && operation.Add(1) == at {
				return syscall.EIO
			}
			return nil
		}))
		v := openVault(t, inMemory(failing))
		operation.Store(0)
		err := save(v, 3, []byte("new"))
		if done := operation.Swap(-1 << 40); done < at {
			if err != nil || at < 4 {
				t.Fatalf("nothing failed, and yet after %d operations: %v", at-1, err)
			}
			return
		}
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("operation %d: %v", at, err)
		}
		position, content, err := load(v)
		if err != nil || string(content) != map[entry.Position]string{2: "old", 3: "new"}[position] {
			t.Errorf("operation %d: %q at %d, %v", at, content, position, err)
		}
		if err := v.Append(further(t)); err != nil {
			t.Errorf("operation %d: the log has failed: %v", at, err)
		}
		if err := errors.Join(save(v, 3, []byte("again")), v.Close()); err != nil {
			t.Errorf("operation %d: %v", at, err)
		}
	}
}
