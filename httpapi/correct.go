package httpapi

import (
	"bytes"
	"fmt"
	"mime"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"markr/engine"
)

// Paths below an import.
const (
	importsPattern     = "/imports"
	correctionsPattern = importsPattern + "/{id}/corrections"
	retryPattern       = importsPattern + "/{id}/retry"
)

// formType is what a form of the page is sent as.
const formType = "application/x-www-form-urlencoded"

// The fields of the form that a corrected document is handed in with.
const (
	fieldDocument  = "document"
	fieldMediaType = "media_type"
)

// correctionPost answers POST /imports/{id}/corrections: an import as POST /import is
// one, of a document that corrects a refused one. The scanners' route stays as it is.
func (s *Server) correctionPost(r *request) error {
	err := r.fromHere()
	var corrects uuid.UUID
	if err == nil {
		corrects, err = r.importID()
	}
	if err != nil {
		r.lingerAfter() // Its body is not read.
		return r.answered(corrects, err)
	}
	return r.answered(corrects, s.takeDocument(r, corrects))
}

// retryPost answers POST /imports/{id}/retry: a refused document is read again, by the
// decoders and limits of today. It is paid for as an import is, and waits for its turn
// as one.
func (s *Server) retryPost(r *request) error {
	err := r.fromHere()
	var id uuid.UUID
	if err == nil {
		id, err = r.importID()
	}
	if err == nil {
		err = s.retry(r, id)
	}
	return r.answered(id, err)
}

func (s *Server) retry(r *request, id uuid.UUID) error {
	if s.draining.Load() {
		return errDraining
	}
	found, err := s.engine.FindImport(id)
	if err != nil {
		return err
	}
	held := body{server: s}
	defer held.release()
	if held.take(found.Size) != nil {
		return errOverBudget(s.limits.BytesInFlightMax)
	}
	patience := patience{until: r.started.Add(s.limits.ReadTimeout), now: s.now}
	defer patience.end()
	place, err := s.enter(found.Size)
	if err != nil {
		return err
	}
	defer s.exit(place)
	receipt, err := s.engine.Retry(&patience, id, r.source(), held.room)
	if err != nil {
		return fmt.Errorf("retry: %w", err)
	}
	r.sendReceipt(&receipt)
	return nil
}

// importID is the import that the path names. What is not a UUID names none.
func (r *request) importID() (uuid.UUID, error) {
	if err := r.checkParameters(); err != nil {
		return uuid.Nil, err
	}
	text := r.param("id")
	id, err := uuid.Parse(text)
	// Parse also takes braces, URNs and missing hyphens; one import has one
	// address.
	if err != nil || len(text) != len(id.String()) {
		return uuid.Nil, engine.ErrUnknownImport
	}
	return id, nil
}

// isForm says whether a body is that of a form.
func isForm(contentType []byte) bool {
	mediaType, _, _ := bytes.Cut(contentType, []byte(";"))
	return bytes.EqualFold(bytes.TrimSpace(mediaType), []byte(formType))
}

// formDocument is the document in a form, and its media type with what that says of the
// columns of a table. A browser sends the text as UTF-8, whatever the document says of
// itself.
func formDocument(body []byte) (raw []byte, mediaType string) {
	var args fasthttp.Args
	args.ParseBytes(body)
	base, params, err := mime.ParseMediaType(string(args.Peek(fieldMediaType)))
	if err != nil {
		return nil, ""
	}
	params["charset"] = "utf-8"
	return args.Peek(fieldDocument), mime.FormatMediaType(base, params)
}
