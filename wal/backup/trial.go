package backup

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
)

// try puts a backup together in a directory of its own, of hard links, opens it, and
// sees whether it ends as its manifest says. With verify everything in it is read.
func (s *Store) try(ctx context.Context, m *Manifest, verify func(entry.Position)) error {
	trial := s.join(trialName)
	if err := s.fs.RemoveAll(trial); err != nil {
		return err
	}
	err := s.assemble(m, trial)
	if err == nil {
		err = s.look(ctx, m, trial, verify)
	}
	return errors.Join(err, s.fs.RemoveAll(trial))
}

func (s *Store) assemble(m *Manifest, dir string) error {
	for _, f := range m.Files {
		to := s.under(dir, f.Name)
		if err := s.fs.MkdirAll(s.fs.PathDir(to), 0o700); err != nil {
			return err
		}
		if err := vfs.LinkOrCopy(s.fs, s.join(filesName, f.SHA256), to); err != nil {
			return err
		}
	}
	return nil
}

// look opens a data directory that was made of a backup, and compares. What is wrong
// with it is a *DamagedError.
func (s *Store) look(ctx context.Context, m *Manifest, dir string, verify func(entry.Position)) error {
	vault, err := wal.Open(wal.Options{Dir: dir, FS: s.fs, ReadOnly: true, Now: s.now})
	if err != nil {
		return damagedBy(m, err)
	}
	tip, err := vault.Tip()
	if err == nil && !tip.Equal(&m.Tip) {
		err = &DamagedError{Backup: m.ID, What: fmt.Sprintf("it holds %v, it should hold %v", &tip, &m.Tip)}
	}
	if err == nil && verify != nil {
		var report wal.Report
		if report, err = vault.Verify(ctx, verify); err == nil {
			err = report.Err()
		}
	}
	return errors.Join(damagedBy(m, err), vault.Close())
}

// damagedBy names the backup in what a vault says of its damage.
func damagedBy(m *Manifest, err error) error {
	if errors.Is(err, entry.ErrDamaged) || errors.Is(err, wal.ErrNoVault) || errors.Is(err, wal.ErrForeignDirectory) {
		return &DamagedError{Backup: m.ID, What: err.Error()}
	}
	return err
}
