package engine

import (
	"context"
	"fmt"
)

// CommitOptions say how a reprocess is committed.
type CommitOptions struct {
	// Uncount says that accepted documents which today's decoder refuses may stop to
	// count. Without it they stand against the commit: their senders were told that
	// they count.
	Uncount bool
	// Source says who commits: a name, an address; may be empty.
	Source string
}

// UncountError says that accepted documents would stop to count.
type UncountError struct {
	Documents int
	TooMany   bool // more than a log entry can name
}

// Error says how many.
func (e *UncountError) Error() string {
	if e.TooMany {
		return fmt.Sprintf("%d accepted documents are refused today; at most %d can stop to count", e.Documents, changesMax)
	}
	return fmt.Sprintf("%d accepted documents are refused today and would stop to count", e.Documents)
}

// commitCall is a commit on its way to the goroutine of a reprocess.
type commitCall struct {
	options CommitOptions
	done    chan commitResult // one value
}

type commitResult struct {
	rule RuleInForce
	err  error
}

// Commit puts the state of a reprocess in the place of the live one, in one step, and
// records the rule in the log. Imports wait meanwhile, for the time it takes to read
// what has arrived since the reprocess last looked; reads do not.
//
// When it returns without an error, the rule is durable and every read sees the new
// state. The error is [ErrReprocessNotReady], [ErrNoReprocess], an *[UncountError],
// the log's ([entry.ErrReadOnly], [entry.ErrFailed]) or ctx's; then nothing has
// changed, and the reprocess goes on. ctx bounds the wait for the beginning only.
func (r *Reprocess) Commit(ctx context.Context, opts CommitOptions) (RuleInForce, error) {
	s := r.status()
	switch {
	case s.Phase.ended():
		return RuleInForce{}, ErrNoReprocess
	case s.Phase != PhaseReady:
		return RuleInForce{}, fmt.Errorf("%w: it has read position %d of %d", ErrReprocessNotReady, s.Position, s.Last)
	case s.Paused:
		return RuleInForce{}, fmt.Errorf("%w: it is paused", ErrReprocessNotReady)
	}
	call := &commitCall{options: opts, done: make(chan commitResult, 1)}
	select {
	case r.commits <- call:
	case <-r.done:
		return RuleInForce{}, ErrNoReprocess
	case <-ctx.Done():
		return RuleInForce{}, ctx.Err()
	}
	result := <-call.done
	return result.rule, result.err
}

// commitRounds is how often a commit tries to leave less for the time in which imports
// wait.
const commitRounds = 3

// commit is the protocol of DESIGN.md, "Reprocessing", from step 5 on.
func (r *Reprocess) commit(ctx context.Context, opts CommitOptions) (committed RuleInForce, err error) {
	for range commitRounds {
		if err := r.readThrough(ctx, r.engine.state.Load().position, nil); err != nil {
			return RuleInForce{}, err
		}
	}
	ordered := r.engine.order(ctx, func(live *book, t *trail) *book {
		// Nothing makes it wait here: the committer would wait, too.
		if err = r.readThrough(ctx, live.position, nil); err != nil {
			return live
		}
		if committed, err = r.put(live, t, opts); err != nil {
			return live
		}
		return r.book
	})
	if ordered != nil {
		return RuleInForce{}, ordered
	}
	return committed, err
}

// put records the rule of a book that has come as far as the live one, and puts the
// book in its place. It runs on the committer.
func (r *Reprocess) put(live *book, t *trail, opts CommitOptions) (RuleInForce, error) {
	rule := RuleInForce{Rule: r.rule}
	r.mu.Lock()
	refused := &r.mu.changes.refused
	for _, c := range refused.sorted() {
		rule.Uncounted = append(rule.Uncounted, c.Position)
	}
	count := refused.count
	r.mu.Unlock()
	if tooMany := count > changesMax; tooMany || (count > 0 && !opts.Uncount) {
		return RuleInForce{}, &UncountError{Documents: count, TooMany: tooMany}
	}
	d, err := r.engine.draftEvent(rule.event(opts.Source))
	if err != nil {
		return RuleInForce{}, err
	}
	// An append as any other: it is durable, then the book that is given is published. It
	// takes its rule from the event, with the position.
	r.book.events = live.events
	r.engine.commit(r.book, t, []*draft{d})
	if d.err != nil {
		return RuleInForce{}, d.err
	}
	return *r.book.inForce, nil
}
