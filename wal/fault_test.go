package wal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// childVariable makes the test binary run one of the tests that are for a process
// of their own: a vault whose disk fails is left as it is, locks, goroutines and
// all.
const childVariable = "MARKR_TEST_CHILD"

// child runs a test of this binary in a process of its own.
func child(t *testing.T, test string, environment ...string) (output string, err error) {
	t.Helper()
	args := []string{"-test.run", "^" + test + "$", "-test.v"}
	if *long {
		args = append(args, "-long")
	}
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), append(environment, childVariable+"="+test)...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func onlyAsChild(t *testing.T) {
	t.Helper()
	if os.Getenv(childVariable) != t.Name() {
		t.Skip("runs in a process of its own")
	}
}

// Whatever operation of the disk fails, once or for good, nothing is acknowledged
// that a power cut afterwards would lose, and the vault opens again.
func TestFaults(t *testing.T) {
	t.Parallel()
	out, err := child(t, "TestFaultsChild")
	summary := regexp.MustCompile(`(?m)^.*faults: .*$`).FindString(out)
	if err != nil || summary == "" {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Log(summary)
}

func TestFaultsChild(t *testing.T) {
	onlyAsChild(t)
	all := states(t)
	operations := runFault(t, all, fault{at: 1 << 30}).operations
	runs, outcomes := 0, map[string]int{}
	r := waltest.Random(t)
	for at := 1; at <= operations; at++ {
		for _, f := range []fault{
			{at: at, err: syscall.EIO},
			{at: at, err: syscall.EIO, forGood: true},
			{at: at, err: syscall.ENOSPC, forGood: true, heals: 100},
		} {
			if !*long && r.IntN(operations) > 15 {
				continue
			}
			runs++
			outcomes[runFault(t, all, f).outcome]++
		}
	}
	t.Logf("faults: %d operations, %d runs: %v", operations, runs, outcomes)
	if runs < 15 || outcomes["fatal"] == 0 {
		t.Error("too few faults that matter")
	}
}

// fault is what fails: the operation with a number, and perhaps all after it.
type fault struct {
	at      int
	err     error
	forGood bool
	heals   int64 // after so many failed operations all is well again; 0: never
}

type faultResult struct {
	operations int
	outcome    string // "fatal", "open refused", "append refused", "survived"
}

// runFault runs the script on a disk that fails.
func runFault(t *testing.T, all []string, f fault) faultResult {
	t.Helper()
	disk := waltest.NewCrashDisk(vfs.NewCrashableMem())
	var operations, failed atomic.Int64
	var healed atomic.Bool
	defer healed.Store(true) // What is left of the vault would try again for ever.
	failing := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		// Closing does not fail in a way that anybody could act on.
		if op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpGetDiskUsage {
			return nil
		}
		if n := int(operations.Add(1)); n == f.at || f.forGood && n > f.at && !healed.Load() {
			if failed.Add(1) == f.heals {
				healed.Store(true)
			}
			return f.err
		}
		return nil
	}))
	var started, acknowledged atomic.Int64
	ended := make(chan string, 1)
	say := func(outcome string) {
		select {
		case ended <- outcome:
		default:
		}
	}
	go func() {
		say(runScript(t, failing, &started, &acknowledged, func(error) {
			say("fatal")
			select {} // It must not return, and this goroutine may hold locks of Pebble.
		}))
	}()
	result := faultResult{}
	select {
	case result.outcome = <-ended:
	case <-time.After(time.Minute):
		t.Fatalf("%+v: nothing has happened for a minute", f)
	}
	result.operations = int(operations.Load())
	// Acknowledged is read first: it only grows.
	low := acknowledged.Load()
	for _, unsynced := range []int{0, 50, 100} {
		image := disk.ImageNow(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(1, 1))})
		if err := survivor(t, image, all[low:started.Load()+1]); err != nil {
			t.Errorf("%+v, then %s and a power cut keeping %d %%: %v", f, result.outcome, unsynced, err)
		}
	}
	return result
}

// runScript is the life of a vault on a failing disk, in a goroutine that may not
// end.
func runScript(t *testing.T, fs vfs.FS, started, acknowledged *atomic.Int64, onFatal func(error)) (outcome string) {
	t.Helper()
	v, err := openScripted(fs, onFatal)
	if err != nil {
		return "open refused"
	}
	for _, group := range script(t) {
		before := waltest.Copies(group)
		started.Add(1)
		if err := v.Append(group); err != nil {
			if again := v.Append(before); !errors.Is(again, entry.ErrFailed) || !errors.Is(v.Writable(), entry.ErrFailed) {
				t.Errorf("after a failed append (%v) the next one answers %v", err, again)
			}
			return "append refused"
		}
		acknowledged.Add(1)
	}
	if err := v.Close(); err != nil {
		return "close failed"
	}
	return "survived"
}

// With nothing else said, a disk that fails ends the process, with the reason, and
// what it had acknowledged is there.
func TestFatalEndsTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := child(t, "TestFatalChild", "MARKR_TEST_DIR="+dir)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "panic: ") || !strings.Contains(out, "input/output error") {
		t.Errorf("the reason is not in\n%s", out)
	}
	v := openVault(t, wal.Options{Dir: dir})
	acknowledged := strings.Count(out, "acknowledged")
	if acknowledged == 0 || v.Last() < entry.Position(acknowledged) {
		t.Errorf("%d acknowledged, last is %d", acknowledged, v.Last())
	}
	if report, err := v.Verify(t.Context(), nil); err != nil || report.Err() != nil {
		t.Errorf("%v, %v", err, report.Err())
	}
	if err := v.Append(waltest.NewMaker(t).Accepted(1000)); err != nil {
		t.Error(err)
	}
}

func TestFatalChild(t *testing.T) {
	onlyAsChild(t)
	var syncs atomic.Int64
	v, err := wal.Open(wal.Options{
		Dir: os.Getenv("MARKR_TEST_DIR"),
		FS: errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if strings.HasSuffix(op.Path, ".log") && op.Kind == errorfs.OpFileSyncData && syncs.Add(1) > 20 {
				return syscall.EIO
			}
			return nil
		})),
	})
	if err != nil {
		t.Fatal(err)
	}
	maker := waltest.NewMaker(t)
	for i := range 100 {
		if err := v.Append(maker.Accepted(i)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(os.Stderr, "acknowledged")
	}
}

// A read that fails is reported as such; it does not fail the vault.
func TestReadFault(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing.Load() && op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, ".sst") {
			return syscall.EIO
		}
		return nil
	}))
	maker := waltest.NewMaker(t)
	v, err := wal.OpenSmall(inMemory(fs), 32<<10)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := v.Append(maker.Accepted(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err = wal.OpenSmall(inMemory(fs), 32<<10); err != nil { // Nothing is cached now.
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	failing.Store(true)
	err = v.Replay(context.Background(), 1, func(*entry.Entry) error { return nil })
	if !errors.Is(err, syscall.EIO) || errors.Is(err, entry.ErrDamaged) {
		t.Errorf("replay: %v", err)
	}
	failing.Store(false)
	n := 0
	for range 100 {
		n = 0
		err = v.Replay(context.Background(), 1, func(*entry.Entry) error { n++; return nil })
		if !errors.Is(err, syscall.EIO) {
			break
		}
		// Pebble opens tables in the background too, and whoever needs one that it is at gets
		// the error of that attempt.
	}
	if err != nil || n != 200 {
		t.Errorf("replay: %d entries, %v", n, err)
	}
	if err := v.Append(maker.Accepted(1000)); err != nil {
		t.Error(err)
	}
}
