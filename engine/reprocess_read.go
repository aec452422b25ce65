package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"markr/engine/intake"
	"markr/wal/entry"
)

const (
	// followEvery is how often a reprocess that has read everything looks for what has
	// arrived: seldom enough to cost nothing, often enough for little to gather.
	followEvery = 250 * time.Millisecond
	// behindMax is how many positions may be left to read when it counts as having read
	// everything: a few milliseconds' worth, because imports wait for as long when it is
	// committed.
	behindMax = 1024
	// compareEvery is the shortest time between two comparisons, and compareShare how
	// much longer than a comparison takes it is at least: somebody who looks all the time
	// costs a tenth of a core.
	compareEvery = 2 * time.Second
	compareShare = 10
)

// run is the goroutine of a reprocess.
func (r *Reprocess) run(ctx context.Context) {
	defer close(r.done)
	defer r.cancel()
	committed, err := r.follow(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	// The memory is given back whatever becomes of the rest.
	r.book, r.mu.comparison, r.mu.changes = nil, nil, documentChanges{}
	if r.mu.resumed != nil {
		close(r.mu.resumed)
		r.mu.resumed = nil
	}
	switch {
	case err == nil:
		r.mu.phase, r.mu.committed = PhaseCommitted, committed
		r.engine.metrics.reprocessed.committed.Inc()
	case ctx.Err() == nil:
		r.mu.phase, r.mu.err = PhaseFailed, err
		r.engine.metrics.reprocessed.failed.Inc()
	}
}

// follow reads the log, and then what arrives, until it is committed.
func (r *Reprocess) follow(ctx context.Context) (entry.Position, error) {
	through, err := r.catchUp(ctx)
	if err != nil {
		return 0, err
	}
	if err := r.readRefused(ctx, through); err != nil {
		return 0, err
	}
	if _, err := r.catchUp(ctx); err != nil {
		return 0, err
	}
	if err := r.compare(ctx); err != nil {
		return 0, err
	}
	r.mu.Lock()
	r.mu.phase = PhaseReady
	r.mu.Unlock()
	ticks := time.NewTicker(followEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case call := <-r.commits:
			committed, err := r.commit(ctx, call.options)
			call.done <- commitResult{committed, err}
			if err == nil {
				return committed.Position, nil
			}
		case <-ticks.C:
			if err := r.wait(ctx); err != nil {
				return 0, err
			}
			if _, err := r.catchUp(ctx); err != nil {
				return 0, err
			}
			if r.compareDue() {
				if err := r.compare(ctx); err != nil {
					return 0, err
				}
			}
		}
	}
}

// catchUp reads until little is left to be read, and returns how far that is.
func (r *Reprocess) catchUp(ctx context.Context) (entry.Position, error) {
	for {
		through := r.engine.state.Load().position
		if err := r.readThrough(ctx, through, r.wait); err != nil {
			return 0, err
		}
		if r.engine.state.Load().position-through <= behindMax {
			return through, nil
		}
	}
}

// readThrough reads from where the book is to a position. wait may be nil.
func (r *Reprocess) readThrough(ctx context.Context, through entry.Position, wait func(context.Context) error) error {
	if r.book.position >= through {
		return nil
	}
	err := r.engine.read(ctx, reading{
		from: r.book.position + 1, through: through, cores: r.cores, wait: wait,
		decode: r.decode, take: r.take,
	})
	if err != nil {
		return fmt.Errorf("reprocess: %w", err)
	}
	r.book.position = through
	r.reading.position.Store(uint64(through))
	return nil
}

// decode reads a document that was accepted; one that is refused today is noted and
// counts nothing. It takes turns with the imports.
func (r *Reprocess) decode(stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
	defer r.engine.TakeTurn(int(stored.Size))()
	err := r.engine.unpack(stored, doc, raw, r.engine.opts.Replay)
	refused, is := errors.AsType[*intake.DocumentError](err)
	if errors.Is(err, intake.ErrUnknownMediaType) {
		refused, is = &intake.DocumentError{Code: unreadMediaType, Reason: "is of a kind that is not read"}, true
	}
	if !is {
		r.engine.readItems(doc, err)
		return err
	}
	doc.Reset()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.changes.refused.add(DocumentChange{Position: stored.Position, ID: stored.ID, Received: stored.Received, Refusal: refused})
	return nil
}

// unreadMediaType is the code of a document whose format is not read any more. Such a
// document is never stored as refused, so intake has no code for it.
const unreadMediaType intake.Code = "unsupported_media_type"

func (r *Reprocess) take(stored *entry.Entry, doc *intake.Document) error {
	if len(doc.Records) > 0 {
		r.book.apply(referTo(&stored.Header), doc)
	}
	r.reading.position.Store(uint64(stored.Position))
	r.reading.documents.Add(1)
	r.reading.records.Add(uint64(len(doc.Records)))
	r.engine.metrics.reprocessed.records.Add(float64(len(doc.Records)))
	return nil
}

// readRefused looks for refused documents that would be accepted today, among those up
// to a position; later ones were refused today.
func (r *Reprocess) readRefused(ctx context.Context, through entry.Position) error {
	const page = 256
	group, ctx := errgroup.WithContext(ctx)
	found := make(chan entry.Header)
	group.Go(func() error {
		defer close(found)
		for before := through + 1; ; {
			headers, err := r.engine.opts.Log.Headers(before, entry.Refused, page)
			if err != nil {
				return err
			}
			for _, h := range headers {
				before = h.Position
				if err := r.wait(ctx); err != nil {
					return err
				}
				select {
				case found <- h:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if len(headers) < page {
				return nil
			}
		}
	})
	for range r.cores {
		group.Go(func() error {
			var doc intake.Document
			var raw []byte
			for h := range found {
				if err := r.readAgain(&h, &doc, &raw); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("reprocess: read refused documents: %w", err)
	}
	return nil
}

// readAgain looks whether a refused document would be accepted today.
func (r *Reprocess) readAgain(h *entry.Header, doc *intake.Document, raw *[]byte) error {
	stored, err := r.engine.opts.Log.At(h.Position)
	if errors.Is(err, entry.ErrNotFound) {
		return nil // Dropped meanwhile, to make room.
	}
	if err != nil {
		return err
	}
	doc.Reset()
	err = r.engine.unpack(stored, doc, raw, r.engine.opts.Intake)
	if _, refused := errors.AsType[*intake.DocumentError](err); refused || errors.Is(err, intake.ErrUnknownMediaType) {
		return nil
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.changes.accepted.add(DocumentChange{Position: h.Position, ID: h.ID, Received: h.Received, Records: len(doc.Records)})
	return nil
}

// documentChanges are the documents that today's decoder judges differently.
type documentChanges struct {
	refused  changeList // accepted in their day
	accepted changeList // refused in their day
}

// changesMax is how many are remembered; more are only counted. So many positions fit
// into the entry that records a rule, many times over.
const changesMax = 10_000

type changeList struct {
	count int
	first []DocumentChange // at most changesMax, in no order
}

func (l *changeList) add(c DocumentChange) {
	l.count++
	if len(l.first) < changesMax {
		l.first = append(l.first, c)
	}
}

// sorted is a copy in order of position.
func (l *changeList) sorted() []DocumentChange {
	return slices.SortedFunc(slices.Values(l.first), func(a, b DocumentChange) int { return cmp.Compare(a.Position, b.Position) })
}
