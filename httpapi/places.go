package httpapi

import (
	"sync/atomic"
	"time"
)

// places bounds the imports under way, and how long others wait to be among them.
//
// Whoever finds no place free may wait, but only for as long as a burst takes that the
// server can work off: longer waits would turn every answer late and give nobody an
// answer more. So whoever comes is told at once when the wait would be too long, as
// far as can be told from how fast those go forward who wait already.
type places struct {
	taken   chan struct{} // a token for each import under way
	waitMax time.Duration
	waiting atomic.Int64 // how many wait for a place
	pace    atomic.Int64 // nanoseconds in which who waits goes forward by one, as last seen
}

func newPlaces(n int, waitMax time.Duration) *places {
	return &places{taken: make(chan struct{}, n), waitMax: waitMax}
}

// paceSmoothing keeps a wait behind hardly anybody from saying much about a wait
// behind many.
const paceSmoothing = 16

// enter takes a place and says whether it got one. Those who have one need nothing
// that somebody who waits could hold, so places become free.
func (p *places) enter(now func() time.Time) bool {
	select {
	case p.taken <- struct{}{}:
		return true
	default:
	}
	ahead := p.waiting.Add(1)
	defer p.waiting.Add(-1)
	if p.hopeless(ahead) {
		return false
	}
	began := now()
	patience := time.NewTimer(p.waitMax)
	defer patience.Stop()
	select {
	case p.taken <- struct{}{}:
		p.pace.Store(int64(now().Sub(began)) / (ahead + paceSmoothing))
		return true
	case <-patience.C:
		p.pace.Store(int64(p.waitMax)/ahead + 1) // nobody else is to try it from as far behind
		return false
	}
}

func (p *places) leave() { <-p.taken }

// full says whether one more import would get no place in time. It is asked before
// the body is read, so that who will be refused is refused then.
func (p *places) full() bool {
	return len(p.taken) == cap(p.taken) && p.hopeless(p.waiting.Load()+1)
}

// hopeless says whether the ahead-th of those who wait would wait too long.
func (p *places) hopeless(ahead int64) bool {
	return ahead*p.pace.Load() > int64(p.waitMax)
}
