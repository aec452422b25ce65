package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/valyala/fasthttp"
)

// concurrencyRoom is how many more connections the core may serve than the gate
// lets in, because the gate forgets a connection a moment before the core does.
const concurrencyRoom = 1024

// prefetchBytes is how much of a body the core reads before it calls the
// handler: the least it can be told.
const prefetchBytes = 1

// What the core keeps of bodies between requests, in bytes. Request bodies are
// not in its hands, but for their first byte.
const (
	poolRequestBytesMax  = 64 << 10
	poolResponseBytesMax = 1 << 20
)

// core returns a fasthttp server with our settings; DESIGN.md says which hazard
// each of them is for.
func (s *Server) core(routes *router) *fasthttp.Server {
	l := s.limits
	core := &fasthttp.Server{
		Handler:        func(ctx *fasthttp.RequestCtx) { s.serve(routes, ctx) },
		ErrorHandler:   s.coreError,
		HeaderReceived: s.headerReceived,
		Logger:         coreLogger{s.logger},
		ConnState:      connState,

		StreamRequestBody:  true,
		MaxRequestBodySize: prefetchBytes,
		ReadBufferSize:     l.HeaderBytesMax,
		// Of time limits it has none: connections keep them, see deadline.go.
		Concurrency:        l.ConnectionsMax + concurrencyRoom,
		MaxRequestsPerConn: l.RequestsPerConnectionMax,

		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		LazyRequestTime:              true,
		NoDefaultContentType:         true,
		NoDefaultServerHeader:        true,
		SecureErrorLogMessage:        true,
	}
	if routes.guard != nil {
		core.ExpectHandler = func(ctx *fasthttp.RequestCtx) int { return s.expected(routes, ctx) }
	}
	return core
}

// coreError answers what the core could not make a request of. The connection is
// closed afterwards.
func (s *Server) coreError(ctx *fasthttp.RequestCtx, err error) {
	r := s.acquireRequest(ctx)
	defer s.releaseRequest(r)
	s.metrics.inFlight.Add(1)
	defer s.metrics.inFlight.Add(-1)
	r.method = len(methods) - 1 // the request line may not have been read
	r.lingerAfter()
	r.problem(s.coreProblem(err))
	r.setCommonHeaders()
	r.observe()
}

// coreProblem tells a client what the core had against its request. The core's
// own text may quote the request, so it stays out.
func (s *Server) coreProblem(err error) error {
	if _, tooLarge := errors.AsType[*fasthttp.ErrSmallBuffer](err); tooLarge {
		return refuse(codeHeaderTooLarge, "The request line and header fields are longer than the limit of %d bytes (header-bytes-max).", s.limits.HeaderBytesMax)
	}
	if isTimeout(err) {
		return refuse(codeRequestTimeout, "The request did not arrive within %v.", s.limits.ReadTimeout)
	}
	return errInvalidRequest
}

// isTimeout says whether a read failed because its time was up.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return (ok && timeout.Timeout()) || errors.Is(err, fasthttp.ErrTimeout)
}

// coreLogger takes what the core has to say about connections: about strangers,
// so nobody is woken for it.
type coreLogger struct{ logger *slog.Logger }

// Printf implements fasthttp.Logger. The core's errors about what it has read quote
// it, so of those only the kind is shown.
func (l coreLogger) Printf(format string, args ...any) {
	if !l.logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	shown := make([]any, len(args))
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			arg = unquoted(err)
		}
		shown[i] = arg
	}
	l.logger.Debug("connection", slog.String("event", fmt.Sprintf(format, shown...)))
}

// unquoted is the text of an error of the network, and the kind of any other.
func unquoted(err error) string {
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err.Error()
	}
	return fmt.Sprintf("%T, which may quote what was read", err)
}
