package engine

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"markr/engine/intake"
	"markr/wal/entry"
)

// reading is what is done with the accepted documents of a part of the log: by a
// recovery, by a reprocess, and by whoever asks for the past. Events have to be readable,
// and that is all.
type reading struct {
	from entry.Position
	// through is the last position that is read; 0: as far as the log goes when the
	// reading begins.
	through entry.Position
	// some says that only these positions are read, in order, instead of all of a part of
	// the log. What is wrong with one is found when all before it are taken.
	some      bool
	positions []entry.Position
	// cores is how many documents are decoded at a time.
	cores int
	// wait is asked before each parcel; it returns when the reading may go on. Nil: at
	// once.
	wait func(context.Context) error
	// decode reads one document into doc, on any goroutine. raw is memory for its text.
	// A document that it leaves empty counts nothing.
	decode func(stored *entry.Entry, doc *intake.Document, raw *[]byte) error
	// take takes the documents, in order, on one goroutine; doc is its until it returns.
	// Its error ends the reading.
	take func(stored *entry.Entry, doc *intake.Document) error
	// before, if it is not nil, is called with each entry's position before that is taken.
	before func(entry.Position) error
}

// A parcel is handed from one goroutine to the next as a whole: of documents of one
// record so many that the handing over costs nothing beside the reading, of long
// ones few enough that memory stays bounded.
const (
	parcelEntriesMax = 64
	parcelBytesMax   = 64 << 10 // of compressed documents
)

// parcel is a run of entries on its way through a reading.
type parcel struct {
	entries []*entry.Entry
	bytes   int
	raws    [][]byte          // memory of their documents
	docs    []intake.Document // one for each entry, and what is left of earlier ones
	decoded int               // so many of the entries have been
	failed  error             // why there is no further entry, if that is so
	ready   chan error        // one value when the documents are decoded, or why not all are
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
	p.entries, p.bytes, p.decoded, p.failed = p.entries[:0], 0, 0, nil
}

// read reads a part of the log: one goroutine reads it in order, r.cores decode
// parcels of documents, one takes them in order. It returns when all of them have
// ended; when ctx ends, or something is wrong, that is at once: after the documents that
// they have in hand.
func (e *Engine) read(ctx context.Context, r reading) error {
	// Four parcels a core keep every core busy and bound what is in memory. As
	// no channel holds fewer, only idle ever makes anybody wait.
	width := 4 * r.cores
	inOrder, toDecode, idle := make(chan *parcel, width), make(chan *parcel, width), make(chan *parcel, width)
	for range width {
		idle <- &parcel{ready: make(chan error, 1)}
	}
	// Who decodes goes on behind something that is wrong with the log, because what stands
	// before it is taken, and stops when nobody takes any more.
	taking, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(inOrder)
		defer close(toDecode)
		send := func(p *parcel) {
			toDecode <- p
			inOrder <- p
		}
		if r.some {
			return e.fetch(ctx, r.positions, idle, send)
		}
		return e.replay(ctx, &r, idle, send)
	})
	for range r.cores {
		group.Go(func() error {
			for p := range toDecode {
				p.ready <- r.decodeParcel(taking, e.codec, p)
			}
			return nil
		})
	}
	group.Go(func() error {
		defer stop()
		for p := range inOrder {
			// What stands before something that is wrong is taken.
			failed := <-p.ready
			if err := r.takeParcel(taking, p); err != nil {
				return err
			}
			if failed != nil {
				return failed
			}
			idle <- p
		}
		return nil
	})
	return group.Wait()
}

// errThrough ends a replay that has come as far as it should. It does not leave replay.
var errThrough = errors.New("read through")

// replay reads the log into idle parcels and sends them on. What was read before
// something that is damaged is sent, too.
func (e *Engine) replay(ctx context.Context, r *reading, idle <-chan *parcel, send func(*parcel)) error {
	var p *parcel
	err := e.opts.Log.Replay(ctx, r.from, func(stored *entry.Entry) error {
		if r.through > 0 && stored.Position > r.through {
			return errThrough
		}
		if p == nil {
			if r.wait != nil {
				if err := r.wait(ctx); err != nil {
					return err
				}
			}
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
	if errors.Is(err, errThrough) {
		return nil
	}
	return err
}

// fetch reads the entries at some positions into idle parcels and sends them on, up to
// one that cannot be read: the taker is to know that in its place.
func (e *Engine) fetch(ctx context.Context, positions []entry.Position, idle <-chan *parcel, send func(*parcel)) error {
	for len(positions) > 0 {
		var p *parcel
		select {
		case p = <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
		for len(positions) > 0 && !p.full() && ctx.Err() == nil {
			stored, err := e.opts.Log.At(positions[0])
			if err != nil {
				p.failed = fmt.Errorf("read document at position %d: %w", positions[0], err)
				positions = nil
				break
			}
			p.add(stored)
			positions = positions[1:]
		}
		send(p)
	}
	return nil
}

func (r *reading) decodeParcel(ctx context.Context, codec *entry.Codec, p *parcel) error {
	for len(p.docs) < len(p.entries) {
		p.docs, p.raws = append(p.docs, intake.Document{}), append(p.raws, nil)
	}
	for i, stored := range p.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if stored.Outcome == entry.Event {
			_, _, err = readEvent(codec, stored)
		} else {
			err = r.decode(stored, &p.docs[i], &p.raws[i])
		}
		if err != nil {
			return err
		}
		p.decoded++
	}
	return p.failed
}

// takeParcel takes the documents that have been decoded.
func (r *reading) takeParcel(ctx context.Context, p *parcel) error {
	for i, stored := range p.entries[:p.decoded] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.before != nil {
			if err := r.before(stored.Position); err != nil {
				return err
			}
		}
		doc := &p.docs[i]
		if stored.Outcome == entry.Accepted {
			if err := r.take(stored, doc); err != nil {
				return err
			}
		}
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
