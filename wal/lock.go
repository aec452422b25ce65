package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// lock is the advisory lock on a data directory. LOCK itself must stay empty,
// because taking it truncates it, also when that fails; who holds it is in
// HOLDER, which is only a hint: a crash leaves it behind.
type lock struct {
	directory directory
	file      io.Closer
}

// lock takes the directory's lock, or returns a *LockedError.
func (d directory) lock(since time.Time) (*lock, error) {
	file, err := d.fs.Lock(d.join(lockName))
	if _, notOpened := errors.AsType[*fs.PathError](err); notOpened {
		return nil, err
	}
	if err != nil {
		return nil, d.holder()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	l := &lock{directory: d, file: file}
	text := fmt.Sprintf("pid %d\nhost %s\nsince %s\n", os.Getpid(), host, since.UTC().Format(time.RFC3339))
	if err := d.writeText(holderName, text); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", holderName, err), l.release())
	}
	return l, nil
}

// holder reads what the holder has said, as far as it can be read.
func (d directory) holder() *LockedError {
	e := &LockedError{Dir: d.path}
	text, err := d.readText(holderName)
	if err != nil {
		return e
	}
	var since string
	lines := strings.NewReplacer("\n", " ").Replace(text)
	if _, err := fmt.Sscanf(lines, "pid %d host %s since %s", &e.PID, &e.Host, &since); err != nil {
		return &LockedError{Dir: d.path}
	}
	if e.Since, err = time.Parse(time.RFC3339, since); err != nil {
		return &LockedError{Dir: d.path}
	}
	return e
}

// release gives the lock back.
func (l *lock) release() error {
	// HOLDER goes first: without the lock it would be the next holder's.
	err := l.directory.fs.Remove(l.directory.join(holderName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.file.Close())
}
