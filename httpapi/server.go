package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/intake"
	"markr/httpapi/access"
)

// Options are what a Server is made of. Engine and Intake are required.
type Options struct {
	Engine *engine.Engine
	// Intake says which media types can be read, so that others are refused
	// before their bodies are sent.
	Intake *intake.Registry
	Limits Limits
	// Access says who may do what on the public listener; default: everybody may do
	// everything. Client certificates count if the listener has verified them.
	Access *access.Guard
	// OpsElsewhere takes /metrics and the health routes off the public listener:
	// they are served by ServeOps alone. Default: they are on both.
	OpsElsewhere bool
	// Snapshots makes copies of the log for backups, over the control socket; default:
	// there are none.
	Snapshots Snapshots
	// SlowAfter is how long an import or a read may take before it is worth a
	// warning; default 1 s, negative: never.
	SlowAfter time.Duration
	// Version is the program's, for people who look at a running server.
	Version string
	// Now is the clock; default time.Now. Timeouts of connections are set by it.
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
	return o.Limits.Validate()
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	engine  *engine.Engine
	intake  *intake.Registry
	limits  Limits
	version string
	now     func() time.Time
	logger  *slog.Logger
	slow    time.Duration
	metrics *metrics
	guard   *access.Guard // of the public listener; nil if nobody is asked
	content *content
	scraper http.Handler

	public    listening
	operators listening
	control   listening
	snapshots Snapshots // nil: there are none
	draining  atomic.Bool

	refusals   [admissions]*requestError
	mediaTypes []string // that are read
	feed       *feed
	budget     budget
	places     *places

	requests sync.Pool // of *request
	gzips    sync.Pool // of *gzip.Reader
	buffers  buffers
}

// New returns a server that serves nothing yet; see [Server.Serve].
func New(opts Options) (*Server, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("make HTTP server: %w", err)
	}
	s := &Server{
		engine:     opts.Engine,
		intake:     opts.Intake,
		limits:     opts.Limits,
		version:    opts.Version,
		now:        opts.Now,
		logger:     opts.Logger,
		slow:       opts.SlowAfter,
		guard:      opts.Access,
		scraper:    newScraper(opts.Registry),
		refusals:   newRefusals(opts.Limits, strings.Join(opts.Intake.Offers(), ", ")),
		mediaTypes: opts.Intake.MediaTypes(),
		budget:     budget{max: opts.Limits.BytesInFlightMax},
		places:     newPlaces(opts.Limits.ImportsInFlightMax, placeBytes*int64(runtime.GOMAXPROCS(0)), opts.Limits.ImportWaitMax, opts.Now),
		snapshots:  opts.Snapshots,
	}
	s.feed = newFeed(s)
	s.requests.New = func() any { return &request{server: s} }
	s.gzips.New = func() any { return new(gzip.Reader) }
	fasthttp.SetBodySizePoolLimit(poolRequestBytesMax, poolResponseBytesMax)
	var err error
	if s.content, err = newContent(opts.Limits); err != nil {
		return nil, fmt.Errorf("make HTTP server: %w", err)
	}
	if s.metrics, err = newMetrics(s, opts.Registry, routeTable()); err != nil {
		return nil, fmt.Errorf("make HTTP server: %w", err)
	}
	s.public.init(s, publicRoutes(opts.OpsElsewhere), opts.Access)
	s.operators.init(s, operatorRoutes(), nil)
	s.control.init(s, controlRoutes(), nil)
	return s, nil
}

// Serve answers requests that come over ln until Shutdown, and closes ln. It may
// be called for several listeners; each has the limits on connections for itself.
func (s *Server) Serve(ln net.Listener) error {
	return s.public.serve(s.newGate(ln, limited))
}

// ServeOps answers the operators' requests: metrics, health, profiles. It is
// meant for a listener that the public does not reach.
func (s *Server) ServeOps(ln net.Listener) error {
	return s.operators.serve(s.newGate(ln, unlimited))
}

// ServeControl answers the requests of who has the data directory: the operators', and
// those that change something. It asks nobody who they are, so it is meant for a
// listener that only they reach.
func (s *Server) ServeControl(ln net.Listener) error {
	return s.control.serve(s.newGate(ln, unlimited))
}

// Drain makes the server not ready: /readyz answers 503, and so do new imports.
// Everything else goes on. It is for the time in which whoever sends requests
// here learns not to.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown drains, stops listening, lets requests under way finish until ctx is
// done, and then cuts off what is left. The engine has to stay open until it
// returns. The operators' listener goes last, so that the end can be watched.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	s.feed.end()
	err := s.public.shutdown(ctx)
	return errors.Join(err, s.control.shutdown(ctx), s.operators.shutdown(ctx))
}
