package wal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// indexRecords checks that the indexes have what they should have of the entry.
func (w *verifier) indexRecords(h *entry.Header, bytes uint64) error {
	switch h.Outcome {
	case entry.Accepted:
		return w.digestRecord(h, h.Position)
	case entry.Duplicate:
		if err := w.digestRecord(h, h.DuplicateOf); err != nil {
			return err
		}
	case entry.Refused, entry.Event:
	}
	return w.outcomeRecord(h, bytes)
}

// digestRecord checks that the record of an entry's digest leads to want.
func (w *verifier) digestRecord(h *entry.Header, want entry.Position) error {
	stored, closer, err := get(w.store, h.Position, digestKey(nil, &h.Digest))
	switch {
	case errors.Is(err, entry.ErrNotFound):
		w.findf(h.Position, "digest index: the entry is not in it")
	case err != nil:
		return w.find(err)
	default:
		defer func() { _ = closer.Close() }() // It has no error to return.
		got := decodePositions(stored)
		if slices.Contains(got, want) {
			return nil
		}
		w.findf(h.Position, "digest index: it has position %d instead of %d", got[0], want)
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
	if want := (ticket{bytes: bytes, size: uint64(h.Size)}); got != want {
		w.findf(h.Position, "ticket: %+v instead of %+v", got, want)
	}
	return nil
}

// indexes checks that the indexes hold nothing but the entries. If every entry is
// in them and they lead to as many as there are, that is so; only
// otherwise is each record followed.
func (w *verifier) indexes(ctx context.Context) error {
	if err := w.strangers(); err != nil {
		return err
	}
	for _, index := range [...]struct {
		prefix  byte
		entries uint64
		has     func(value []byte) int
		follow  func(key, value []byte) error
	}{
		{prefixDigest, w.counts.accepted.entries, func(value []byte) int { return len(decodePositions(value)) }, w.followDigest},
		{prefixOutcome, w.counts.refused.entries + w.counts.duplicates.entries + w.counts.events.entries, func([]byte) int { return 1 }, w.followOutcome},
	} {
		entries := uint64(0)
		count := func(_, value []byte) error {
			entries += uint64(index.has(value))
			return nil
		}
		if err := w.each(ctx, prefixRange(index.prefix), count); err != nil {
			return err
		}
		if entries == index.entries && !w.indexDiffers {
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

func (w *verifier) followDigest(key, value []byte) error {
	for _, at := range decodePositions(value) {
		err := w.follow(fmt.Sprintf("digest index: %x", key[1:]), at, func(h *entry.Header) bool {
			return string(h.Digest[:digestKeyBytes]) == string(key[1:]) && h.Outcome == entry.Accepted
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *verifier) followOutcome(key, _ []byte) error {
	if len(key) == outcomeKeySize && key[1] == byte(entry.Accepted) {
		w.findf(keyPosition(key), "outcome index: a record of an accepted entry")
		return nil
	}
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
	for _, prefix := range [...]byte{prefixBody, prefixDigest, prefixHeader, prefixMeta, prefixOutcome} {
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
