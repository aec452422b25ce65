package httpapi

import (
	"encoding/binary"
	"encoding/hex"
	"net/url"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/wal/entry"
)

// importsJSON is the answer to GET /imports.
type importsJSON struct {
	Imports    []importJSON `json:"imports"`
	NextCursor *string      `json:"next_cursor"`
}

// importJSON is the answer to GET /imports/{id}. What does not apply to an
// outcome is null or zero and not absent, so that all imports have one shape, but
// for the SHA-256, which lists leave out: it takes reading the document.
type importJSON struct {
	ID          uuid.UUID      `json:"id"`
	Position    entry.Position `json:"position"`
	Received    timestamp      `json:"received"`
	Source      string         `json:"source"`
	MediaType   string         `json:"media_type"`
	Size        int64          `json:"size"`
	Digest      string         `json:"digest"`
	SHA256      string         `json:"sha256,omitempty"`
	Outcome     string         `json:"outcome"`
	Records     int            `json:"records"`
	TestIDs     []exam.TestID  `json:"test_ids"`
	Findings    findingsJSON   `json:"findings"`
	Refusal     *documentError `json:"refusal"`
	DuplicateOf *uuid.UUID     `json:"duplicate_of"`
}

type findingsJSON struct {
	BadScannedOn int `json:"bad_scanned_on"`
	BadAnswers   int `json:"bad_answers"`
}

// imports answers GET /imports: what arrived, newest first.
func (s *Server) imports(r *request) error {
	if err := r.checkParameters("outcome", "limit", "cursor"); err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	var outcome entry.Outcome // 0: all of them
	name, given := r.query("outcome")
	if given {
		if outcome, err = parseOutcome(name); err != nil {
			return err
		}
	}
	var before entry.Position // 0: from the newest on
	if cursor, given := r.query("cursor"); given {
		if before, err = parseImportsCursor(cursor); err != nil {
			return err
		}
	}
	// One more than asked for tells whether there is more.
	found, err := s.engine.Imports(before, outcome, limit+1)
	if err != nil {
		return err
	}
	answer := importsJSON{Imports: make([]importJSON, 0, min(len(found), limit))}
	for i := range found[:min(len(found), limit)] {
		answer.Imports = append(answer.Imports, newImportJSON(&found[i]))
	}
	if len(found) > limit {
		answer.NextCursor = new(importsCursor(found[limit-1].Position))
		r.linkNext("/imports", url.Values{"outcome": {name}}, limit, *answer.NextCursor)
	}
	return r.resourceJSON(answer)
}

// importByID answers GET /imports/{id}.
func (s *Server) importByID(r *request) error {
	found, err := s.findImport(r)
	if err != nil {
		return err
	}
	answer := newImportJSON(&found)
	if answer.SHA256, err = s.sha256Of(&found); err != nil {
		return err
	}
	return r.resourceJSON(answer)
}

// sha256Of reads a document to tell its SHA-256. The document is in memory
// meanwhile, so it is paid for as a download is; if downloads hold all they may, it
// is left out, because everything else about the import can be told.
func (s *Server) sha256Of(found *engine.Import) (string, error) {
	budget := &s.content.downloads
	if !budget.take(found.Size) {
		return "", nil
	}
	defer budget.give(found.Size)
	sum, err := s.engine.SHA256(found.ID)
	return hex.EncodeToString(sum[:]), err
}

// importDocument answers GET /imports/{id}/document with the bytes as they were
// received. They come from a stranger, so a browser is told to save them, to
// believe the media type, and to run nothing of them.
func (s *Server) importDocument(r *request) error {
	found, err := s.findImport(r)
	if err != nil {
		return err
	}
	// The digest stands for the bytes, so a client that has them is answered
	// without reading them from the log.
	tag := appendHashTag(nil, binary.BigEndian.Uint64(found.Digest[:8]))
	if r.unchanged(tag, cacheDocument) {
		return nil
	}
	r.setHeader("Content-Disposition", `attachment; filename="`+found.ID.String()+`"`)
	r.setHeader("Content-Security-Policy", "default-src 'none'; sandbox")
	return r.download(&found)
}

// findImport finds the import that the path names. What is not a UUID names no
// import, and is answered as such: the path has a shape, but no syntax of its own.
func (s *Server) findImport(r *request) (engine.Import, error) {
	if err := r.checkParameters(); err != nil {
		return engine.Import{}, err
	}
	text := r.param("id")
	id, err := uuid.Parse(text)
	// Parse also takes braces, URNs and missing hyphens; one import has one
	// address.
	if err != nil || len(text) != len(id.String()) {
		return engine.Import{}, engine.ErrUnknownImport
	}
	return s.engine.FindImport(id)
}

// parseOutcome reads the outcome parameter.
func parseOutcome(name string) (entry.Outcome, error) {
	for _, outcome := range []entry.Outcome{entry.Accepted, entry.Refused, entry.Duplicate} {
		if outcome.String() == name {
			return outcome, nil
		}
	}
	return 0, errParameter("outcome", "must be accepted, refused or duplicate")
}

func newImportJSON(found *engine.Import) importJSON {
	answer := importJSON{
		ID:        found.ID,
		Position:  found.Position,
		Received:  timestamp(found.Received),
		Source:    found.Source,
		MediaType: found.MediaType,
		Size:      found.Size,
		Digest:    hex.EncodeToString(found.Digest[:]),
		Outcome:   found.Outcome.String(),
		Records:   found.Records,
		TestIDs:   found.TestIDs,
		Findings:  findingsJSON(found.Findings),
	}
	if answer.TestIDs == nil {
		answer.TestIDs = []exam.TestID{} // [] and not null
	}
	if found.Refusal != nil {
		answer.Refusal = new(newDocumentError(found.Refusal))
	}
	if found.DuplicateOf != uuid.Nil {
		answer.DuplicateOf = &found.DuplicateOf
	}
	return answer
}

// newDocumentError is what is wrong with a document, as problems tell it too.
func newDocumentError(e *intake.DocumentError) documentError {
	return documentError{
		Code: e.Code, Record: place(e.Record), Line: place(e.Line), Column: place(e.Column),
		Field: e.Field, Value: e.Value, Reason: e.Reason,
	}
}
