package httpapi

import (
	"time"

	"github.com/valyala/fasthttp"
)

// A request is what a handler is given: the fasthttp context and what we know on
// top of it. It is used again for another request as soon as the handler
// returns, and so is all that ctx gives out: handlers copy what they keep, and
// start no goroutine that outlives them.
type request struct {
	ctx     *fasthttp.RequestCtx
	server  *Server
	route   *route // nil until one is found
	id      string // see requestid.go
	started time.Time
	method  int // as a label value, see methods
	params  [paramsMax]param
	// received is the length of the request body, as far as it was read.
	received int64
	closing  bool // the connection is closed after the answer
}

type param struct{ name, value string }

func (s *Server) acquireRequest(ctx *fasthttp.RequestCtx) *request {
	r, _ := s.requests.Get().(*request)
	r.ctx, r.started = ctx, s.now()
	r.method = methodIndex(string(ctx.Method()))
	r.id = requestID(&ctx.Request.Header)
	r.setCommonHeaders()
	return r
}

func (s *Server) releaseRequest(r *request) {
	*r = request{server: s}
	s.requests.Put(r)
}

// param is the value of a path parameter, percent-decoded. It is a copy and may
// be kept.
func (r *request) param(name string) string {
	for i := range r.params {
		if r.params[i].name == name {
			return r.params[i].value
		}
	}
	return ""
}

// query is the value of a query parameter, decoded, and whether it is there. It
// is a copy and may be kept.
func (r *request) query(name string) (string, bool) {
	args := r.ctx.QueryArgs()
	if !args.Has(name) {
		return "", false
	}
	return string(args.Peek(name)), true
}

// setCommonHeaders sets what every response has: the request id, and that a
// browser is not to guess what it got.
func (r *request) setCommonHeaders() {
	r.setHeader(headerRequestID, r.id)
	r.setHeader(fasthttp.HeaderXContentTypeOptions, "nosniff")
}

// setHeader sets a response header. The name is in its canonical form: finding
// that out for every header of every response costs as much as a route look-up.
func (r *request) setHeader(name, value string) {
	r.ctx.Response.Header.SetCanonical([]byte(name), []byte(value))
}

// source says who sent the request: the address of the other end, without its
// port. It is a copy and may be kept.
func (r *request) source() string {
	if address := addressOf(r.ctx.RemoteAddr()); address.IsValid() {
		return address.String()
	}
	return ""
}

// json answers with a JSON document. The body is copied.
func (r *request) json(status int, body []byte) error {
	return r.send(status, "application/json", body)
}

// send answers with a body, which is copied.
func (r *request) send(status int, contentType string, body []byte) error {
	r.ctx.SetStatusCode(status)
	r.ctx.SetContentType(contentType)
	r.ctx.SetBody(body)
	return nil
}

// sendShared answers with a body that nobody changes any more; it is not copied.
func (r *request) sendShared(status int, contentType string, body []byte) error {
	r.ctx.SetStatusCode(status)
	r.ctx.SetContentType(contentType)
	r.ctx.Response.SetBodyRaw(body)
	return nil
}

// empty answers with a status and no body, for example 304.
func (r *request) empty(status int) error {
	r.ctx.SetStatusCode(status)
	return nil
}
