package wal

import (
	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// dropRefused deletes the oldest refused entries, of the log and then of the
// group itself, until the rest fit the quota.
func (g *group) dropRefused() error {
	quota := uint64(g.vault.opts.RefusedBytesMax)
	if g.meta.refused.bytes <= quota {
		return nil
	}
	tickets, err := g.vault.db.NewIter(&pebble.IterOptions{
		LowerBound: outcomeKey(nil, entry.Refused, g.meta.droppedThrough+1),
		UpperBound: outcomeKey(nil, entry.Refused+1, 0),
	})
	if err != nil {
		return damage(0, err)
	}
	defer func() { _ = tickets.Close() }() // Its error has been returned.
	for ok := tickets.First(); ok && g.meta.refused.bytes > quota; ok = tickets.Next() {
		at := keyPosition(tickets.Key())
		stored, err := tickets.ValueAndErr()
		if err != nil {
			return damage(at, err)
		}
		t, err := decodeTicket(at, stored)
		if err != nil {
			return err
		}
		if err := g.drop(refusal{at, t}); err != nil {
			return err
		}
	}
	if err := tickets.Error(); err != nil {
		return damage(0, err)
	}
	for _, r := range g.refused {
		if g.meta.refused.bytes <= quota {
			break
		}
		if err := g.drop(r); err != nil {
			return err
		}
	}
	return nil
}

// drop deletes all there is of a refused entry.
func (g *group) drop(r refusal) error {
	t := &g.meta.refused
	if t.entries == 0 || t.bytes < r.ticket.bytes || t.size < r.ticket.size {
		return &entry.DamagedError{Position: r.at, What: "ticket: it says more than there is in all"}
	}
	for _, key := range [...][]byte{
		positionKey(nil, prefixHeader, r.at),
		positionKey(nil, prefixBody, r.at),
		outcomeKey(nil, entry.Refused, r.at),
	} {
		if err := g.batch.Delete(key, nil); err != nil {
			return err
		}
	}
	t.entries--
	t.bytes -= r.ticket.bytes
	t.size -= r.ticket.size
	g.meta.dropped++
	g.meta.droppedThrough = r.at
	g.dropped++
	return nil
}
