package wal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

func write(tb testing.TB, fs vfs.FS, name, text string) {
	tb.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = f.Write([]byte(text))
	if err := errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
}

// filled returns a file system with a closed vault of three entries.
func filled(tb testing.TB) *vfs.MemFS {
	tb.Helper()
	fs := vfs.NewMem()
	fill(tb, fs, waltest.NewMaker(tb).Accepted(1, 2, 3))
	return fs
}

// fill appends to the vault in a file system, and closes it.
func fill(tb testing.TB, fs vfs.FS, groups ...[]*entry.Entry) {
	tb.Helper()
	v, err := wal.Open(inMemory(fs))
	if err != nil {
		tb.Fatal(err)
	}
	for _, group := range groups {
		if err := v.Append(group); err != nil {
			tb.Fatal(err)
		}
	}
	if err := v.Close(); err != nil {
		tb.Fatal(err)
	}
}

// A vault on the file system of the machine, with the defaults, in a directory
// that has to be made.
func TestOpenOnDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "var", "markr")
	maker := waltest.NewMaker(t)
	for round := range 3 {
		v, err := wal.Open(wal.Options{Dir: dir, FreeBytesMin: -1})
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Last(); got != entry.Position(2*round) {
			t.Fatalf("last is %d in round %d", got, round)
		}
		if err := v.Append(maker.Accepted(2*round, 2*round+1)); err != nil {
			t.Fatal(err)
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "FORMAT"))
	if err != nil || string(text) != "markr data directory\nformat 3\n" {
		t.Errorf("FORMAT is %q, %v", text, err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory's mode is %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "HOLDER")); !os.IsNotExist(err) {
		t.Errorf("HOLDER is still there: %v", err)
	}
}

func TestOpenNothing(t *testing.T) {
	t.Parallel()
	if _, err := wal.Open(wal.Options{}); err == nil {
		t.Error("a vault without a directory")
	}
	opts := inMemory(vfs.NewMem())
	opts.ReadOnly = true
	if _, err := wal.Open(opts); !errors.Is(err, wal.ErrNoVault) {
		t.Errorf("reading from a directory that is not there: %v", err)
	}
	if names, err := opts.FS.List("/"); err != nil || len(names) != 0 {
		t.Errorf("it has made %v, %v", names, err)
	}
	if err := opts.FS.MkdirAll("data", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.Open(opts); !errors.Is(err, wal.ErrNoVault) {
		t.Errorf("reading from an empty directory: %v", err)
	}
}

// Somebody else's directory is refused and left as it is.
func TestOpenForeignDirectory(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("data", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, fs, "data/thesis.tex", "years of work")
	for _, readOnly := range []bool{false, true} {
		opts := inMemory(fs)
		opts.ReadOnly = readOnly
		_, err := wal.Open(opts)
		if !errors.Is(err, wal.ErrForeignDirectory) || !strings.Contains(err.Error(), "thesis.tex") {
			t.Errorf("read-only %v: %v", readOnly, err)
		}
	}
	if _, err := fs.Stat("data/thesis.tex"); err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat("data/vault"); err == nil {
		t.Error("a vault was made")
	}
}

// What the file system itself puts at the root of a volume is nobody's.
func TestOpenFreshVolume(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("data/lost+found", 0o700); err != nil {
		t.Fatal(err)
	}
	openVault(t, inMemory(fs))
}

// Another format is refused, and the message names both.
func TestOpenFormat(t *testing.T) {
	t.Parallel()
	f := func(text string, names ...string) {
		t.Helper()
		fs := filled(t)
		write(t, fs, "data/FORMAT", text)
		_, err := wal.Open(inMemory(fs))
		format, ok := errors.AsType[*wal.FormatError](err)
		if !ok || !errors.Is(err, wal.ErrUnknownFormat) || format.Dir != "data" {
			t.Fatalf("%q: %v", text, err)
		}
		for _, name := range append(names, "formats 2 and 3", "use the markr that wrote it", "data") {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q: %q is not in the message: %v", text, name, err)
			}
		}
		write(t, fs, "data/FORMAT", "markr data directory\nformat 3\n")
		if v := openVault(t, inMemory(fs)); v.Last() != 3 {
			t.Errorf("%q: last is %d after putting it right", text, v.Last())
		}
	}
	f("markr data directory\nformat 1\n", `"1"`)
	f("markr data directory\nformat 4\n", `"4"`)
	f("markr data directory\nformat 03\n", `"03"`)
	f("markr data directory\nformat 10000000000000000000000\n", "10000000000000000000000")
	f("markr data directory\nformat one\n", "one")
	f("markr data directory\n", "unreadable")
	f("another program\nformat 2\n", "unreadable")
	f("", "unreadable")
}

// A vault that is not empty and has lost its FORMAT may be of any format, so it is
// not guessed; nor is a FORMAT whose vault has gone a reason to make a new one.
func TestOpenIncomplete(t *testing.T) {
	t.Parallel()
	fs := filled(t)
	if err := fs.Remove("data/FORMAT"); err != nil {
		t.Fatal(err)
	}
	_, err := wal.Open(inMemory(fs))
	if !errors.Is(err, wal.ErrForeignDirectory) || !strings.Contains(err.Error(), "position 3") {
		t.Errorf("without FORMAT: %v", err)
	}
	write(t, fs, "data/FORMAT", "markr data directory\nformat 3\n")
	if v := openVault(t, inMemory(fs)); v.Last() != 3 {
		t.Errorf("last is %d", v.Last())
	}

	fs = filled(t)
	if err := fs.RemoveAll("data/vault"); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		opts := inMemory(fs)
		opts.ReadOnly = readOnly
		if _, err := wal.Open(opts); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("without a vault, read-only %v: %v", readOnly, err)
		}
	}
}

// The lock names its holder.
func TestLocked(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	opts := inMemory(fs)
	since := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	opts.Now = func() time.Time { return since }
	v := openVault(t, opts)
	for _, readOnly := range []bool{false, true} {
		opts.ReadOnly = readOnly
		_, err := wal.Open(opts)
		locked, ok := errors.AsType[*wal.LockedError](err)
		if !ok || !errors.Is(err, wal.ErrLocked) {
			t.Fatalf("read-only %v: %v", readOnly, err)
		}
		host, _ := os.Hostname()
		if locked.PID != os.Getpid() || locked.Host != host || !locked.Since.Equal(since) || locked.Dir != "data" {
			t.Errorf("held by %+v", locked)
		}
		for _, part := range []string{fmt.Sprint(os.Getpid()), host, "2026-11-23T14:00:00Z"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in the message: %v", part, err)
			}
		}
	}
	// A holder that has not said who it is.
	write(t, fs, "data/HOLDER", "pid ")
	if _, err := wal.Open(opts); !errors.Is(err, wal.ErrLocked) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("without a holder: %v", err)
	}
	if err := v.Append(waltest.NewMaker(t).Accepted(1)); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	opts.ReadOnly = false
	openVault(t, opts)
}

// Another process is kept out as well, and what a killed one has left behind does
// not keep anybody out.
func TestLockedByProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := openVault(t, wal.Options{Dir: dir, FreeBytesMin: -1})
	out, err := child(t, "TestLockChild", "MARKR_TEST_DIR="+dir)
	if want := fmt.Sprintf("locked by process %d on", os.Getpid()); err == nil || !strings.Contains(out, want) {
		t.Errorf("%v, and not %q:\n%s", err, want, out)
	}
	if err := v.Append(waltest.NewMaker(t).Accepted(1)); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err = child(t, "TestLockChild", "MARKR_TEST_DIR="+dir); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	v = openVault(t, wal.Options{Dir: dir, FreeBytesMin: -1})
	if v.Last() != 1 {
		t.Errorf("last is %d", v.Last())
	}
}

// It leaves without closing.
func TestLockChild(t *testing.T) {
	onlyAsChild(t)
	v, err := wal.Open(wal.Options{Dir: os.Getenv("MARKR_TEST_DIR"), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v.Last())
}

// A vault opened for reading reads, and nothing else.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	fs := filled(t)
	opts := inMemory(fs)
	opts.ReadOnly = true
	before := fs.String()
	v := openVault(t, opts)
	if err := v.Append(waltest.NewMaker(t).Accepted(9)); !errors.Is(err, wal.ErrOpenedForReading) {
		t.Errorf("append: %v", err)
	}
	if err := v.Writable(); !errors.Is(err, wal.ErrOpenedForReading) {
		t.Errorf("writable: %v", err)
	}
	report, err := v.Verify(t.Context(), nil)
	if err != nil || report.Err() != nil || report.Entries != 3 {
		t.Errorf("verify: %+v, %v", report, err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if after := fs.String(); after != before {
		t.Errorf("the files were\n%s\nand are\n%s", before, after)
	}
	if err := openVault(t, inMemory(fs)).Append(waltest.NewMaker(t).Refused(9)); err != nil {
		t.Errorf("append to it, opened for writing: %v", err)
	}
}
