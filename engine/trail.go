package engine

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"markr/engine/audit"
	"markr/wal/entry"
)

// Change is a line of the audit trail: something that changed data or rules, or an
// attempt at it. The log is the trail: imports and events alike.
type Change struct {
	Position entry.Position
	Time     time.Time
	Who      string // an import's source, an event's who
	// Outcome is the import's: accepted, refused, duplicate; entry.Event for an event,
	// which has one of its own.
	Outcome entry.Outcome
	Chain   entry.Chain
	Import  uuid.UUID    // uuid.Nil for an event
	Event   *audit.Event // nil for an import
}

// Audit returns up to limit changes before a position (0: the newest), newest first;
// only events, if that is asked for. Refused documents that were dropped are not among
// them. The error is [ErrNotReady], a *entry.DamagedError or the disk's.
func (e *Engine) Audit(before entry.Position, onlyEvents bool, limit int) ([]Change, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	return ListChanges(e.opts.Log, e.codec, before, onlyEvents, limit)
}

// ListChanges is [Engine.Audit] for those who look at a log without an engine.
func ListChanges(log Log, codec *entry.Codec, before entry.Position, onlyEvents bool, limit int) ([]Change, error) {
	var outcome entry.Outcome
	if onlyEvents {
		outcome = entry.Event
	}
	headers, err := log.Headers(before, outcome, limit)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	changes := make([]Change, 0, len(headers))
	for i := range headers {
		h := &headers[i]
		c := Change{Position: h.Position, Time: h.Received, Who: h.Source, Outcome: h.Outcome, Chain: h.Chain, Import: h.ID}
		if h.Outcome == entry.Event {
			event, err := eventAt(log, codec, h.Position)
			if err != nil {
				return nil, fmt.Errorf("list changes: %w", err)
			}
			c.Import, c.Event = uuid.Nil, &event
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func eventAt(log Log, codec *entry.Codec, at entry.Position) (audit.Event, error) {
	stored, err := log.At(at)
	if err != nil {
		return audit.Event{}, err
	}
	event, _, err := readEvent(codec, stored)
	return event, err
}
