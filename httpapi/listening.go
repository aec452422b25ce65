package httpapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"markr/httpapi/access"
)

// A listening is one side of a server, public or the operators': a router, a
// core, and the listeners it serves.
type listening struct {
	server *Server
	routes router
	core   *fasthttp.Server
	mu     struct {
		sync.Mutex
		gates   []*gate
		stopped bool
	}
}

func (l *listening) init(s *Server, table []route, guard *access.Guard) {
	l.server = s
	l.routes = newRouter(table)
	l.routes.guard = guard
	l.routes.observe(s.metrics)
	l.core = s.core(&l.routes)
}

// serve answers requests until shutdown.
func (l *listening) serve(g *gate) error {
	l.mu.Lock()
	stopped := l.mu.stopped
	if !stopped {
		l.mu.gates = append(l.mu.gates, g)
	}
	l.mu.Unlock()
	if stopped {
		return g.Close()
	}
	if err := l.core.Serve(g); err != nil {
		return fmt.Errorf("serve %v: %w", g.Addr(), err)
	}
	return nil
}

// shutdown stops listening and returns when no connection is left, if need be
// because ctx is done and they were cut off.
func (l *listening) shutdown(ctx context.Context) error {
	l.mu.Lock()
	l.mu.stopped = true
	gates := l.mu.gates
	l.mu.Unlock()
	err := l.core.ShutdownWithContext(ctx)
	for _, g := range gates {
		// The core does not know a listener whose Serve has just begun.
		_ = g.Close()
		select {
		case <-g.left():
		case <-ctx.Done():
			g.closeAll()
			// Who waits for a client finds out now. Who waits for the disk may
			// wait for ever.
			select {
			case <-g.left():
			case <-time.After(l.server.limits.LingerTimeout):
			}
		}
	}
	if err != nil {
		return fmt.Errorf("shut down with requests under way: %w", err)
	}
	return nil
}
