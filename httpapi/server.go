package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/intake"
)

// Options are what a Server is made of. Engine and Intake are required.
type Options struct {
	Engine *engine.Engine
	// Intake says which media types can be read, so that others are refused
	// before their bodies are sent.
	Intake *intake.Registry
	Limits Limits
	// OpsElsewhere takes /metrics and the health routes off the public listener:
	// they are served by ServeOps alone. Default: they are on both.
	OpsElsewhere bool
	// SlowAfter is how long an import or a read may take before it is worth a
	// warning; default 1 s, negative: never.
	SlowAfter time.Duration
	// Version is the program's, for people who look at a running server.
	Version string
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger; default discards.
	Logger *slog.Logger
	// Registry takes the metrics and is what /metrics shows; default a new one.
	Registry *prometheus.Registry
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.WithDefaults()
	if o.SlowAfter == 0 {
		o.SlowAfter = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // where the clock comes from when none is given.
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Engine == nil:
		return errors.New("httpapi needs an engine")
	case o.Intake == nil:
		return errors.New("httpapi needs a registry of formats")
	}
	return o.Limits.validate()
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	engine   *engine.Engine
	intake   *intake.Registry
	limits   Limits
	version  string
	now      func() time.Time
	logger   *slog.Logger
	registry *prometheus.Registry
	slow     time.Duration

	public   *fasthttp.Server
	ops      *fasthttp.Server
	content  *content
	routes   router // of the public listener
	opsOnly  router // of the operators' listener
	requests sync.Pool
	draining atomic.Bool
}

// New returns a server that serves nothing yet; see [Server.Serve].
func New(opts Options) (*Server, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("make HTTP server: %w", err)
	}
	s := &Server{
		engine:   opts.Engine,
		intake:   opts.Intake,
		limits:   opts.Limits,
		version:  opts.Version,
		now:      opts.Now,
		logger:   opts.Logger,
		registry: opts.Registry,
		slow:     opts.SlowAfter,
	}
	var err error
	if s.content, err = newContent(); err != nil {
		return nil, fmt.Errorf("make HTTP server: %w", err)
	}
	s.requests.New = func() any { return &request{server: s} }
	s.routes = newRouter(publicRoutes(opts.OpsElsewhere))
	s.opsOnly = newRouter(opsRoutes())
	s.public = s.core(&s.routes)
	s.ops = s.core(&s.opsOnly)
	return s, nil
}

// core returns a fasthttp server with our settings; DESIGN.md says which hazard
// each of them is for.
func (s *Server) core(routes *router) *fasthttp.Server {
	return &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) { s.serve(routes, ctx) },
	}
}

// Serve answers requests that come over ln until Shutdown, and closes ln.
func (s *Server) Serve(ln net.Listener) error { return s.public.Serve(ln) }

// ServeOps answers the operators' requests: metrics, health, profiles. It is
// meant for a listener that the public does not reach.
func (s *Server) ServeOps(ln net.Listener) error { return s.ops.Serve(ln) }

// Drain makes the server not ready: /readyz answers 503, and so do new imports.
// Everything else goes on.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown drains, stops listening, lets requests under way finish until ctx is
// done, and then closes what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	return errors.Join(s.public.ShutdownWithContext(ctx), s.ops.ShutdownWithContext(ctx))
}

// serve answers one request. Everything a client receives passes here or
// through the error handler of the core.
func (s *Server) serve(routes *router, ctx *fasthttp.RequestCtx) {
	r := s.acquireRequest(ctx)
	defer s.releaseRequest(r)
	if err := s.dispatch(routes, r); err != nil {
		r.problem(err)
	}
}

func (s *Server) dispatch(routes *router, r *request) error {
	found, err := routes.find(r)
	if err != nil {
		return err
	}
	r.route = found
	return found.handle(s, r)
}
