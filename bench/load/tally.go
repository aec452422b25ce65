package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally adds up the outcomes of all connections.
type tally struct {
	mu struct {
		sync.Mutex
		latency   *hdrhistogram.Histogram // microseconds
		lateness  *hdrhistogram.Histogram // microseconds
		turned    *hdrhistogram.Histogram // microseconds; of answers other than 2xx and 304
		statuses  map[int]int64
		errors    map[string]int64
		succeeded int64 // of those due in the time that is counted
		failed    int64
		arrived   int64 // successes that arrived in the time that is counted
		total     int64 // successes at any time
		last      time.Duration
	}
}

func (t *tally) init() {
	t.mu.latency, t.mu.lateness, t.mu.turned = newHistogram(), newHistogram(), newHistogram()
	t.mu.statuses, t.mu.errors = make(map[int]int64), make(map[string]int64)
}

// add takes outcomes. What was due between warm and end is counted, whenever it
// was answered, because a stall at the end would vanish otherwise; the rate is
// that of the answers which came between warm and end.
func (t *tally) add(outcomes []outcome, warm, end time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range outcomes {
		o := &outcomes[i]
		t.mu.last = max(t.mu.last, o.done)
		if o.ok() {
			t.mu.total++
			if o.done >= warm && o.done < end {
				t.mu.arrived++
			}
		}
		if o.due < warm || o.due >= end {
			continue
		}
		if o.ok() {
			t.mu.succeeded++
		} else {
			t.mu.failed++
		}
		if o.err != nil {
			t.mu.errors[cause(o.err)]++
		} else {
			t.mu.statuses[o.status]++
		}
		if o.err == nil && !o.ok() {
			record(t.mu.turned, o.done-o.sent)
		}
		record(t.mu.latency, o.done-o.due)
		record(t.mu.lateness, o.sent-o.due)
	}
}

// unsent counts a request that was due and found no connection for so long.
func (t *tally) unsent(waited time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.failed++
	t.mu.errors["not sent: every connection was waiting"]++
	record(t.mu.latency, waited)
	record(t.mu.lateness, waited)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	// The only error is a value out of range, and this one is not.
	_ = h.RecordValue(min(max(d.Microseconds(), 1), histogramMaxUS))
}

func (t *tally) sofar() (succeeded, failed int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.succeeded, t.mu.failed
}

// last is when the last outcome was known.
func (t *tally) last() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.last
}

// report fills in what was added up in r.Elapsed.
func (t *tally) report(r *Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.Succeeded, r.Failed, r.Total, r.arrived = t.mu.succeeded, t.mu.failed, t.mu.total, t.mu.arrived
	r.Statuses, r.Errors = t.mu.statuses, t.mu.errors
	r.Latency = latencyOf(t.mu.latency)
	if r.Rate > 0 {
		lateness := latencyOf(t.mu.lateness)
		r.Lateness = &lateness
	}
	if t.mu.turned.TotalCount() > 0 {
		turned := latencyOf(t.mu.turned)
		r.TurnedAway = &turned
	}
	if r.Elapsed > 0 {
		r.PerSecond = float64(r.arrived) / r.Elapsed.Seconds()
	}
}
