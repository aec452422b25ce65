package httpapi

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// An admission is what is decided about a request when its header is there and
// its body is not.
type admission uint8

// The admissions.
const (
	admitted       admission = iota // its body, if any, is read
	bodyUnwanted                    // answered without looking at its body
	refusedFraming                  // both Content-Length and Transfer-Encoding
	refusedFields                   // too many header fields
	refusedLines                    // lines that different programs read differently
	refusedLength                   // the declared length is over the limit
	refusedType                     // no decoder for the content type
	refusedCoding                   // no decoder for the content coding
	refusedDraining
	refusedEngine // the engine says why: not ready, read-only, failed
	refusedBudget // the declared length does not fit into what is free
	refusedPlaces // one more import would have to wait too long
	refusedAccess // whoever sends it is not let in, see access.go
	admissions    // how many there are
)

// admissionField carries the admission from headerReceived to the handler in a
// request header that no client can send: a field name from the wire has no
// colon.
const admissionField = ":admission"

// headerReceived is called by the core for each request between its header and
// its body. A request whose body will not be read is cut off from it: the core
// then neither asks for the body (Expect: 100-continue) nor waits for it, and the
// request is answered at once. The connection is closed after the answer, because
// what follows on it is not a request; see [request.answer]. Short bodies of imports
// that may come again are left to be heard out; see [heardOut].
func (s *Server) headerReceived(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	decision := s.admit(header)
	if decision == admitted {
		if length := header.ContentLength(); length > 0 {
			return fasthttp.RequestConfig{ReadTimeout: s.readTimeout(int64(length))}
		}
		return fasthttp.RequestConfig{}
	}
	header.SetCanonical([]byte(admissionField), []byte{'0' + byte(decision)})
	if heardOut(decision, header) && len(header.Peek(fasthttp.HeaderExpect)) == 0 {
		return fasthttp.RequestConfig{ReadTimeout: s.readTimeout(int64(header.ContentLength()))}
	}
	header.SetContentLength(0)
	header.Del(fasthttp.HeaderExpect)
	return fasthttp.RequestConfig{}
}

// admissionOf is what headerReceived has decided.
func admissionOf(header *fasthttp.RequestHeader) admission {
	if length := header.ContentLength(); length < 0 || length > heardOutBytesMax {
		return admitted // who is refused has no body, or a short one; see headerReceived
	}
	value := header.Peek(admissionField)
	if len(value) == 0 {
		return admitted
	}
	return admission(value[0] - '0')
}

// noBody is the content length of a request that declares none.
const noBody = -2

func (s *Server) admit(header *fasthttp.RequestHeader) admission {
	raw := header.RawHeaders()
	length := header.ContentLength()
	fields := fieldsOf(raw)
	switch {
	case fields.lines > s.limits.HeaderLinesMax+1: // and the empty line
		return refusedFields
	case fields.ambiguous():
		return refusedLines
	case length != noBody && fields.names.has(fasthttp.HeaderTransferEncoding) && framedTwice(raw):
		return refusedFraming
	case !bringsDocument(header):
		if length == noBody || length == 0 || (length > 0 && length <= adminBodyBytesMax && isAdmin(header)) {
			return admitted
		}
		return bodyUnwanted
	case !s.reads(header):
		return refusedType
	case bodyCodingOf(header) == bodyUnknown:
		return refusedCoding
	case int64(length) > s.limits.BodyBytesMax:
		return refusedLength
	case s.draining.Load():
		return refusedDraining
	case s.engine.Writable() != nil:
		return refusedEngine
	case int64(length) > s.budget.free():
		return refusedBudget
	case s.places.full():
		return refusedPlaces
	}
	return admitted
}

// heardOutBytesMax is the longest body of a refused import that is read to its end
// and forgotten, which the core does after it has answered. A new connection would
// cost both ends more.
const heardOutBytesMax = 256 << 10

// heardOut says whether a request is refused only because others came before it, and
// has a body so short that its connection goes on. It is answered before the body is
// read, all the same.
func heardOut(decision admission, header *fasthttp.RequestHeader) bool {
	length := header.ContentLength()
	return (decision == refusedBudget || decision == refusedPlaces) && length > 0 && length <= heardOutBytesMax
}

// bringsDocument says whether a request is for one of the two routes that read bodies.
func bringsDocument(header *fasthttp.RequestHeader) bool {
	if !header.IsPost() {
		return false
	}
	path, _, _ := cut(header.RequestURI(), '?')
	return string(path) == importPattern || isCorrections(path)
}

// isCorrections says whether a path is one of the second of them.
func isCorrections(path []byte) bool {
	before, after, _ := strings.Cut(correctionsPattern, "{id}")
	id, begins := bytes.CutPrefix(path, []byte(before))
	id, ends := bytes.CutSuffix(id, []byte(after))
	return begins && ends && bytes.IndexByte(id, '/') < 0
}

// reads says whether a document of this content type is read here. A correction may
// come in a form, which says itself what is in it.
func (s *Server) reads(header *fasthttp.RequestHeader) bool {
	contentType := header.ContentType()
	if s.intake.Reads(s.mediaType(contentType)) == nil {
		return true
	}
	path, _, _ := cut(header.RequestURI(), '?')
	return isForm(contentType) && isCorrections(path)
}

// framedTwice says whether a header block has both a Content-Length and a
// Transfer-Encoding: two programs may then see two different requests. The core
// would let the latter win.
func framedTwice(raw []byte) bool {
	var length, encoding bool
	for line := range bytes.Lines(raw) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		length = length || bytes.EqualFold(name, []byte(fasthttp.HeaderContentLength))
		encoding = encoding || bytes.EqualFold(name, []byte(fasthttp.HeaderTransferEncoding))
	}
	return length && encoding
}

// refusal is the error of an admission, nil for those that refuse nothing.
func (s *Server) refusal(decision admission) error {
	if decision == refusedEngine {
		if err := s.engine.Writable(); err != nil {
			return err
		}
		return errPassed
	}
	if refused := s.refusals[decision]; refused != nil {
		return refused
	}
	return nil
}

// newRefusals makes the errors of admissions, with the limits in their texts.
func newRefusals(limits Limits, mediaTypes string) (refusals [admissions]*requestError) {
	refusals[refusedFraming] = refuse(codeInvalidRequest,
		"The request has both a Content-Length and a Transfer-Encoding; it must have one of them.")
	refusals[refusedFields] = refuse(codeHeaderTooLarge,
		"The request has more than %d header fields (header-lines-max).", limits.HeaderLinesMax)
	refusals[refusedLines] = refuse(codeInvalidRequest,
		"The header has folded lines or line ends of two kinds; every field must be on one line, and all lines must end alike.")
	refusals[refusedLength] = errBodyTooLarge(limits.BodyBytesMax)
	refusals[refusedType] = &requestError{
		code:   codeUnsupportedMediaType,
		detail: "Documents of this content type are not read here; send one of: " + mediaTypes + ".",
		header: "Accept-Post", value: mediaTypes,
	}
	refusals[refusedCoding] = &requestError{
		code:   codeUnsupportedMediaType,
		detail: "Bodies in this content coding are not read here; send one of: " + acceptBodyCodings + ".",
		header: fasthttp.HeaderAcceptEncoding, value: acceptBodyCodings,
	}
	refusals[refusedDraining] = errDraining
	refusals[refusedBudget] = errOverBudget(limits.BytesInFlightMax)
	refusals[refusedPlaces] = errImportsInFlight(limits.ImportsInFlightMax)
	refusals[refusedAccess] = errPassed // reached only by who has been let in meanwhile
	return refusals
}
