package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"markr/engine/exam"
	"markr/wal/entry"
)

// Bounds of what gathers for a watch between two looks at it.
const (
	watchTestsMax    = 65_536 // beyond it is said that any test may have changed
	watchArrivalsMax = 64     // the newest are kept, all are counted
)

// ArrivalTestsMax is how many of its tests an import is told with.
const ArrivalTestsMax = 5

// A Watch gathers what the engine makes visible, for somebody who tells others. The
// committer leaves a note in it and never waits: what is not taken is joined with what
// comes next, in bounded memory.
type Watch struct {
	engine *Engine
	signal chan struct{}
	mu     struct {
		sync.Mutex

		pending Changes
	}
}

// Changes are what has become visible since they were last taken.
type Changes struct {
	// Tests are those that an accepted document or a duplicate has named.
	Tests map[exam.TestID]struct{}
	// All says that any test may have changed: another rule is in force, or there were
	// too many to list.
	All bool
	// Arrivals are the newest documents, oldest first; the numbers count all.
	Arrivals                      []Arrival
	Accepted, Refused, Duplicates int
}

// Join adds the later changes to c.
func (c *Changes) Join(later Changes) {
	c.Accepted += later.Accepted
	c.Refused += later.Refused
	c.Duplicates += later.Duplicates
	for _, one := range later.Arrivals {
		c.arrive(one)
	}
	if c.All = c.All || later.All; c.All {
		c.Tests = nil
		return
	}
	for test := range later.Tests {
		c.touch(test)
	}
}

// Any says whether something has happened.
func (c *Changes) Any() bool {
	return c.All || c.Accepted+c.Refused+c.Duplicates > 0
}

// An Arrival is a document that has arrived, as it is told in passing.
type Arrival struct {
	ID       uuid.UUID
	Position entry.Position
	Received time.Time
	Outcome  entry.Outcome
	Records  int           // 0 of a refused one
	Tests    []exam.TestID // the first few
	Code     string        // why it was refused, or empty
}

// watches are those who are told.
type watches struct {
	some atomic.Bool // There is at least one: asked for each batch.
	mu   struct {
		sync.Mutex

		list map[*Watch]struct{}
	}
}

// Watch begins to gather; Close ends it. The error is [ErrNotReady].
func (e *Engine) Watch() (*Watch, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	w := &Watch{engine: e, signal: make(chan struct{}, 1)}
	e.watches.mu.Lock()
	defer e.watches.mu.Unlock()
	if e.watches.mu.list == nil {
		e.watches.mu.list = make(map[*Watch]struct{})
	}
	e.watches.mu.list[w] = struct{}{}
	e.watches.some.Store(true)
	return w, nil
}

// Close ends the watch. What it has gathered can still be taken.
func (w *Watch) Close() {
	all := &w.engine.watches
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.mu.list, w)
	all.some.Store(len(all.mu.list) > 0)
}

// Changed is readable when there is something to take.
func (w *Watch) Changed() <-chan struct{} { return w.signal }

// Take returns what has gathered, and the newest state, of which all of that is part.
func (w *Watch) Take() (Changes, *State) {
	w.mu.Lock()
	taken := w.mu.pending
	w.mu.pending = Changes{}
	w.mu.Unlock()
	return taken, w.engine.State()
}

// notify leaves a note of a batch that is visible and not acknowledged yet: whoever has
// an answer finds its document told or about to be.
func (e *Engine) notify(batch []*draft) {
	if !e.watches.some.Load() {
		return
	}
	e.watches.mu.Lock()
	defer e.watches.mu.Unlock()
	for w := range e.watches.mu.list {
		w.note(batch)
	}
}

func (w *Watch) note(batch []*draft) {
	w.mu.Lock()
	for _, d := range batch {
		w.mu.pending.note(d)
	}
	w.mu.Unlock()
	select {
	case w.signal <- struct{}{}:
	default: // It has not been looked at since the last note.
	}
}

// note joins one durable draft with the changes.
func (c *Changes) note(d *draft) {
	if d.event != nil {
		c.All = c.All || d.event.Reprocess != nil
		return
	}
	one := Arrival{ID: d.entry.ID, Position: d.entry.Position, Received: d.entry.Received, Outcome: d.entry.Outcome}
	switch {
	case d.refused != nil:
		c.Refused++
		one.Code = string(d.refused.Code)
	case d.entry.Outcome == entry.Duplicate:
		c.Duplicates++
	default:
		c.Accepted++
	}
	if d.refused == nil {
		one.Records = len(d.doc.Records)
		one.Tests = d.tests[:min(len(d.tests), ArrivalTestsMax)]
		for _, test := range d.tests {
			c.touch(test)
		}
	}
	c.arrive(one)
}

func (c *Changes) arrive(one Arrival) {
	if len(c.Arrivals) == 2*watchArrivalsMax {
		c.Arrivals = append(c.Arrivals[:0], c.Arrivals[watchArrivalsMax:]...)
	}
	c.Arrivals = append(c.Arrivals, one)
}

func (c *Changes) touch(test exam.TestID) {
	switch {
	case c.All:
	case len(c.Tests) >= watchTestsMax:
		c.All, c.Tests = true, nil
	default:
		if c.Tests == nil {
			c.Tests = make(map[exam.TestID]struct{})
		}
		c.Tests[test] = struct{}{}
	}
}
