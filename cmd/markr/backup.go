package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"markr/wal/backup"
	"markr/wal/entry"
)

const backupDescription = `Copies the data directory to DIR as it is at one position. A running server goes on taking imports meanwhile: it is asked through the control socket in its data directory, so be the user who runs it, or root. Without a server the directory is copied as it lies.

DIR holds many backups, and what is the same in several of them once, so the next one moves only what is new. On the file system of the data directory tables are hard links: that takes no time and no space, and is lost with the disk. A DIR on another disk, or --copy, is copied to.

When it says that it is done, the backup is on disk, what is new has been read back, and the backup has been opened and ends where the server said. An interrupted one leaves nothing that counts; the next run goes on from there.

Exit status: 0 done, 1 failed, 4 the server does not answer.`

// backupOptions are the flags of the verb.
type backupOptions struct {
	dataDir string
	copy    bool
	rate    int64 // bytes a second; 0: no limit
	keep    int   // backups; 0: all
	asJSON  bool
}

func newBackup(std streams) *cli.Command {
	var o backupOptions
	return &cli.Command{
		Name:        "backup",
		Usage:       "copy the data directory, of a running server too",
		UsageText:   "markr backup /mnt/backups --data-dir /var/lib/markr\nmarkr backup /mnt/backups --keep 14 --rate 50MiB\nmarkr backup verify /mnt/backups --deep",
		ArgsUsage:   "DIR",
		Description: backupDescription,
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "data-dir", Usage: "back up `DIR`", Value: dataDirDefault, Destination: &o.dataDir,
				TakesFile: true, Validator: notEmpty,
			},
			&cli.BoolFlag{Name: "copy", Usage: "copy where hard links could be made, and what earlier runs have linked", Destination: &o.copy},
			&sizeFlag{Name: "rate", Usage: "read at most `SIZE` per second of the data directory; 0 is no limit", Destination: &o.rate},
			&cli.IntFlag{
				Name: "keep", Usage: "then remove all but the newest `N` backups; 0 keeps all", Destination: &o.keep,
				Validator: func(n int) error { return notNegative(time.Duration(n)) },
			},
			jsonFlag("print one JSON object", &o.asJSON),
		},
		Commands: []*cli.Command{newBackupList(std), newBackupVerify(std)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			dir, err := backupsDirectory(cmd)
			if err != nil {
				return err
			}
			return makeBackup(ctx, std, dir, &o)
		},
	}
}

// backupsDirectory is the one argument of the verbs about backups.
func backupsDirectory(cmd *cli.Command) (string, error) {
	if dir := cmd.Args().First(); dir != "" {
		return dir, atMostArguments(cmd, 1)
	}
	return "", withHint(usageError(errors.New("which directory of backups?")), fmt.Sprintf("name it, see `%s --help`", cmd.FullName()))
}

// makeBackup makes one and tells of it.
func makeBackup(ctx context.Context, std streams, dir string, o *backupOptions) error {
	keepFilesPrivate()
	if err := isThere(o.dataDir); err != nil {
		return err
	}
	if err := apart(o.dataDir, dir); err != nil {
		return err
	}
	store, err := backup.Create(backup.Options{Dir: dir})
	if err != nil {
		return explainBackup(err, dir)
	}
	err = backUpInto(ctx, std, store, dir, o)
	return errors.Join(err, store.Close())
}

func backUpInto(ctx context.Context, std streams, store *backup.Store, dir string, o *backupOptions) error {
	began := time.Now()
	held, source, err := openSource(ctx, o.dataDir)
	if err != nil {
		return err
	}
	bar := newByteProgress(std.err, totalOf(&source.snapshot))
	added, err := store.Add(held, backup.Source{
		Dir: source.dir, Snapshot: source.snapshot, Markr: readBuild().Version,
		Copy: o.copy, BytesPerSecondMax: o.rate, Progress: bar.set64,
	})
	bar.finish()
	if err != nil {
		return explainBackup(errors.Join(err, source.end("")), dir)
	}
	if err := source.end(added.Manifest.ID); err != nil {
		note(std.err, "markr: warning: the backup is whole, but the server could not be told: %v", err)
	}
	removed, freed, err := store.Keep(o.keep)
	told := backupJSON{
		Backup: added.Manifest.ID, Taken: added.Manifest.Taken, Tip: added.Manifest.Tip,
		Running: source.running, Files: len(added.Manifest.Files), Bytes: added.Manifest.Bytes(),
		NewFiles: added.NewFiles, NewBytes: added.NewBytes, LinkedBytes: added.LinkedBytes,
		Removed: append([]string{}, removed...), FreedBytes: freed,
	}
	if o.asJSON {
		return errors.Join(json.NewEncoder(std.out).Encode(told), explainKeep(err, dir))
	}
	return errors.Join(told.write(std.out, time.Since(began)), explainKeep(err, dir))
}

func totalOf(s *entry.Snapshot) int64 {
	sum := int64(0)
	for _, f := range s.Files {
		sum += f.Size
	}
	return sum
}

// backupJSON is what a backup was, for a program.
type backupJSON struct {
	Backup string    `json:"backup"`
	Taken  time.Time `json:"taken"`
	entry.Tip
	Running     bool     `json:"running"` // a server had the data directory
	Files       int      `json:"files"`
	Bytes       int64    `json:"bytes"`
	NewFiles    int      `json:"new_files"`
	NewBytes    int64    `json:"new_bytes"`
	LinkedBytes int64    `json:"linked_bytes"`
	Removed     []string `json:"removed"`
	FreedBytes  int64    `json:"freed_bytes"`
}

// write tells a person.
func (b *backupJSON) write(out io.Writer, took time.Duration) error {
	_, err := fmt.Fprintf(out, "backup %s, position %d: %s in %s, new are %s (%s of it linked), checked, %v\n",
		b.Backup, b.Position, approximate(b.Bytes), counted(b.Files, "file"), approximate(b.NewBytes), approximate(b.LinkedBytes),
		took.Round(time.Millisecond))
	for _, id := range b.Removed {
		if err == nil {
			_, err = fmt.Fprintf(out, "removed %s\n", id)
		}
	}
	return err
}

// explainKeep says what to do when old backups cannot be removed.
func explainKeep(err error, dir string) error {
	if err == nil {
		return nil
	}
	return withHint(fmt.Errorf("the new backup is whole; remove old ones: %w", err),
		fmt.Sprintf("`markr backup verify %s` says what is damaged; remove that backup's file from %s/backups", dir, dir))
}

// explainBackup says what to do when backups cannot be made or read.
func explainBackup(err error, dir string) error {
	switch {
	case errors.Is(err, backup.ErrLocked):
		return withHint(err, "one at a time: wait until the other is done")
	case errors.Is(err, backup.ErrForeign):
		return withHint(err, "name an empty directory, or one that is not there; nothing in this one was touched")
	case errors.Is(err, backup.ErrUnknownFormat):
		return withHint(err, newerHint)
	case errors.Is(err, backup.ErrNoBackup):
		return withHint(err, fmt.Sprintf("`markr backup list %s` shows those that are there", dir))
	case errors.Is(err, backup.ErrDamaged):
		return withHint(err, fmt.Sprintf("`markr backup verify %s` says what is damaged; another backup may be whole, see `markr backup list %s`", dir, dir))
	case errors.Is(err, syscall.ENOSPC):
		return withHint(err, "make room on that disk, and run it again: it goes on from there")
	}
	return err
}
