package engine

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"markr/engine/scoring"
	"markr/wal/entry"
)

// Reprocess reads the whole log again under another rule, with today's decoder, into
// a second book beside the live one, and follows what arrives meanwhile. What it
// comes to is compared with the live state, and takes its place when it is committed.
// DESIGN.md, "Reprocessing", has the steps and what a crash leaves of them.
//
// It is safe for concurrent use. There is at most one at a time.
type Reprocess struct {
	engine  *Engine
	rule    scoring.Rule
	started time.Time
	cancel  context.CancelFunc
	done    chan struct{}    // closed when its goroutine has ended
	commits chan *commitCall // to its goroutine
	asked   atomic.Bool      // somebody has looked since the last comparison
	cores   int              // that decode

	// How far it has come.
	reading struct{ position, documents, records atomic.Uint64 }

	// book is its goroutine's, and the committer's while an order is under way.
	book *book

	mu struct {
		sync.Mutex

		phase      Phase
		resumed    chan struct{} // closed when it may go on; nil when it is not paused
		err        error
		comparison *twoStates
		changes    documentChanges
		committed  entry.Position
	}
}

// Phase is how far a reprocess has come.
type Phase string

// The phases.
const (
	PhaseReading   Phase = "reading"   // the log, up to where it ends
	PhaseReady     Phase = "ready"     // follows the live state, and can be committed
	PhaseCommitted Phase = "committed" // its state is the live one
	PhaseFailed    Phase = "failed"    // it cannot go on; nothing has changed
)

// ended says whether there is nothing more to come.
func (p Phase) ended() bool { return p == PhaseCommitted || p == PhaseFailed }

// ReprocessStatus is a reprocess at one moment.
type ReprocessStatus struct {
	Rule     scoring.Rule
	Phase    Phase
	Paused   bool
	Started  time.Time
	Position entry.Position // read so far
	Last     entry.Position // of the live state
	// Documents and Records are how many were read.
	Documents, Records uint64
	// Difference is from the last comparison, nil until there is one.
	Difference *Difference
	// Committed is the position of the entry that records the rule; 0 until then.
	Committed entry.Position
	Err       error // why it has failed
}

// reprocessing is the reprocess under way, or the last one if nobody has cleared it.
type reprocessing struct {
	sync.Mutex

	current *Reprocess
	closed  bool
}

// StartReprocess begins to reprocess the log under a rule. The rule in force is
// allowed, too: a decoder may have changed. The error is [ErrReprocessing],
// [ErrNotReady] or [ErrClosed].
func (e *Engine) StartReprocess(rule scoring.Rule) (*Reprocess, error) {
	if err := e.ready(); err != nil {
		return nil, fmt.Errorf("reprocess: %w", err)
	}
	all := &e.reprocessing
	all.Lock()
	defer all.Unlock()
	switch {
	case all.closed:
		return nil, fmt.Errorf("reprocess: %w", ErrClosed)
	case all.current != nil && !all.current.phase().ended():
		return nil, ErrReprocessing
	}
	ctx, cancel := context.WithCancel(e.ctx)
	r := &Reprocess{
		engine: e, rule: rule, started: e.opts.Now(), cancel: cancel,
		done: make(chan struct{}), commits: make(chan *commitCall),
		// One is left to those who import meanwhile.
		cores: max(1, runtime.GOMAXPROCS(0)-1),
		book:  newBook(&RuleInForce{Rule: rule}, e.opts.ItemAnalysis),
	}
	r.mu.phase = PhaseReading
	all.current = r
	go r.run(ctx)
	return r, nil
}

// Reprocess is the reprocess under way, or how the last one ended; nil if there has
// been none since the start, or it was cancelled.
func (e *Engine) Reprocess() *Reprocess {
	e.reprocessing.Lock()
	defer e.reprocessing.Unlock()
	return e.reprocessing.current
}

// end is for an engine that closes: nothing is left of a reprocess afterwards.
func (all *reprocessing) end() {
	all.Lock()
	all.closed = true
	r := all.current
	all.Unlock()
	if r != nil {
		r.cancel()
		<-r.done
	}
}

// Status says how far it has come. Who asks is told of a fresh comparison before
// long.
func (r *Reprocess) Status() ReprocessStatus {
	r.asked.Store(true)
	return r.status()
}

func (r *Reprocess) status() ReprocessStatus {
	s := ReprocessStatus{
		Rule: r.rule, Started: r.started,
		Position:  entry.Position(r.reading.position.Load()),
		Documents: r.reading.documents.Load(),
		Records:   r.reading.records.Load(),
		Last:      r.engine.state.Load().position,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Phase, s.Paused, s.Err, s.Committed = r.mu.phase, r.mu.resumed != nil, r.mu.err, r.mu.committed
	if c := r.mu.comparison; c != nil {
		s.Difference = &c.summary
	}
	return s
}

func (r *Reprocess) phase() Phase {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.phase
}

// Pause makes it wait before the next parcel of documents. Pausing twice is pausing.
// The error is [ErrNoReprocess] when it has ended.
func (r *Reprocess) Pause() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.phase.ended() {
		return ErrNoReprocess
	}
	if r.mu.resumed == nil {
		r.mu.resumed = make(chan struct{})
	}
	return nil
}

// Resume makes it go on. The error is [ErrNoReprocess] when it has ended.
func (r *Reprocess) Resume() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.phase.ended() {
		return ErrNoReprocess
	}
	if r.mu.resumed != nil {
		close(r.mu.resumed)
		r.mu.resumed = nil
	}
	return nil
}

// Cancel ends it and waits until nothing of it is left. One that has failed or was
// committed is forgotten. The error is [ErrNoReprocess] when somebody else has
// cancelled it.
func (r *Reprocess) Cancel() error {
	all := &r.engine.reprocessing
	all.Lock()
	if all.current != r {
		all.Unlock()
		return ErrNoReprocess
	}
	all.current = nil
	all.Unlock()
	r.cancel()
	<-r.done
	if !r.phase().ended() {
		r.engine.metrics.reprocessed.cancelled.Inc()
	}
	return nil
}

// wait returns when it is not paused, or ctx's error.
func (r *Reprocess) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		resumed := r.mu.resumed
		r.mu.Unlock()
		if resumed == nil {
			return ctx.Err()
		}
		select {
		case <-resumed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
