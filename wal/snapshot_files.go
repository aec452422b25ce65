package wal

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal/entry"
)

// snapshotsName is the directory of the snapshots.
const snapshotsName = "snapshots"

// ControlSocketName is where, in a data directory, whoever holds it may listen for who
// may read it. The vault only knows that the file is none of somebody else's.
const ControlSocketName = "control.sock"

// pebbleLockName is in every store and belongs to who has it open.
const pebbleLockName = "LOCK"

// files lists all that a data directory, or a copy of one, consists of.
func (d directory) files() ([]entry.File, error) {
	names := []string{formatName, checkpointName}
	inVault, err := d.fs.List(d.join(vaultName))
	if err != nil {
		return nil, err
	}
	slices.Sort(inVault)
	for _, name := range inVault {
		if name != pebbleLockName {
			names = append(names, vaultName+"/"+name)
		}
	}
	var files []entry.File
	for _, name := range names {
		info, err := d.fs.Stat(d.fs.PathJoin(append([]string{d.path}, strings.Split(name, "/")...)...))
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == checkpointName:
			continue
		case err != nil:
			return nil, err
		case info.IsDir():
			continue // None that Pebble would make.
		}
		files = append(files, entry.File{Name: name, Size: info.Size(), Frozen: strings.HasSuffix(name, tableSuffix)})
	}
	return files, nil
}

// trimLogs takes from each copy of a log what is behind its last whole chunk: space
// that Pebble has allocated ahead, or what is left of an older use of the file.
func (d directory) trimLogs(store string) error {
	names, err := d.fs.List(d.join(store))
	if err != nil {
		return err
	}
	for _, name := range names {
		digits, isLog := strings.CutSuffix(name, logSuffix)
		number, err := strconv.ParseUint(digits, 10, 64)
		if !isLog || err != nil {
			continue
		}
		if err := d.trimLog(d.fs.PathJoin(d.join(store), name), uint32(number)); err != nil {
			return err
		}
	}
	return nil
}

func (d directory) trimLog(log string, number uint32) error {
	info, err := d.fs.Stat(log)
	if err != nil {
		return err
	}
	end, err := d.endOfLog(log, number)
	if err != nil || end == info.Size() {
		return err
	}
	trimmed := log + ".tmp"
	if err := vfs.LimitedCopy(d.fs, log, trimmed, end); err != nil {
		return err
	}
	return d.fs.Rename(trimmed, log)
}

// endOfLog is where the first chunk of a log begins that is not whole.
func (d directory) endOfLog(log string, number uint32) (int64, error) {
	f, err := d.fs.Open(log)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // It was only read.
	block := make([]byte, logBlockBytes)
	for end := int64(0); ; end += logBlockBytes {
		n, err := io.ReadFull(f, block)
		switch {
		case errors.Is(err, io.EOF):
			return end, nil
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
			return 0, err
		}
		// The rest of a block that holds no head is left empty.
		if whole := chunksThrough(block[:n], number); n < logBlockBytes || n-whole >= chunkHeadBytes {
			return end + int64(whole), nil
		}
	}
}
