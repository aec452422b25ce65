package engine

import (
	"errors"
	"io"
	"sync"

	"markr/wal/entry"
)

// A checkpoint is taken in three steps, so that imports hardly notice it:
//
//  1. the committer takes a view of the book between two batches: a pointer for
//     every 4,096 marks;
//  2. a goroutine of its own encodes the view and has it saved, while the committer
//     goes on and copies what it changes;
//  3. the next start loads it and reads the log from there.
//
// A checkpoint is never the only place where anything is. If it cannot be saved, the
// one before stays; if it cannot be loaded, the log is read from its beginning.

// saving is the checkpoint under way.
type saving struct {
	sync.WaitGroup

	mu struct {
		sync.Mutex

		underway bool
	}
}

// checkpointShare is the part of the marks that must have been recorded anew before
// the next checkpoint: all of them are written each time, so this bounds what is
// written, on average, for each record.
const checkpointShare = 2

// checkpointIfDue begins a checkpoint when enough has happened since the last and
// none is under way.
func (e *Engine) checkpointIfDue(b *book) {
	if e.opts.Checkpoints == nil || b.records < max(e.opts.CheckpointRecords, b.marks/checkpointShare) {
		return
	}
	e.saving.mu.Lock()
	defer e.saving.mu.Unlock()
	if e.saving.mu.underway {
		return
	}
	e.saving.mu.underway = true
	view := e.view(b)
	b.records = 0
	e.saving.Go(func() {
		e.save(view)
		e.saving.mu.Lock()
		e.saving.mu.underway = false
		e.saving.mu.Unlock()
	})
}

// lastCheckpointShare: at the end even a little is worth saving, because a restart
// is when somebody waits.
const lastCheckpointShare = 100

// saveLastCheckpoint waits for the checkpoint under way, and saves one of how it
// ends.
func (e *Engine) saveLastCheckpoint(b *book) {
	e.saving.Wait()
	if e.opts.Checkpoints != nil && b.records > e.opts.CheckpointRecords/lastCheckpointShare {
		e.save(e.view(b))
	}
}

// view is a view of the live book and of the refusals; the committer alone changes them.
// Others take views of parts of the book meanwhile.
func (e *Engine) view(b *book) *bookView {
	e.live.Lock()
	view := b.view()
	e.live.Unlock()
	view.refused = e.refused.view()
	return view
}

func (e *Engine) save(view *bookView) {
	started := e.opts.Now()
	if err := e.opts.Checkpoints.SaveCheckpoint(view.position, view.encode); err != nil {
		e.metrics.checkpointFailures.Inc()
		return
	}
	e.metrics.checkpointDuration.Observe(e.opts.Now().Sub(started).Seconds())
	e.metrics.checkpointPosition.Set(float64(view.position))
}

// restored is the book of the last checkpoint, or an empty one.
func (e *Engine) restored() *book {
	if e.opts.Checkpoints == nil {
		return newBook(e.inForce, e.opts.ItemAnalysis)
	}
	var b *book
	err := e.opts.Checkpoints.LoadCheckpoint(func(at entry.Position, r io.Reader) (err error) {
		b, err = decodeBook(r, at, e.inForce, e.opts.ItemAnalysis, e.refused)
		return err
	})
	if err != nil {
		if !errors.Is(err, entry.ErrNotFound) {
			e.recovery.checkpoint.err.Store(&err)
		}
		e.refused.restore(refusalsView{})
		return newBook(e.inForce, e.opts.ItemAnalysis)
	}
	e.recovery.checkpoint.position.Store(uint64(b.position))
	e.metrics.checkpointPosition.Set(float64(b.position))
	return b
}
