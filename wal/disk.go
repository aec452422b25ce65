package wal

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal/entry"
)

// diskUsageAge is how old the figure of free space may be. At a gigabyte of floor
// a disk would have to fill at a gigabyte a second to go unnoticed.
const diskUsageAge = time.Second

// disk knows how much space there is.
type disk struct {
	fs   vfs.FS
	path string
	now  func() time.Time

	mu struct {
		sync.Mutex

		asked time.Time
		usage vfs.DiskUsage
		err   error
	}
}

// space is what the file system says, at most diskUsageAge ago.
func (d *disk) space() (vfs.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	// A clock that went back is no reason to believe an old figure.
	if age := now.Sub(d.mu.asked); d.mu.asked.IsZero() || age < 0 || age >= diskUsageAge {
		d.mu.usage, d.mu.err = d.fs.GetDiskUsage(d.path)
		d.mu.asked = now
	}
	return d.mu.usage, d.mu.err
}

// check is nil while at least freeBytesMin are free. A file system that has no
// such figure, like the one in memory, has no floor; one that cannot tell for
// another reason is not written to.
func (d *disk) check(freeBytesMin int64) error {
	if freeBytesMin < 0 {
		return nil
	}
	usage, err := d.space()
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("%w: it cannot be told: %w", entry.ErrReadOnly, err)
	case usage.AvailBytes < uint64(freeBytesMin):
		return fmt.Errorf("%w: %d bytes free in %s, floor %d", entry.ErrReadOnly, usage.AvailBytes, d.path, freeBytesMin)
	}
	return nil
}
