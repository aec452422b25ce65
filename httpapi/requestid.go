package httpapi

import (
	"math/rand/v2"

	"github.com/valyala/fasthttp"
)

// headerRequestID is on every response, so that whoever reads a complaint finds
// the log line.
const headerRequestID = "X-Request-Id"

// requestIDBytesMax is the longest request id accepted from a client.
const requestIDBytesMax = 128

// appendRequestID appends the client's request id if it is a sensible one, else a
// new one of 128 random bits. Others are not an error and never reflected.
func (r *request) appendRequestID(dst []byte, header *fasthttp.RequestHeader) []byte {
	if r.names.has(headerRequestID) {
		if given := header.Peek(headerRequestID); validRequestID(given) {
			return append(dst, given...)
		}
	}
	return appendNewRequestID(dst)
}

// appendNewRequestID takes its bits from the runtime's generator: an id has to be
// unique, not secret, and a system call for it would show in every read.
func appendNewRequestID(dst []byte) []byte {
	const digits, bits = "0123456789abcdef", 64
	for range 128 / bits {
		random := rand.Uint64()
		for range bits / 4 {
			dst = append(dst, digits[random&0xf])
			random >>= 4
		}
	}
	return dst
}

// validRequestID: letters, digits and the marks that ids are made of; nothing
// that would need quoting in a log line or a header.
func validRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > requestIDBytesMax {
		return false
	}
	for _, b := range id {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case b == '-', b == '_', b == '.', b == ':', b == '/', b == '+', b == '=', b == '@':
		default:
			return false
		}
	}
	return true
}
