package httpapi

import (
	"errors"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/summary"
	"markr/wal/entry"
)

// historyJSON is the answer to GET /results/{test}/history: how the aggregate moved.
type historyJSON struct {
	Test       exam.TestID `json:"test"`
	Steps      []stepJSON  `json:"steps"`
	NextCursor *string     `json:"next_cursor"`
}

// stepJSON is what one document did to the test, or a change of the rule, and the
// aggregate after it.
type stepJSON struct {
	ImportID      *uuid.UUID     `json:"import_id"` // null for a change of the rule
	Position      entry.Position `json:"position"`
	Received      timestamp      `json:"received"`
	Source        string         `json:"source"`
	What          string         `json:"what"`
	Rule          ruleJSON       `json:"rule"`
	Records       int            `json:"records"`
	StudentsAdded int            `json:"students_added"`
	MarksRaised   int            `json:"marks_raised"`
	Unchanged     int            `json:"unchanged"`
	Available     marksJSON      `json:"available"`
	Aggregate     aggregateJSON  `json:"aggregate"`
}

// aggregateJSON are the figures as GET aggregate shows them.
type aggregateJSON struct {
	Mean   percentage `json:"mean"`
	StdDev percentage `json:"stddev"`
	Min    percentage `json:"min"`
	Max    percentage `json:"max"`
	P25    percentage `json:"p25"`
	P50    percentage `json:"p50"`
	P75    percentage `json:"p75"`
	Count  int        `json:"count"`
}

// errEnough ends a history when a page is full.
var errEnough = errors.New("enough")

// history answers GET /results/{test}/history: the documents that named the test and the
// changes of the rule, in order, and the aggregate after each.
func (s *Server) history(r *request) error {
	if err := r.checkParameters("from", "to", "limit", "cursor"); err != nil {
		return err
	}
	next, limit, err := pageAsked(r, parseHistoryCursor)
	if err != nil {
		return err
	}
	from, err := r.position("from")
	if err != nil {
		return err
	}
	to, err := r.position("to")
	if err != nil {
		return err
	}
	if to != 0 && to < from {
		return errParameter("to", "must not be less than from")
	}
	from = max(from, next)
	ctx, cancel := s.turn()
	defer cancel()
	answer := historyJSON{Test: exam.TestID(r.param("test")), Steps: []stepJSON{}}
	err = s.engine.History(ctx, answer.Test, from, to, func(step engine.Step) error {
		if len(answer.Steps) == limit {
			next = step.Import.Position
			return errEnough
		}
		answer.Steps = append(answer.Steps, newStepJSON(step))
		return nil
	})
	enough := errors.Is(err, errEnough)
	if err != nil && !enough {
		return err
	}
	if enough {
		filter := url.Values{}
		if to != 0 {
			filter.Set("to", strconv.FormatUint(uint64(to), 10))
		}
		path := "/results/" + url.PathEscape(string(answer.Test)) + "/history"
		answer.NextCursor = r.nextPage(path, filter, limit, historyCursor(next))
	}
	return r.resourceJSON(answer)
}

func newStepJSON(step engine.Step) stepJSON {
	what, id := whatImport, &step.Import.ID
	if step.Event != "" {
		what, id = string(step.Event), nil
	}
	return stepJSON{
		ImportID:      id,
		Position:      step.Import.Position,
		Received:      timestamp(step.Import.Received),
		Source:        step.Source,
		What:          what,
		Rule:          newRuleJSON(step.Rule),
		Records:       step.Effects.Added + step.Effects.Raised + step.Effects.Unchanged,
		StudentsAdded: step.Effects.Added,
		MarksRaised:   step.Effects.Raised,
		Unchanged:     step.Effects.Unchanged,
		Available:     marksJSON(step.Available),
		Aggregate:     newAggregateJSON(step.Aggregate),
	}
}

func newAggregateJSON(a summary.Aggregate) aggregateJSON {
	return aggregateJSON{
		Mean: percentage(a.Mean), StdDev: percentage(a.StdDev), Min: percentage(a.Min), Max: percentage(a.Max),
		P25: percentage(a.P25), P50: percentage(a.P50), P75: percentage(a.P75), Count: a.Count,
	}
}
