package engine

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"markr/engine/intake"
	"markr/wal/entry"
)

// FindImport returns what is known of one import. The error is
// [ErrUnknownImport], [ErrNotReady], a *entry.DamagedError or the disk's.
func (e *Engine) FindImport(id uuid.UUID) (Import, error) {
	h, err := e.find(id)
	if err != nil {
		return Import{}, err
	}
	return e.describe(h)
}

// Imports returns up to limit imports before a position (0: the newest), newest
// first, only those with the outcome if it is not 0.
func (e *Engine) Imports(before entry.Position, outcome entry.Outcome, limit int) ([]Import, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	var list []Import
	for {
		asked := limit - len(list)
		headers, err := e.opts.Log.Headers(before, outcome, asked)
		if err != nil {
			return nil, fmt.Errorf("list imports: %w", err)
		}
		for _, h := range headers {
			before = h.Position
			if h.Outcome == entry.Event {
				continue // It is no import, and hardly any entry is one.
			}
			one, err := e.describe(h)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		if len(list) >= limit || len(headers) < asked {
			return list, nil
		}
	}
}

// Document returns the bytes of an import as received, and its media type; for a
// duplicate those of the first. The errors are those of FindImport.
func (e *Engine) Document(id uuid.UUID) (raw []byte, mediaType string, err error) {
	h, err := e.find(id)
	if err != nil {
		return nil, "", err
	}
	position := h.Position
	if h.Outcome == entry.Duplicate {
		position = h.DuplicateOf
	}
	stored, err := e.opts.Log.At(position)
	if err != nil {
		return nil, "", e.lookupError(id, err)
	}
	raw, err = e.codec.Raw(stored, nil)
	if err != nil {
		return nil, "", e.lookupError(id, err)
	}
	return raw, h.MediaType, nil
}

// SHA256 returns the SHA-256 of an import's bytes as received: what `sha256sum` prints
// for them. It reads the document, and checks it thereby. The errors are those of
// FindImport.
func (e *Engine) SHA256(id uuid.UUID) ([sha256.Size]byte, error) {
	raw, _, err := e.Document(id)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(raw), nil
}

func (e *Engine) find(id uuid.UUID) (entry.Header, error) {
	if err := e.ready(); err != nil {
		return entry.Header{}, err
	}
	h, err := e.opts.Log.Find(id)
	if err == nil && h.Outcome == entry.Event {
		err = entry.ErrNotFound
	}
	if err != nil {
		return entry.Header{}, e.lookupError(id, err)
	}
	return h, nil
}

func (*Engine) lookupError(id uuid.UUID, err error) error {
	if errors.Is(err, entry.ErrNotFound) {
		return ErrUnknownImport
	}
	return fmt.Errorf("find import %s: %w", id, err)
}

func (e *Engine) describe(h entry.Header) (Import, error) {
	one, err := Describe(h)
	if err != nil {
		return Import{}, err
	}
	switch h.Outcome {
	case entry.Duplicate:
		one.DuplicateOf, err = e.idAt(h.DuplicateOf)
	case entry.Refused:
		one.ResolvedBy, err = e.resolvedBy(h.Position)
	case entry.Accepted, entry.Event:
	}
	return one, err
}

// Describe reads what an engine has written into a header: what is known of an
// import, all but the id of the first for a duplicate and what has resolved a refused
// one. It is for those who look at a log without an engine.
func Describe(h entry.Header) (Import, error) {
	d, err := decodeDetail(h.Detail)
	if err != nil {
		return Import{}, fmt.Errorf("position %d: %w", h.Position, err)
	}
	one := Import{
		ID:        h.ID,
		Position:  h.Position,
		Received:  h.Received,
		Source:    h.Source,
		MediaType: h.MediaType,
		Size:      h.Size,
		Digest:    h.Digest,
		Outcome:   h.Outcome,
		Records:   d.Records,
		TestIDs:   d.TestIDs,
		Findings:  intake.Findings{BadScannedOn: d.BadScannedOn, BadAnswers: d.BadAnswers},
	}
	if d.Corrects != nil {
		one.Corrects = *d.Corrects
	}
	if d.Retries != nil {
		one.Retries = *d.Retries
	}
	if d.Refusal != nil {
		reason := intake.DocumentError(*d.Refusal)
		one.Refusal = &reason
	}
	return one, nil
}

// idAt returns the import id at a position that an entry refers to. It reads the
// header alone: a page of duplicates would read as many documents otherwise.
func (e *Engine) idAt(position entry.Position) (uuid.UUID, error) {
	h, err := e.headerAt(position)
	if err != nil {
		return uuid.Nil, fmt.Errorf("first import at position %d: %w", position, err)
	}
	return h.ID, nil
}
