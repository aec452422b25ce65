package httpapi

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"markr/engine"
)

// importPost answers POST /import.
//
//  1. headerReceived has looked at the header; what can be refused by it alone
//     never comes here.
//  2. The body is received into memory taken from the budget.
//  3. The import takes a place among those under way; if there is none, it waits for
//     a moment or is refused, see [places].
//  4. It is decompressed, if it has to be, when there is a processor for it.
//  5. The engine takes the document. When it returns, the document is durable
//     and visible, or durably refused.
//  6. The memory is given back, and the client is answered.
func (s *Server) importPost(r *request) error { return s.takeDocument(r, uuid.Nil) }

// takeDocument takes the document of a request, as a correction of a refused one if
// that is not uuid.Nil.
func (s *Server) takeDocument(r *request, corrects uuid.UUID) error {
	coding := bodyCodingOf(&r.ctx.Request.Header)
	received, err := s.receive(r, coding)
	if err != nil {
		return r.turnedAway(err)
	}
	defer r.document.release()
	place, err := s.enter(r.document.decodedBytes(coding))
	if err != nil {
		return r.turnedAway(err)
	}
	defer s.exit(place)
	if err := s.decode(r, coding); err != nil {
		r.lingerAfter()
		return r.turnedAway(s.bodyError(err, &r.wire))
	}
	submission := engine.Submission{Raw: r.document.bytes, Source: r.source(), Corrects: corrects, Room: r.document.room}
	if contentType := r.ctx.Request.Header.ContentType(); corrects != uuid.Nil && isForm(contentType) {
		// The text of a form is taken out of it, which makes it be there twice.
		if err := r.document.take(int64(len(r.document.bytes))); err != nil {
			return r.turnedAway(errOverBudget(s.limits.BytesInFlightMax))
		}
		submission.Raw, submission.MediaType = formDocument(r.document.bytes)
	} else {
		submission.MediaType = s.mediaType(contentType)
	}
	patience := patience{until: received.Add(s.limits.ReadTimeout), now: s.now}
	defer patience.end()
	receipt, err := s.engine.Import(&patience, submission)
	if err != nil {
		return r.refusedByEngine(err)
	}
	r.sendReceipt(&receipt)
	return nil
}

// sendReceipt answers with what an accepted document did.
func (r *request) sendReceipt(receipt *engine.Receipt) {
	body := appendReceipt(r.newBody(), receipt)
	r.ctx.SetContentType("application/json")
	r.ctx.Response.SwapBody(body)
}

// room takes what the text of a document in another encoding needs from the budget, until
// the document is released. In UTF-8 a document may have the bytes that a body may have.
// The error is a requestError.
func (b *body) room(bytes int) error {
	limits := &b.server.limits
	if int64(bytes) > limits.DecodedBytesMax {
		return errTextTooLarge(limits.DecodedBytesMax)
	}
	if b.take(int64(bytes)) != nil {
		return errOverBudget(limits.BytesInFlightMax)
	}
	return nil
}

// mediaType is a content type as text: nearly always one of those that are read,
// which are not copied again.
func (s *Server) mediaType(contentType []byte) string {
	for _, known := range s.mediaTypes {
		if string(contentType) == known {
			return known
		}
	}
	return string(contentType)
}

// receive reads a request's body into r.document as it comes, and says when it was there. The
// error is a requestError.
func (s *Server) receive(r *request, coding bodyCoding) (time.Time, error) {
	b := &r.document
	b.server = s
	w := s.newWire(r)
	err := b.fill(w, w.declared, s.limits.BodyBytesMax)
	r.received = w.received
	s.metrics.wireBytes[coding].Add(float64(w.received))
	if err != nil {
		b.release()
		// Some of the body may still be on its way.
		r.lingerAfter()
		return time.Time{}, s.bodyError(err, w)
	}
	now := s.now()
	s.metrics.read.Observe(now.Sub(r.started).Seconds())
	return now, nil
}

// bodyError tells a client why its body was not taken.
func (s *Server) bodyError(err error, w *wire) error {
	switch {
	case errors.Is(err, errBudget):
		return errOverBudget(s.limits.BytesInFlightMax)
	case errors.Is(err, errOverLimit) && w.received > s.limits.BodyBytesMax:
		return errBodyTooLarge(s.limits.BodyBytesMax)
	case errors.Is(err, errOverLimit):
		return errDecodedTooLarge(s.limits.DecodedBytesMax)
	case errors.Is(err, errCutShort):
		return refuse(codeMalformedXML,
			"The body ended after %d of the %d bytes announced; nothing of it was counted.", w.received, w.declared)
	case isTimeout(err), w.conn != nil && w.conn.late: // the core hides it in its own errors about chunks
		return refuse(codeRequestTimeout,
			"The body did not arrive in time: %v, and its length at %d bytes a second; nothing of it was counted.",
			s.limits.ReadTimeout, s.limits.BodyBytesPerSecondMin)
	}
	if coded, ok := errors.AsType[*badCodingError](err); ok {
		return refuse(codeMalformedXML, "The body is %v; nothing of it was counted.", coded)
	}
	// What is left is chunked framing that is none, or a connection that broke.
	return refuse(codeInvalidRequest, "The body could not be received; nothing of it was counted.")
}

// enter takes a place among the imports under way for a document, and returns it for exit.
// The error is a requestError.
func (s *Server) enter(documentBytes int64) (place int64, err error) {
	place = s.places.enter(documentBytes)
	if place == 0 {
		return 0, s.refusals[refusedPlaces]
	}
	s.metrics.importsInFlight.Inc()
	return place, nil
}

func (s *Server) exit(place int64) {
	s.metrics.importsInFlight.Dec()
	s.places.leave(place)
}

// turnedAway counts a document that the engine never saw.
func (r *request) turnedAway(err error) error {
	if r.route.takesDocument() {
		if counter := r.server.metrics.unread[problemOf(err).code]; counter != nil {
			counter.Inc()
		}
	}
	return err
}

// refusedByEngine counts a document that the engine has not taken; those that it
// has durably refused it counts itself.
func (r *request) refusedByEngine(err error) error {
	if _, durable := errors.AsType[*engine.RefusedError](err); durable {
		r.server.metrics.refusedFrom(r.grant)
		return err
	}
	return r.turnedAway(fmt.Errorf("import: %w", err))
}

// appendReceipt appends what an accepted document did, in SPEC's order.
func appendReceipt(dst []byte, receipt *engine.Receipt) []byte {
	dst = append(dst, `{"import_id":"`...)
	dst = appendUUID(dst, receipt.ImportID)
	dst = append(dst, `","position":`...)
	dst = strconv.AppendUint(dst, uint64(receipt.Position), 10)
	dst = append(dst, `,"test_ids":[`...)
	for i, id := range receipt.TestIDs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, string(id))
	}
	dst = append(dst, `],"records":`...)
	dst = strconv.AppendInt(dst, int64(receipt.Records), 10)
	dst = append(dst, `,"students_added":`...)
	dst = strconv.AppendInt(dst, int64(receipt.StudentsAdded), 10)
	dst = append(dst, `,"marks_raised":`...)
	dst = strconv.AppendInt(dst, int64(receipt.MarksRaised), 10)
	dst = append(dst, `,"unchanged":`...)
	dst = strconv.AppendInt(dst, int64(receipt.Unchanged), 10)
	dst = append(dst, `,"duplicate_of":`...)
	if receipt.DuplicateOf == uuid.Nil {
		return append(dst, "null}"...)
	}
	dst = append(dst, '"')
	dst = appendUUID(dst, receipt.DuplicateOf)
	return append(dst, `"}`...)
}

// appendUUID appends the usual form of an id, without making a string of it.
func appendUUID(dst []byte, id uuid.UUID) []byte {
	dst = hex.AppendEncode(dst, id[:4])
	for _, group := range [...][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		dst = hex.AppendEncode(append(dst, '-'), group)
	}
	return dst
}

// appendString appends an id as a JSON string. Ids are UTF-8 without control
// characters, so two characters need escaping.
func appendString[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}
