package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// run is the state of one Run. Times are since its start.
type run struct {
	opts    Options
	started time.Time
	warm    time.Duration // from here on is counted
	end     time.Duration // up to here
	issued  atomic.Int64
	stopped atomic.Bool        // closed loop: no new requests
	cut     atomic.Bool        // no answer is waited for any more
	due     chan time.Duration // open loop: handed to whichever connection is free
	tally   tally
}

// Run puts the load that opts describe on a server. It returns a report of what it
// counted also when ctx ends it early; the error is about what kept it from
// starting, or from knowing what it was asked to measure.
func Run(ctx context.Context, opts Options, feeds Feeds) (Report, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return Report{}, err
	}
	r := &run{opts: opts, warm: opts.WarmUp, end: opts.WarmUp + opts.Duration}
	r.tally.init()
	if opts.Rate > 0 {
		r.due = make(chan time.Duration)
	}

	workers := make([]*worker, opts.Connections)
	for i := range workers {
		c, err := dial(ctx, opts.Target)
		if err != nil {
			for _, w := range workers[:i] {
				w.hangUp()
			}
			return Report{}, err
		}
		workers[i] = newWorker(r, feeds(i), c)
	}
	r.started = time.Now()
	done := make(chan struct{})
	var working, pacing sync.WaitGroup
	for _, w := range workers {
		working.Go(func() { w.work(ctx) })
	}
	if r.due != nil {
		pacing.Go(func() { r.pace(ctx, done) })
	}
	go func() { // waited for by awaitAnswers
		working.Wait()
		close(done)
	}()
	meter := &meter{read: opts.ServerCPU}
	r.watch(ctx, done, meter)
	r.stopped.Store(true)
	ended := time.Since(r.started)
	r.awaitAnswers(ctx, done, workers)
	pacing.Wait()
	return r.report(workers, meter, ended)
}

// watch sees the run through to its end, or to when all are done.
func (r *run) watch(ctx context.Context, done <-chan struct{}, meter *meter) {
	const tick = 100 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	warm := time.After(r.warm)
	end := time.After(time.Until(r.started.Add(r.end)))
	defer meter.stop()
	for {
		select {
		case <-warm:
			meter.start()
		case <-ticker.C:
			if r.opts.Progress != nil {
				r.opts.Progress(r.progress())
			}
		case <-end:
			return
		case <-done:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (r *run) progress() Progress {
	at := time.Since(r.started)
	p := Progress{WarmingUp: at < r.warm, Elapsed: max(0, at-r.warm)}
	p.Succeeded, p.Failed = r.tally.sofar()
	return p
}

// awaitAnswers waits for the answers under way, and cuts off those that do not
// come.
func (r *run) awaitAnswers(ctx context.Context, done <-chan struct{}, workers []*worker) {
	select {
	case <-done:
		return
	case <-time.After(r.opts.AnswerWait):
	case <-ctx.Done():
	}
	r.cut.Store(true)
	for _, w := range workers {
		w.cutOff()
	}
	<-done
}

// sendGrace is how long after the end the requests that were due before it may
// still be sent: a moment's lateness is latency, not failure.
const sendGrace = 500 * time.Millisecond

// pace hands out requests at the time they are due, k/rate after the start. When
// all connections are busy it waits for one, and the requests that become due
// meanwhile go out late, one after the other; the time they are due stays.
func (r *run) pace(ctx context.Context, done <-chan struct{}) {
	defer close(r.due)
	last := time.NewTimer(r.end + sendGrace)
	defer last.Stop()
	for k := int64(0); r.opts.RequestsMax == 0 || k < r.opts.RequestsMax; k++ {
		due := r.dueAt(k)
		if !r.sleepUntil(ctx, min(due, r.end), done) || due >= r.end {
			return
		}
		select {
		case r.due <- due:
		case <-last.C:
			r.countUnsent(k)
			return
		case <-done:
			if time.Since(r.started) >= r.end {
				r.countUnsent(k)
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

// dueAt is when the k-th request is due.
func (r *run) dueAt(k int64) time.Duration {
	return time.Duration(float64(k) / r.opts.Rate * float64(time.Second))
}

// sleepUntil says whether the moment came before the end of the run.
func (r *run) sleepUntil(ctx context.Context, moment time.Duration, done <-chan struct{}) bool {
	// The exact sleep cannot be woken, so the long part of a wait is left to a
	// timer.
	const exact = 10 * time.Millisecond
	if wait := moment - time.Since(r.started); wait > 2*exact {
		timer := time.NewTimer(wait - exact)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-done:
			return false
		case <-ctx.Done():
			return false
		}
	}
	if wait := moment - time.Since(r.started); wait > 0 {
		sleep(wait)
	}
	return true
}

// countUnsent accounts for the requests from the k-th on, which were due before
// the end and found no free connection.
func (r *run) countUnsent(k int64) {
	for ; r.opts.RequestsMax == 0 || k < r.opts.RequestsMax; k++ {
		due := r.dueAt(k)
		if due >= r.end {
			return
		}
		if due >= r.warm {
			r.tally.unsent(r.end - due)
		}
	}
}

// next is when the next request of a connection is due; more is false when there
// is none.
func (r *run) next() (due time.Duration, more bool) {
	if r.due != nil {
		due, more = <-r.due
		return due, more
	}
	due = time.Since(r.started)
	more = due < r.end && !r.stopped.Load()
	if more && r.opts.RequestsMax > 0 {
		more = r.issued.Add(1) <= r.opts.RequestsMax
	}
	return due, more
}

func (r *run) report(workers []*worker, meter *meter, ended time.Duration) (Report, error) {
	report := Report{
		Connections:  r.opts.Connections,
		Rate:         r.opts.Rate,
		ServerCPU:    meter.server,
		GeneratorCPU: meter.own,
		OthersCPU:    meter.others(),
	}
	for _, w := range workers {
		report.BytesSent += w.sent
		report.BytesReceived += w.heard
	}
	if ended < r.end {
		ended = r.tally.last()
	}
	report.Elapsed = max(0, min(ended, r.end)-r.warm)
	r.tally.report(&report)
	if meter.err != nil {
		return report, fmt.Errorf("read the server's processor time: %w", meter.err)
	}
	return report, nil
}
