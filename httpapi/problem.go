package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strconv"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"markr/engine/intake"
)

// A problem is an error as a client sees it.
type problem struct {
	code          code
	detail        string
	importID      uuid.UUID             // of a refused document that is kept
	document      *intake.DocumentError // what is wrong with it
	checks        []check               // of a server that is not ready
	header, value string                // what the answer must carry
}

// problemJSON is a problem on the wire: RFC 9457, with our members after it.
type problemJSON struct {
	Type     string          `json:"type"`
	Title    string          `json:"title"`
	Status   int             `json:"status"`
	Detail   string          `json:"detail"`
	Instance string          `json:"instance"`
	Code     code            `json:"code"`
	ImportID string          `json:"import_id,omitempty"`
	Errors   []documentError `json:"errors,omitempty"`
	Checks   []check         `json:"checks,omitempty"`
}

// documentError is what is wrong with a document. Numbers are null where there
// is no such place.
type documentError struct {
	Code   intake.Code `json:"code"`
	Record *int        `json:"record"`
	Line   *int        `json:"line"`
	Column *int        `json:"column"`
	Field  string      `json:"field"`
	Value  string      `json:"value"`
	Reason string      `json:"reason"`
}

// problemType is the media type of problems.
const problemType = "application/problem+json"

// body is the problem as JSON; instance is the request id.
func (p problem) body(instance string) []byte {
	k := kinds[p.code]
	wire := problemJSON{
		Type: "/problems/" + string(p.code), Title: k.title, Status: k.status,
		Detail: p.detail, Instance: instance, Code: p.code, Checks: p.checks,
	}
	if p.importID != uuid.Nil {
		wire.ImportID = p.importID.String()
	}
	if e := p.document; e != nil {
		wire.Errors = []documentError{{
			Code: e.Code, Record: place(e.Record), Line: place(e.Line), Column: place(e.Column),
			Field: e.Field, Value: e.Value, Reason: e.Reason,
		}}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	// Strings and numbers always encode.
	_ = encoder.Encode(wire)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// problemMeaning answers GET /problems/{code}, which is where the type of every
// problem points.
func (s *Server) problemMeaning(r *request) error {
	name := code(r.param("code"))
	k, known := kinds[name]
	if !known {
		return errNoSuchRoute
	}
	text := fmt.Sprintf("%s (%s, status %d)\n\n%s\n", k.title, name, k.status, k.meaning)
	return r.send(fasthttp.StatusOK, "text/plain; charset=utf-8", []byte(text))
}

// rejection is the whole answer to a connection that is not let in, put together
// by hand because no request has been read.
func (s *Server) rejection(reason string) []byte {
	detail := fmt.Sprintf("The server has its limit of %d connections open (connections-max).", s.limits.ConnectionsMax)
	if reason == rejectedAddress {
		detail = fmt.Sprintf("Your address has its limit of %d connections open (connections-per-address-max).", s.limits.ConnectionsPerAddressMax)
	}
	p, id := problem{code: codeOverloaded, detail: detail}, string(appendNewRequestID(nil))
	body := p.body(id)
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Type: %s\r\n"+
		"Content-Length: %d\r\nRetry-After: %s\r\n%s: %s\r\n\r\n%s",
		kinds[p.code].status, fasthttp.StatusMessage(kinds[p.code].status), problemType, len(body), p.retryAfter(id), headerRequestID, id, body)
}

func place(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// retryAfter is when a client should come back, in seconds. The request id
// spreads clients that were refused together over twice the time.
func (p problem) retryAfter(requestID string) string {
	atLeast := kinds[p.code].retrySeconds
	spread := fnv.New32a()
	_, _ = spread.Write([]byte(requestID)) // never fails
	return strconv.Itoa(atLeast + int(spread.Sum32()%uint32(atLeast+1)))
}

// problem answers with an error. What was set for another answer is forgotten,
// and internal errors are logged, because their cause is not told to the client.
func (r *request) problem(err error) {
	p := problemOf(err)
	r.ctx.Response.Reset()
	r.dressed = false
	if r.closing {
		r.ctx.SetConnectionClose()
	}
	r.setHeader("Cache-Control", "no-store")
	if p.header != "" {
		r.setHeader(p.header, p.value)
	}
	k := kinds[p.code]
	if k.retrySeconds > 0 && p.header != fasthttp.HeaderRetryAfter {
		r.setHeader("Retry-After", p.retryAfter(r.idText()))
	}
	if p.code == codeOverloaded && r.conn != nil && r.route != nil && r.route.takesDocument() {
		r.conn.refused(r.server.limits.RetryPause)
	}
	_ = r.send(k.status, problemType, p.body(r.idText())) // never fails
	if (p.code == codeInternal || p.code == codeDamaged) && !errors.Is(err, errPanicked) {
		r.server.logger.LogAttrs(r.ctx, slog.LevelError, "request failed",
			slog.String("request_id", r.idText()), slog.String("route", r.routeName()), slog.Any("error", err))
	}
}

// routeName is the template of the request's route.
func (r *request) routeName() string {
	if r.route == nil {
		return routeOther
	}
	return r.route.pattern
}
