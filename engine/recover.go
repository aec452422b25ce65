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
	// checkpoint is where the state was taken up, or why it was not; set before ended
	// is closed.
	checkpoint struct {
		position atomic.Uint64
		err      atomic.Pointer[error]
	}
	ended chan struct{} // closed by end; the fields below are set before
	err   error
	took  time.Duration
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

		Checkpoint: entry.Position(e.recovery.checkpoint.position.Load()),
	}
	if err := e.recovery.checkpoint.err.Load(); err != nil {
		p.CheckpointErr = *err
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

// recover brings the book from where it is to the end of the log. Documents are decoded on all
// cores and applied in order, by the same apply that live imports use. before, if it is
// not nil, is called with each entry's position before that is applied.
func (e *Engine) recover(ctx context.Context, b *book, before func(entry.Position) error) error {
	var behind, aimed refusedLog
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.readRefused(ctx, b.position+1, &behind) })
	group.Go(func() error {
		return e.read(ctx, reading{
			from: b.position + 1, cores: runtime.GOMAXPROCS(0), before: before,
			decode: func(stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
				if !b.inForce.counts(stored.Position) {
					return nil
				}
				return e.decodeItems(b, stored, doc, raw)
			},
			take: func(stored *entry.Entry, doc *intake.Document) error {
				aimed.noteAimed(&stored.Header)
				if len(doc.Records) > 0 {
					b.apply(referTo(&stored.Header), doc)
				}
				e.recovery.records.Add(uint64(len(doc.Records)))
				e.recovery.applied.Store(uint64(stored.Position))
				return nil
			},
		})
	})
	if err := group.Wait(); err != nil {
		if errors.Is(err, context.Canceled) {
			err = ErrClosed
		}
		return fmt.Errorf("recover from log: %w", err)
	}
	behind.resolutions = append(behind.resolutions, aimed.resolutions...)
	e.refused.apply(&behind, e.opts.Log.DroppedThrough())
	b.position = e.opts.Log.Last()
	return nil
}

// decode reads a document that was accepted before. raw is memory for it.
func (e *Engine) decode(stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
	err := e.unpack(stored, doc, raw, e.opts.Replay)
	if refused, ok := errors.AsType[*intake.DocumentError](err); ok {
		// Its value may be a student's number, and this error will be logged.
		return fmt.Errorf("position %d: %w: %s in record %d, line %d", stored.Position, ErrUnreadable,
			refused.Code, refused.Record, refused.Line)
	}
	if errors.Is(err, intake.ErrUnknownMediaType) {
		return fmt.Errorf("position %d: %w: %w", stored.Position, ErrUnreadable, err)
	}
	return err
}

// unpack takes a document out of its entry and decodes it. The error is the codec's,
// or the decoder's as it is; then doc holds nothing that may be used.
func (e *Engine) unpack(stored *entry.Entry, doc *intake.Document, raw *[]byte, formats *intake.Registry) error {
	text, err := e.codec.Raw(stored, (*raw)[:0])
	if err != nil {
		return err
	}
	*raw = text
	return formats.Decode(doc, text, stored.MediaType)
}
