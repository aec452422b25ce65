package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"markr/wal/backup"
	"markr/wal/entry"
)

func newBackupList(std streams) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:        "list",
		Usage:       "show the backups in a directory, the newest last",
		UsageText:   "markr backup list /mnt/backups\nmarkr backup list /mnt/backups --json",
		ArgsUsage:   "DIR",
		Description: "One line per backup, from its manifest alone; `markr backup verify` reads what it holds. SIZE is what a restore takes; backups share what is the same. Exits 1 when a manifest is damaged.",
		Flags:       []cli.Flag{jsonFlag("print one JSON object per backup", &asJSON)},
		Action: func(_ context.Context, cmd *cli.Command) error {
			dir, err := backupsDirectory(cmd)
			if err != nil {
				return err
			}
			return withBackups(dir, func(store *backup.Store) error { return listBackups(std.out, store, asJSON) })
		},
	}
}

// withBackups opens a store, and closes it when look is done.
func withBackups(dir string, look func(*backup.Store) error) error {
	keepFilesPrivate()
	store, err := backup.Open(backup.Options{Dir: dir})
	if err != nil {
		return explainBackup(err, dir)
	}
	return errors.Join(explainBackup(look(store), dir), store.Close())
}

// listedJSON is one backup, for a program.
type listedJSON struct {
	Backup string    `json:"backup"`
	Taken  time.Time `json:"taken"`
	Markr  string    `json:"markr"`
	entry.Tip
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
	Error string `json:"error,omitempty"`
}

func listBackups(out io.Writer, store *backup.Store, asJSON bool) error {
	list, err := store.List()
	if err != nil {
		return err
	}
	var worst error
	rows := newTable(out)
	encoder := json.NewEncoder(out)
	if !asJSON && len(list) > 0 {
		rows.row("BACKUP", "TAKEN", "POSITION", "ENTRIES", "FILES", "SIZE", "PROBLEM")
	}
	for _, l := range list {
		wire := listedJSON{Backup: l.ID}
		if m := l.Manifest; m != nil {
			wire.Taken, wire.Markr, wire.Tip, wire.Files, wire.Bytes = m.Taken, m.Markr, m.Tip, len(m.Files), m.Bytes()
		} else {
			wire.Error = l.Err.Error()
			worst = l.Err
		}
		switch {
		case asJSON:
			err = encoder.Encode(wire)
		case l.Manifest != nil:
			rows.row(wire.Backup, formatTime(wire.Taken), wire.Position, kept(&wire.Tip), wire.Files, approximate(wire.Bytes))
		default:
			rows.row(wire.Backup, "", "", "", "", "", wire.Error)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(rows.flush(), worst)
}

// kept is how many entries a log holds.
func kept(tip *entry.Tip) uint64 { return uint64(tip.Position) - tip.Entries["dropped"] }

func newBackupVerify(std streams) *cli.Command {
	var (
		check  backup.Check
		asJSON bool
	)
	return &cli.Command{
		Name:        "verify",
		Usage:       "read backups and check that they are what was written",
		UsageText:   "markr backup verify /mnt/backups\nmarkr backup verify /mnt/backups --deep --backup 20261126T160426.123456Z-17",
		ArgsUsage:   "DIR",
		Description: "Reads every file of every backup, each once, and compares its SHA-256. With --deep each backup is also opened and every entry in it is read, as `markr vault verify` does; for that DIR must be writable. Exits 0 when all is whole; otherwise names what is damaged, in which backups, and exits 1.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "deep", Usage: "open each backup and read every entry", Destination: &check.Deep},
			chosenFlag(&check.ID, "look at the backup with the `ID` alone"),
			jsonFlag("print one JSON object", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			dir, err := backupsDirectory(cmd)
			if err != nil {
				return err
			}
			return withBackups(dir, func(store *backup.Store) error { return verifyBackups(ctx, std, store, check, asJSON) })
		},
	}
}

// chosenFlag names one backup.
func chosenFlag(id *string, usage string) cli.Flag {
	return &cli.StringFlag{Name: "backup", Usage: usage, Destination: id}
}

// verdictJSON tells a program.
type verdictJSON struct {
	Backups  int      `json:"backups"`
	Files    int      `json:"files"`
	Bytes    int64    `json:"bytes"`
	Findings []string `json:"findings"`
}

func verifyBackups(ctx context.Context, std streams, store *backup.Store, check backup.Check, asJSON bool) error {
	var bar *progress
	check.Progress = func(bytes, of int64) {
		if bar == nil {
			bar = newByteProgress(std.err, of)
		}
		bar.set64(bytes)
	}
	verdict, err := store.Verify(ctx, check)
	bar.finish()
	if err != nil {
		return err
	}
	wire := verdictJSON{Backups: verdict.Backups, Files: verdict.Files, Bytes: verdict.Bytes, Findings: []string{}}
	for _, finding := range verdict.Findings {
		wire.Findings = append(wire.Findings, finding.Error())
	}
	if asJSON {
		err = json.NewEncoder(std.out).Encode(wire)
	} else {
		err = wire.write(std.out)
	}
	if err != nil || len(verdict.Findings) == 0 {
		return err
	}
	return withHint(fmt.Errorf("%s: %w", store.Dir(), verdict.Findings[0]),
		"remove the damaged backup's file from backups/, or the damaged file from files/, and make a new backup")
}

func (v *verdictJSON) write(out io.Writer) error {
	for _, finding := range v.Findings {
		if _, err := fmt.Fprintln(out, finding); err != nil {
			return err
		}
	}
	verdict := "all is whole"
	if n := len(v.Findings); n > 0 {
		verdict = counted(n, "finding")
	}
	_, err := fmt.Fprintf(out, "%s, %s, %s: %s\n", counted(v.Backups, "backup"), counted(v.Files, "file"), approximate(v.Bytes), verdict)
	return err
}
