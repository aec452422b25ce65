package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"markr/engine/audit"
	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/engine/summary"
	"markr/wal/entry"
)

// pastsMax is how many tests are computed as they were at once: each takes the memory
// of its test, twice, while it is computed.
const pastsMax = 2

// Step is what one document did to one test, or what another rule did.
type Step struct {
	Import ImportRef // of an event its position and time, without an id
	Source string
	// Event is the action of the event that has put another rule in force; empty for a
	// document.
	Event   audit.Action
	Effects ledger.Effects // of the document's records of this test
	// Rule is the one in force from it on, Available and Aggregate are those of the test
	// after it.
	Rule      scoring.Rule
	Available exam.Marks
	Aggregate summary.Aggregate
}

// TestAt is a test as it was when the log ended at a position, under the rule that was in
// force then; it has no Last. It takes the scans in memory again, up to there: some 80 ns
// each in a test of 100,000 students. If they lack what that rule looks at, or others
// counted then, their documents are read again, on all cores. ctx bounds the wait for a
// turn ([ErrOverloaded]); the reading ends when it is cancelled, with its error, but not at
// its deadline. Other errors are [ErrUnknownTest] if no document had named the test,
// [ErrUnknownPosition], [ErrNotReady], [ErrLostPast], [ErrUnreadable], [ErrClosed], a
// *entry.DamagedError and the disk's.
func (e *Engine) TestAt(ctx context.Context, id exam.TestID, at entry.Position) (*Test, error) {
	p, err := e.past(ctx, id, at)
	if err != nil {
		return nil, err
	}
	defer p.done()
	test, err := p.retake(ctx, p.era(at), ledger.Retake{Through: uint64(at)}, nil)
	if err != nil {
		return nil, fmt.Errorf("test at position %d: %w", at, err)
	}
	if test.Len() == 0 {
		return nil, ErrUnknownTest
	}
	return &Test{ID: id, Available: test.Available, scores: test.Scores()}, nil
}

// History calls step with what every document did to a test, and every change of the rule,
// those at positions from from to to, in order, each under the rule that was in force
// then; step's error ends it and is returned. to may be 0: to the end. The errors and ctx
// are those of TestAt.
func (e *Engine) History(ctx context.Context, id exam.TestID, from, to entry.Position, step func(Step) error) error {
	p, err := e.past(ctx, id, to)
	if err != nil {
		return err
	}
	defer p.done()
	if to == 0 {
		to = p.position
	}
	found := false
	for i := range p.eras {
		era := &p.eras[i]
		through := to
		if i+1 < len(p.eras) {
			through = min(to, p.eras[i+1].from-1)
		}
		if through < max(from, era.from) {
			continue
		}
		r := ledger.Retake{Through: uint64(through)}
		if era.from >= from {
			r.Mark = uint64(era.from)
		}
		test, err := p.retake(ctx, era, r, func(position uint64, test *ledger.Test, effects ledger.Effects) error {
			at := entry.Position(position)
			if at < max(from, era.from) || test.Len() == 0 {
				return nil
			}
			return e.tell(at, era, test, effects, step)
		})
		if err != nil {
			return err
		}
		found = found || test.Len() > 0
	}
	if !found && !p.known {
		return ErrUnknownTest
	}
	return nil
}

// tell calls step with what is at a position.
func (e *Engine) tell(at entry.Position, era *era, test *ledger.Test, effects ledger.Effects, step func(Step) error) error {
	h, err := e.headerAt(at)
	if err != nil {
		return fmt.Errorf("document at position %d: %w", at, err)
	}
	s := Step{
		Import: referTo(&h), Source: h.Source, Effects: effects, Rule: era.rule,
		Available: test.Available, Aggregate: test.Scores().Aggregate(test.Available),
	}
	if h.Outcome == entry.Event {
		s.Import.ID = uuid.Nil
		event, err := eventAt(e.opts.Log, e.codec, at)
		if err != nil {
			return err
		}
		s.Event = event.Action
	}
	return step(s)
}

// past is a test whose past is looked at.
type past struct {
	engine   *Engine
	id       exam.TestID
	known    bool // today
	view     ledger.View
	numbers  ledger.StudentsView // that the rows of a test which is taken again name
	now      RuleInForce
	position entry.Position // of the view
	eras     []era          // that have begun by then
	done     func()         // gives the turn back
}

// era is the one that a position is in.
func (p *past) era(at entry.Position) *era { return eraAt(p.eras, at) }

func eraAt(eras []era, at entry.Position) *era {
	last, _ := slices.BinarySearchFunc(eras, at+1, func(one era, at entry.Position) int { return cmp.Compare(one.from, at) })
	return &eras[last-1]
}

// eraOf is the era of a position that has been reached.
func (e *Engine) eraOf(at entry.Position, now scoring.Rule) (*era, error) {
	eras, err := e.erasThrough(at, now)
	if err != nil {
		return nil, err
	}
	return eraAt(eras, at), nil
}

// past takes a turn and a view of a test.
func (e *Engine) past(ctx context.Context, id exam.TestID, at entry.Position) (*past, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	select {
	case e.pasts <- struct{}{}:
	case <-ctx.Done():
		return nil, ErrOverloaded
	}
	p := &past{engine: e, id: id, done: func() { <-e.pasts }}
	e.live.Lock()
	b := e.live.book
	p.now, p.position = *b.inForce, b.position
	if test := b.tests[id]; test != nil {
		p.view, p.numbers, p.known = test.kept.View(), b.students.View(), true
	}
	e.live.Unlock()
	var err error
	if at > p.position {
		err = ErrUnknownPosition
	} else {
		p.eras, err = e.erasThrough(p.position, p.now.Rule)
	}
	if err != nil {
		p.done()
		return nil, err
	}
	return p, nil
}

// retake takes the scans again that counted in an era, under its rule; see
// [ledger.View.Replay].
func (p *past) retake(ctx context.Context, era *era, r ledger.Retake, each func(uint64, *ledger.Test, ledger.Effects) error) (*ledger.Test, error) {
	r.Rule = era.rule
	if p.view.Suffices(era.rule) && slices.Equal(era.uncounted, p.now.Uncounted) {
		return p.view.Replay(r, each)
	}
	return p.read(ctx, era, r, each)
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
