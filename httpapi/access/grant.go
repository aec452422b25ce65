package access

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// A Grant is what one token, or one client certificate, allows. It is safe for
// concurrent use.
type Grant struct {
	Name    string         // becomes the source of documents
	Scopes  Scope          // what may be done
	From    []netip.Prefix // from where; empty: from anywhere
	Expires time.Time      // from when on no more; zero: never
	Rate    float64        // requests a second; 0: as many as come

	// due is when the requests so far would have come at exactly Rate, in
	// nanoseconds since 1970.
	due atomic.Int64
}

// ExpiredAt says whether the grant is over.
func (g *Grant) ExpiredAt(now time.Time) bool { return !g.Expires.IsZero() && !now.Before(g.Expires) }

// ValidFrom says whether the grant may be used from an address.
func (g *Grant) ValidFrom(address netip.Addr) bool {
	if len(g.From) == 0 {
		return true
	}
	for _, prefix := range g.From {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Take takes one request of the rate, or says how long to wait for it. A second's
// worth, and at least one, may come at once.
func (g *Grant) Take(now time.Time) (wait time.Duration) {
	if g.Rate == 0 {
		return 0
	}
	interval := time.Duration(float64(time.Second) / g.Rate)
	return take(&g.due, now, interval, max(interval, time.Second))
}

// take takes one of a flow of events that are interval apart, of which those of
// burst may come at once, or says how long to wait.
func take(due *atomic.Int64, now time.Time, interval, burst time.Duration) (wait time.Duration) {
	for {
		old := due.Load()
		next := max(old, now.UnixNano()) + int64(interval)
		if wait := time.Duration(next - now.UnixNano() - int64(burst)); wait > 0 {
			return wait
		}
		if due.CompareAndSwap(old, next) {
			return 0
		}
	}
}
