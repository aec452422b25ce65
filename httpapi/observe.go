package httpapi

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"markr/httpapi/access"
)

// serve answers one request. What a client receives passes here or through
// coreError.
func (s *Server) serve(routes *router, ctx *fasthttp.RequestCtx) {
	r := s.acquireRequest(ctx)
	defer s.releaseRequest(r)
	s.metrics.inFlight.Add(1)
	defer s.metrics.inFlight.Add(-1)
	if err := r.answer(routes); err != nil {
		r.problem(err)
	}
	if !r.dressed {
		r.setCommonHeaders()
	}
	r.observe()
}

// answer runs the handler of a request. A panic becomes an error, because in
// fasthttp it would end the process and with it everybody else's requests.
func (r *request) answer(routes *router) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = r.panicked(value)
		}
	}()
	decision := admissionOf(&r.ctx.Request.Header)
	if decision != admitted && !heardOut(decision, &r.ctx.Request.Header) {
		// Its body was not read and its connection will be closed.
		r.lingerAfter()
	}
	found, err := routes.find(r)
	if err != nil {
		if bringsDocument(&r.ctx.Request.Header) {
			r.lingerAfter() // Its body is not read.
		}
		return err
	}
	r.route = found
	if routes.guard != nil && found.scope != access.Open {
		if err := r.authorize(routes.guard); err != nil {
			return r.turnedAway(err)
		}
	}
	if err := r.server.refusal(decision); err != nil {
		return r.turnedAway(err)
	}
	if found.reach == admin {
		if err := r.fromOperator(); err != nil {
			return err
		}
	}
	return found.handle(r.server, r)
}

// panicked counts and logs a panic. A value that is not the runtime's may quote a
// document, and stays out of the log.
func (r *request) panicked(value any) error {
	r.server.metrics.panics.Inc()
	what, isRuntime := value.(runtime.Error)
	text := "a value that is not shown, because it may hold personal data"
	if isRuntime {
		text = what.Error()
	}
	r.server.logger.Error("handler panicked",
		slog.String("request_id", r.idText()), slog.String("route", r.routeName()),
		slog.String("panic", text), slog.String("stack", string(debug.Stack())))
	r.lingerAfter()
	return errPanicked
}

// lingerAfter closes the connection after the answer, giving the client time to
// read it.
func (r *request) lingerAfter() {
	r.ctx.SetConnectionClose()
	r.closing = true
	if r.conn != nil {
		r.conn.linger.Store(true)
	}
}

// observe counts and logs a request that has been answered.
func (r *request) observe() {
	s := r.server
	now := s.now()
	took := now.Sub(r.started)
	status := r.ctx.Response.StatusCode()
	size := r.responseSize()
	rm := s.metrics.other
	if r.route != nil {
		rm = r.route.metrics
	}
	s.metrics.counter(rm, r.method, statusIndex(status)).Inc()
	if r.method == rm.method || rm.route == routeOther {
		rm.duration.Observe(took.Seconds())
	}
	rm.responseSize.Observe(float64(size))
	if rm.requestSize != nil {
		rm.requestSize.Observe(float64(r.received))
	}
	if r.conn != nil {
		r.conn.answered(now, size)
	}
	r.log(status, size, took)
}

// responseSize is the length of the response body, 0 for one that is streamed.
func (r *request) responseSize() int {
	if r.ctx.Response.IsBodyStream() {
		return max(r.ctx.Response.Header.ContentLength(), 0)
	}
	return len(r.ctx.Response.Body())
}

// log writes the access line at debug level, and a warning when an import or a
// read was slow. Neither holds anything of a document.
func (r *request) log(status, size int, took time.Duration) {
	logger, level, message := r.server.logger, slog.LevelDebug, "request"
	if slow := r.server.slow; slow > 0 && took >= slow && r.route != nil && r.route.reach == public {
		level, message = slog.LevelWarn, "slow request"
	}
	if !logger.Enabled(context.Background(), level) {
		return
	}
	logger.LogAttrs(context.Background(), level, message,
		slog.String("request_id", r.idText()),
		slog.String("method", methods[r.method]),
		slog.String("route", r.routeName()),
		slog.Int("status", status),
		slog.Int64("request_bytes", r.received),
		slog.Int("response_bytes", size),
		slog.Duration("duration", took),
		slog.String("client", r.client()),
		slog.String("name", r.name()),
	)
}
