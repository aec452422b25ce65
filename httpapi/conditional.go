package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"
)

// What a GET may be kept for. A result is asked about every time, and the answer
// is 304 as long as it holds.
const (
	cacheResult = "no-cache"
	// A document has names and student numbers in it: no shared cache keeps it.
	cacheDocument = "private, no-cache"
)

// etagBytes is the length of our entity tags: W/, quotes, 16 hexadecimal digits.
const etagBytes = len(`W/""`) + 16

// resource answers a GET with body, or with 304 when the client has it. The body
// becomes the response's: build it on [request.newBody].
func (r *request) resource(contentType string, body []byte) error {
	var room [etagBytes]byte
	if r.unchanged(appendETag(room[:0], body), cacheResult) {
		return nil
	}
	encoded, err := r.encode(body)
	if err != nil {
		return err
	}
	r.ctx.SetContentType(contentType)
	r.ctx.Response.SwapBody(encoded)
	return nil
}

// resourceJSON answers a GET with value as JSON, or with 304.
func (r *request) resourceJSON(value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return r.resource("application/json", body)
}

// newBody is an empty body with the memory of an earlier one.
func (r *request) newBody() []byte { return r.ctx.Response.SwapBody(nil)[:0] }

// unchanged sets the headers that a GET and its 304 have in common, and says
// whether the client has this representation already; then 304 is the answer.
func (r *request) unchanged(tag []byte, cacheControl string) bool {
	r.ctx.Response.Header.SetCanonical([]byte("Etag"), tag)
	r.setHeader("Cache-Control", cacheControl)
	r.setHeader("Vary", "Accept-Encoding")
	if !matchesETag(r.headerList("If-None-Match"), tag) {
		return false
	}
	r.ctx.SetStatusCode(fasthttp.StatusNotModified)
	return true
}

// headerList is the value of a header that is a list, and may therefore be spread
// over several lines (RFC 9110 section 5.3). It is valid until the handler returns.
func (r *request) headerList(name string) []byte {
	if !r.names.has(name) {
		return nil
	}
	switch lines := r.ctx.Request.Header.PeekAll(name); len(lines) {
	case 0:
		return nil
	case 1:
		return lines[0]
	default:
		return bytes.Join(lines, []byte(", "))
	}
}

// appendETag appends the entity tag of a body to dst: weak, because one tag names
// the body in every content coding, and a hash of the plain bytes, because then
// it says exactly "this is what you have": the same numbers have the same tag
// after a restart, a restore, or an import that changed nothing.
func appendETag(dst, body []byte) []byte {
	return appendHashTag(dst, xxhash.Sum64(body))
}

// appendHashTag appends the weak entity tag that a hash stands for.
func appendHashTag(dst []byte, hash uint64) []byte {
	const digits, hashBits = "0123456789abcdef", 64
	dst = append(dst, `W/"`...)
	for shift := hashBits - 4; shift >= 0; shift -= 4 {
		dst = append(dst, digits[hash>>shift&0xf])
	}
	return append(dst, '"')
}

// matchesETag says whether an If-None-Match header names the tag: "*", or a list
// with the tag in it by weak comparison (RFC 9110 section 8.8.3.2), which looks at
// the quoted part alone. A tag may hold a comma, so the list is read tag by tag;
// what follows a piece that is no tag is not looked at, and the answer is then the
// whole body: safe, if not cheap.
func matchesETag(ifNoneMatch, tag []byte) bool {
	const blanks = ", \t"
	rest := bytes.Trim(ifNoneMatch, blanks)
	if len(rest) == 1 && rest[0] == '*' {
		return true
	}
	opaque := bytes.TrimPrefix(tag, []byte("W/"))
	for len(rest) > 0 {
		rest = bytes.TrimPrefix(rest, []byte("W/"))
		if len(rest) == 0 || rest[0] != '"' {
			return false
		}
		end := bytes.IndexByte(rest[1:], '"')
		if end < 0 {
			return false
		}
		candidate := rest[:end+2]
		if bytes.Equal(candidate, opaque) {
			return true
		}
		rest = bytes.TrimLeft(rest[end+2:], blanks)
	}
	return false
}
