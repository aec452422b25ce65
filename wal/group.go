package wal

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"markr/wal/entry"
)

// group is a group of entries on its way to disk.
type group struct {
	vault   *Vault
	batch   *pebble.Batch
	lookup  *pebble.Iterator // over what is on disk; uses the bloom filters of all levels
	meta    meta             // as it will be
	headers []entry.Header   // as they will be
	firsts  map[entry.Digest]int
	ids     map[uuid.UUID]struct{}
	newest  uuid.UUID // the highest id
	refused []refusal // of this group, oldest first
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
		firsts:  make(map[entry.Digest]int, entries),
		ids:     make(map[uuid.UUID]struct{}, entries),
		newest:  v.newest,
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
	h.Position = g.meta.last + 1
	if err := g.claimID(h.ID); err != nil {
		return err
	}
	if h.Outcome == entry.Accepted {
		if err := g.findFirst(&h); err != nil {
			return err
		}
	}
	h.Ordinal = g.meta.ordinal()
	if h.Counted() {
		h.Ordinal++
	}
	stored := entry.AppendHeader(g.scratch[:0], &h, g.meta.chain)
	g.scratch = stored
	var key [digestKeySize]byte // the longest
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
	var key [digestKeySize]byte
	var value [ticketBytesMax]byte
	if err := g.batch.Set(idKey(key[:0], h.ID), positionValue(value[:0], h.Position), nil); err != nil {
		return err
	}
	outcome := value[:0]
	switch h.Outcome {
	case entry.Accepted:
		if err := g.batch.Set(digestKey(key[:0], &h.Digest), positionValue(value[:0], h.Position), nil); err != nil {
			return err
		}
		g.firsts[h.Digest] = len(g.headers)
	case entry.Refused:
		t := ticket{bytes: cost, size: uint64(h.Size), id: h.ID}
		outcome = t.append(outcome)
		g.refused = append(g.refused, refusal{h.Position, t})
	case entry.Duplicate:
	}
	if err := g.batch.Set(outcomeKey(key[:0], h.Outcome, h.Position), outcome, nil); err != nil {
		return err
	}
	t := g.meta.of(h.Outcome)
	t.entries++
	t.size += uint64(h.Size)
	t.bytes += cost
	g.meta.last = h.Position
	if h.Counted() {
		g.meta.chain = h.Chain
	}
	g.headers = append(g.headers, *h)
	return nil
}

// storedBytes is what an entry takes: all its keys and values, a ticket at its
// longest.
func storedBytes(outcome entry.Outcome, header, body int) uint64 {
	cost := positionKeySize + header + idKeySize + positionBytes + outcomeKeySize
	if body > 0 {
		cost += positionKeySize + body
	}
	switch outcome {
	case entry.Accepted:
		cost += digestKeySize + positionBytes
	case entry.Refused:
		cost += ticketBytesMax
	case entry.Duplicate:
	}
	return uint64(cost)
}

// claimID refuses an import id that is in use: its index record would hide the
// first entry. Ids are UUIDv7, which grow with time, so that one above all before
// it, which is new, is the rule.
func (g *group) claimID(id uuid.UUID) error {
	if bytes.Compare(id[:], g.newest[:]) > 0 {
		g.newest = id
		g.ids[id] = struct{}{}
		return nil
	}
	_, used := g.ids[id]
	if !used {
		at, err := g.find(idKey(nil, id))
		if err != nil {
			return err
		}
		used = at != 0
	}
	if used {
		return fmt.Errorf("%w: import id %v is in use", entry.ErrInvalid, id)
	}
	g.ids[id] = struct{}{}
	return nil
}

// findFirst makes h a duplicate if its digest has been accepted.
func (g *group) findFirst(h *entry.Header) error {
	if i, ok := g.firsts[h.Digest]; ok {
		h.Outcome, h.DuplicateOf, h.Size = entry.Duplicate, g.headers[i].Position, g.headers[i].Size
		return nil
	}
	at, err := g.find(digestKey(nil, &h.Digest))
	if err != nil || at == 0 {
		return err
	}
	first, err := readHeader(g.vault.db, at)
	switch {
	case errors.Is(err, entry.ErrNotFound):
		return &entry.DamagedError{Position: at, What: "the entry is missing; the digest index has it"}
	case err != nil:
		return err
	case first.Digest != h.Digest || first.Outcome != entry.Accepted:
		return &entry.DamagedError{Position: at, What: "digest index: it has another digest than the header"}
	}
	h.Outcome, h.DuplicateOf, h.Size = entry.Duplicate, at, first.Size
	return nil
}

// find looks an index key up, which is nearly always not there; 0 says so.
func (g *group) find(key []byte) (entry.Position, error) {
	if !g.lookup.SeekPrefixGE(key) {
		return 0, damage(0, g.lookup.Error())
	}
	value, err := g.lookup.ValueAndErr()
	if err != nil {
		return 0, damage(0, err)
	}
	at := valuePosition(value)
	if at == 0 {
		return 0, &entry.DamagedError{What: "index: a record has no position"}
	}
	return at, nil
}
