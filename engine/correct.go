package engine

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"markr/wal/entry"
)

// Retry reads a refused document again, by the decoders and limits of today. If it is
// accepted now, it becomes an import of its own from source, with the same bytes, which
// says that it retries that one and resolves it. If it is still refused, the error is a
// *[RefusedError] of that one, and nothing is stored.
//
// Further errors are [ErrUnknownImport], also for one that was dropped, [ErrNotRefused],
// [ErrResolved], and those of [Engine.Import]. One document is in memory; room is that of
// a [Submission].
func (e *Engine) Retry(ctx context.Context, id uuid.UUID, source string, room func(bytes int) error) (Receipt, error) {
	if err := e.Writable(); err != nil {
		return Receipt{}, fmt.Errorf("retry import: %w", err)
	}
	h, err := e.findRefused(id)
	if err != nil {
		return Receipt{}, fmt.Errorf("retry import: %w", err)
	}
	raw, _, err := e.Document(id)
	if err != nil {
		return Receipt{}, fmt.Errorf("retry import: %w", err)
	}
	return e.importFor(ctx, Submission{Raw: raw, MediaType: h.MediaType, Source: source, Room: room}, aim{id: id, retry: true})
}

// findRefused is the header of a refused import.
func (e *Engine) findRefused(id uuid.UUID) (entry.Header, error) {
	h, err := e.find(id)
	if err == nil && h.Outcome != entry.Refused {
		err = ErrNotRefused
	}
	return h, err
}

// claim makes whoever has a the one who may resolve the import it names, until release.
func (e *Engine) claim(a *aim) (release func(), err error) {
	h, err := e.findRefused(a.id)
	if err == nil {
		a.root, release, err = e.refused.claim(h.Position)
	}
	return release, err
}

// takeRefusals notes what a durable batch says of refused documents. Hardly any batch
// says anything.
func (e *Engine) takeRefusals(batch []*draft) {
	for _, d := range batch {
		switch {
		case d.entry.Outcome == entry.Refused:
			e.refused.add(arrival{
				position: d.entry.Position, code: string(d.refused.Code), source: d.entry.Source, root: d.aim.root,
			})
			// A refused document is all that makes the log drop others.
			e.refused.dropThrough(e.opts.Log.DroppedThrough())
		case d.aim.root != 0:
			e.refused.resolve(resolution{of: d.aim.root, by: d.entry.Position})
		}
	}
}

// resolvedBy is the import that has resolved the refused one at a position.
func (e *Engine) resolvedBy(position entry.Position) (ImportRef, error) {
	by := e.refused.resolvedBy(position)
	if by == 0 {
		return ImportRef{}, nil
	}
	h, err := e.headerAt(by)
	if err != nil {
		return ImportRef{}, fmt.Errorf("import at position %d, which resolves %d: %w", by, position, err)
	}
	return referTo(&h), nil
}
