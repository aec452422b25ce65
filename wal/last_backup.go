package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"markr/wal/entry"
)

// The file that remembers the newest backup, for the metrics of the next process.
const (
	lastBackupName    = "last-backup"
	lastBackupNameTmp = "last-backup.tmp"
)

// A lastBackup is what is known of the newest backup.
type lastBackup struct {
	id       string
	position entry.Position
	taken    time.Time
}

// rememberBackup makes a backup the newest one.
func (v *Vault) rememberBackup(b *lastBackup) error {
	v.lastBackup.Store(b)
	if err := v.directory.writeLastBackup(b); err != nil {
		return fmt.Errorf("remember backup %s: %w", b.id, err)
	}
	return nil
}

func (d directory) writeLastBackup(b *lastBackup) error {
	text := fmt.Sprintf("backup %s\nposition %d\ntaken %s\n", b.id, b.position, b.taken.Format(time.RFC3339))
	if err := d.writeText(lastBackupNameTmp, text); err != nil {
		return err
	}
	if err := d.fs.Rename(d.join(lastBackupNameTmp), d.join(lastBackupName)); err != nil {
		return err
	}
	return d.sync(d.path)
}

// readLastBackup is nil if nothing is known. Nothing depends on the file, so what is
// wrong with it is as good as its absence.
func (d directory) readLastBackup() (*lastBackup, error) {
	text, err := d.readText(lastBackupName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var b lastBackup
	var taken string
	if _, err := fmt.Sscanf(text, "backup %s\nposition %d\ntaken %s\n", &b.id, &b.position, &taken); err != nil {
		return nil, fmt.Errorf("read %s: %w", lastBackupName, err)
	}
	if b.taken, err = time.Parse(time.RFC3339, taken); err != nil {
		return nil, fmt.Errorf("read %s: %w", lastBackupName, err)
	}
	return &b, nil
}
