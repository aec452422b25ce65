package wal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"markr/wal/entry"
)

// At returns the entry at a position, with its body unless it is a duplicate.
func (v *Vault) At(at entry.Position) (*entry.Entry, error) {
	snapshot, done, err := v.snapshot()
	if err != nil {
		return nil, err
	}
	defer done()
	h, err := v.headerAt(snapshot, at)
	if err != nil {
		return nil, err
	}
	e := &entry.Entry{Header: h}
	if h.Outcome == entry.Duplicate {
		return e, nil
	}
	stored, closer, err := get(snapshot, at, positionKey(nil, prefixBody, at))
	if errors.Is(err, entry.ErrNotFound) {
		return nil, &entry.DamagedError{Position: at, What: "body: missing"}
	}
	if err != nil {
		return nil, err
	}
	body, err := entry.DecodeBody(at, stored)
	e.Body = append(e.Body, body...)
	return e, errors.Join(err, closer.Close())
}

// Find returns the header of the entry with an import id.
func (v *Vault) Find(id uuid.UUID) (entry.Header, error) {
	snapshot, done, err := v.snapshot()
	if err != nil {
		return entry.Header{}, err
	}
	defer done()
	h, err := v.headerAt(snapshot, entry.IDPosition(id))
	if err == nil && h.ID != id {
		return entry.Header{}, entry.ErrNotFound
	}
	return h, err
}

// Headers returns up to limit headers before a position (0: from the newest on),
// newest first, only those with the outcome if it is not 0.
func (v *Vault) Headers(before entry.Position, outcome entry.Outcome, limit int) ([]entry.Header, error) {
	snapshot, done, err := v.snapshot()
	if err != nil {
		return nil, err
	}
	defer done()
	if end := v.Last() + 1; before == 0 || before > end {
		before = end
	}
	bounds := &pebble.IterOptions{
		LowerBound: positionKey(nil, prefixHeader, 0),
		UpperBound: positionKey(nil, prefixHeader, before),
	}
	indexed := outcome != 0 && outcome != entry.Accepted
	if indexed {
		bounds.LowerBound = outcomeKey(nil, outcome, 0)
		bounds.UpperBound = outcomeKey(nil, outcome, before)
	}
	iter, err := snapshot.NewIter(bounds)
	if err != nil {
		return nil, damage(0, err)
	}
	var headers []entry.Header
	for ok := iter.Last(); ok && len(headers) < limit; {
		h, err := listed(snapshot, iter, indexed, outcome)
		if err != nil {
			return nil, errors.Join(err, iter.Close())
		}
		if outcome == 0 || h.Outcome == outcome {
			headers = append(headers, h)
		}
		if outcome == entry.Accepted && h.Outcome == entry.Refused {
			ok = iter.SeekLT(positionKey(nil, prefixHeader, h.LastCounted+1))
		} else {
			ok = iter.Prev()
		}
	}
	if err := iter.Close(); err != nil {
		return nil, damage(0, err)
	}
	return headers, nil
}

// listed is the header that an iterator over headers, or over an outcome's index, is at.
func listed(r pebble.Reader, iter *pebble.Iterator, indexed bool, outcome entry.Outcome) (entry.Header, error) {
	at := keyPosition(iter.Key())
	if !indexed {
		stored, err := iter.ValueAndErr()
		if err != nil {
			return entry.Header{}, damage(at, err)
		}
		return entry.DecodeHeader(at, stored)
	}
	h, err := readHeader(r, at)
	switch {
	case errors.Is(err, entry.ErrNotFound):
		return h, &entry.DamagedError{Position: at, What: "the entry is missing; the outcome index has it"}
	case err == nil && h.Outcome != outcome:
		return h, &entry.DamagedError{Position: at, What: fmt.Sprintf("outcome index: it is not %v", outcome)}
	}
	return h, err
}

// snapshot returns a consistent view of the store, which stays open until done is
// called. It may show what is not on disk yet: readers have to stop at Last.
func (v *Vault) snapshot() (_ *pebble.Snapshot, done func(), err error) {
	release, err := v.use()
	if err != nil {
		return nil, nil, err
	}
	s := v.db.NewSnapshot()
	return s, func() {
		_ = s.Close() // It has no error to return.
		release()
	}, nil
}

// headerAt returns the header at a position that may have been dropped, or may
// never have been.
func (v *Vault) headerAt(r pebble.Reader, at entry.Position) (entry.Header, error) {
	if at == 0 || at > v.Last() {
		return entry.Header{}, notFound(at)
	}
	h, err := readHeader(r, at)
	if !errors.Is(err, entry.ErrNotFound) {
		return h, err
	}
	m, err := readMeta(r)
	if err != nil {
		return entry.Header{}, err
	}
	if at > m.droppedThrough {
		return entry.Header{}, &entry.DamagedError{Position: at, What: "the entry is missing"}
	}
	return entry.Header{}, notFound(at)
}

// readHeader reads the header at a position.
func readHeader(r pebble.Reader, at entry.Position) (entry.Header, error) {
	var key [positionKeySize]byte
	stored, closer, err := get(r, at, positionKey(key[:0], prefixHeader, at))
	if err != nil {
		return entry.Header{}, err
	}
	h, err := entry.DecodeHeader(at, stored)
	return h, errors.Join(err, closer.Close())
}

// readMeta reads the meta record. It is written before anything else, so it is
// never missing.
func readMeta(r pebble.Reader) (meta, error) {
	stored, closer, err := get(r, 0, []byte{prefixMeta})
	if errors.Is(err, entry.ErrNotFound) {
		return meta{}, &entry.DamagedError{What: "meta: missing"}
	}
	if err != nil {
		return meta{}, err
	}
	m, err := decodeMeta(stored)
	return m, errors.Join(err, closer.Close())
}

// closer gives back the memory of a value.
type closer interface{ Close() error }

// get reads a value, which is valid until the closer is closed. What is not there
// is an entry.ErrNotFound.
func get(r pebble.Reader, at entry.Position, key []byte) ([]byte, closer, error) {
	stored, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil, notFound(at)
	}
	if err != nil {
		return nil, nil, damage(at, err)
	}
	return stored, closer, nil
}

func notFound(at entry.Position) error {
	if at == 0 {
		return entry.ErrNotFound
	}
	return fmt.Errorf("position %d: %w", at, entry.ErrNotFound)
}

// damage makes what Pebble calls corruption a *entry.DamagedError for the
// position that was looked for; 0 if it was none. Other errors stay as they are.
func damage(at entry.Position, err error) error {
	if err != nil && pebble.IsCorruptionError(err) {
		return &entry.DamagedError{Position: at, What: err.Error()}
	}
	return err
}
