package waltest

import (
	"io"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// CrashDisk is a disk in memory that can be looked at as a power cut would leave
// it, before each of its write operations. It does one of them at a time: Pebble's
// own file system in memory (v2.1.7) can lock itself up if it is cloned while it
// renames.
type CrashDisk struct {
	vfs.FS

	mem *vfs.MemFS
	mu  struct {
		sync.Mutex

		operations int
	}
	// Before is called with the disk at rest before each write operation, with its
	// number. It is set when the disk is at rest.
	Before func(operation int)
	// Lies says that the disk acknowledges syncs of a file without doing them.
	Lies func(name string) bool
}

// NewCrashDisk makes one of a file system in memory that can be cloned.
func NewCrashDisk(mem *vfs.MemFS) *CrashDisk { return &CrashDisk{FS: mem, mem: mem} }

// write does a write operation.
func (d *CrashDisk) write(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.operations++
	if d.Before != nil {
		d.Before(d.mu.operations)
	}
	do()
}

// Operations is how many there have been.
func (d *CrashDisk) Operations() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mu.operations
}

// Image is what a power cut would leave; the disk must be at rest.
func (d *CrashDisk) Image(cfg vfs.CrashCloneCfg) *vfs.MemFS { return d.mem.CrashClone(cfg) }

// ImageNow is Image for who is not in Before.
func (d *CrashDisk) ImageNow(cfg vfs.CrashCloneCfg) *vfs.MemFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.Image(cfg)
}

func (d *CrashDisk) opened(name string, open func() (vfs.File, error)) (f vfs.File, err error) {
	d.write(func() { f, err = open() })
	if err != nil {
		return nil, err
	}
	return &crashFile{File: f, disk: d, name: name}, nil
}

// Create is vfs.FS's.
func (d *CrashDisk) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.opened(name, func() (vfs.File, error) { return d.mem.Create(name, category) })
}

// OpenReadWrite is vfs.FS's.
func (d *CrashDisk) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.opened(name, func() (vfs.File, error) { return d.mem.OpenReadWrite(name, category, opts...) })
}

// ReuseForWrite is vfs.FS's.
func (d *CrashDisk) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return d.opened(newname, func() (vfs.File, error) { return d.mem.ReuseForWrite(oldname, newname, category) })
}

// OpenDir is no write, but what it opens is synced.
func (d *CrashDisk) OpenDir(name string) (vfs.File, error) {
	f, err := d.mem.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &crashFile{File: f, disk: d, name: name}, nil
}

// Link is vfs.FS's.
func (d *CrashDisk) Link(oldname, newname string) (err error) {
	d.write(func() { err = d.mem.Link(oldname, newname) })
	return err
}

// Remove is vfs.FS's.
func (d *CrashDisk) Remove(name string) (err error) {
	d.write(func() { err = d.mem.Remove(name) })
	return err
}

// RemoveAll is vfs.FS's.
func (d *CrashDisk) RemoveAll(name string) (err error) {
	d.write(func() { err = d.mem.RemoveAll(name) })
	return err
}

// Rename is vfs.FS's.
func (d *CrashDisk) Rename(oldname, newname string) (err error) {
	d.write(func() { err = d.mem.Rename(oldname, newname) })
	return err
}

// MkdirAll is vfs.FS's.
func (d *CrashDisk) MkdirAll(dir string, perm os.FileMode) (err error) {
	d.write(func() { err = d.mem.MkdirAll(dir, perm) })
	return err
}

// Lock is vfs.FS's.
func (d *CrashDisk) Lock(name string) (c io.Closer, err error) {
	d.write(func() { c, err = d.mem.Lock(name) })
	return c, err
}

// Unwrap hides the file system below, so that nobody goes past this one.
func (d *CrashDisk) Unwrap() vfs.FS { return nil }

// crashFile is a file or directory of a CrashDisk.
type crashFile struct {
	vfs.File

	disk *CrashDisk
	name string
}

// Write is vfs.File's.
func (f *crashFile) Write(p []byte) (n int, err error) {
	f.disk.write(func() { n, err = f.File.Write(p) })
	return n, err
}

// WriteAt is vfs.File's.
func (f *crashFile) WriteAt(p []byte, at int64) (n int, err error) {
	f.disk.write(func() { n, err = f.File.WriteAt(p, at) })
	return n, err
}

// Sync is vfs.File's.
func (f *crashFile) Sync() (err error) {
	if f.disk.Lies != nil && f.disk.Lies(f.name) {
		return nil
	}
	f.disk.write(func() { err = f.File.Sync() })
	return err
}

// SyncData is vfs.File's.
func (f *crashFile) SyncData() error { return f.Sync() }

// Rest calls do with the disk at rest.
func (d *CrashDisk) Rest(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
}
