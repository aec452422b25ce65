package httpapi

import (
	"encoding/binary"
	"encoding/hex"

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
	Corrects    *uuid.UUID     `json:"corrects"`
	Retries     *uuid.UUID     `json:"retries"`
	ResolvedBy  *importRefJSON `json:"resolved_by"`
}

type findingsJSON struct {
	BadScannedOn int `json:"bad_scanned_on"`
	BadAnswers   int `json:"bad_answers"`
}

// imports answers GET /imports: what arrived, newest first.
func (s *Server) imports(r *request) error {
	query, err := r.importsQuery()
	if err != nil {
		return err
	}
	found, more, err := s.list(query)
	if err != nil {
		return err
	}
	answer := importsJSON{Imports: make([]importJSON, 0, len(found))}
	for i := range found {
		answer.Imports = append(answer.Imports, newImportJSON(&found[i]))
	}
	if more != 0 {
		answer.NextCursor = r.nextPage(importsPattern, query.values, query.limit, importsCursor(more))
	}
	return r.resourceJSON(answer)
}

// list returns the imports that a query asks for, and where to go on, 0 at the end.
func (s *Server) list(q *importsQuery) (found []engine.Import, more entry.Position, err error) {
	if q.filtered {
		return s.engine.Refused(q.before, q.filter, q.limit)
	}
	// One more than asked for tells whether there is more.
	found, err = s.engine.Imports(q.before, q.outcome, q.limit+1)
	if len(found) > q.limit {
		found = found[:q.limit]
		more = found[q.limit-1].Position
	}
	return found, more, err
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
	id, err := r.importID()
	if err != nil {
		return engine.Import{}, err
	}
	return s.engine.FindImport(id)
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
	answer.DuplicateOf, answer.Corrects, answer.Retries = known(&found.DuplicateOf), known(&found.Corrects), known(&found.Retries)
	if by := &found.ResolvedBy; by.Position != 0 {
		answer.ResolvedBy = &importRefJSON{ID: by.ID, Position: by.Position, Received: timestamp(by.Received)}
	}
	return answer
}

// known is an id, or nil if there is none.
func known(id *uuid.UUID) *uuid.UUID {
	if *id == uuid.Nil {
		return nil
	}
	return id
}

// newDocumentError is what is wrong with a document, as problems tell it too.
func newDocumentError(e *intake.DocumentError) documentError {
	return documentError{
		Code: e.Code, Record: place(e.Record), Line: place(e.Line), Column: place(e.Column),
		Field: e.Field, Value: e.Value, Reason: e.Reason,
	}
}
