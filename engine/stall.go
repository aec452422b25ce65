package engine

import (
	"fmt"
	"sync/atomic"
	"time"
)

// stallAfterDefault is long for a disk, which may need a second under load, and short
// for the clients that wait: most give up after half a minute.
const stallAfterDefault = 5 * time.Second

// appending is the append under way. A disk that does not answer gives no error, so
// the clock is all there is to tell.
type appending struct {
	since atomic.Pointer[time.Time] // nil when there is none
}

func (a *appending) begin(now time.Time) { a.since.Store(&now) }

func (a *appending) end() { a.since.Store(nil) }

// stalled is nil, or [ErrStalled] when an append has taken longer than it may. Whoever
// has a place in the queue still waits: that document may be on disk already.
func (e *Engine) stalled() error {
	since := e.appending.since.Load()
	if since == nil {
		return nil
	}
	if took := e.opts.Now().Sub(*since); took >= e.opts.StallAfter {
		return fmt.Errorf("%w for %v", ErrStalled, took.Truncate(time.Second))
	}
	return nil
}
