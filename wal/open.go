package wal

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// intent says what a store is expected to be. Pebble's own default creates what
// it does not find, which must never happen to a vault that has gone missing.
type intent int

const (
	existing intent = iota
	created
)

// prepare locks the data directory and sees to it that there is a store to open.
// It notes the directory's format, 0 if there is no FORMAT yet.
func (v *Vault) prepare() (err error) {
	if v.opts.ReadOnly {
		if _, err := v.opts.FS.Stat(v.opts.Dir); errors.Is(err, fs.ErrNotExist) {
			return ErrNoVault
		}
	} else if err := v.directory.make(); err != nil {
		return err
	}
	if v.lock, err = v.directory.lock(v.opts.Now()); err != nil {
		return err
	}
	v.format, err = v.directory.format()
	if err != nil || v.format != 0 {
		return err
	}
	foreign, vault, err := v.directory.foreign()
	switch {
	case err != nil:
		return err
	case foreign != "":
		return fmt.Errorf("%w: it has no %s, but has %s", ErrForeignDirectory, formatName, foreign)
	case v.opts.ReadOnly && !vault:
		return ErrNoVault
	case vault:
		return nil
	}
	return v.create()
}

// complete brings FORMAT to what this program writes, before it writes anything else:
// it is missing after a crash in the first opening, and older when an older program
// has had the directory. Nothing but FORMAT needs to be changed for that, because all
// that the older format has is read.
func (v *Vault) complete() error {
	if v.opts.ReadOnly || v.format == formatNumber {
		return nil
	}
	write := v.directory.writeFormat
	if v.format == 0 {
		write = v.adopt
	}
	if err := write(); err != nil {
		return err
	}
	v.format = formatNumber
	return nil
}

// create makes an empty store under another name and renames it when it is
// complete, because a crash while Pebble makes a store can leave one that cannot
// be opened.
func (v *Vault) create() error {
	// Whatever a crash has left here, nothing in it was acknowledged: that needs
	// the final name.
	path := v.directory.join(vaultNameTmp)
	if err := v.opts.FS.RemoveAll(path); err != nil {
		return err
	}
	db, err := v.openStore(vaultNameTmp, created)
	if err != nil {
		return err
	}
	var empty meta
	err = db.Set([]byte{prefixMeta}, empty.append(nil), pebble.Sync)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := v.opts.FS.Rename(path, v.directory.join(vaultName)); err != nil {
		return err
	}
	return v.directory.sync(v.directory.path)
}

// adopt gives a store without FORMAT its FORMAT: a crash came between the two.
// That cannot be if the store has held an entry, because entries are appended
// only afterwards.
func (v *Vault) adopt() error {
	if last := v.Last(); last != 0 {
		return fmt.Errorf("%w: %s is missing, and the vault holds entries up to position %d; "+
			"put the file back as it was", ErrForeignDirectory, formatName, last)
	}
	return v.directory.writeFormat()
}

func (v *Vault) openStore(name string, want intent) (db *store, err error) {
	path := v.directory.join(name)
	if want == existing {
		err = v.directory.checkLog(name)
	}
	if err == nil && want == existing && !v.opts.ReadOnly {
		err = v.settle(path)
	}
	if err == nil {
		db, err = v.openPebble(path, want)
	}
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return nil, &entry.DamagedError{What: fmt.Sprintf("there is no vault in %s: %v", path, err)}
	case pebble.IsCorruptionError(err):
		return nil, &entry.DamagedError{What: err.Error()}
	}
	return nil, err
}

// load reads meta and compares it with the newest entries. A vault opened for
// reading goes on without, so that Verify can look at the rest.
func (v *Vault) load() error {
	snapshot := v.db.NewSnapshot()
	defer func() { _ = snapshot.Close() }() // It has no error to return.
	m, err := readMeta(snapshot)
	if err == nil {
		err = checkNewest(snapshot, &m)
	}
	if err != nil && !v.opts.ReadOnly {
		return err
	}
	if v.suspect = err; err != nil {
		newest, err := newestHeader(snapshot)
		if err != nil {
			return err
		}
		m.last = max(m.last, newest)
	}
	v.publish(&m)
	return nil
}

// checkNewest sees whether the newest entries are those that meta counts.
func checkNewest(r pebble.Reader, m *meta) error {
	newest, err := newestHeader(r)
	if err != nil {
		return err
	}
	if newest > m.last {
		return &entry.DamagedError{Position: m.last + 1, What: fmt.Sprintf("meta ends at position %d", m.last)}
	}
	link, err := linkBefore(r, m.last+1)
	if err != nil {
		return err
	}
	link.next = newest + 1
	return link.end(m)
}
