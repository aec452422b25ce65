package wal_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// tables is how many tables a vault has, and their bytes.
func tables(tb testing.TB, fs vfs.FS, dir string) (n int, size int64) {
	tb.Helper()
	names, err := fs.List(dir + "/vault")
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		info, err := fs.Stat(fs.PathJoin(dir, "vault", name))
		if err != nil {
			tb.Fatal(err)
		}
		n, size = n+1, size+info.Size()
	}
	return n, size
}

// However often a vault is opened and closed, or killed, it has no more tables than its
// bytes need and a few for each kind of keys.
func TestManyLives(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	maker := waltest.NewMaker(t)
	lives := 60
	if *long {
		lives = 300
	}
	for life := range lives {
		v, err := wal.Open(inMemory(fs))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			outcome := entry.Accepted
			if i == 3 {
				outcome = entry.Refused
			}
			if err := v.Append([]*entry.Entry{maker.Entry(outcome, noise(uint64(4*life+i), 3000))}); err != nil {
				t.Fatal(err)
			}
		}
		left := fs
		if life%3 == 0 { // As if killed: what there is before it is closed.
			left = vfs.NewMem()
			if ok, err := vfs.Clone(fs, left, "data", "data", vfs.CloneSync); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		fs = left
		// Of each of the five kinds up to eight small ones wait to be merged, in two levels.
		if n, size := tables(t, fs, "data"); n > 60+int(size>>17) {
			t.Fatalf("after %d lives: %d tables for %d bytes", life+1, n, size)
		}
	}
	n, size := tables(t, fs, "data")
	t.Logf("%d tables for %d bytes after %d lives", n, size, lives)
	v := openVault(t, inMemory(fs))
	report, err := v.Verify(context.Background(), nil)
	if err := errors.Join(err, report.Err()); err != nil {
		t.Error(err)
	}
	if s := stats(t, v); s.Last != entry.Position(4*lives) {
		t.Errorf("%d entries after %d lives of 4", s.Last, lives)
	}
}

// Only what is small, of one kind and many is merged; a vault that has had a thousand
// lives is merged in pieces, none of which takes long.
func TestSmallRuns(t *testing.T) {
	t.Parallel()
	const small, whole = 40 << 10, 512 << 10
	f := func(what, kinds string, sizes []uint64, want int) {
		t.Helper()
		runs := wal.SmallRuns(kinds, sizes)
		if len(runs) != want {
			t.Errorf("%s: %d runs, want %d", what, len(runs), want)
		}
		for _, run := range runs {
			if run.Bytes > wal.MergeBytesMax || run.First[0] != run.Last[0] {
				t.Errorf("%s: a run of %d bytes from %s to %s", what, run.Bytes, run.First, run.Last)
			}
		}
	}
	f("nothing", "b", nil, 0)
	f("seven", "b", slices.Repeat([]uint64{small}, 7), 0)
	f("eight", "b", slices.Repeat([]uint64{small}, 8), 1)
	f("eight of two kinds", "bh", slices.Repeat([]uint64{small}, 8), 0)
	f("sixteen of two kinds", "bh", slices.Repeat([]uint64{small}, 16), 2)
	f("one between whole ones", "b", slices.Repeat([]uint64{whole, small}, 100), 0)
	f("whole ones", "b", slices.Repeat([]uint64{whole}, 100), 0)
	f("a thousand", "b", slices.Repeat([]uint64{small}, 1000), 10)
}

// A power cut before any write operation of a life that merges small tables leaves all
// that was there.
func TestCrashWhileMerging(t *testing.T) {
	t.Parallel()
	all, r := states(t), waltest.Random(t)
	mem, lives := aboutToMerge(t)
	disk := waltest.NewCrashDisk(mem)
	images := 0
	disk.Before = func(operation int) {
		cuts := r.IntN(2)
		if *long {
			cuts = 10
		}
		for range cuts {
			images++
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
			if err := survivor(t, disk.Image(cfg), all[lives:lives+1]); err != nil {
				t.Errorf("operation %d: %v", operation, err)
			}
		}
	}
	v, err := openScripted(disk, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d write operations, %d images", disk.Operations(), images)
}

// aboutToMerge is what killed lives of one group of the script each leave, so many that
// the next life merges tables.
func aboutToMerge(tb testing.TB) (mem *vfs.MemFS, lives int) {
	tb.Helper()
	const dir = "srv/markr/data"
	mem = vfs.NewCrashableMem()
	for lives, group := range script(tb) {
		disk := waltest.NewCrashDisk(mem)
		v, err := openScripted(disk, nil)
		if err != nil {
			tb.Fatal(err)
		}
		if err := v.Append(group); err != nil {
			tb.Fatal(err)
		}
		mem = disk.ImageNow(vfs.CrashCloneCfg{})
		tried := mem.CrashClone(vfs.CrashCloneCfg{})
		if err := v.Close(); err != nil {
			tb.Fatal(err)
		}
		before, _ := tables(tb, tried, dir)
		if v, err = openScripted(tried, nil); err != nil {
			tb.Fatal(err)
		}
		if err := v.Close(); err != nil {
			tb.Fatal(err)
		}
		if after, _ := tables(tb, tried, dir); after < before-3 {
			tb.Logf("after %d lives: %d tables become %d", lives+1, before, after)
			return mem, lives + 1
		}
	}
	tb.Fatal("nothing was ever merged")
	return nil, 0
}
