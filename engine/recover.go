package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"markr/engine/intake"
	"markr/wal/entry"
)

// recovery is how far the engine has come in reading its log.
type recovery struct {
	started time.Time
	last    entry.Position
	applied atomic.Uint64
	records atomic.Uint64
	ended   chan struct{} // closed by end; the fields below are set before
	err     error
	took    time.Duration
}

func (r *recovery) init(now time.Time, last entry.Position) {
	r.started, r.last, r.ended = now, last, make(chan struct{})
}

func (r *recovery) end(err error, now time.Time) {
	r.err, r.took = err, now.Sub(r.started)
	close(r.ended)
}

// Progress says how far recovery has come.
func (e *Engine) Progress() Progress {
	p := Progress{
		Position: entry.Position(e.recovery.applied.Load()),
		Last:     e.recovery.last,
		Started:  e.recovery.started,
	}
	select {
	case <-e.recovery.ended:
		p.Ready, p.Err = e.recovery.err == nil, e.recovery.err
	default:
	}
	if s := e.state.Load(); s != nil {
		p.Position, p.Last = s.position, s.position
	}
	return p
}

// WaitReady returns nil when the engine is ready, or why it never will be, or
// ctx's error.
func (e *Engine) WaitReady(ctx context.Context) error {
	select {
	case <-e.recovery.ended:
		return e.recovery.err
	case <-ctx.Done():
		return fmt.Errorf("wait for recovery: %w", ctx.Err())
	}
}

// ready is nil when the engine is ready, else wraps ErrNotReady.
func (e *Engine) ready() error {
	select {
	case <-e.recovery.ended:
		if e.recovery.err != nil {
			return fmt.Errorf("%w: %w", ErrNotReady, e.recovery.err)
		}
		return nil
	default:
		return ErrNotReady
	}
}

// replayed is an entry on its way through recovery.
type replayed struct {
	entry *entry.Entry
	raw   []byte
	doc   intake.Document
	ready chan error // one value when the document is decoded, or why it is not
}

// recover brings the book to the end of the log. Documents are decoded on all
// cores and applied in order, by the same apply that live imports use.
func (e *Engine) recover(ctx context.Context, b *book) error {
	// Four documents a core keep every core busy and bound what is in memory. As
	// no channel holds fewer, only idle ever makes anybody wait.
	cores := runtime.GOMAXPROCS(0)
	width := 4 * cores
	inOrder, toDecode, idle := make(chan *replayed, width), make(chan *replayed, width), make(chan *replayed, width)
	for range width {
		idle <- &replayed{ready: make(chan error, 1)}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(inOrder)
		defer close(toDecode)
		return e.opts.Log.Replay(ctx, 1, func(stored *entry.Entry) error {
			select {
			case r := <-idle:
				r.entry = stored
				toDecode <- r
				inOrder <- r
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for range cores {
		group.Go(func() error {
			for r := range toDecode {
				r.ready <- e.decode(r)
			}
			return nil
		})
	}
	group.Go(func() error {
		for r := range inOrder {
			if err := <-r.ready; err != nil {
				return err
			}
			b.apply(referTo(&r.entry.Header), r.doc.Records)
			e.recovery.applied.Store(uint64(r.entry.Position))
			e.recovery.records.Add(uint64(len(r.doc.Records)))
			r.doc.Reset()
			idle <- r
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		if errors.Is(err, context.Canceled) {
			err = ErrClosed
		}
		return fmt.Errorf("recover from log: %w", err)
	}
	b.position = e.opts.Log.Last()
	return nil
}

// decode reads a document that was accepted before.
func (e *Engine) decode(r *replayed) error {
	var err error
	if r.raw, err = e.codec.Raw(r.entry, r.raw[:0]); err != nil {
		return err
	}
	err = e.opts.Replay.Decode(&r.doc, r.raw, r.entry.MediaType)
	if refused := new(intake.DocumentError); errors.As(err, &refused) {
		// Its value may be a student's number, and this error will be logged.
		return fmt.Errorf("position %d: %w: %s in record %d, line %d", r.entry.Position, ErrUnreadable,
			refused.Code, refused.Record, refused.Line)
	}
	if err != nil {
		return fmt.Errorf("position %d: %w: %w", r.entry.Position, ErrUnreadable, err)
	}
	return nil
}
