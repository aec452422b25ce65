package httpapi

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"markr/httpapi/access"
)

// Why requests are denied, as label values.
const (
	deniedNoCredentials = "no_credentials"
	deniedUnknownToken  = "unknown_token"
	deniedExpired       = "expired"
	deniedSource        = "source"
	deniedScope         = "scope"
	deniedRate          = "rate"
	deniedAttempts      = "attempts"
)

// deniedReasons are all of them.
//
//nolint:gochecknoglobals // A table.
var deniedReasons = [...]string{
	deniedNoCredentials, deniedUnknownToken, deniedExpired, deniedSource, deniedScope, deniedRate, deniedAttempts,
}

// What whoever is asked for a token is told.
const (
	challenge        = `Bearer realm="markr"`
	challengeInvalid = challenge + `, error="invalid_token"`
	// A browser asks a person for a password, which is the token.
	challengePage = challenge + `, Basic realm="markr", charset="UTF-8"`
)

// authorize says whether a request may use its route, and from then on who sent
// it. It looks at the header alone: whoever is not let in is refused before the
// body is read, and hears it out before the connection is closed.
func (r *request) authorize(guard *access.Guard) error {
	grant, err := r.identify(guard)
	if err == nil {
		err = grant.Check(r.route.scope, r.address(), r.started)
	}
	if err == nil {
		if wait := grant.Take(r.started); wait > 0 {
			err = &access.WaitError{Wait: wait}
		}
	}
	if err == nil {
		r.grant = grant
		return nil
	}
	if r.ctx.Request.Header.ContentLength() != 0 { // Its body is not read.
		r.lingerAfter()
	}
	return r.denied(grant, err)
}

// identify finds out who sent a request. A token that is presented decides; a
// certificate is looked at where there is none.
func (r *request) identify(guard *access.Guard) (*access.Grant, error) {
	var room credentialsRoom
	token, presented := credentialsOf(&r.ctx.Request.Header, &room)
	if presented {
		return guard.Identify(token, r.address(), r.started)
	}
	if r.conn != nil {
		if grant := r.conn.certificate(); grant != nil {
			return grant, nil
		}
	}
	return nil, access.ErrNoCredentials
}

// expected is asked by the core before it tells a client to send the body that it
// announced with Expect: 100-continue. Whoever will not be let in is answered at
// once. Nothing is counted before that, because the handler will look again.
func (s *Server) expected(routes *router, ctx *fasthttp.RequestCtx) (status int) {
	header := &ctx.Request.Header
	if s.lets(routes.guard, header, ctx) {
		return fasthttp.StatusContinue
	}
	header.SetCanonical([]byte(admissionField), []byte{'0' + byte(refusedAccess)})
	header.SetContentLength(0)
	s.serve(routes, ctx)
	return ctx.Response.StatusCode()
}

// lets says whether an import will be let in as far as its header goes.
func (s *Server) lets(guard *access.Guard, header *fasthttp.RequestHeader, ctx *fasthttp.RequestCtx) bool {
	var room credentialsRoom
	c, _ := ctx.Conn().(*conn)
	address := addressOf(ctx.RemoteAddr())
	if token, presented := credentialsOf(header, &room); presented {
		return guard.Knows(token, access.Import, address, s.now())
	}
	if c == nil {
		return false
	}
	grant := c.certificate()
	return grant != nil && grant.Check(access.Import, address, s.now()) == nil
}

// credentialsRoom is where credentials are decoded to: more than a token needs.
type credentialsRoom [256]byte

// credentialsOf is the token of a request, and whether it has credentials of any
// kind. Old devices and browsers know no Bearer: the password of Basic is the
// token, or the name, if there is no password.
func credentialsOf(header *fasthttp.RequestHeader, room *credentialsRoom) (token []byte, presented bool) {
	value := header.Peek(fasthttp.HeaderAuthorization)
	if len(value) == 0 {
		return nil, false
	}
	scheme, rest, _ := bytes.Cut(value, []byte(" "))
	rest = bytes.TrimLeft(rest, " ")
	switch {
	case bytes.EqualFold(scheme, []byte("Bearer")):
		return rest, true
	case bytes.EqualFold(scheme, []byte("Basic")) && base64.StdEncoding.DecodedLen(len(rest)) <= len(room):
		n, err := base64.StdEncoding.Decode(room[:], rest)
		if err != nil {
			return nil, true
		}
		user, password, _ := bytes.Cut(room[:n], []byte(":"))
		if len(password) == 0 {
			return user, true
		}
		return password, true
	}
	return nil, true
}

// certified is what the client certificate of a connection allows, once somebody
// has asked. It is the serving goroutine's alone.
type certified struct {
	asked bool
	grant *access.Grant
}

// certificate is what the client certificate of the connection allows; nil if
// there is none that was verified.
func (c *conn) certificate() *access.Grant {
	if c.certified.asked {
		return c.certified.grant
	}
	c.certified.asked = true
	if secure, ok := c.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		if state := secure.ConnectionState(); len(state.VerifiedChains) > 0 {
			c.certified.grant = access.Certified(state.PeerCertificates[0])
		}
	}
	return c.certified.grant
}

// name is the name of who sent a request, empty if nobody was asked.
func (r *request) name() string {
	if r.grant == nil {
		return ""
	}
	return r.grant.Name
}

// denied counts and logs who is not let in, and makes the answer. A line in the log
// names a token that is known, and shows nothing of one that is not.
func (r *request) denied(grant *access.Grant, cause error) error {
	reason, level, refusal := r.denial(cause)
	r.server.metrics.denied[reason].Inc()
	name := ""
	if grant != nil {
		name = grant.Name
	}
	r.server.logger.LogAttrs(r.ctx, level, "request denied", slog.String("request_id", r.idText()),
		slog.String("route", r.routeName()), slog.String("reason", reason),
		slog.String("client", r.client()), slog.String("name", name))
	return refusal
}

// denial is how a reason is counted, how loudly it is logged, and what the client
// is told. What strangers can bring about at will is not logged above debug.
func (r *request) denial(cause error) (reason string, level slog.Level, refusal *requestError) {
	if early, ok := errors.AsType[*access.WaitError](cause); ok {
		return r.tooEarly(early)
	}
	wanted := r.route.scope.String()
	switch {
	case errors.Is(cause, access.ErrNoCredentials):
		refusal = refuse(codeUnauthorized, "This needs a token that allows %s: send it as `Authorization: Bearer TOKEN`.", wanted)
		refusal.value = challenge
		if r.route.isPage() && prefersHTML(r.headerList("Accept")) {
			refusal.value = challengePage
		}
		reason, level = deniedNoCredentials, slog.LevelDebug
	case errors.Is(cause, access.ErrExpired):
		refusal = refuse(codeUnauthorized, "The token or the certificate has expired.")
		refusal.value = challengeInvalid
		reason, level = deniedExpired, slog.LevelInfo
	case errors.Is(cause, access.ErrSource):
		refusal = refuse(codeForbidden, "The token may not be used from this address.")
		reason, level = deniedSource, slog.LevelInfo
	case errors.Is(cause, access.ErrScope):
		refusal = refuse(codeForbidden, "The token or the certificate does not allow %s.", wanted)
		refusal.value = challenge + `, error="insufficient_scope", scope="` + wanted + `"`
		reason, level = deniedScope, slog.LevelInfo
	default:
		refusal = refuse(codeUnauthorized, "The token is not valid.")
		refusal.value = challengeInvalid
		if r.route.isPage() { // A browser asks again.
			refusal.value = challengePage
		}
		reason, level = deniedUnknownToken, slog.LevelInfo
	}
	if refusal.value != "" {
		refusal.header = fasthttp.HeaderWWWAuthenticate
	}
	return reason, level, refusal
}

// tooEarly refuses for a while. To an import that is 503: a scanner prints a
// document for manual entry on any 4xx, and this passes by itself.
func (r *request) tooEarly(early *access.WaitError) (reason string, level slog.Level, refusal *requestError) {
	status := codeTooManyRequests
	if r.route.pattern == importPattern {
		status = codeOverloaded
	}
	reason, refusal = deniedRate, refuse(status, "The token's rate is exceeded.")
	if early.Attempts {
		reason, refusal = deniedAttempts, refuse(status, "Too many requests of this address had a token that is not valid.")
	}
	refusal.header = fasthttp.HeaderRetryAfter
	refusal.value = strconv.Itoa(int(math.Ceil(float64(early.Wait) / float64(time.Second))))
	return reason, slog.LevelDebug, refusal
}
