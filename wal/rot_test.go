package wal_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal/entry"
	"markr/wal/waltest"
)

// rotting is a data directory as a killed process has left it, file by file: tables of
// several levels, a manifest, a log with entries that are nowhere else, a checkpoint.
type rotting struct {
	files      map[string][]byte
	state      string // what the vault holds
	before     string // what it held before the last group
	checkpoint string // what its checkpoint holds
}

func newRotting(tb testing.TB) rotting {
	tb.Helper()
	disk := waltest.NewCrashDisk(vfs.NewCrashableMem())
	v, err := openScripted(disk, nil)
	if err != nil {
		tb.Fatal(err)
	}
	before := ""
	for i, group := range script(tb) {
		before = state(tb, v)
		if err := v.Append(group); err != nil {
			tb.Fatal(err)
		}
		if i == scriptGroups/2 {
			if err := save(v, v.Last(), []byte("what was computed")); err != nil {
				tb.Fatal(err)
			}
		}
	}
	r := rotting{files: map[string][]byte{}, state: state(tb, v), before: before, checkpoint: "what was computed"}
	image := disk.ImageNow(vfs.CrashCloneCfg{})
	if err := v.Close(); err != nil {
		tb.Fatal(err)
	}
	r.read(tb, image, "srv/markr/data")
	return r
}

// read takes up a directory and what is below.
func (r rotting) read(tb testing.TB, fs vfs.FS, dir string) {
	tb.Helper()
	names, err := fs.List(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range names {
		file := fs.PathJoin(dir, name)
		info, err := fs.Stat(file)
		if err != nil {
			tb.Fatal(err)
		}
		if info.IsDir() {
			r.read(tb, fs, file)
			continue
		}
		r.files[file] = readFile(tb, fs, file)
	}
}

// with is the directory with one file's bytes exchanged for others.
func (r rotting) with(tb testing.TB, changed string, content []byte) *vfs.MemFS {
	tb.Helper()
	fs := vfs.NewMem()
	for name, b := range r.files {
		if name == changed {
			b = content
		}
		if err := fs.MkdirAll(path.Dir(name), 0o700); err != nil {
			tb.Fatal(err)
		}
		write(tb, fs, name, string(b))
	}
	return fs
}

// What becomes of a directory of which something has rotted.
const (
	rotHarmless   = "harmless"
	rotNotOpened  = "refused to open"
	rotNamed      = "named when read"
	rotCheckpoint = "checkpoint not used"
	rotCutOff     = "log cut off"
	// Nothing was written after the last group that would say it had been on disk, so
	// damage to it is not told from a power cut in its middle. This is the one that is lost.
	rotLastGroup = "last group taken for one cut short"
)

// outcome opens a directory, and says what became of it. The error says that
// something else was read than was written, and nobody told.
func (r rotting) outcome(fs *vfs.MemFS) (outcome string, err error) {
	v, err := openScripted(fs, func(error) {})
	if err != nil {
		return rotNotOpened, nil // It is the outcome.
	}
	defer func() { _ = v.Close() }()
	got, err := readState(v)
	switch {
	case err != nil:
		return rotNamed, nil // It is the outcome.
	case got == r.before:
		return rotLastGroup, nil
	case got != r.state:
		return "", fmt.Errorf("another state: %.300s… instead of %.300s…", got, r.state)
	}
	at, content, err := load(v)
	switch {
	case errors.Is(err, entry.ErrDamaged), errors.Is(err, entry.ErrUnknownVersion), errors.Is(err, entry.ErrNotFound):
		return rotCheckpoint, nil
	case err != nil:
		return "", fmt.Errorf("load the checkpoint: %w", err)
	case string(content) != r.checkpoint || at == 0:
		return "", fmt.Errorf("another checkpoint: %q at %d", content, at)
	}
	return rotHarmless, nil
}

// kindOf is a file's name without its number.
func kindOf(name string) string {
	return regexp.MustCompile(`[0-9]+`).ReplaceAllString(path.Base(name), "N")
}

// One bit that has flipped in any file is named or harmless: what is read without an
// error is what was written.
func TestRot(t *testing.T) {
	t.Parallel()
	r := newRotting(t)
	random := waltest.Random(t)
	kinds := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		if len(r.files[name]) > 0 {
			kinds[kindOf(name)] = append(kinds[kindOf(name)], name)
		}
	}
	for _, kind := range []string{"N.sst", "N.log", "MANIFEST-N", "OPTIONS-N", "FORMAT", "checkpoint"} {
		if len(kinds[kind]) == 0 {
			t.Errorf("no file %s in %v", kind, slices.Sorted(maps.Keys(kinds)))
		}
	}
	flips := 10
	if *long {
		flips = 400
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		outcomes := map[string]int{}
		for range flips {
			name := kinds[kind][random.IntN(len(kinds[kind]))]
			content := slices.Clone(r.files[name])
			bit := random.IntN(8 * len(content))
			content[bit/8] ^= 1 << (bit % 8)
			outcome, err := r.outcome(r.with(t, name, content))
			if outcome == rotLastGroup && kind != "N.log" {
				err = errors.New("the last group is gone")
			}
			if err != nil {
				t.Errorf("%s, %d bytes, bit %d: %v", name, len(content), bit, err)
			}
			outcomes[outcome]++
		}
		t.Logf("%s: %d flips: %v", kind, flips, outcomes)
	}
}

// newestLog is the log that holds what is nowhere else.
func (r rotting) newestLog(tb testing.TB) (name string, log []byte) {
	tb.Helper()
	for file := range r.files {
		if strings.HasSuffix(file, ".log") {
			name = max(name, file)
		}
	}
	log = bytes.TrimRight(r.files[name], "\x00") // Pebble writes into files it has had before.
	if len(log) < 1000 {
		tb.Fatalf("the newest log, %s, holds %d bytes", name, len(log))
	}
	return name, log
}

// What was acknowledged and is damaged in the log is not taken for the end that a
// power cut leaves: the vault does not open, and says where the damage is.
func TestLogDamagedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	r := newRotting(t)
	name, log := r.newestLog(t)
	for _, at := range []int{0, 8, 100, len(log) / 3, len(log) / 2} {
		content := slices.Clone(r.files[name])
		content[at] ^= 1
		v, err := openScripted(r.with(t, name, content), func(error) {})
		if err == nil {
			_ = v.Close()
		}
		if !errors.Is(err, entry.ErrDamaged) || !strings.Contains(err.Error(), "vault/"+path.Base(name)+" is damaged at byte ") {
			t.Errorf("byte %d of %d: %v", at, len(log), err)
		}
	}
}

// A log that ends early, as after a crash of a disk that lied, is cut off at an entry:
// what is left is whole, and is one of the states there have been.
func TestLogCutShort(t *testing.T) {
	t.Parallel()
	r := newRotting(t)
	all := states(t)
	last, log := r.newestLog(t)
	step := 1 + len(log)/150
	if *long {
		step = 1 + len(log)/3000
	}
	outcomes := map[string]int{}
	for n := rand.IntN(step); n < len(log); n += step {
		v, err := openScripted(r.with(t, last, log[:n]), func(error) {})
		if err != nil {
			outcomes[rotNotOpened]++
			continue
		}
		got, err := readState(v)
		if err := errors.Join(err, v.Close()); err != nil {
			t.Errorf("cut to %d of %d bytes: %v", n, len(log), err)
		}
		if !slices.Contains(all, got) {
			t.Errorf("cut to %d of %d bytes: a state there never was", n, len(log))
		}
		outcomes[rotCutOff]++
	}
	t.Logf("%d bytes of log: %v", len(log), outcomes)
	if outcomes[rotCutOff] == 0 {
		t.Error("nothing was cut off")
	}
}
