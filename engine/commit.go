package engine

import (
	"context"
	"runtime"

	"markr/engine/ledger"
	"markr/wal/entry"
)

// How much one append takes at most. Both are far above what gathers while one
// sync is under way; they bound memory and the wait of the first in a batch.
const (
	batchDraftsMax = 1024
	batchBytesMax  = 16 << 20 // of compressed documents
	batchBytesMin  = 32 << 10 // of them that make a batch worth a sync
)

// An order is done by the committer between two batches. It is given what the
// committer has, and returns the book to go on with.
type order func(*book, *trail) *book

// order has the committer do something, and returns when it is done. The error is
// [ErrClosed] or ctx's, and then nothing has been done.
func (e *Engine) order(ctx context.Context, do order) error {
	done := make(chan struct{})
	select {
	case e.orders <- func(b *book, t *trail) *book { defer close(done); return do(b, t) }:
		<-done
		return nil
	case <-e.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitUntilClosed is the committer:
//
//  1. let those go first who are ready to run, then take what waits in the queue,
//     in order, behind the events that are owed;
//  2. append it to the log in one synced write: durable;
//  3. apply what was accepted and publish the state: visible;
//  4. wake the requests that wait: acknowledged.
//
// Nothing is added to a batch by waiting for time to pass. While one append syncs,
// the next batch gathers by itself; on busy processors, where it would not because
// the committer is as quick as those who bring drafts, they are let through first.
//
// It returns the book as it is in the end.
func (e *Engine) commitUntilClosed(b *book, t *trail) *book {
	batch := make([]*draft, 0, batchDraftsMax)
	for {
		var first *draft
		var open bool
		select {
		case first, open = <-e.queue:
		case do := <-e.orders:
			b = do(b, t)
			e.checkpointIfDue(b)
			continue
		}
		if !open {
			break
		}
		batch = e.gather(append(batch[:0], first))
		// Those who are ready to run go first: they are about to bring drafts of
		// their own, and a sync costs the same for one as for all of them. With
		// nobody ready, this returns at once. With processors that always have
		// somebody it does not for long, so a batch worth a sync waits for nobody.
		if sizeOf(batch) < batchBytesMin {
			runtime.Gosched()
			batch = e.gather(batch)
		}
		e.commit(b, t, batch)
		e.checkpointIfDue(b)
		clear(batch)
	}
	e.commit(b, t, nil)
	return b
}

// gather adds what waits already to batch.
func (e *Engine) gather(batch []*draft) []*draft {
	size := sizeOf(batch)
	for len(batch) < batchDraftsMax && size < batchBytesMax {
		select {
		case d, ok := <-e.queue:
			if !ok {
				return batch
			}
			size += len(d.entry.Body)
			batch = append(batch, d)
		default:
			return batch
		}
	}
	return batch
}

// commit makes a batch durable and visible, and what is owed before it.
func (e *Engine) commit(b *book, t *trail, batch []*draft) {
	batch = t.due(batch)
	if len(batch) == 0 {
		return
	}
	entries := make([]*entry.Entry, len(batch))
	documents := 0
	for i, d := range batch {
		entries[i] = d.entry
		if d.event == nil {
			documents++
		}
	}
	started := e.opts.Now()
	e.appending.begin(started)
	err := e.opts.Log.Append(entries)
	e.appending.end()
	durable := e.opts.Now()
	e.metrics.vault.Observe(durable.Sub(started).Seconds())
	if documents > 0 {
		e.metrics.batch.Observe(float64(documents))
	}
	if err == nil {
		e.state.Store(e.take(b, batch))
		for _, d := range batch {
			e.settle(d)
		}
		e.notify(batch)
		visible := e.opts.Now()
		e.metrics.apply.Observe(visible.Sub(durable).Seconds())
		e.metrics.visibility.Observe(visible.Sub(durable).Seconds())
		if documents > 0 {
			e.metrics.lastSuccess.Set(float64(visible.UnixNano()) / 1e9)
		}
	}
	t.owe(batch, err)
	e.owed.Store(int64(len(t.owed)))
	for _, d := range batch {
		d.finish(err)
	}
}

// finish wakes who waits for the draft. From then on that is whose it is, and it may
// be given away.
func (d *draft) finish(err error) {
	if d.told {
		return
	}
	if d.event != nil {
		d.told = true // It may be owed, and be committed once more.
	}
	if err != nil {
		d.err = err
	}
	d.done <- struct{}{}
}

// take brings durable entries into the book and returns the state with them.
func (e *Engine) take(b *book, batch []*draft) *State {
	e.live.Lock()
	defer e.live.Unlock()
	for _, d := range batch {
		b.position = d.entry.Position
		switch d.entry.Outcome {
		case entry.Accepted:
			d.effects = b.apply(referTo(&d.entry.Header), &d.doc)
		case entry.Event:
			// Settings are in force by themselves; there is nothing to count. The event of a
			// reprocess comes with the book that is made under its rule.
			b.events++
			if change := d.event.Reprocess; change != nil {
				b.inForce = &RuleInForce{Rule: b.rule, Position: b.position, Uncounted: uncountedBy(change)}
			}
		case entry.Refused, entry.Duplicate:
			b.records += headerRecords
		}
	}
	e.takeRefusals(batch)
	e.live.book = b
	return b.publish()
}

// settle sets what is left to be told of a durable entry, and counts it.
func (e *Engine) settle(d *draft) {
	if d.entry.Outcome == entry.Duplicate {
		d.effects = ledger.Effects{Unchanged: len(d.doc.Records)}
		d.first, d.err = e.idAt(d.entry.DuplicateOf)
	}
	e.metrics.count(d)
}

func referTo(h *entry.Header) ImportRef {
	return ImportRef{ID: h.ID, Position: h.Position, Received: h.Received}
}

// sizeOf is how many bytes a batch puts into the log.
func sizeOf(batch []*draft) (size int) {
	for _, d := range batch {
		size += len(d.entry.Body)
	}
	return size
}
