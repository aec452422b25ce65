package engine

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"markr/wal/entry"
)

// headerRecords is how many records the header of a refused document or a duplicate
// stands for when a checkpoint becomes due: a start reads those that are behind the
// checkpoint one by one, and that takes as long as so many records.
const headerRecords = 8

// refusedPage is how many headers a recovery reads at a time.
const refusedPage = 1000

// refusedLog is what the log says of refused documents behind a checkpoint: what
// arrived, and what resolves them.
type refusedLog struct {
	arrivals    []arrival // newest first
	resolutions []resolution
}

// readRefused reads the headers of refused documents and of duplicates from a position
// on. The accepted ones pass by in any case, see noteAimed.
func (e *Engine) readRefused(ctx context.Context, from entry.Position, into *refusedLog) error {
	texts := make(map[string]string) // One copy of what many have.
	shared := func(text string) string {
		if known, ok := texts[text]; ok {
			return known
		}
		if len(texts) < refusalSourcesMax {
			texts[text] = text
		}
		return text
	}
	err := e.eachHeader(ctx, from, entry.Refused, func(h *entry.Header) {
		one := arrival{position: h.Position, source: shared(h.Source)}
		// Whose detail cannot be read was refused all the same.
		if d, err := decodeDetail(h.Detail); err == nil && d.Refusal != nil {
			one.code, one.root = shared(string(d.Refusal.Code)), d.root()
		}
		into.arrivals = append(into.arrivals, one)
	})
	if err != nil {
		return err
	}
	return e.eachHeader(ctx, from, entry.Duplicate, into.noteAimed)
}

// eachHeader calls fn with the headers of an outcome from a position on, newest first.
func (e *Engine) eachHeader(ctx context.Context, from entry.Position, outcome entry.Outcome, fn func(*entry.Header)) error {
	for before := entry.Position(0); ; {
		headers, err := e.opts.Log.Headers(before, outcome, refusedPage)
		if err != nil {
			return fmt.Errorf("read headers of %v entries: %w", outcome, err)
		}
		for i := range headers {
			if headers[i].Position < from {
				return nil
			}
			fn(&headers[i])
		}
		if len(headers) < refusedPage {
			return nil
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		before = headers[len(headers)-1].Position
	}
}

// noteAimed notes what an accepted document or a duplicate resolves. Nearly none does,
// so details are decoded only if they look like it.
func (l *refusedLog) noteAimed(h *entry.Header) {
	if !bytes.Contains(h.Detail, []byte(`"corrects":`)) && !bytes.Contains(h.Detail, []byte(`"retries":`)) {
		return
	}
	if d, err := decodeDetail(h.Detail); err == nil {
		if of := d.root(); of != 0 {
			l.resolutions = append(l.resolutions, resolution{of: of, by: h.Position})
		}
	}
}

// apply notes all of it, in the order of the log and by what live imports use.
func (r *refusals) apply(l *refusedLog, droppedThrough entry.Position) {
	slices.SortFunc(l.resolutions, func(a, b resolution) int { return byPosition(refused{position: a.by}, b.by) })
	for _, one := range slices.Backward(l.arrivals) {
		for len(l.resolutions) > 0 && l.resolutions[0].by < one.position {
			r.resolve(l.resolutions[0])
			l.resolutions = l.resolutions[1:]
		}
		r.add(one)
	}
	for _, one := range l.resolutions {
		r.resolve(one)
	}
	r.dropThrough(droppedThrough)
}
