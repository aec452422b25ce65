package wal

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// Replay reads so much at a time, and lets go of the store before it calls fn: an
// open iterator would keep memtables and dropped tables for as long as fn takes.
const (
	chunkHeadersMax = 4096
	chunkBytesMax   = 4 << 20
)

// Replay calls fn with every Accepted and every Event entry from position from on that
// was on disk when it was called, in order, and stops at fn's first error. fn may keep
// the entry. A damaged or missing entry, of whatever outcome, ends it with a
// *entry.DamagedError.
func (v *Vault) Replay(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
	r := replay{vault: v, through: v.Last()}
	if err := r.start(max(from, 1)); err != nil {
		return err
	}
	for r.walk.next <= r.through && !r.ended {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		// What was read before the damage is handed over before the damage is.
		damaged := r.read()
		for _, e := range r.chunk {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := fn(e); err != nil {
				return err
			}
		}
		if damaged != nil {
			return fmt.Errorf("replay: %w", damaged)
		}
	}
	return nil
}

// replay is a walk over the log in chunks.
type replay struct {
	vault   *Vault
	through entry.Position // the last position to visit
	walk    succession
	chunk   []*entry.Entry
	ended   bool // there are no headers any more
}

// start finds out what comes before the first position.
func (r *replay) start(from entry.Position) error {
	snapshot, done, err := r.vault.snapshot()
	if err != nil {
		return err
	}
	defer done()
	if r.walk.next = from; from > r.through {
		return nil
	}
	r.walk, err = linkBefore(snapshot, from)
	return err
}

// read reads the next chunk.
func (r *replay) read() (err error) {
	clear(r.chunk)
	r.chunk = r.chunk[:0]
	snapshot, done, err := r.vault.snapshot()
	if err != nil {
		return err
	}
	defer done()
	// The watermark of the same snapshot as the headers: Append may be dropping
	// at this moment.
	m, err := readMeta(snapshot)
	if err != nil {
		return err
	}
	headers, err := positions(snapshot, prefixHeader, r.walk.next, r.through)
	if err != nil {
		return err
	}
	bodies, err := positions(snapshot, prefixBody, r.walk.next, r.through)
	if err != nil {
		return errors.Join(err, headers.Close())
	}
	defer func() { err = errors.Join(err, headers.Close(), bodies.Close()) }()
	size := 0
	ok := headers.First()
	for visited := 0; ok && visited < chunkHeadersMax && size < chunkBytesMax; visited++ {
		e, err := r.visit(headers, bodies, &m)
		if err != nil {
			return err
		}
		if e != nil {
			r.chunk = append(r.chunk, e)
			size += len(e.Body)
		}
		ok = headers.Next()
	}
	if err := headers.Error(); err != nil {
		return damage(r.walk.next, err)
	}
	if !ok {
		r.ended = true
		return r.finish(&m)
	}
	return nil
}

// visit checks the header at hand, and reads its entry if it is one that is handed
// over.
func (r *replay) visit(headers, bodies *pebble.Iterator, m *meta) (*entry.Entry, error) {
	at := keyPosition(headers.Key())
	stored, err := headers.ValueAndErr()
	if err != nil {
		return nil, damage(at, err)
	}
	h, err := entry.DecodeHeader(at, stored)
	if err != nil {
		return nil, err
	}
	if err := r.walk.step(&h, stored, m.droppedThrough); err != nil {
		return nil, err
	}
	if h.Outcome != entry.Accepted && h.Outcome != entry.Event {
		return nil, nil
	}
	body, err := seekBody(bodies, at)
	if err != nil {
		return nil, err
	}
	return &entry.Entry{Header: h, Body: append([]byte(nil), body...)}, nil
}

// finish checks that no entry is missing behind the last header that was found.
// If the log has grown meanwhile, meta speaks of later entries, and what is
// missing is everything up to the position where the replay was to end.
func (r *replay) finish(m *meta) error {
	if m.last > r.through {
		if r.walk.next <= r.through && r.through > m.droppedThrough {
			return &entry.DamagedError{
				Position: max(r.walk.next, m.droppedThrough+1),
				What:     fmt.Sprintf("the entry is missing; the log goes on to position %d", m.last),
			}
		}
		return nil
	}
	return r.walk.end(m)
}

// seekBody moves on to the body at a position and returns it. It is valid until
// the iterator moves.
func seekBody(bodies *pebble.Iterator, at entry.Position) ([]byte, error) {
	// It is mostly the next one; bodies of refused entries are between.
	if !bodies.Valid() || !bodies.Next() || keyPosition(bodies.Key()) != at {
		var key [positionKeySize]byte
		if !bodies.SeekGE(positionKey(key[:0], prefixBody, at)) || keyPosition(bodies.Key()) != at {
			if err := bodies.Error(); err != nil {
				return nil, damage(at, err)
			}
			return nil, &entry.DamagedError{Position: at, What: "body: missing"}
		}
	}
	stored, err := bodies.ValueAndErr()
	if err != nil {
		return nil, damage(at, err)
	}
	return entry.DecodeBody(at, stored)
}

// positions iterates over the bodies or headers of a range of positions, ends
// included.
func positions(r pebble.Reader, prefix byte, from, through entry.Position) (*pebble.Iterator, error) {
	iter, err := r.NewIter(&pebble.IterOptions{
		LowerBound: positionKey(nil, prefix, from),
		UpperBound: positionKey(nil, prefix, through+1),
	})
	return iter, damage(from, err)
}
