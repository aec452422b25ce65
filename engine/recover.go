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

// A parcel is handed from one goroutine to the next as a whole: of documents of one
// record so many that the handing over costs nothing beside the reading, of long
// ones few enough that memory stays bounded.
const (
	parcelEntriesMax = 64
	parcelBytesMax   = 64 << 10 // of compressed documents
)

// parcel is a run of entries on its way through recovery.
type parcel struct {
	entries []*entry.Entry
	bytes   int
	raws    [][]byte          // memory of their documents
	docs    []intake.Document // one for each entry, and what is left of earlier ones
	ready   chan error        // one value when the documents are decoded, or why not
}

func (p *parcel) add(e *entry.Entry) {
	p.entries = append(p.entries, e)
	p.bytes += len(e.Body)
}

func (p *parcel) full() bool {
	return len(p.entries) >= parcelEntriesMax || p.bytes >= parcelBytesMax
}

func (p *parcel) reset() {
	clear(p.entries)
	p.entries, p.bytes = p.entries[:0], 0
}

// recover brings the book from where it is to the end of the log. Documents are decoded on all
// cores and applied in order, by the same apply that live imports use. before, if it is
// not nil, is called with each entry's position before that is applied.
func (e *Engine) recover(ctx context.Context, b *book, before func(entry.Position) error) error {
	// Four parcels a core keep every core busy and bound what is in memory. As
	// no channel holds fewer, only idle ever makes anybody wait.
	cores := runtime.GOMAXPROCS(0)
	width := 4 * cores
	inOrder, toDecode, idle := make(chan *parcel, width), make(chan *parcel, width), make(chan *parcel, width)
	for range width {
		idle <- &parcel{ready: make(chan error, 1)}
	}
	group, ctx := errgroup.WithContext(ctx)
	var behind, aimed refusedLog
	group.Go(func() error { return e.readRefused(ctx, b.position+1, &behind) })
	group.Go(func() error {
		defer close(inOrder)
		defer close(toDecode)
		return e.replay(ctx, b.position+1, idle, func(p *parcel) {
			toDecode <- p
			inOrder <- p
		})
	})
	for range cores {
		group.Go(func() error {
			for p := range toDecode {
				p.ready <- e.decodeParcel(p)
			}
			return nil
		})
	}
	group.Go(func() error {
		for p := range inOrder {
			if err := <-p.ready; err != nil {
				return err
			}
			for _, stored := range p.entries {
				aimed.noteAimed(&stored.Header)
			}
			if err := e.applyParcel(b, p, before); err != nil {
				return err
			}
			idle <- p
		}
		return nil
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

// replay reads the log from a position on into idle parcels and sends them on. What was read before
// something that is damaged is sent, too.
func (e *Engine) replay(ctx context.Context, from entry.Position, idle <-chan *parcel, send func(*parcel)) error {
	var p *parcel
	err := e.opts.Log.Replay(ctx, from, func(stored *entry.Entry) error {
		if p == nil {
			select {
			case p = <-idle:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		p.add(stored)
		if p.full() {
			send(p)
			p = nil
		}
		return nil
	})
	if p != nil {
		send(p)
	}
	return err
}

func (e *Engine) decodeParcel(p *parcel) error {
	for len(p.docs) < len(p.entries) {
		p.docs, p.raws = append(p.docs, intake.Document{}), append(p.raws, nil)
	}
	for i, stored := range p.entries {
		var err error
		if stored.Outcome == entry.Event {
			_, _, err = readEvent(e.codec, stored)
		} else {
			err = e.decode(stored, &p.docs[i], &p.raws[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) applyParcel(b *book, p *parcel, before func(entry.Position) error) error {
	for i, stored := range p.entries {
		if before != nil {
			if err := before(stored.Position); err != nil {
				return err
			}
		}
		doc := &p.docs[i]
		// An event that can be read is all there is to do about it: those there are so far
		// are settings, and what is in force comes with the start.
		if stored.Outcome == entry.Accepted {
			b.apply(referTo(&stored.Header), doc.Records)
		}
		e.recovery.records.Add(uint64(len(doc.Records)))
		e.recovery.applied.Store(uint64(stored.Position))
		doc.Reset()
		if cap(p.raws[i]) > rawBytesKept {
			p.raws[i] = nil
		}
	}
	p.reset()
	return nil
}

// rawBytesKept is the longest document whose memory serves the next one: there may
// be hundreds of them.
const rawBytesKept = 256 << 10

// decode reads a document that was accepted before. raw is memory for it.
func (e *Engine) decode(stored *entry.Entry, doc *intake.Document, raw *[]byte) error {
	text, err := e.codec.Raw(stored, (*raw)[:0])
	if err != nil {
		return err
	}
	*raw = text
	err = e.opts.Replay.Decode(doc, text, stored.MediaType)
	if refused := new(intake.DocumentError); errors.As(err, &refused) {
		// Its value may be a student's number, and this error will be logged.
		return fmt.Errorf("position %d: %w: %s in record %d, line %d", stored.Position, ErrUnreadable,
			refused.Code, refused.Record, refused.Line)
	}
	if err != nil {
		return fmt.Errorf("position %d: %w: %w", stored.Position, ErrUnreadable, err)
	}
	return nil
}
