package httpapi

import "fmt"

// A requestError is an error of ours: a request that is wrong in itself or that
// cannot be answered now. Other rooms' errors reach status.go as they are.
type requestError struct {
	code   code
	detail string // a sentence for people
	// header is what the answer must carry for this error, for example Allow.
	header, value string
}

// Error is the code and the detail.
func (e *requestError) Error() string { return string(e.code) + ": " + e.detail }

// refuse makes a requestError without a header of its own.
func refuse(c code, format string, args ...any) *requestError {
	return &requestError{code: c, detail: fmt.Sprintf(format, args...)}
}

// Reading a request.
var (
	errInvalidRequest = refuse(codeInvalidRequest, "The request is not valid HTTP/1.1.")
	// errPanicked: the cause has been logged where it happened.
	errPanicked = refuse(codeInternal, "The server made a mistake; its log has the cause under this request id.")
)

// Finding a route.
var (
	errNoSuchRoute  = refuse(codeNotFound, "There is nothing at this path; GET / lists what there is.")
	errAbsoluteForm = refuse(codeInvalidPath, "The request line must hold a path, not a whole URL.")
)

func errPath(problem string) error {
	return refuse(codeInvalidPath, "The request cannot be routed: %s.", problem)
}

func errMethodNotAllowed(allow string) error {
	return &requestError{
		code: codeMethodNotAllowed, detail: "This path answers " + allow + ".",
		header: "Allow", value: allow,
	}
}

// Reading parameters.

// errInvalidCursor: a cursor was not made here, or not copied whole.
var errInvalidCursor = refuse(codeInvalidCursor,
	"The cursor parameter is not one that this server has given out; leave it away to start over.")

// Taking documents.
var (
	errDraining = refuse(codeUnavailable, "The server is stopping; nothing of this document was counted.")
	// errPassed: what the engine had against the document has passed meanwhile.
	errPassed = refuse(codeUnavailable, "The server was not ready for a moment; nothing of this document was counted.")
)

// errImportsInFlight: others would not come to their end in time.
func errImportsInFlight(limit int) *requestError {
	return refuse(codeOverloaded, "There are %d imports under way (imports-in-flight-max); nothing of this document was counted.", limit)
}

func errBodyTooLarge(limit int64) *requestError {
	return refuse(codeTooLarge, "The body is longer than the limit of %d bytes (body-bytes-max); nothing of it was counted.", limit)
}

func errDecodedTooLarge(limit int64) *requestError {
	return refuse(codeTooLarge, "The decoded body is longer than the limit of %d bytes (decoded-bytes-max); nothing of it was counted.", limit)
}

func errTextTooLarge(limit int64) *requestError {
	return refuse(codeTooLarge, "In UTF-8 the document is longer than the limit of %d bytes (decoded-bytes-max); nothing of it was counted.", limit)
}

// errStopping: the server is about to stop.
var errStopping = refuse(codeUnavailable, "The server is stopping.")

// errSubscribers: as many streams are open as there may be.
func errSubscribers(limit int) *requestError {
	return refuse(codeOverloaded, "There are %d streams of events open (subscribers-max); ask for the results now and then instead.", limit)
}

func errOverBudget(limit int64) *requestError {
	return refuse(codeOverloaded,
		"All documents under way may hold %d bytes together (bytes-in-flight-max), and this one does not fit in now; nothing of it was counted.", limit)
}
