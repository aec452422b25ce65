package httpapi

import (
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"

	"markr/httpapi/access"
)

// A request is what a handler is given: the fasthttp context and what we know on
// top of it. It is used again for another request as soon as the handler
// returns, and so is all that ctx gives out: handlers copy what they keep, and
// start no goroutine that outlives them.
type request struct {
	ctx     *fasthttp.RequestCtx
	server  *Server
	conn    *conn  // nil if it came past the gate
	route   *route // nil until one is found
	started time.Time
	method  int      // as a label value, see methods
	names   initials // of its header fields
	params  [paramsMax]param
	id      []byte        // see requestid.go; its memory is used again
	grant   *access.Grant // who sent it; nil if nobody is asked
	// received is the length of the request body, as far as it was read.
	received int64
	closing  bool // the connection is closed after the answer
	dressed  bool // the common headers are set

	// What an import needs, here to be used again.
	wire     wire
	document body
}

// param is a path parameter. The value is as good as the request.
type param struct {
	name  string
	value []byte
}

func (s *Server) acquireRequest(ctx *fasthttp.RequestCtx) *request {
	r, _ := s.requests.Get().(*request)
	r.ctx, r.started = ctx, s.now()
	r.conn, _ = ctx.Conn().(*conn)
	r.method = methodIndex(string(ctx.Method()))
	header := &ctx.Request.Header
	r.names = fieldsOf(header.RawHeaders()).names
	r.id = r.appendRequestID(r.id[:0], header)
	return r
}

func (s *Server) releaseRequest(r *request) {
	*r = request{server: s, id: r.id}
	s.requests.Put(r)
}

// param is the value of a path parameter, percent-decoded. It is a copy and may
// be kept.
func (r *request) param(name string) string {
	for i := range r.params {
		if r.params[i].name == name {
			return string(r.params[i].value)
		}
	}
	return ""
}

// idText is the request's id as text.
func (r *request) idText() string { return string(r.id) }

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
	r.dressed = true
	r.ctx.Response.Header.SetCanonical([]byte(headerRequestID), r.id)
	r.setHeader(fasthttp.HeaderXContentTypeOptions, "nosniff")
}

// dress gives the answer a header that was put together before, and its request
// id. What was set until then is gone, but for the end of the connection.
func (r *request) dress(prepared *fasthttp.ResponseHeader) {
	r.dressed = true
	prepared.CopyTo(&r.ctx.Response.Header)
	r.ctx.Response.Header.SetCanonical([]byte(headerRequestID), r.id)
	if r.closing {
		r.ctx.SetConnectionClose()
	}
}

// setHeader sets a response header. The name is in its canonical form: finding
// that out for every header of every response costs as much as a route look-up.
func (r *request) setHeader(name, value string) {
	r.ctx.Response.Header.SetCanonical([]byte(name), []byte(value))
}

// source says who sent the request: the name of the token or the certificate, else
// the address. It is a copy and may be kept.
func (r *request) source() string {
	if r.grant != nil {
		return r.grant.Name
	}
	return r.client()
}

// address is that of the other end, without its port.
func (r *request) address() netip.Addr {
	if r.conn != nil {
		return r.conn.address
	}
	return addressOf(r.ctx.RemoteAddr())
}

// client is that address as text. It is a copy and may be kept.
func (r *request) client() string {
	if r.conn != nil {
		return r.conn.remote()
	}
	return textOf(r.address())
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
