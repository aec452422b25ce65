package httpapi

import (
	"context"
	"sync"
	"time"
)

// patience is a context that ends at a time. It is made for waits that hardly ever
// take place: until somebody asks to be told of its end, it has no timer, and costs
// nothing. end has to be called when nobody waits any more.
type patience struct {
	until time.Time
	now   func() time.Time
	mu    struct {
		sync.Mutex
		waits context.Context // nil while nobody has waited
		stop  context.CancelFunc
	}
}

// Deadline implements context.Context.
func (p *patience) Deadline() (deadline time.Time, ok bool) { return p.until, true }

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.waits == nil {
		p.mu.waits, p.mu.stop = context.WithTimeout(context.Background(), p.until.Sub(p.now()))
	}
	return p.mu.waits.Done()
}

// Err implements context.Context.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.waits != nil {
		return p.mu.waits.Err()
	}
	if !p.now().Before(p.until) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context.
func (*patience) Value(any) any { return nil }

// end gives back what waiting took.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.stop != nil {
		p.mu.stop()
	}
}
