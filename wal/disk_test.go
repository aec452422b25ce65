package wal_test

import (
	"io"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// crashDisk is a disk in memory that can be looked at as a power cut would leave
// it, before each of its write operations. It does one of them at a time: Pebble's
// own file system in memory (v2.1.7) can lock itself up if it is cloned while it
// renames.
type crashDisk struct {
	vfs.FS

	mem *vfs.MemFS
	mu  struct {
		sync.Mutex

		operations int
	}
	// before is called with the disk at rest before each write operation, with its
	// number.
	before func(operation int)
	// lies says that the disk acknowledges syncs of a file without doing them.
	lies func(name string) bool
}

func newCrashDisk(mem *vfs.MemFS) *crashDisk { return &crashDisk{FS: mem, mem: mem} }

// write does a write operation.
func (d *crashDisk) write(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.operations++
	if d.before != nil {
		d.before(d.mu.operations)
	}
	do()
}

// operations is how many there have been.
func (d *crashDisk) operations() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.operations
}

// image is what a power cut would leave; the disk must be at rest.
func (d *crashDisk) image(cfg vfs.CrashCloneCfg) *vfs.MemFS { return d.mem.CrashClone(cfg) }

// imageNow is image for who is not in before.
func (d *crashDisk) imageNow(cfg vfs.CrashCloneCfg) *vfs.MemFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.image(cfg)
}

func (d *crashDisk) opened(name string, open func() (vfs.File, error)) (f vfs.File, err error) {
	d.write(func() { f, err = open() })
	if err != nil {
		return nil, err
	}
	return &crashFile{File: f, disk: d, name: name}, nil
}

func (d *crashDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.opened(name, func() (vfs.File, error) { return d.mem.Create(name, category) })
}

func (d *crashDisk) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.opened(name, func() (vfs.File, error) { return d.mem.OpenReadWrite(name, category, opts...) })
}

func (d *crashDisk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.opened(newname, func() (vfs.File, error) { return d.mem.ReuseForWrite(oldname, newname, category) })
}

// OpenDir is no write, but what it opens is synced.
func (d *crashDisk) OpenDir(name string) (vfs.File, error) {
	f, err := d.mem.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &crashFile{File: f, disk: d, name: name}, nil
}

func (d *crashDisk) Link(oldname, newname string) (err error) {
	d.write(func() { err = d.mem.Link(oldname, newname) })
	return err
}

func (d *crashDisk) Remove(name string) (err error) {
	d.write(func() { err = d.mem.Remove(name) })
	return err
}

func (d *crashDisk) RemoveAll(name string) (err error) {
	d.write(func() { err = d.mem.RemoveAll(name) })
	return err
}

func (d *crashDisk) Rename(oldname, newname string) (err error) {
	d.write(func() { err = d.mem.Rename(oldname, newname) })
	return err
}

func (d *crashDisk) MkdirAll(dir string, perm os.FileMode) (err error) {
	d.write(func() { err = d.mem.MkdirAll(dir, perm) })
	return err
}

func (d *crashDisk) Lock(name string) (c io.Closer, err error) {
	d.write(func() { c, err = d.mem.Lock(name) })
	return c, err
}

// Unwrap hides the file system below, so that nobody goes past this one.
func (d *crashDisk) Unwrap() vfs.FS { return nil }

// crashFile is a file or directory of a crashDisk.
type crashFile struct {
	vfs.File

	disk *crashDisk
	name string
}

func (f *crashFile) Write(p []byte) (n int, err error) {
	f.disk.write(func() { n, err = f.File.Write(p) })
	return n, err
}

func (f *crashFile) WriteAt(p []byte, at int64) (n int, err error) {
	f.disk.write(func() { n, err = f.File.WriteAt(p, at) })
	return n, err
}

func (f *crashFile) Sync() (err error) {
	if f.disk.lies != nil && f.disk.lies(f.name) {
		return nil
	}
	f.disk.write(func() { err = f.File.Sync() })
	return err
}

func (f *crashFile) SyncData() error { return f.Sync() }
