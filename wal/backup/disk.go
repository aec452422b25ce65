package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/time/rate"
)

// How much is read at a time: with a rate a quarter of a second's, so that it is kept
// evenly.
const (
	bufferBytes    = 256 << 10
	bufferBytesMin = 4 << 10
	bufferShare    = 4
)

func (s *Store) join(names ...string) string {
	return s.fs.PathJoin(append([]string{s.dir}, names...)...)
}

// under is a file of a data directory in a directory.
func (s *Store) under(dir, name string) string {
	return s.fs.PathJoin(append([]string{dir}, strings.Split(name, "/")...)...)
}

// makeDir makes a directory with all that is above it, durably.
func (s *Store) makeDir(dir string) error {
	var missing []string // deepest first
	for level := dir; ; level = s.fs.PathDir(level) {
		_, err := s.fs.Stat(level)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, level)
	}
	for _, level := range slices.Backward(missing) {
		if err := s.fs.MkdirAll(level, 0o700); err != nil {
			return err
		}
		if err := s.sync(s.fs.PathDir(level)); err != nil {
			return err
		}
	}
	return nil
}

// sync makes a directory's entries durable.
func (s *Store) sync(dir string) error {
	f, err := s.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFile makes a file's content durable.
func (s *Store) syncFile(name string) error {
	f, err := s.fs.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s *Store) read(name string, bytesMax int64) ([]byte, error) {
	f, err := s.fs.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, bytesMax))
	return text, errors.Join(err, f.Close())
}

func (s *Store) writeText(name, text string) error {
	f, err := s.fs.Create(s.join(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// A pump moves bytes: no faster than it may, until it is told to stop.
type pump struct {
	fs     vfs.FS
	limit  *rate.Limiter // nil: none
	moved  func(bytes int64)
	buffer []byte
}

func (s *Store) newPump(bytesPerSecondMax int64, moved func(int64)) *pump {
	p := &pump{fs: s.fs, moved: moved}
	size := int64(bufferBytes)
	if bytesPerSecondMax > 0 {
		size = max(min(size, bytesPerSecondMax/bufferShare), bufferBytesMin)
		p.limit = rate.NewLimiter(rate.Limit(bytesPerSecondMax), int(size))
	}
	p.buffer = make([]byte, size)
	return p
}

// copy copies a file, durably, and returns its size and SHA-256 as they were read.
func (p *pump) copy(ctx context.Context, from, to string) (size int64, digest string, err error) {
	f, err := p.fs.Create(to, vfs.WriteCategoryUnspecified)
	if err != nil {
		return 0, "", err
	}
	// Written back as it goes: a burst at the end would be felt by the server's syncs.
	f = vfs.NewSyncingFile(f, vfs.SyncingFileOptions{BytesPerSync: 4 * bufferBytes})
	size, digest, err = p.read(ctx, from, f)
	if err == nil {
		err = f.Sync()
	}
	return size, digest, errors.Join(err, f.Close())
}

// hash returns a file's size and SHA-256.
func (p *pump) hash(ctx context.Context, name string) (size int64, digest string, err error) {
	return p.read(ctx, name, io.Discard)
}

func (p *pump) read(ctx context.Context, from string, to io.Writer) (size int64, digest string, err error) {
	f, err := p.fs.Open(from, vfs.SequentialReadsOption)
	if err != nil {
		return 0, "", err
	}
	hash := sha256.New()
	for {
		if err = context.Cause(ctx); err != nil {
			break
		}
		n, readErr := f.Read(p.buffer)
		if p.limit != nil && n > 0 {
			if err = p.limit.WaitN(ctx, n); err != nil {
				if cause := context.Cause(ctx); cause != nil {
					err = cause
				}
				break
			}
		}
		hash.Write(p.buffer[:n]) // Never fails.
		if _, err = to.Write(p.buffer[:n]); err != nil {
			break
		}
		size += int64(n)
		if p.moved != nil {
			p.moved(int64(n))
		}
		if errors.Is(readErr, io.EOF) {
			break
		}
		if err = readErr; err != nil {
			err = fmt.Errorf("read %s: %w", from, err)
			break
		}
	}
	return size, hex.EncodeToString(hash.Sum(nil)), errors.Join(err, f.Close())
}
