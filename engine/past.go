package engine

import (
	"context"
	"fmt"
	"sort"
	"time"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/summary"
	"markr/wal/entry"
)

// pastsMax is how many tests are computed as they were at once: each takes the memory
// of its test, twice, while it is computed.
const pastsMax = 2

// Step is what one document did to one test.
type Step struct {
	Import  ImportRef
	Source  string
	Effects ledger.Effects // of its records of this test
	// Available and Aggregate are those of the test after it.
	Available exam.Marks
	Aggregate summary.Aggregate
}

// TestAt is a test as it was when the log ended at a position, under the rule that
// holds now; it has no Last. It takes the scans in memory again, up to there: some
// 80 ns each in a test of 100,000 students. ctx bounds the wait for a turn. The error is [ErrUnknownTest] if no
// document had named the test, [ErrUnknownPosition], [ErrNotReady] or [ErrOverloaded].
func (e *Engine) TestAt(ctx context.Context, id exam.TestID, at entry.Position) (*Test, error) {
	view, done, err := e.past(ctx, id, at)
	if err != nil {
		return nil, err
	}
	defer done()
	test, err := view.Replay(uint64(at), nil)
	if err != nil {
		return nil, fmt.Errorf("test at position %d: %w", at, err)
	}
	if test.Len() == 0 {
		return nil, ErrUnknownTest
	}
	return &Test{ID: id, Available: test.Available, scores: test.Scores()}, nil
}

// History calls step with what every document did to a test, those at positions from
// from to to, in order; step's error ends it and is returned. to may be 0: to the end.
// The errors and ctx are those of TestAt, and those of reading the log's headers.
func (e *Engine) History(ctx context.Context, id exam.TestID, from, to entry.Position, step func(Step) error) error {
	view, done, err := e.past(ctx, id, to)
	if err != nil {
		return err
	}
	defer done()
	through := uint64(to)
	if through == 0 {
		through = 1<<64 - 1
	}
	_, err = view.Replay(through, func(position uint64, test *ledger.Test, effects ledger.Effects) error {
		if position < uint64(from) {
			return nil
		}
		h, err := e.headerAt(entry.Position(position))
		if err != nil {
			return fmt.Errorf("document at position %d: %w", position, err)
		}
		return step(Step{
			Import: referTo(&h), Source: h.Source, Effects: effects,
			Available: test.Available, Aggregate: test.Scores().Aggregate(test.Available),
		})
	})
	return err
}

// past takes a turn and a view of a test.
func (e *Engine) past(ctx context.Context, id exam.TestID, at entry.Position) (view ledger.View, done func(), err error) {
	if err := e.ready(); err != nil {
		return ledger.View{}, nil, err
	}
	select {
	case e.pasts <- struct{}{}:
	case <-ctx.Done():
		return ledger.View{}, nil, ErrOverloaded
	}
	done = func() { <-e.pasts }
	e.live.Lock()
	defer e.live.Unlock()
	test := e.live.book.tests[id]
	switch {
	case at > e.live.book.position:
		err = ErrUnknownPosition
	case test == nil:
		err = ErrUnknownTest
	default:
		return test.kept.View(), done, nil
	}
	done()
	return ledger.View{}, nil, err
}

// PositionAt is the last position of a document that had been received at a time, 0 if
// none had. Documents that arrive at once may be stored in another order than they
// were received in, by milliseconds; among those it is one of them.
func (e *Engine) PositionAt(at time.Time) (entry.Position, error) {
	if err := e.ready(); err != nil {
		return 0, err
	}
	last := e.opts.Log.Last()
	var failed error
	found := sort.Search(int(last), func(i int) bool {
		// Refused documents that were dropped have no header: those before them tell.
		h, err := e.opts.Log.Headers(entry.Position(i)+2, 0, 1)
		if err != nil {
			failed = err
		}
		return err == nil && len(h) > 0 && h[0].Received.After(at)
	})
	if failed != nil {
		return 0, fmt.Errorf("find position of a time: %w", failed)
	}
	return min(entry.Position(found), e.state.Load().position), nil
}

// headerAt is the header at a position.
func (e *Engine) headerAt(position entry.Position) (entry.Header, error) {
	headers, err := e.opts.Log.Headers(position+1, 0, 1)
	if err != nil {
		return entry.Header{}, err
	}
	if len(headers) == 0 || headers[0].Position != position {
		return entry.Header{}, entry.ErrNotFound
	}
	return headers[0], nil
}
