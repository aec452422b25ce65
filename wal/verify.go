package wal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// FindingsMax is how many findings a Report lists: enough to see a pattern, and
// few enough to be printed.
const FindingsMax = 100

// Report is what Verify has found.
type Report struct {
	// Entries is how many headers were read, Through the position of the last.
	Entries uint64
	Through entry.Position
	// Findings are in order of position; those that concern no entry, with
	// position 0, come last. More says how many did not fit in.
	Findings []*entry.DamagedError
	More     uint64
}

// Err is nil for a sound vault, else the first finding.
func (r *Report) Err() error {
	if len(r.Findings) == 0 {
		return nil
	}
	return r.Findings[0]
}

// Verify reads every entry and checks checksums, positions, ordinals and chain,
// the digest of every document, every index in both directions, and the totals in
// meta. What is wrong is in the Report; the error says why there is none, or why
// it ends early. progress, if it is not nil, is called after each entry.
//
// It looks at one snapshot, which keeps the space of entries dropped meanwhile.
func (v *Vault) Verify(ctx context.Context, progress func(entry.Position)) (Report, error) {
	snapshot, done, err := v.snapshot()
	if err != nil {
		return Report{}, err
	}
	defer done()
	codec, err := entry.NewCodec()
	if err != nil {
		return Report{}, err
	}
	w := verifier{store: snapshot, codec: codec, walk: succession{next: 1}}
	err = w.run(ctx, progress)
	slices.SortStableFunc(w.report.Findings, func(a, b *entry.DamagedError) int {
		// Position 0 is no entry; as the largest number it comes last.
		return cmp.Compare(a.Position-1, b.Position-1)
	})
	if err != nil {
		return w.report, fmt.Errorf("verify vault: %w", err)
	}
	return w.report, nil
}

// verifier is one run of Verify.
type verifier struct {
	store  *pebble.Snapshot
	codec  *entry.Codec
	walk   succession
	counts meta // what there is, to be compared with meta
	bodies bodyCursor
	raw    []byte // the last document

	// indexDiffers: some index does not hold exactly what it should, so that it
	// is worth finding out what it holds too much.
	indexDiffers bool

	report Report
}

// find notes what is wrong; the error that comes back is not about what is
// stored, and ends the run.
func (w *verifier) find(err error) error {
	if err == nil {
		return nil
	}
	finding, ok := errors.AsType[*entry.DamagedError](err)
	if version, unknown := errors.AsType[*entry.VersionError](err); unknown {
		finding, ok = &entry.DamagedError{Position: version.Position, What: version.Error()}, true
	}
	if !ok {
		return err
	}
	if len(w.report.Findings) == FindingsMax {
		w.report.More++
		return nil
	}
	w.report.Findings = append(w.report.Findings, finding)
	return nil
}

// findf is find for what is wrong at a position.
func (w *verifier) findf(at entry.Position, format string, args ...any) {
	_ = w.find(&entry.DamagedError{Position: at, What: fmt.Sprintf(format, args...)}) // Nil, of a DamagedError.
}

func (w *verifier) run(ctx context.Context, progress func(entry.Position)) error {
	m, err := readMeta(w.store)
	metaRead := err == nil
	if err := w.find(err); err != nil {
		return err
	}
	if !metaRead {
		// What was dropped is not known, so that every hole will be reported.
		if m.last, err = newestHeader(w.store); err != nil {
			return w.find(err)
		}
	}
	if err := w.entries(ctx, &m, progress); err != nil {
		return err
	}
	if metaRead {
		if err := w.find(w.walk.end(&m)); err != nil {
			return err
		}
		w.compareTotals(&m)
	}
	return w.indexes(ctx)
}

// entries visits all headers in order, each with its body and index records.
func (w *verifier) entries(ctx context.Context, m *meta, progress func(entry.Position)) (err error) {
	headers, err := w.store.NewIter(prefixRange(prefixHeader))
	if err != nil {
		return w.find(damage(0, err))
	}
	defer func() { _ = headers.Close() }() // Its error has been seen.
	if w.bodies.iter, err = w.store.NewIter(prefixRange(prefixBody)); err != nil {
		return w.find(damage(0, err))
	}
	defer func() { _ = w.bodies.iter.Close() }() // Its errors have been seen.
	w.bodies.stray = func(at entry.Position) { w.findf(at, "body: no entry has it") }
	for ok := headers.First(); ok; ok = headers.Next() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		at := keyPosition(headers.Key())
		if err := w.entry(at, headers, m); err != nil {
			return err
		}
		w.report.Entries++
		w.report.Through = at
		if progress != nil {
			progress(at)
		}
	}
	if err := headers.Error(); err != nil {
		// Pebble cannot read on. The entries behind are reported as missing.
		return w.find(damage(w.walk.next, err))
	}
	return w.find(w.bodies.finish())
}

// entry checks one header and all that belongs to it.
func (w *verifier) entry(at entry.Position, headers *pebble.Iterator, m *meta) error {
	stored, err := headers.ValueAndErr()
	if err != nil {
		w.walk.skip(at)
		return w.find(damage(at, err))
	}
	h, err := entry.DecodeHeader(at, stored)
	if err != nil {
		w.walk.skip(at)
		w.indexDiffers = true
		if _, _, err := w.bodies.at(at); err != nil {
			return w.find(err)
		}
		return w.find(err)
	}
	if at > m.last {
		w.findf(at, "meta ends at position %d", m.last)
	}
	if err := w.find(w.walk.step(&h, stored, m.droppedThrough)); err != nil {
		return err
	}
	bodyBytes, err := w.body(&h)
	if err := w.find(err); err != nil {
		return err
	}
	bytes := storedBytes(h.Outcome, len(stored), bodyBytes)
	t := w.counts.of(h.Outcome)
	t.entries++
	t.size += uint64(h.Size)
	t.bytes += bytes
	return w.indexRecords(&h, bytes)
}

// body checks an entry's body and document, and says how many bytes it takes as
// stored.
func (w *verifier) body(h *entry.Header) (bytes int, err error) {
	stored, found, err := w.bodies.at(h.Position)
	switch {
	case err != nil:
		return 0, err
	case found && h.Outcome == entry.Duplicate:
		w.bodies.stray(h.Position)
		return 0, nil
	case h.Outcome == entry.Duplicate:
		return 0, nil
	case !found:
		return 0, &entry.DamagedError{Position: h.Position, What: "body: missing"}
	}
	body, err := entry.DecodeBody(h.Position, stored)
	if err != nil {
		return len(stored), err
	}
	raw, err := w.codec.Raw(&entry.Entry{Header: *h, Body: body}, w.raw)
	if err == nil {
		w.raw = raw
	}
	return len(stored), err
}

// compareTotals holds what was counted against meta.
func (w *verifier) compareTotals(m *meta) {
	f := func(what string, counted, recorded uint64) {
		if counted != recorded {
			w.findf(0, "meta: %d %s, there are %d", recorded, what, counted)
		}
	}
	for _, outcome := range [...]entry.Outcome{entry.Accepted, entry.Refused, entry.Duplicate, entry.Event} {
		counted, recorded := w.counts.of(outcome), m.of(outcome)
		f(outcome.String()+" entries", counted.entries, recorded.entries)
		f("bytes of "+outcome.String()+" documents", counted.size, recorded.size)
		f("stored bytes of "+outcome.String()+" entries", counted.bytes, recorded.bytes)
	}
}

// bodyCursor follows the headers over the bodies.
type bodyCursor struct {
	iter  *pebble.Iterator
	stray func(entry.Position) // is told of bodies between the positions asked for

	placed bool           // the iterator is at a body that has not been looked at
	taken  entry.Position // the body looked at last
	ended  bool
}

// at moves to the body at a position. It is valid until the cursor moves.
func (c *bodyCursor) at(at entry.Position) (stored []byte, found bool, err error) {
	var key [positionKeySize]byte
	for ok := c.forward(positionKey(key[:0], prefixBody, c.taken+1)); ok; ok = c.forward(nil) {
		position := keyPosition(c.iter.Key())
		if position > at {
			c.placed = true
			return nil, false, nil
		}
		c.taken = position
		if position == at {
			stored, err := c.iter.ValueAndErr()
			return stored, true, damage(at, err)
		}
		c.stray(position)
	}
	if err := c.iter.Error(); err != nil {
		// The next call starts behind what cannot be read.
		c.ended, c.taken = false, at
		return nil, false, damage(at, err)
	}
	return nil, false, nil
}

// forward moves to the next body. An iterator that has stopped at an error starts
// again from a key.
func (c *bodyCursor) forward(from []byte) bool {
	switch {
	case c.placed:
		c.placed = false
		return true
	case c.ended:
		return false
	case c.iter.Valid():
		c.ended = !c.iter.Next()
	default:
		c.ended = !c.iter.SeekGE(from)
	}
	return !c.ended
}

// finish reports the bodies behind the last header.
func (c *bodyCursor) finish() error {
	_, _, err := c.at(^entry.Position(0))
	return err
}

func prefixRange(prefix byte) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}}
}
