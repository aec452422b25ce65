package httpapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/wal/entry"
)

// A code names a kind of problem. Codes are part of the API: stable and
// machine-readable. Those of documents are intake's.
type code string

// The codes that are not about a document's content.
const (
	codeInvalidRequest       code = "invalid_request"
	codeInvalidPath          code = "invalid_path"
	codeInvalidParameter     code = "invalid_parameter"
	codeInvalidCursor        code = "invalid_cursor"
	codeCursorExpired        code = "cursor_expired"
	codeUnauthorized         code = "unauthorized"
	codeForbidden            code = "forbidden"
	codeTooManyRequests      code = "too_many_requests"
	codeNotFound             code = "not_found"
	codeUnknownTest          code = "unknown_test"
	codeUnknownStudent       code = "unknown_student"
	codeUnknownPosition      code = "unknown_position"
	codeUnknownQuestion      code = "unknown_question"
	codeItemAnalysisOff      code = "item_analysis_off"
	codeUnknownImport        code = "unknown_import"
	codeNotRefused           code = "not_refused"
	codeAlreadyResolved      code = "already_resolved"
	codeUnknownSnapshot      code = "unknown_snapshot"
	codeMethodNotAllowed     code = "method_not_allowed"
	codeNotAcceptable        code = "not_acceptable"
	codeRequestTimeout       code = "request_timeout"
	codeTooLarge             code = code(intake.CodeTooLarge)
	codeMalformedXML         code = code(intake.CodeMalformedXML)
	codeUnsupportedMediaType code = "unsupported_media_type"
	codeHeaderTooLarge       code = "header_too_large"
	codeInternal             code = "internal_error"
	codeDamaged              code = "damaged"
	codeNoHardLinks          code = "no_hard_links"
	codeLostPast             code = "past_unreadable"
	codeOverloaded           code = "overloaded"
	codeUnavailable          code = "unavailable"
	codeNoReprocess          code = "no_reprocess"
	codeReprocessConflict    code = "reprocess_conflict"
	codeWouldUncount         code = "would_uncount"
	codeReadOnly             code = "read_only"
)

// A kind is what all problems with one code have in common.
type kind struct {
	status  int
	title   string
	meaning string // for people who look the code up
	// retrySeconds is when to try again at the earliest, 0 for "not as it is".
	retrySeconds int
}

// kinds says what every code means. This table and codeOf below are the only
// places where an error becomes a status.
//
// A scanner prints a document for manual entry on any 4xx and tries again on
// anything else. So whatever may pass by itself is 503 to an import, also where
// others are told 429.
//
//nolint:gochecknoglobals // A table.
var kinds = map[code]kind{
	codeInvalidRequest: {
		fasthttp.StatusBadRequest, "Invalid request",
		"The request is not valid HTTP/1.1, or is framed in a way that different programs read differently.", 0,
	},
	codeInvalidPath: {
		fasthttp.StatusBadRequest, "Invalid path",
		"The path cannot be split into segments and decoded in one way only.", 0,
	},
	codeInvalidParameter: {
		fasthttp.StatusBadRequest, "Invalid parameter",
		"A query or path parameter has a value that is not allowed.", 0,
	},
	codeInvalidCursor: {
		fasthttp.StatusBadRequest, "Invalid cursor",
		"The cursor is not one that this list gave out.", 0,
	},
	codeCursorExpired: {
		fasthttp.StatusConflict, "Cursor expired",
		"What the cursor goes on with is not what it was: another rule is in force since. Start again without a cursor.", 0,
	},
	codeMalformedXML: {
		fasthttp.StatusBadRequest, "Malformed document",
		"The document is not well-formed XML or no table, is empty, or was damaged on its way here.", 0,
	},
	code(intake.CodeUnsupportedEncoding): {
		fasthttp.StatusBadRequest, "Unsupported character encoding",
		"The document is in a character encoding that is not read here.", 0,
	},
	code(intake.CodeDTDForbidden): {
		fasthttp.StatusBadRequest, "Document type definition forbidden",
		"The document has a DOCTYPE, which is never read.", 0,
	},
	code(intake.CodeTooDeep): {
		fasthttp.StatusBadRequest, "Document nested too deep",
		"The document nests elements deeper than the limit.", 0,
	},
	codeUnauthorized: {
		fasthttp.StatusUnauthorized, "Unauthorized",
		"The request carries no token and no client certificate, or one that is not valid.", 0,
	},
	codeForbidden: {
		fasthttp.StatusForbidden, "Forbidden",
		"The token or the client certificate is valid, but not for this, or not from this address.", 0,
	},
	codeTooManyRequests: {
		fasthttp.StatusTooManyRequests, "Too many requests",
		"The token's rate is exceeded, or too many attempts of the address have failed. Imports are told 503 instead.", 1,
	},
	codeNotFound: {
		fasthttp.StatusNotFound, "Not found",
		"There is nothing at this path.", 0,
	},
	codeUnknownTest: {
		fasthttp.StatusNotFound, "Unknown test",
		"No accepted document has named this test.", 0,
	},
	codeUnknownStudent: {
		fasthttp.StatusNotFound, "Unknown student",
		"No accepted document has a scan of this student in this test.", 0,
	},
	codeUnknownQuestion: {
		fasthttp.StatusNotFound, "Unknown question",
		"No sheet that counts in this test has the question.", 0,
	},
	codeItemAnalysisOff: {
		fasthttp.StatusNotFound, "No item analysis",
		"The server does not analyse questions (`--item-analysis=off`), or the test has too many questions or marks for it.", 0,
	},
	codeUnknownPosition: {
		fasthttp.StatusNotFound, "Unknown position",
		"The log has not come to this position yet.", 0,
	},
	codeUnknownImport: {
		fasthttp.StatusNotFound, "Unknown import",
		"There is no import with this id, or it was refused and has been dropped since to make room.", 0,
	},
	codeNotRefused: {
		fasthttp.StatusConflict, "Not refused",
		"The import was not refused: there is nothing to correct or to try again.", 0,
	},
	codeAlreadyResolved: {
		fasthttp.StatusConflict, "Already resolved",
		"The refused import, or another of its chain of corrections, is resolved already, or somebody is about to do it.", 0,
	},
	codeNoReprocess: {
		fasthttp.StatusNotFound, "No reprocess",
		"No reprocess is under way: none was started, or it was cancelled, was committed or has failed.", 0,
	},
	codeReprocessConflict: {
		fasthttp.StatusConflict, "Reprocess in another state",
		"The reprocess is not in the state that this needs: another one is under way, it is still reading, or it is paused.", 0,
	},
	codeWouldUncount: {
		fasthttp.StatusConflict, "Documents would stop to count",
		"Accepted documents are refused by today's decoder. Committing the reprocess would stop counting them; that has to be asked for.", 0,
	},
	codeUnknownSnapshot: {
		fasthttp.StatusNotFound, "Unknown snapshot",
		"There is no snapshot with this id: it was released, or not renewed in time.", 0,
	},
	codeMethodNotAllowed: {
		fasthttp.StatusMethodNotAllowed, "Method not allowed",
		"The path is known, but not with this method; the Allow header lists those it answers.", 0,
	},
	codeNotAcceptable: {
		fasthttp.StatusNotAcceptable, "Not acceptable",
		"The Accept or the Accept-Encoding header allows none of the forms this resource has.", 0,
	},
	codeRequestTimeout: {
		fasthttp.StatusRequestTimeout, "Request timeout",
		"The request took too long to arrive.", 0,
	},
	codeTooLarge: {
		fasthttp.StatusRequestEntityTooLarge, "Too large",
		"The body, the decoded body or the number of records is over a limit.", 0,
	},
	codeUnsupportedMediaType: {
		fasthttp.StatusUnsupportedMediaType, "Unsupported media type",
		"Documents of this content type, or in this content coding, are not read here.", 0,
	},
	code(intake.CodeWrongDocument): {
		fasthttp.StatusUnprocessableEntity, "Wrong kind of document",
		"The document is well-formed, but not of the kind its content type says.", 0,
	},
	code(intake.CodeEmptyDocument): {
		fasthttp.StatusUnprocessableEntity, "Document without records",
		"The document holds no scanned sheet.", 0,
	},
	code(intake.CodeMissingField): {
		fasthttp.StatusUnprocessableEntity, "Missing field",
		"A sheet lacks a required part.", 0,
	},
	code(intake.CodeRepeatedField): {
		fasthttp.StatusUnprocessableEntity, "Repeated field",
		"A sheet has a part twice that it must have once.", 0,
	},
	code(intake.CodeInvalidValue): {
		fasthttp.StatusUnprocessableEntity, "Invalid value",
		"A part of a sheet has a value that is not allowed.", 0,
	},
	codeHeaderTooLarge: {
		fasthttp.StatusRequestHeaderFieldsTooLarge, "Request header too large",
		"The request line and header fields are over the limit in bytes or in number.", 0,
	},
	codeInternal: {
		fasthttp.StatusInternalServerError, "Internal error",
		"The server made a mistake; its log has the cause under the request id.", 0,
	},
	codeDamaged: {
		fasthttp.StatusInternalServerError, "Damaged on disk",
		"What is stored is not what was written; `markr vault verify` says more.", 0,
	},
	codeLostPast: {
		fasthttp.StatusConflict, "The past cannot be computed",
		"A document that counted then is refused by today's decoder, and a reprocess has stopped counting it. What was answered then is not guessed at.", 0,
	},
	codeNoHardLinks: {
		fasthttp.StatusConflict, "No hard links",
		"The file system of the data directory has no hard links, without which a running server cannot be backed up.", 0,
	},
	codeOverloaded: {
		fasthttp.StatusServiceUnavailable, "Overloaded",
		"The server has as much work in hand as it takes at once.", 1,
	},
	codeUnavailable: {
		fasthttp.StatusServiceUnavailable, "Unavailable",
		"The server is starting or stopping, or its log has failed or its disk does not answer.", 2,
	},
	codeReadOnly: {
		fasthttp.StatusServiceUnavailable, "Read-only",
		"The disk is nearly full: documents are not taken until there is space again.", 30,
	},
}

// sentinels says which code the errors of other rooms have, and with which
// sentence.
//
//nolint:gochecknoglobals // A table.
var sentinels = []struct {
	err    error
	code   code
	detail string
}{
	{intake.ErrUnknownMediaType, codeUnsupportedMediaType, "Documents of this content type are not read here."},
	{engine.ErrNotReady, codeUnavailable, "The server is still reading its log; /readyz tells how far it is."},
	{engine.ErrClosed, codeUnavailable, "The server is stopping."},
	{engine.ErrOverloaded, codeOverloaded, "Too many documents are waiting to be written to disk."},
	{engine.ErrStalled, codeUnavailable, "The disk does not answer: nothing of this document was counted. Results can still be read."},
	{engine.ErrUnknownTest, codeUnknownTest, "No accepted document has named this test."},
	{engine.ErrUnknownStudent, codeUnknownStudent, "No accepted document has a scan of this student in this test."},
	{engine.ErrUnknownPosition, codeUnknownPosition, "The log has not come to this position yet; GET /imports shows the newest."},
	{engine.ErrItemsOff, codeItemAnalysisOff, "This server does not analyse questions: it runs with --item-analysis=off."},
	{itemstats.ErrTooMuch, codeItemAnalysisOff, "The test has too many questions, or too many marks, for this."},
	{itemstats.ErrUnknownQuestion, codeUnknownQuestion, "No sheet that counts in this test has one of the questions."},
	{engine.ErrRollGone, codeCursorExpired, "Another scoring rule is in force since the first page: start again without a cursor."},
	{engine.ErrUnknownImport, codeUnknownImport, "There is no import with this id, or it was refused and has been dropped since."},
	{engine.ErrNotRefused, codeNotRefused, "This import was not refused: there is nothing to correct or to try again. Nothing was counted."},
	{engine.ErrResolved, codeAlreadyResolved, "This import is resolved already, or somebody is about to do it; GET /imports/{id} names by what. Nothing was counted."},
	{engine.ErrReprocessing, codeReprocessConflict, "Another reprocess is under way: wait for it, or DELETE /admin/reprocess."},
	{engine.ErrNoReprocess, codeNoReprocess, "No reprocess is under way; POST /admin/reprocess starts one."},
	{engine.ErrReprocessNotReady, codeReprocessConflict, "The reprocess is not ready: it is still reading, or paused; GET /admin/reprocess tells."},
	{entry.ErrNoSnapshot, codeUnknownSnapshot, "There is no such snapshot, or it was not renewed in time."},
	{entry.ErrSnapshots, codeOverloaded, "As many snapshots are held as there may be; one is free when a backup ends, or when nobody renews it."},
	{entry.ErrNoLinks, codeNoHardLinks, "The data directory's file system has no hard links: stop the server and back up its data directory."},
	{entry.ErrReadOnly, codeReadOnly, "The disk is nearly full: nothing of this document was counted. Results can still be read."},
	{entry.ErrFailed, codeUnavailable, "The log has failed and takes no documents until the server is started again. Results can still be read."},
	{entry.ErrClosed, codeUnavailable, "The server is stopping."},
	{entry.ErrNotFound, codeUnknownImport, "There is no such import, or it was refused and has been dropped since."},
	{engine.ErrLostPast, codeLostPast, "A document that counted then cannot be read by today's decoder; the statistics since the last reprocess are there."},
	{engine.ErrUnreadable, codeUnavailable, "The log could not be read to its end; the operator finds the cause in the server's log."},
	{intake.ErrNoRecord, codeInternal, "The server made a mistake; its log has the cause under this request id."},
	{entry.ErrUnknownVersion, codeInternal, "The stored document is in a format that a newer version of this program has written."},
	{entry.ErrInvalid, codeInternal, "The server made a mistake; its log has the cause under this request id."},
	{entry.ErrDamaged, codeDamaged, "The stored document is damaged; run `markr vault verify`."},
	{context.DeadlineExceeded, codeOverloaded, "The server had no room for this document in time; nothing of it was counted."},
	{context.Canceled, codeUnavailable, "The server is stopping."},
}

// problemOf says how an error is told to a client. Errors nobody foresaw are
// internal ones: their text goes to the log, not to the client.
func problemOf(err error) problem {
	if own, ok := errors.AsType[*requestError](err); ok {
		return problem{code: own.code, detail: own.detail, header: own.header, value: own.value}
	}
	if notReady, ok := errors.AsType[*notReadyError](err); ok {
		return problem{code: notReady.code, detail: notReady.detail, checks: notReady.checks}
	}
	// Only a refusal is about the client's document: a log that cannot be read
	// tells of a document, too.
	if refused, ok := errors.AsType[*engine.RefusedError](err); ok {
		return problem{
			code: code(refused.Document.Code), detail: documentDetail(refused.Document),
			document: refused.Document, importID: refused.ImportID,
		}
	}
	if uncount, ok := errors.AsType[*engine.UncountError](err); ok {
		return problem{code: codeWouldUncount, detail: uncountDetail(uncount)}
	}
	if reading, ok := errors.AsType[*engine.ItemsError](err); ok {
		return problem{code: codeUnavailable, detail: itemsDetail(reading)}
	}
	for i := range sentinels {
		if errors.Is(err, sentinels[i].err) {
			return problem{code: sentinels[i].code, detail: sentinels[i].detail}
		}
	}
	return problem{code: codeInternal, detail: "The server made a mistake; its log has the cause under this request id."}
}

// documentDetail tells somebody with the paper in hand what is wrong and where,
// and what that means.
func documentDetail(e *intake.DocumentError) string {
	return documentFault(e) + " Nothing of this document was counted."
}

// documentFault tells in a sentence what is wrong with a document and where.
func documentFault(e *intake.DocumentError) string {
	where := "The document"
	switch {
	case e.Record > 0 && e.Line > 0:
		where = fmt.Sprintf("Record %d (line %d, column %d)", e.Record, e.Line, e.Column)
	case e.Record > 0:
		where = fmt.Sprintf("Record %d", e.Record)
	case e.Line > 0:
		where = fmt.Sprintf("Line %d, column %d", e.Line, e.Column)
	}
	what := e.Reason
	if e.Value != "" {
		what = fmt.Sprintf("%q %s", e.Value, what)
	}
	if e.Field != "" {
		what = e.Field + " " + what
	}
	return where + ": " + what + "."
}
