package httpapi

import (
	"encoding/hex"
	"net/url"

	"github.com/google/uuid"

	"markr/engine"
	"markr/wal/entry"
)

// changesJSON is the answer to GET /audit.
type changesJSON struct {
	Changes    []changeJSON `json:"changes"`
	NextCursor *string      `json:"next_cursor"`
}

// changeJSON is one line of the audit trail. All lines have one shape: what an import
// does not have is null, and what an event does not.
type changeJSON struct {
	Position entry.Position `json:"position"`
	Time     timestamp      `json:"time"`
	Who      string         `json:"who"`
	What     string         `json:"what"`
	Outcome  string         `json:"outcome"`
	Reason   *string        `json:"reason"`
	ImportID *uuid.UUID     `json:"import_id"`
	Change   any            `json:"change"`
	Chain    string         `json:"chain"`
}

// whatImport is what an import is called in the trail; events have names of their own.
const whatImport = "import"

// onlyEvents is the one value of the parameter that leaves imports out.
const onlyEvents = "events"

// audit answers GET /audit: what changed data or rules, newest first.
func (s *Server) audit(r *request) error {
	if err := r.checkParameters("only", "limit", "cursor"); err != nil {
		return err
	}
	before, limit, err := pageAsked(r, parseChangesCursor) // before 0: from the newest on
	if err != nil {
		return err
	}
	only, given := r.query("only")
	if given && only != onlyEvents {
		return errParameter("only", "must be "+onlyEvents)
	}
	found, err := s.engine.Audit(before, given, limit+1)
	if err != nil {
		return err
	}
	found, last := cutPage(found, limit)
	answer := changesJSON{Changes: make([]changeJSON, 0, len(found))}
	for i := range found {
		answer.Changes = append(answer.Changes, newChangeJSON(&found[i]))
	}
	if last != nil {
		answer.NextCursor = r.nextPage("/audit", url.Values{"only": {only}}, limit, changesCursor(last.Position))
	}
	return r.resourceJSON(answer)
}

func newChangeJSON(found *engine.Change) changeJSON {
	line := changeJSON{
		Position: found.Position,
		Time:     timestamp(found.Time),
		Who:      found.Who,
		What:     whatImport,
		Outcome:  found.Outcome.String(),
		Chain:    hex.EncodeToString(found.Chain[:]),
	}
	if found.Event == nil {
		line.ImportID = &found.Import
		return line
	}
	line.What, line.Outcome, line.Change = string(found.Event.Action), string(found.Event.Outcome), found.Event.Change()
	if found.Event.Reason != "" {
		line.Reason = &found.Event.Reason
	}
	return line
}
