package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// disk is a file system of its own, ext4 in a file, that can lose its power, fill up
// and stall without anybody else noticing.
type disk struct {
	image, dir string
	mounted    bool
	frozen     bool
}

// needDisks skips a test where no file system can be mounted, and says why.
func needDisks(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system is root's")
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Skipf("there are no loop devices: %v", err)
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount", "losetup"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	if output, err := exec.Command("losetup", "--find").CombinedOutput(); err != nil {
		t.Skipf("no loop device is to be had: %v: %s", err, output)
	}
}

// newDisk makes a disk of so many megabytes and mounts it. It is unmounted when the
// test ends, however that is.
func newDisk(t *testing.T, megabytes int64) *disk {
	t.Helper()
	base := t.TempDir()
	d := &disk{image: filepath.Join(base, "image"), dir: filepath.Join(base, "mounted")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, megabytes<<20); err != nil { // Sparse: it takes what is written.
		t.Fatal(err)
	}
	// Nothing reserved for root, who runs this test and must find the disk full, too.
	if output, err := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", d.image).CombinedOutput(); err != nil {
		t.Fatalf("make a file system: %v: %s", err, output)
	}
	t.Cleanup(func() {
		if err := d.unmount(); err != nil {
			t.Error(err)
		}
	})
	if err := d.mount(); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	return d
}

// data is the data directory on the disk.
func (d *disk) data() string { return filepath.Join(d.dir, "data") }

func (d *disk) mount() error {
	if output, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("mount %s: %w: %s", d.image, err, output)
	}
	d.mounted = true
	return nil
}

// unmount waits until nobody uses the disk any more: the last file of a killed
// process is closed a moment after it is gone.
func (d *disk) unmount() error {
	if !d.mounted {
		return nil
	}
	var output []byte
	err := eventually(func() (err error) {
		output, err = exec.Command("umount", d.dir).CombinedOutput()
		return err
	})
	if err != nil {
		return fmt.Errorf("unmount %s: %w: %s", d.dir, err, output)
	}
	d.mounted = false
	return nil
}

// How ext4 is told that the power is gone: nothing is written from now on, not even
// the journal.
const (
	ioctlShutdown      = 0x8004587d // EXT4_IOC_SHUTDOWN: _IOR('X', 125, __u32)
	shutdownNoLogFlush = 2
)

// cutPower takes the power away from a process and its disk, and gives it back to
// the disk:
//
//  1. stop every thread of the process, so that none can take an answer of a disk
//     that is gone for a sync; one that is in a sync stops when it has ended;
//  2. cut: whatever was not synced is gone, as is the kernel's cache of it;
//  3. kill the process;
//  4. mount the disk again, whose journal is replayed.
//
// Clients may still read answers that were sent before step 1: they count.
func (d *disk) cutPower(p *process) error {
	if err := p.freeze(); err != nil {
		return err
	}
	if err := d.shutDown(); err != nil {
		return err
	}
	p.kill()
	if err := d.unmount(); err != nil {
		return err
	}
	return d.mount()
}

func (d *disk) shutDown() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return fmt.Errorf("cut the power of %s: %w", d.dir, err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), ioctlShutdown, shutdownNoLogFlush); err != nil {
		return fmt.Errorf("cut the power of %s: %w", d.dir, err)
	}
	return nil
}

// freeze stops a process and waits until each of its threads has stopped.
func (p *process) freeze() error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop process %d: %w", p.cmd.Process.Pid, err)
	}
	return eventually(func() error {
		tasks, err := filepath.Glob("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/task/*/stat")
		if err != nil || len(tasks) == 0 {
			return fmt.Errorf("process %d has no threads: %w", p.cmd.Process.Pid, err)
		}
		for _, task := range tasks {
			stat, err := os.ReadFile(task)
			if err != nil {
				return err
			}
			// The state comes after the name, which ends with the last parenthesis.
			_, state, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
			if !strings.HasPrefix(state, "T") {
				return fmt.Errorf("%s is in state %.1s", task, state)
			}
		}
		return nil
	})
}
