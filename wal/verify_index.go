package wal

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"markr/wal/entry"
)

// indexRecords checks that every index has the entry, and has it right.
func (w *verifier) indexRecords(h *entry.Header, bytes uint64) error {
	if err := w.indexed("id", h.Position, h.Position, idKey(nil, h.ID)); err != nil {
		return err
	}
	switch h.Outcome {
	case entry.Accepted:
		if err := w.indexed("digest", h.Position, h.Position, digestKey(nil, &h.Digest)); err != nil {
			return err
		}
	case entry.Duplicate:
		if err := w.indexed("digest", h.Position, h.DuplicateOf, digestKey(nil, &h.Digest)); err != nil {
			return err
		}
	case entry.Refused:
	}
	return w.outcomeRecord(h, bytes)
}

// indexed checks that an index record of the entry at a position holds want.
func (w *verifier) indexed(index string, at, want entry.Position, key []byte) error {
	got, err := getPosition(w.store, key)
	switch {
	case errors.Is(err, entry.ErrNotFound):
		w.findf(at, "%s index: the entry is not in it", index)
	case err != nil:
		return w.find(err)
	case got != want:
		w.findf(at, "%s index: it has position %d instead of %d", index, got, want)
	default:
		return nil
	}
	w.indexDiffers = true
	return nil
}

// outcomeRecord checks an entry's record in the outcome index; that of a refused
// entry holds its ticket.
func (w *verifier) outcomeRecord(h *entry.Header, bytes uint64) error {
	stored, closer, err := get(w.store, h.Position, outcomeKey(nil, h.Outcome, h.Position))
	if errors.Is(err, entry.ErrNotFound) {
		w.indexDiffers = true
		w.findf(h.Position, "outcome index: the entry is not in it")
		return nil
	}
	if err != nil {
		return w.find(err)
	}
	defer func() { _ = closer.Close() }() // It has no error to return.
	if h.Outcome != entry.Refused {
		if len(stored) != 0 {
			w.findf(h.Position, "outcome index: %d bytes too many", len(stored))
		}
		return nil
	}
	got, err := decodeTicket(h.Position, stored)
	if err != nil {
		return w.find(err)
	}
	if want := (ticket{bytes: bytes, size: uint64(h.Size), id: h.ID}); got != want {
		w.findf(h.Position, "ticket: %+v instead of %+v", got, want)
	}
	return nil
}

// indexes checks that the indexes hold nothing but the entries. If every entry is
// in them and they have as many records as there are entries, that is so; only
// otherwise is each record followed.
func (w *verifier) indexes(ctx context.Context) error {
	if err := w.strangers(); err != nil {
		return err
	}
	entries := w.counts.accepted.entries + w.counts.refused.entries + w.counts.duplicates.entries
	for _, index := range [...]struct {
		prefix  byte
		records uint64
		follow  func(key, value []byte) error
	}{
		{prefixID, entries, w.followID},
		{prefixDigest, w.counts.accepted.entries, w.followDigest},
		{prefixOutcome, entries, w.followOutcome},
	} {
		records := uint64(0)
		count := func(_, _ []byte) error {
			records++
			return nil
		}
		if err := w.each(ctx, prefixRange(index.prefix), count); err != nil {
			return err
		}
		if records == index.records && !w.indexDiffers {
			continue
		}
		if err := w.each(ctx, prefixRange(index.prefix), index.follow); err != nil {
			return err
		}
	}
	return nil
}

// each calls fn with all records of a range.
func (w *verifier) each(ctx context.Context, bounds *pebble.IterOptions, fn func(key, value []byte) error) error {
	iter, err := w.store.NewIter(bounds)
	if err != nil {
		return w.find(damage(0, err))
	}
	defer func() { _ = iter.Close() }() // Its error has been seen.
	for ok := iter.First(); ok; ok = iter.Next() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		value, err := iter.ValueAndErr()
		if err != nil {
			return w.find(damage(0, err))
		}
		if err := fn(iter.Key(), value); err != nil {
			return err
		}
	}
	return w.find(damage(0, iter.Error()))
}

func (w *verifier) followID(key, value []byte) error {
	id, err := uuid.FromBytes(key[1:])
	if err != nil {
		w.findf(0, "id index: a key of %d bytes", len(key))
		return nil //nolint:nilerr // Reported.
	}
	return w.follow(fmt.Sprintf("id index: %v", id), valuePosition(value),
		func(h *entry.Header) bool { return h.ID == id })
}

func (w *verifier) followDigest(key, value []byte) error {
	return w.follow(fmt.Sprintf("digest index: %x", key[1:]), valuePosition(value), func(h *entry.Header) bool {
		return string(h.Digest[:]) == string(key[1:]) && h.Outcome == entry.Accepted
	})
}

func (w *verifier) followOutcome(key, _ []byte) error {
	return w.follow("outcome index: a record", keyPosition(key),
		func(h *entry.Header) bool { return len(key) == outcomeKeySize && byte(h.Outcome) == key[1] })
}

// follow checks that what an index record leads to belongs to it.
func (w *verifier) follow(record string, at entry.Position, belongs func(*entry.Header) bool) error {
	h, err := readHeader(w.store, at)
	switch {
	case errors.Is(err, entry.ErrNotFound):
		w.findf(at, "%s leads here, where no entry is", record)
	case errors.Is(err, entry.ErrDamaged), errors.Is(err, entry.ErrUnknownVersion):
		// It has been reported.
	case err != nil:
		return err
	case !belongs(&h):
		w.findf(at, "%s leads here, to another entry", record)
	}
	return nil
}

// strangers reports keys that are not of the key space.
func (w *verifier) strangers() error {
	var after []byte
	for _, prefix := range [...]byte{prefixBody, prefixDigest, prefixHeader, prefixID, prefixMeta, prefixOutcome} {
		if err := w.strangersIn(&pebble.IterOptions{LowerBound: after, UpperBound: []byte{prefix}}); err != nil {
			return err
		}
		after = []byte{prefix + 1}
	}
	if err := w.strangersIn(&pebble.IterOptions{LowerBound: []byte{prefixMeta, 0}, UpperBound: []byte{prefixMeta + 1}}); err != nil {
		return err
	}
	return w.strangersIn(&pebble.IterOptions{LowerBound: after})
}

func (w *verifier) strangersIn(bounds *pebble.IterOptions) error {
	iter, err := w.store.NewIter(bounds)
	if err != nil {
		return w.find(damage(0, err))
	}
	for ok := iter.First(); ok; ok = iter.Next() {
		w.findf(0, "a key that is no entry's: %x", iter.Key())
	}
	return w.find(damage(0, iter.Close()))
}
