package wal_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal/waltest"
)

var long = flag.Bool("long", false, "run the long tests")

// crashRun runs the script on a disk, from the first Open on, with the vault
// closed and opened in the middle.
type crashRun struct {
	disk *waltest.CrashDisk
	// started groups have been given to Append, acknowledged ones have come back.
	started, acknowledged atomic.Int64
}

func (r *crashRun) run(t *testing.T) {
	t.Helper()
	v, err := openScripted(r.disk, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i, group := range script(t) {
		if i == scriptGroups/2 {
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			if v, err = openScripted(r.disk, nil); err != nil {
				t.Fatal(err)
			}
		}
		r.started.Add(1)
		if err := v.Append(group); err != nil {
			t.Fatal(err)
		}
		r.acknowledged.Add(1)
	}
}

// possible are the states that a crash at this moment may leave.
func (r *crashRun) possible(all []string) []string {
	return all[r.acknowledged.Load() : r.started.Load()+1]
}

// A power cut before any write operation, with none, half or all of the data kept
// that was not synced, leaves a vault that opens without help, with every
// acknowledged group and no part of another.
func TestCrash(t *testing.T) {
	t.Parallel()
	all := states(t)
	for _, unsynced := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("unsynced=%d", unsynced), func(t *testing.T) {
			t.Parallel()
			r := waltest.Random(t)
			run := &crashRun{disk: waltest.NewCrashDisk(vfs.NewCrashableMem())}
			images, nested := 0, 0
			run.disk.Before = func(operation int) {
				// More of the first operations, which make the vault, than of the rest.
				if skipped := r.IntN(8); !*long && (operation > 60 && skipped > 0 || skipped > 3) {
					return
				}
				images++
				cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
				image, again := run.disk.Image(cfg), run.disk.Image(cfg)
				wanted := run.possible(all)
				if err := survivor(t, image, wanted); err != nil {
					t.Errorf("operation %d: %v", operation, err)
				}
				if r.IntN(30) == 0 {
					nested += crashWhileRecovering(t, r, again, unsynced, wanted)
				}
			}
			run.run(t)
			t.Logf("%d write operations, %d images, %d more of recoveries", run.disk.Operations(), images, nested)
			if images < 30 {
				t.Errorf("only %d images", images)
			}
		})
	}
}

// crashWhileRecovering cuts the power once more before each write operation of the
// opening after a cut.
func crashWhileRecovering(t *testing.T, r *rand.Rand, image *vfs.MemFS, unsynced int, wanted []string) (images int) {
	t.Helper()
	disk := waltest.NewCrashDisk(image)
	disk.Before = func(operation int) {
		if !*long && r.IntN(4) != 0 {
			return
		}
		images++
		cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
		if err := survivor(t, disk.Image(cfg), wanted); err != nil {
			t.Errorf("operation %d of the recovery: %v", operation, err)
		}
	}
	v, err := openScripted(disk, nil)
	if err != nil {
		t.Errorf("open: %v", err)
		return images
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	return images
}

// Opening has the most ways to be interrupted: the first one, and one that finds a
// log to recover. Each of their write operations is cut many times, because which
// of several directory entries survives is left to chance.
func TestCrashWhileOpening(t *testing.T) {
	t.Parallel()
	all := states(t)
	groups := script(t)
	cuts := 2
	if *long {
		cuts = 30
	}
	for _, appended := range []int{0, 1, 10} {
		t.Run(fmt.Sprintf("groups=%d", appended), func(t *testing.T) {
			t.Parallel()
			r := waltest.Random(t)
			mem := vfs.NewCrashableMem()
			if appended > 0 {
				disk := waltest.NewCrashDisk(mem)
				v, err := openScripted(disk, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, group := range groups[:appended] {
					if err := v.Append(waltest.Copies(group)); err != nil {
						t.Fatal(err)
					}
				}
				mem = disk.ImageNow(vfs.CrashCloneCfg{})
				if err := v.Close(); err != nil {
					t.Fatal(err)
				}
			}
			images := 0
			disk := waltest.NewCrashDisk(mem)
			disk.Before = func(operation int) {
				for range cuts {
					images++
					cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(r.Uint64(), 0))}
					if err := survivor(t, disk.Image(cfg), all[appended:appended+1]); err != nil {
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
		})
	}
}

// What names another file is not made before the name of the other is on disk: a marker
// after the manifest that it names, FORMAT after the vault. Which of two names a power
// cut keeps is left to chance in TestCrash; here it is the younger one.
func TestNamesAreOnDiskInOrder(t *testing.T) {
	t.Parallel()
	const dir = "srv/markr/data"
	mem := vfs.NewCrashableMem()
	disk := waltest.NewCrashDisk(mem)
	markers, formats := 0, 0
	disk.Before = func(operation int) {
		kept := disk.Image(vfs.CrashCloneCfg{})
		for _, store := range []string{dir + "/vault.tmp", dir + "/vault"} {
			names, _ := mem.List(store) // It may not be there yet.
			for _, name := range names {
				if _, manifest, found := strings.Cut(name, ".MANIFEST-"); found && strings.HasPrefix(name, "marker.manifest.") {
					markers++
					if _, err := kept.Stat(store + "/MANIFEST-" + manifest); err != nil {
						// The whole directory may be one that is not on disk.
						if _, gone := kept.Stat(store); gone == nil {
							t.Errorf("operation %d: %s is there, what it names is not on disk", operation, name)
						}
					}
				}
			}
		}
		for _, name := range []string{"/FORMAT.tmp", "/FORMAT"} {
			if _, err := mem.Stat(dir + name); err == nil {
				formats++
				if _, err := kept.Stat(dir + "/vault"); err != nil {
					t.Errorf("operation %d: %s is there, the vault is not on disk", operation, name)
				}
			}
		}
	}
	for range 2 {
		v, err := openScripted(disk, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if markers < 10 || formats < 10 {
		t.Errorf("only %d markers and %d times FORMAT", markers, formats)
	}
}

// The crash test must be able to fail: on a disk that lies about syncing the log,
// acknowledged groups are lost, and it sees that.
func TestCrashSeesLoss(t *testing.T) {
	t.Parallel()
	all := states(t)
	run := &crashRun{disk: waltest.NewCrashDisk(vfs.NewCrashableMem())}
	run.disk.Lies = func(name string) bool { return strings.HasSuffix(name, ".log") }
	images, lost := 0, 0
	run.disk.Before = func(operation int) {
		if operation%16 != 0 || run.acknowledged.Load() == 0 {
			return
		}
		images++
		if err := survivor(t, run.disk.Image(vfs.CrashCloneCfg{}), run.possible(all)); err != nil {
			lost++
		}
	}
	run.run(t)
	// A table that a flush has written is synced by itself, and closing flushes, so not
	// every image loses something.
	if lost < images/4 {
		t.Errorf("a disk that does not sync the log lost something in %d of %d images only", lost, images)
	}
}
