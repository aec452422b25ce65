package wal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// formatNumber is the format of the data directory: of everything in it. One of the
// format before, which had no events, is raised to it when it is opened.
const (
	formatNumber         = 3
	formatNumberNoEvents = 2
)

// The files of a data directory.
const (
	formatName    = "FORMAT"
	formatNameTmp = "FORMAT.tmp"
	lockName      = "LOCK"
	holderName    = "HOLDER"
	vaultName     = "vault"
	vaultNameTmp  = "vault.tmp"
)

const formatTitle = "markr data directory"

// textBytesMax bounds the reading of FORMAT and HOLDER, which are a few lines.
const textBytesMax = 4 << 10

// directory is a data directory: its layout, apart from what Pebble keeps.
type directory struct {
	fs   vfs.FS
	path string
}

func (d directory) join(name string) string { return d.fs.PathJoin(d.path, name) }

// make creates the directory if it is not there, one level at a time: when a
// level is there, the entries of all levels above it are on disk, but perhaps not
// its own, if a crash came between. So the deepest existing level's entry is
// synced too.
func (d directory) make() error {
	var missing []string // deepest first
	existing := d.path
	for {
		_, err := d.fs.Stat(existing)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		missing = append(missing, existing)
		existing = d.fs.PathDir(existing)
	}
	// A directory whose parent may not even be read was not made by us.
	if err := d.sync(d.fs.PathDir(existing)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	for _, level := range slices.Backward(missing) {
		if err := d.fs.MkdirAll(level, 0o700); err != nil {
			return err
		}
		if err := d.sync(d.fs.PathDir(level)); err != nil {
			return err
		}
	}
	return nil
}

// sync makes a directory's entries durable.
func (d directory) sync(path string) error {
	f, err := d.fs.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// format is the number in FORMAT, 0 if the file is not there. One that this program
// does not read is a *FormatError.
func (d directory) format() (int, error) {
	text, err := d.readText(formatName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	title, rest, _ := strings.Cut(text, "\n")
	number, ok := strings.CutPrefix(strings.TrimSuffix(rest, "\n"), "format ")
	switch {
	case title != formatTitle || !ok:
		return 0, &FormatError{Dir: d.path, Found: fmt.Sprintf("an unreadable %s file", formatName)}
	case number == strconv.Itoa(formatNumber):
		return formatNumber, nil
	case number == strconv.Itoa(formatNumberNoEvents):
		return formatNumberNoEvents, nil
	}
	return 0, &FormatError{Dir: d.path, Found: strconv.Quote(number)}
}

// writeFormat puts FORMAT in its place, whole or not at all.
func (d directory) writeFormat() error {
	text := fmt.Sprintf("%s\nformat %d\n", formatTitle, formatNumber)
	if err := d.writeText(formatNameTmp, text); err != nil {
		return err
	}
	if err := d.fs.Rename(d.join(formatNameTmp), d.join(formatName)); err != nil {
		return err
	}
	return d.sync(d.path)
}

// foreign returns the name of a file that is not of our making, if there is one,
// and whether there is a vault already. It is asked when FORMAT is missing.
func (d directory) foreign() (name string, vault bool, err error) {
	names, err := d.fs.List(d.path)
	if err != nil {
		return "", false, err
	}
	slices.Sort(names)
	for _, name := range names {
		switch name {
		case formatNameTmp, lockName, holderName, vaultNameTmp, checkpointName, checkpointNameTmp,
			snapshotsName, ControlSocketName, lastBackupName, lastBackupNameTmp, "lost+found":
			// The last is what a fresh ext4 volume has at its root.
		case vaultName:
			vault = true
		default:
			return name, vault, nil
		}
	}
	return "", vault, nil
}

func (d directory) readText(name string) (string, error) {
	f, err := d.fs.Open(d.join(name))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, textBytesMax))
	return string(text), errors.Join(err, f.Close())
}

func (d directory) writeText(name, text string) error {
	f, err := d.fs.Create(d.join(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
