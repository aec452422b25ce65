package wal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// succession is the state of a walk over the headers in order of position. It
// sees every entry that is missing, exchanged or inserted; why that is so is in
// DESIGN.md, "Why no hole can hide".
type succession struct {
	next    entry.Position // the position after the one seen last
	ordinal uint64         // of the newest counted entry so far
	chain   entry.Chain    // of that entry

	// After damage that has been reported, what follows cannot be held against
	// what was before it.
	chainUnknown   bool
	ordinalUnknown bool
}

// skip goes on behind a position whose header cannot be read.
func (s *succession) skip(at entry.Position) {
	s.next, s.ordinalUnknown, s.chainUnknown = at+1, true, true
}

// step takes the next header there is, with the bytes it was decoded from, and
// says what is wrong about its coming next. Afterwards the walk can go on behind
// it in any case.
func (s *succession) step(h *entry.Header, stored []byte, droppedThrough entry.Position) error {
	expected, ordinal := s.next, s.ordinal
	follows := s.chainUnknown || entry.Follows(h.Position, stored, s.chain)
	if h.Counted() {
		ordinal++
		s.chain, s.chainUnknown = h.Chain, false
	}
	if s.ordinalUnknown {
		ordinal, s.ordinalUnknown = h.Ordinal, false
	}
	if !h.Counted() && h.Ordinal != ordinal {
		s.chainUnknown = true // A counted entry is missing, and nothing hangs on this one.
	}
	s.next, s.ordinal = h.Position+1, h.Ordinal
	damaged := func(at entry.Position, format string, args ...any) error {
		return &entry.DamagedError{Position: at, What: fmt.Sprintf(format, args...)}
	}
	if gap := max(expected, droppedThrough+1); h.Position > gap {
		return damaged(gap, "the entry is missing; the next one is at position %d", h.Position)
	}
	switch {
	case !h.Counted() && h.Position <= droppedThrough:
		return damaged(h.Position, "refused entries up to position %d have been dropped, but not this one", droppedThrough)
	case h.Ordinal > ordinal && h.Position > expected:
		return damaged(expected, "%d entries that were not refused are missing from positions %d to %d",
			h.Ordinal-ordinal, expected, h.Position-1)
	case h.Ordinal != ordinal:
		return damaged(h.Position, "header: its ordinal is %d instead of %d", h.Ordinal, ordinal)
	case !follows:
		return damaged(h.Position, "header: it is not chained to the entry before it")
	}
	return nil
}

// end says what is wrong about the walk's ending here.
func (s *succession) end(m *meta) error {
	damaged := func(format string, args ...any) error {
		return &entry.DamagedError{Position: s.next, What: fmt.Sprintf(format, args...)}
	}
	switch {
	case s.next <= m.last && m.last > m.droppedThrough:
		return &entry.DamagedError{
			Position: max(s.next, m.droppedThrough+1),
			What:     fmt.Sprintf("the entry is missing; the log goes on to position %d", m.last),
		}
	case s.ordinalUnknown:
		return nil
	case s.ordinal < m.ordinal():
		return damaged("%d entries that were not refused are missing from positions %d to %d",
			m.ordinal()-s.ordinal, s.next, m.last)
	case s.ordinal > m.ordinal():
		return &entry.DamagedError{What: fmt.Sprintf("meta: %d entries that were not refused, the newest has ordinal %d",
			m.ordinal(), s.ordinal)}
	case !s.chainUnknown && s.chain != m.chain:
		return &entry.DamagedError{What: "meta: its chain is not that of the newest entry that was not refused"}
	}
	return nil
}

// linkBefore returns the succession at a position: what the newest counted entry
// before it says.
func linkBefore(r pebble.Reader, at entry.Position) (succession, error) {
	s := succession{next: at}
	newest, err := lastKey(r, positionKey(nil, prefixHeader, 0), positionKey(nil, prefixHeader, at))
	if err != nil || newest == 0 {
		return s, err
	}
	h, err := readHeader(r, newest)
	if err == nil && !h.Counted() {
		if h.LastCounted == 0 {
			return s, nil
		}
		newest = h.LastCounted
		h, err = readHeader(r, newest)
	}
	if errors.Is(err, entry.ErrNotFound) {
		err = &entry.DamagedError{Position: newest, What: "the entry is missing; a refused one has it as the last before it"}
	}
	if err != nil {
		return s, err
	}
	s.ordinal, s.chain = h.Ordinal, h.Chain
	return s, nil
}

// newestHeader is the highest position that has a header.
func newestHeader(r pebble.Reader) (entry.Position, error) {
	return lastKey(r, positionKey(nil, prefixHeader, 0), []byte{prefixHeader + 1})
}

// lastKey is the position in the last key of a range, 0 if it is empty.
func lastKey(r pebble.Reader, lower, upper []byte) (entry.Position, error) {
	iter, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return 0, damage(0, err)
	}
	var at entry.Position
	if iter.Last() {
		at = keyPosition(iter.Key())
	}
	return at, damage(0, iter.Close())
}
