package wal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// group is a group of entries on its way to disk.
type group struct {
	vault   *Vault
	batch   *pebble.Batch
	lookup  *pebble.Iterator                  // over what is on disk; uses the bloom filters of all levels
	meta    meta                              // as it will be
	headers []entry.Header                    // as they will be
	indexed map[digestPrefix][]entry.Position // the digest index, as far as it was read or added to
	arena   []entry.Position                  // memory for indexed
	refused []refusal                         // of this group, oldest first
	dropped uint64
	scratch []byte
}

// refusal is a refused entry, with what dropping it needs to know.
type refusal struct {
	at     entry.Position
	ticket ticket
}

func (v *Vault) newGroup(entries, size int) (*group, error) {
	lookup, err := v.db.NewIter(&pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		return nil, damage(0, err)
	}
	return &group{
		vault:   v,
		batch:   v.db.NewBatchWithSize(size),
		lookup:  lookup,
		meta:    v.current(),
		headers: make([]entry.Header, 0, entries),
		indexed: make(map[digestPrefix][]entry.Position, entries),
		arena:   make([]entry.Position, 0, entries),
	}, nil
}

// close gives back what the group holds. Neither error says anything: what was
// read has been checked, and a batch that was committed is done with.
func (g *group) close() {
	_ = g.lookup.Close()
	_ = g.batch.Close()
}

// build makes the batch.
func (g *group) build(entries []*entry.Entry) error {
	for _, e := range entries {
		if err := g.add(e); err != nil {
			return err
		}
	}
	if err := g.dropRefused(); err != nil {
		return err
	}
	return g.batch.Set([]byte{prefixMeta}, g.meta.append(nil), nil)
}

// add adds an entry to the group.
func (g *group) add(e *entry.Entry) error {
	h := e.Header
	h.Received = h.Received.UTC().Truncate(time.Microsecond)
	if h.Position = g.meta.last + 1; h.Position > entry.PositionMax {
		return fmt.Errorf("%w: the log is full: position %d is the last", entry.ErrInvalid, entry.PositionMax)
	}
	if h.Outcome == entry.Accepted {
		if err := g.findFirst(&h); err != nil {
			return err
		}
	}
	h.Ordinal = g.meta.ordinal()
	if h.Counted() {
		h.Ordinal++
	} else {
		h.LastCounted = g.meta.lastCounted
	}
	stored := entry.AppendHeader(g.scratch[:0], &h, g.meta.chain)
	g.scratch = stored
	var key [positionKeySize]byte
	if err := g.batch.Set(positionKey(key[:0], prefixHeader, h.Position), stored, nil); err != nil {
		return err
	}
	bodyBytes := 0
	if h.Outcome != entry.Duplicate {
		bodyBytes = len(e.Body) + checksumBytes
		op := g.batch.SetDeferred(positionKeySize, bodyBytes)
		positionKey(op.Key[:0], prefixBody, h.Position)
		entry.AppendBody(op.Value[:0], h.Position, e.Body)
		if err := op.Finish(); err != nil {
			return err
		}
	}
	return g.count(&h, storedBytes(h.Outcome, len(stored), bodyBytes))
}

// count adds an entry's index records, and the entry to the totals.
func (g *group) count(h *entry.Header, cost uint64) error {
	var key [outcomeKeySize]byte // the longest
	var value [ticketBytesMax]byte
	switch h.Outcome {
	case entry.Accepted:
		stored := appendPositions(value[:0], g.index(h))
		if err := g.batch.Set(digestKey(key[:0], &h.Digest), stored, nil); err != nil {
			return err
		}
	case entry.Refused:
		t := ticket{bytes: cost, size: uint64(h.Size)}
		g.refused = append(g.refused, refusal{h.Position, t})
		if err := g.batch.Set(outcomeKey(key[:0], h.Outcome, h.Position), t.append(value[:0]), nil); err != nil {
			return err
		}
	case entry.Duplicate, entry.Event:
		if err := g.batch.Set(outcomeKey(key[:0], h.Outcome, h.Position), nil, nil); err != nil {
			return err
		}
	}
	t := g.meta.of(h.Outcome)
	t.entries++
	t.size += uint64(h.Size)
	t.bytes += cost
	g.meta.last = h.Position
	if h.Counted() {
		g.meta.lastCounted, g.meta.chain = h.Position, h.Chain
	}
	g.headers = append(g.headers, *h)
	return nil
}

// storedBytes is what an entry takes: all its keys and values, a ticket and a
// position at their longest.
func storedBytes(outcome entry.Outcome, header, body int) uint64 {
	cost := positionKeySize + header
	if body > 0 {
		cost += positionKeySize + body
	}
	switch outcome {
	case entry.Accepted:
		cost += digestKeySize + positionBytes
	case entry.Refused:
		cost += outcomeKeySize + ticketBytesMax
	case entry.Duplicate, entry.Event:
		cost += outcomeKeySize
	}
	return uint64(cost)
}

// digestPrefix is what the digest index knows of a digest.
type digestPrefix [digestKeyBytes]byte

// index adds an accepted entry to the digest index, which findFirst has read, and
// returns the record.
func (g *group) index(h *entry.Header) []entry.Position {
	prefix := digestPrefix(h.Digest[:])
	record := g.indexed[prefix]
	if len(record) == 0 {
		n := len(g.arena)
		record = g.arena[n : n : n+1] // One that begins like it, which is rare, moves the record elsewhere.
		g.arena = g.arena[:n+1]
	}
	record = append(record, h.Position)
	g.indexed[prefix] = record
	return record
}

// findFirst makes h a duplicate if its digest has been accepted.
func (g *group) findFirst(h *entry.Header) error {
	prefix := digestPrefix(h.Digest[:])
	record, known := g.indexed[prefix]
	if !known {
		var err error
		if record, err = g.find(digestKey(nil, &h.Digest)); err != nil {
			return err
		}
		if len(record) > 0 {
			g.indexed[prefix] = record
		}
	}
	for _, at := range record {
		first, err := g.first(at)
		switch {
		case errors.Is(err, entry.ErrNotFound):
			return &entry.DamagedError{Position: at, What: "the entry is missing; the digest index has it"}
		case err != nil:
			return err
		case digestPrefix(first.Digest[:]) != prefix || first.Outcome != entry.Accepted:
			return &entry.DamagedError{Position: at, What: "digest index: it has another digest than the header"}
		case first.Digest == h.Digest:
			h.Outcome, h.DuplicateOf, h.Size = entry.Duplicate, at, first.Size
			return nil
		}
	}
	return nil
}

// first returns the header of an accepted entry, of the log or of this group.
func (g *group) first(at entry.Position) (*entry.Header, error) {
	if before := g.meta.last - entry.Position(len(g.headers)); at > before && at <= g.meta.last {
		return &g.headers[at-before-1], nil
	}
	h, err := readHeader(g.vault.db, at)
	return &h, err
}

// find looks up a record of the digest index, which is nearly always not there.
func (g *group) find(key []byte) ([]entry.Position, error) {
	if !g.lookup.SeekPrefixGE(key) {
		return nil, damage(0, g.lookup.Error())
	}
	value, err := g.lookup.ValueAndErr()
	if err != nil {
		return nil, damage(0, err)
	}
	record := decodePositions(value)
	if slices.Contains(record, 0) {
		return nil, &entry.DamagedError{What: "digest index: a record has no position"}
	}
	return record, nil
}
