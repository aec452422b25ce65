package wal_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// Golden data directories are ones that programs of each format have left behind, packed
// in testdata, with what they hold beside them; cmd/markr has the test that makes them.
const goldenDir = "srv/markr/data" // where openScripted looks

// goldenHolds is what a golden directory holds.
type goldenHolds struct {
	Format         int            `json:"format"`
	Last           entry.Position `json:"last"`
	Accepted       wal.Totals     `json:"accepted"`
	Refused        wal.Totals     `json:"refused"`
	Duplicates     wal.Totals     `json:"duplicates"`
	Events         wal.Totals     `json:"events"`
	Dropped        uint64         `json:"dropped"`
	DroppedThrough entry.Position `json:"dropped_through"`
	Chain          string         `json:"chain"`
}

// holds is what a vault holds, in the same words.
func holds(tb testing.TB, v *wal.Vault) goldenHolds {
	tb.Helper()
	s, err := v.Stats()
	if err != nil {
		tb.Fatal(err)
	}
	h := goldenHolds{
		Format: s.Format, Last: s.Last, Accepted: s.Accepted, Refused: s.Refused, Duplicates: s.Duplicates, Events: s.Events,
		Dropped: s.Dropped, DroppedThrough: s.DroppedThrough,
	}
	headers, err := v.Headers(0, 0, int(s.Last))
	if err != nil {
		tb.Fatal(err)
	}
	for i := range headers {
		if headers[i].Counted() {
			h.Chain = hex.EncodeToString(headers[i].Chain[:])
			break
		}
	}
	return h
}

// goldenDirectory is a packed directory on a disk of its own, with what it holds.
func goldenDirectory(tb testing.TB, name string) (*vfs.MemFS, goldenHolds) {
	tb.Helper()
	text, err := os.ReadFile(name + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	var want goldenHolds
	if err := json.Unmarshal(text, &want); err != nil {
		tb.Fatal(err)
	}
	file, err := os.Open(name + ".tar.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	disk := vfs.NewMem()
	if err := disk.MkdirAll(goldenDir, 0o700); err != nil {
		tb.Fatal(err)
	}
	for packed := tar.NewReader(zipped); ; {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return disk, want
		}
		if err != nil {
			tb.Fatal(err)
		}
		path := disk.PathJoin(goldenDir, header.Name)
		if header.Typeflag == tar.TypeDir {
			if err := disk.MkdirAll(path, 0o700); err != nil {
				tb.Fatal(err)
			}
			continue
		}
		content, err := io.ReadAll(packed)
		if err != nil {
			tb.Fatal(err)
		}
		write(tb, disk, path, string(content))
	}
}

// A directory of any format since 2 is read as it is by who only reads, is raised to
// today's when it is opened to be written to, holds what it has held, is sound, and goes
// on.
func TestGolden(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join("testdata", "format-*.tar.gz"))
	if err != nil || len(names) < 2 {
		t.Fatalf("golden directories: %v, %v", names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			fs, want := goldenDirectory(t, strings.TrimSuffix(name, ".tar.gz"))
			before := fs.String()
			opts := inMemory(fs)
			opts.Dir, opts.RefusedBytesMax, opts.ReadOnly = goldenDir, 4<<10, true
			check := func(want goldenHolds) *wal.Vault {
				t.Helper()
				v, err := wal.Open(opts)
				if err != nil {
					t.Fatal(err)
				}
				if got := holds(t, v); got != want {
					t.Errorf("holds %+v\nwant  %+v", got, want)
				}
				if report, err := v.Verify(t.Context(), nil); err != nil || report.Err() != nil {
					t.Errorf("verify: %v, %v", report.Err(), err)
				}
				return v
			}
			if err := check(want).Close(); err != nil {
				t.Fatal(err)
			}
			if after := fs.String(); after != before {
				t.Errorf("by reading, the files\n%s\nbecame\n%s", before, after)
			}
			opts.ReadOnly, want.Format = false, 3
			v := check(want)
			if got := string(readFile(t, fs, goldenDir+"/FORMAT")); got != "markr data directory\nformat 3\n" {
				t.Errorf("FORMAT is %q", got)
			}
			maker := waltest.NewMaker(t)
			if err := v.Append(append(maker.Events(1), maker.Accepted(1)...)); err != nil {
				t.Fatal(err)
			}
			want = holds(t, v)
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			if err := check(want).Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A power cut at any moment while a directory of format 2 is raised, and then written
// to, leaves one that opens without help, with all that was acknowledged; and as long
// as FORMAT says 2, a program of format 2 can read everything.
func TestCrashWhileRaising(t *testing.T) {
	t.Parallel()
	r := waltest.Random(t)
	cuts := 1
	if *long {
		cuts = 10
	}
	golden, _ := goldenDirectory(t, "testdata/format-2")
	v, err := openScripted(golden, nil)
	if err != nil {
		t.Fatal(err)
	}
	states := []string{state(t, v)}
	group := waltest.NewMaker(t).Events(1)
	if err := v.Append(waltest.Copies(group)); err != nil {
		t.Fatal(err)
	}
	states = append(states, state(t, v))
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}

	images, old := 0, 0
	run := &crashRun{disk: waltest.NewCrashDisk(synced(t, "testdata/format-2"))}
	run.disk.Before = func(operation int) {
		if !*long && r.IntN(3) != 0 {
			return
		}
		for range cuts {
			images++
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
			image := run.disk.Image(cfg)
			if strings.HasSuffix(string(readFile(t, image, goldenDir+"/FORMAT")), "format 2\n") {
				old++
				if version := rawMetaVersion(t, image); version != 2 {
					t.Errorf("operation %d: FORMAT says 2, the vault's meta is of version %d", operation, version)
				}
			}
			if err := survivor(t, image, run.possible(states)); err != nil {
				t.Errorf("operation %d: %v", operation, err)
			}
		}
	}
	v, err = openScripted(run.disk, nil)
	if err != nil {
		t.Fatal(err)
	}
	run.started.Add(1)
	if err := v.Append(group); err != nil {
		t.Fatal(err)
	}
	run.acknowledged.Add(1)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d write operations, %d images, %d of format 2", run.disk.Operations(), images, old)
	if old == 0 || old == images {
		t.Errorf("%d of %d images are of format 2", old, images)
	}
}

// synced is a golden directory on a disk that can lose what is not synced, of which
// nothing is.
func synced(tb testing.TB, name string) *vfs.MemFS {
	tb.Helper()
	from, _ := goldenDirectory(tb, name)
	disk := vfs.NewCrashableMem()
	r := rotting{files: map[string][]byte{}}
	r.read(tb, from, goldenDir)
	dirs := map[string]bool{"/": true, "srv": true, "srv/markr": true}
	for path, content := range r.files {
		dir := disk.PathDir(path)
		if err := disk.MkdirAll(dir, 0o700); err != nil {
			tb.Fatal(err)
		}
		dirs[dir] = true
		f, err := disk.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			tb.Fatal(err)
		}
		_, err = f.Write(content)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			tb.Fatal(err)
		}
	}
	for dir := range dirs {
		f, err := disk.OpenDir(dir)
		if err != nil {
			tb.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			tb.Fatal(fmt.Errorf("sync %s: %w", dir, err))
		}
	}
	return disk
}

// rawMetaVersion is the version of the meta record that a store has.
func rawMetaVersion(tb testing.TB, fs vfs.FS) byte {
	tb.Helper()
	r := openRawAt(tb, fs, goldenDir+"/vault")
	defer r.close()
	return r.get([]byte("m"))[0]
}
