package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"markr/wal/entry"
)

// restoringName is where a data directory is put together, inside of itself. A vault
// does not open a directory without FORMAT that has it.
const restoringName = "restoring"

// A Target is where a backup is restored to.
type Target struct {
	// Dir is the data directory to be made; it must not be there, or be empty.
	Dir string
	// Progress, if it is not nil, is told how many bytes have been copied; Entries how
	// far the check that follows has come.
	Progress func(bytes int64)
	Entries  func(at entry.Position)
}

// Restore makes a data directory of a backup. When it returns without an error the
// directory is complete, on disk, and every entry in it has been read and checked. After
// an error it is no data directory, and the next Restore begins anew.
//
// The error is [ErrNotEmpty], a *[DamagedError], or the disk's.
func (s *Store) Restore(ctx context.Context, m *Manifest, target Target) error {
	if err := s.restore(ctx, m, target); err != nil {
		return fmt.Errorf("restore to %s: %w", target.Dir, err)
	}
	return nil
}

func (s *Store) restore(ctx context.Context, m *Manifest, target Target) error {
	if err := s.makeDir(target.Dir); err != nil {
		return err
	}
	restoring := s.fs.PathJoin(target.Dir, restoringName)
	if err := s.clear(target.Dir, restoring); err != nil {
		return err
	}
	if err := s.fs.MkdirAll(restoring, 0o700); err != nil {
		return err
	}
	if err := s.sync(target.Dir); err != nil {
		return err
	}
	if err := s.copyAll(ctx, m, restoring, target.Progress); err != nil {
		return err
	}
	entries := target.Entries
	if entries == nil {
		entries = func(entry.Position) {}
	}
	if err := s.look(ctx, m, restoring, entries); err != nil {
		return err
	}
	return s.settleIn(m, target.Dir, restoring)
}

// clear refuses a directory that is not empty, and removes what an interrupted restore
// has left: all of it goes first but the directory that says so.
func (s *Store) clear(dir, restoring string) error {
	names, err := s.fs.List(dir)
	if err != nil {
		return err
	}
	// The first is what a fresh ext4 volume has at its root, the others are left by who
	// has looked for a vault here.
	names = slices.DeleteFunc(names, func(name string) bool { return name == "lost+found" || name == lockName || name == "HOLDER" })
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	if slices.Contains(names, formatName) || !slices.Contains(names, restoringName) {
		return fmt.Errorf("%w: it has %s", ErrNotEmpty, strings.Join(names[:min(len(names), 5)], ", "))
	}
	for _, name := range names {
		if name != restoringName && name != "vault" && name != "checkpoint" {
			return fmt.Errorf("%w: it has %s", ErrNotEmpty, name)
		}
	}
	for _, name := range names {
		if name != restoringName {
			if err := s.fs.RemoveAll(s.fs.PathJoin(dir, name)); err != nil {
				return err
			}
		}
	}
	if err := s.sync(dir); err != nil {
		return err
	}
	return s.fs.RemoveAll(restoring)
}

// copyAll copies every file, durably, and compares it on the way.
func (s *Store) copyAll(ctx context.Context, m *Manifest, dir string, progress func(int64)) error {
	copied := int64(0)
	pump := s.newPump(0, func(n int64) {
		copied += n
		if progress != nil {
			progress(copied)
		}
	})
	dirs := map[string]bool{dir: true}
	for _, f := range m.Files {
		to := s.under(dir, f.Name)
		if parent := s.fs.PathDir(to); !dirs[parent] {
			dirs[parent] = true
			if err := s.fs.MkdirAll(parent, 0o700); err != nil {
				return err
			}
		}
		size, digest, err := pump.copy(ctx, s.join(filesName, f.SHA256), to)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if what := wrongWith(f, size, digest, err); what != "" {
			return &DamagedError{Backup: m.ID, File: f.Name, What: what}
		}
	}
	for dir := range dirs {
		if err := s.sync(dir); err != nil {
			return err
		}
	}
	return nil
}

// settleIn moves the parts of a data directory to their place, FORMAT last.
func (s *Store) settleIn(m *Manifest, dir, restoring string) error {
	parts := make(map[string]bool)
	for _, f := range m.Files {
		part, _, _ := strings.Cut(f.Name, "/")
		parts[part] = part != formatName
	}
	for part, move := range parts {
		if move {
			if err := s.fs.Rename(s.fs.PathJoin(restoring, part), s.fs.PathJoin(dir, part)); err != nil {
				return err
			}
		}
	}
	if err := s.sync(dir); err != nil {
		return err
	}
	if err := s.fs.Rename(s.fs.PathJoin(restoring, formatName), s.fs.PathJoin(dir, formatName)); err != nil {
		return err
	}
	if err := s.sync(dir); err != nil {
		return err
	}
	return errors.Join(s.fs.RemoveAll(restoring), s.sync(dir))
}
