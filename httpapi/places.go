package httpapi

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// places bounds the imports under way, and how long others wait to be among them.
//
// Imports are bounded by their number and by their bytes: small documents wait for the
// disk, and the more of them wait together the fewer syncs there are; large ones wait for
// a processor, and readers then wait behind as many of them as are let in. So a place
// weighs as much as its document, and at least what makes their number right.
//
// Whoever finds no place free may wait, but only for as long as a burst takes that the
// server can work off: longer waits would turn every answer late and give nobody an
// answer more. So whoever comes is told at once when the wait would be too long, as
// far as can be told from how fast those go forward who wait already.
type places struct {
	free               *semaphore.Weighted
	lightest, heaviest int64 // that a place weighs
	waitMax            time.Duration
	now                func() time.Time
	waiting            atomic.Int64 // how many wait for a place
	pace               atomic.Int64 // nanoseconds in which who waits goes forward by one, as last seen
	seen               atomic.Int64 // when that was, in nanoseconds of the Unix epoch
}

// placeBytes is how much, for each goroutine that runs at once, there is to decode and
// compress of all documents that have a place, if they are long. DESIGN.md has what less
// and more of it cost.
const placeBytes = 2 << 20

// newPlaces has room for n imports of bytes in all, and for a few at once however long
// they are.
func newPlaces(n int, bytes int64, waitMax time.Duration, now func() time.Time) *places {
	lightest := max(1, bytes/int64(n))
	all := lightest * int64(n)
	return &places{
		free:     semaphore.NewWeighted(all),
		lightest: lightest, heaviest: max(lightest, all/placesMin),
		waitMax: waitMax, now: now,
	}
}

// placesMin is how many imports are let in at least, if there are places for as many, so
// that one long document does not keep out everybody.
const placesMin = 8

// paceSmoothing keeps a wait behind hardly anybody from saying much about a wait
// behind many.
const paceSmoothing = 16

// enter takes a place for a document and returns what it weighs, for leave; 0 if it got
// none. Those who have one need nothing that somebody who waits could hold, so places become
// free.
func (p *places) enter(documentBytes int64) (weight int64) {
	weight = min(max(documentBytes, p.lightest), p.heaviest)
	if p.free.TryAcquire(weight) {
		return weight
	}
	ahead := p.waiting.Add(1)
	defer p.waiting.Add(-1)
	if p.hopeless(ahead) {
		return 0
	}
	began := p.now()
	patience, end := context.WithTimeout(context.Background(), p.waitMax)
	defer end()
	if p.free.Acquire(patience, weight) != nil {
		p.goForward(p.waitMax/time.Duration(ahead) + 1) // nobody else is to try it from as far behind
		return 0
	}
	p.goForward(p.now().Sub(began) / time.Duration(ahead+paceSmoothing))
	return weight
}

func (p *places) leave(weight int64) { p.free.Release(weight) }

// goForward keeps how fast who waits goes forward by one.
func (p *places) goForward(by time.Duration) {
	p.pace.Store(int64(by))
	p.seen.Store(p.now().UnixNano())
}

// full says whether one more import would get no place in time. It is asked before
// the body is read, so that who will be refused is refused then.
func (p *places) full() bool {
	if p.free.TryAcquire(p.lightest) {
		p.free.Release(p.lightest)
		return false
	}
	return p.hopeless(p.waiting.Load() + 1)
}

// paceKept is how long it is believed how fast those went forward who waited. After that
// the first may try, or nobody would ever see that it goes faster again.
const paceKept = time.Second

// hopeless says whether the ahead-th of those who wait would wait too long.
func (p *places) hopeless(ahead int64) bool {
	if ahead == 1 && p.now().UnixNano()-p.seen.Load() > int64(paceKept) {
		return false
	}
	return ahead*p.pace.Load() > int64(p.waitMax)
}
