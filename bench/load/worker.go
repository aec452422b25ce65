package load

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// worker is one connection's goroutine.
type worker struct {
	run         *run
	feed        Feed
	sent, heard int64 // bytes on connections that are closed

	pending []outcome // not yet in the tally
	flushed time.Duration

	mu struct {
		sync.Mutex
		connection *connection // nil between two
	}
}

// outcome is what became of one request.
type outcome struct {
	due, sent, done time.Duration
	status          int // 0: no answer
	err             error
}

// ok says whether the server did what it was asked.
func (o *outcome) ok() bool {
	return o.err == nil && (o.status/100 == 2 || o.status == 304)
}

// A worker passes its outcomes on when it has gathered so many, or for so long.
const (
	pendingMax   = 128
	flushedEvery = 100 * time.Millisecond
)

func newWorker(r *run, feed Feed, c *connection) *worker {
	w := &worker{run: r, feed: feed, pending: make([]outcome, 0, pendingMax)}
	w.mu.connection = c
	return w
}

func (w *worker) work(ctx context.Context) {
	defer w.flush()
	defer w.hangUp()
	c := w.mu.connection
	for ctx.Err() == nil && !w.run.cut.Load() {
		due, more := w.run.next()
		if !more {
			break
		}
		request := w.feed()
		if request == nil {
			break
		}
		o := outcome{due: due, sent: time.Since(w.run.started)}
		if w.run.due == nil {
			// The feed's own work is not the server's.
			o.due = o.sent
		}
		if c == nil {
			c, o.err = w.redial(ctx)
		}
		if o.err == nil {
			o.status, o.err = c.do(request)
		}
		o.done = time.Since(w.run.started)
		if o.err != nil || c.closing {
			w.hangUp()
			c = nil
		}
		w.add(o)
	}
}

func (w *worker) add(o outcome) {
	w.pending = append(w.pending, o)
	if len(w.pending) == pendingMax || o.done-w.flushed > flushedEvery {
		w.flush()
		w.flushed = o.done
	}
}

func (w *worker) flush() {
	w.run.tally.add(w.pending, w.run.warm, w.run.end)
	w.pending = w.pending[:0]
}

// redial connects again, after a pause that keeps a dead server from being
// drowned in attempts.
func (w *worker) redial(ctx context.Context) (*connection, error) {
	const pause = 20 * time.Millisecond
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := dial(ctx, w.run.opts.Target)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run.cut.Load() {
		_ = c.conn.Close() // Nothing was sent on it.
		return nil, errTimeout
	}
	w.mu.connection = c
	return c, nil
}

// hangUp closes the connection, if there is one.
func (w *worker) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.mu.connection; c != nil {
		w.sent += c.sent
		w.heard += c.heard
		_ = c.conn.Close() // All that was wanted of it has been read.
		w.mu.connection = nil
	}
}

// cutOff ends the wait for an answer.
func (w *worker) cutOff() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.mu.connection; c != nil {
		// A connection that cannot take a deadline is closed already.
		_ = c.conn.SetDeadline(time.Unix(1, 0))
	}
}

// cause names why there was no answer, in a few words without addresses, so that
// equal causes add up.
func cause(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errTimeout
	}
	if errors.Is(err, io.EOF) {
		return "connection closed by the server"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err.Error()
}
