package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v3"

	"markr/wal/backup"
	"markr/wal/entry"
)

const restoreDescription = `Makes a data directory of a backup in DIR: the newest, or the one named by --backup. The data directory must not be there, or be empty. Every file is compared with its SHA-256 on the way; then the directory is opened and every entry in it is read, as ` + "`markr vault verify`" + ` does. Only then does it become a data directory, in one step; an interrupted restore is begun anew by the next one, and no server starts on it.

The files belong to who restores them: as root, give them to the server's user afterwards.

Exit status: 0 done, 1 failed: damaged, not empty, or the disk.`

func newRestore(std streams) *cli.Command {
	var (
		dataDir, id string
		asJSON      bool
	)
	return &cli.Command{
		Name:        "restore",
		Usage:       "make a data directory of a backup",
		UsageText:   "markr restore /mnt/backups --data-dir /var/lib/markr\nmarkr restore /mnt/backups --backup 20261126T160426.123456Z-17",
		ArgsUsage:   "DIR",
		Description: restoreDescription,
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "data-dir", Usage: "restore to `DIR`", Value: dataDirDefault, Destination: &dataDir,
				TakesFile: true, Validator: notEmpty,
			},
			chosenFlag(&id, "restore the backup with the `ID`; without it the newest"),
			jsonFlag("print one JSON object", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			dir, err := backupsDirectory(cmd)
			if err != nil {
				return err
			}
			if err := apart(dataDir, dir); err != nil {
				return err
			}
			return withBackups(dir, func(store *backup.Store) error {
				m, err := store.Find(id)
				if err != nil {
					return err
				}
				return restoreBackup(ctx, std, store, m, dataDir, asJSON)
			})
		},
	}
}

// restoreJSON is what was restored, for a program.
type restoreJSON struct {
	Backup  string    `json:"backup"`
	DataDir string    `json:"data_dir"`
	Taken   time.Time `json:"taken"`
	entry.Tip
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

func restoreBackup(ctx context.Context, std streams, store *backup.Store, m *backup.Manifest, dataDir string, asJSON bool) error {
	target, err := filepath.Abs(dataDir)
	if err != nil {
		return err
	}
	began := time.Now()
	copying := newByteProgress(std.err, m.Bytes())
	var checking *progress
	err = store.Restore(ctx, m, backup.Target{
		Dir: target, Progress: copying.set64,
		Entries: func(at entry.Position) {
			if checking == nil {
				copying.finish()
				checking = newProgress(std.err, int(m.Position), "positions")
			}
			checking.set(int(at))
		},
	})
	copying.finish()
	checking.finish()
	if errors.Is(err, backup.ErrNotEmpty) {
		return withHint(err, "name another directory with --data-dir, or move that one away; nothing in it was touched")
	}
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(std.out).Encode(restoreJSON{
			Backup: m.ID, DataDir: dataDir, Taken: m.Taken, Tip: m.Tip, Files: len(m.Files), Bytes: m.Bytes(),
		})
	}
	_, err = fmt.Fprintf(std.out, "restored %s to %s, position %d: %s in %s, every entry checked, %v\n",
		m.ID, dataDir, m.Position, approximate(m.Bytes()), counted(len(m.Files), "file"), time.Since(began).Round(time.Millisecond))
	return err
}
