package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options open a Store. Dir is required.
type Options struct {
	// Dir is the directory of the store.
	Dir string
	// FS is the file system of the store and of the data directories; default the
	// operating system's.
	FS vfs.FS
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// A Store is a directory of backups. It is for one goroutine.
type Store struct {
	fs   vfs.FS
	dir  string
	now  func() time.Time
	lock io.Closer // nil: the store cannot be written
}

// What is in a store.
const (
	formatName    = "FORMAT"
	formatNameTmp = "FORMAT.tmp"
	lockName      = "LOCK"
	backupsName   = "backups"
	filesName     = "files"
	incomingName  = "incoming"
	trialName     = "trial"
)

const (
	formatTitle    = "markr backups"
	manifestSuffix = ".backup"
	// manifestBytesMax is a million files.
	manifestBytesMax = 256 << 20
	formatBytesMax   = 4 << 10
)

// Create opens the store in a directory, and makes it if there is none. Its errors are
// [ErrLocked], [ErrForeign], [ErrUnknownFormat] or the disk's.
func Create(opts Options) (*Store, error) {
	s := newStore(opts)
	err := s.makeDir(s.dir)
	if err == nil {
		err = s.takeLock()
	}
	if err == nil {
		err = s.prepare()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open backups in %s: %w", s.dir, err), s.Close())
	}
	return s, nil
}

// Open opens the store in a directory. One that cannot be written, as on a disk that
// is mounted to be read, is opened for reading. Its errors are those of [Create], and
// [ErrNoBackup] if there is no store.
func Open(opts Options) (*Store, error) {
	s := newStore(opts)
	_, err := s.fs.Stat(s.join(formatName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there are no backups in %s", ErrNoBackup, s.dir)
	}
	if err == nil {
		err = s.takeLock()
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		err = nil
	}
	if err == nil {
		err = s.checkFormat()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open backups in %s: %w", s.dir, err), s.Close())
	}
	return s, nil
}

func newStore(opts Options) *Store {
	s := &Store{fs: opts.FS, dir: opts.Dir, now: opts.Now}
	if s.fs == nil {
		s.fs = vfs.Default
	}
	if vfs.Root(s.fs) == vfs.Default {
		// The lock is known by the path of its file, so a directory needs one name.
		if dir, err := filepath.Abs(s.dir); err == nil {
			s.dir = dir
		}
	}
	if s.now == nil {
		s.now = time.Now //nolint:forbidigo // The default of the option.
	}
	return s
}

// Close gives the store back.
func (s *Store) Close() error {
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
}

// Dir is the directory of the store.
func (s *Store) Dir() string { return s.dir }

func (s *Store) takeLock() error {
	lock, err := s.fs.Lock(s.join(lockName))
	if _, notOpened := errors.AsType[*fs.PathError](err); notOpened {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %s is locked", ErrLocked, s.join(lockName))
	}
	s.lock = lock
	return nil
}

// prepare makes what is missing, FORMAT last, and removes what an interrupted run has
// left behind.
func (s *Store) prepare() error {
	err := s.checkFormat()
	complete := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		err = s.checkEmpty()
	}
	if err != nil {
		return err
	}
	for _, name := range []string{incomingName, trialName} {
		if err := s.fs.RemoveAll(s.join(name)); err != nil {
			return err
		}
	}
	for _, name := range []string{backupsName, filesName, incomingName} {
		if err := s.fs.MkdirAll(s.join(name), 0o700); err != nil {
			return err
		}
	}
	if err := s.sync(s.dir); err != nil || complete {
		return err
	}
	if err := s.writeText(formatNameTmp, fmt.Sprintf("%s\nformat %d\n", formatTitle, formatNumber)); err != nil {
		return err
	}
	if err := s.fs.Rename(s.join(formatNameTmp), s.join(formatName)); err != nil {
		return err
	}
	return s.sync(s.dir)
}

// checkFormat says whether FORMAT is one that this program reads. If there is none, the
// error is fs.ErrNotExist.
func (s *Store) checkFormat() error {
	text, err := s.read(s.join(formatName), formatBytesMax)
	if err != nil {
		return err
	}
	title, rest, _ := strings.Cut(string(text), "\n")
	number, ok := strings.CutPrefix(strings.TrimSuffix(rest, "\n"), "format ")
	switch {
	case title != formatTitle || !ok:
		return fmt.Errorf("%w: its %s is that of something else", ErrForeign, formatName)
	case number != fmt.Sprint(formatNumber):
		return fmt.Errorf("%w: %q, this program reads %d", ErrUnknownFormat, number, formatNumber)
	}
	return nil
}

// checkEmpty says whether a directory without FORMAT holds nothing but what a run that
// was interrupted before it may have made.
func (s *Store) checkEmpty() error {
	names, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		switch name {
		case formatNameTmp, lockName, incomingName, trialName, "lost+found":
			continue // The last is what a fresh ext4 volume has at its root.
		case backupsName, filesName:
			inside, err := s.fs.List(s.join(name))
			if err == nil && len(inside) > 0 {
				err = fmt.Errorf("%w: it has no %s, but has %s with something in it", ErrForeign, formatName, name)
			}
			if err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: it has no %s, but has %s", ErrForeign, formatName, name)
		}
	}
	return nil
}

// A Listed is one backup, or why it cannot be read.
type Listed struct {
	ID       string
	Manifest *Manifest // nil if Err is not
	Err      error
}

// List returns the backups, oldest first.
func (s *Store) List() ([]Listed, error) {
	names, err := s.fs.List(s.join(backupsName))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var list []Listed
	for _, name := range names {
		id, isManifest := strings.CutSuffix(name, manifestSuffix)
		if !isManifest {
			continue
		}
		l := Listed{ID: id}
		var stored []byte
		if stored, l.Err = s.read(s.join(backupsName, name), manifestBytesMax); l.Err == nil {
			l.Manifest, l.Err = decodeManifest(id, stored)
		}
		list = append(list, l)
	}
	return list, nil
}

// Find returns the backup with an id, the newest if it is empty.
func (s *Store) Find(id string) (*Manifest, error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	for _, l := range slices.Backward(list) {
		if id == "" || l.ID == id {
			return l.Manifest, l.Err
		}
	}
	if id == "" {
		return nil, fmt.Errorf("%w: there is none in %s", ErrNoBackup, s.dir)
	}
	return nil, fmt.Errorf("%w: %s", ErrNoBackup, id)
}
