package httpapi

import (
	"context"
	"time"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/wal/entry"
)

// traceJSON is the answer to GET /results/{test}/students/{student}: where the
// student's marks come from.
type traceJSON struct {
	Test           exam.TestID    `json:"test"`
	Student        string         `json:"student"`
	Scoring        string         `json:"scoring"`
	Denominator    string         `json:"denominator"`
	Position       entry.Position `json:"position"`
	Obtained       marksJSON      `json:"obtained"`
	Available      marksJSON      `json:"available"`
	Percentage     percentage     `json:"percentage"`
	PercentileRank percentage     `json:"percentile_rank"`
	Count          int            `json:"count"`
	ScansTotal     int            `json:"scans_total"`
	Scans          []scanJSON     `json:"scans"`
}

// scanJSON is one scan that was considered. Texts that the document does not have are
// null.
type scanJSON struct {
	ImportID  uuid.UUID      `json:"import_id"`
	Position  entry.Position `json:"position"`
	Received  timestamp      `json:"received"`
	Source    string         `json:"source"`
	Record    int            `json:"record"`
	Line      *int           `json:"line"`
	FirstName *string        `json:"first_name"`
	LastName  *string        `json:"last_name"`
	ScannedOn *string        `json:"scanned_on"`
	Obtained  marksJSON      `json:"obtained"`
	Available marksJSON      `json:"available"`
	Kept      bool           `json:"kept"`
	Why       string         `json:"why"`
}

// marksJSON are marks as a JSON number, exactly: 13, 13.5.
type marksJSON exam.Marks

// MarshalJSON is the shortest decimal.
func (m marksJSON) MarshalJSON() ([]byte, error) { return []byte(exam.Marks(m).String()), nil }

// student answers GET /results/{test}/students/{student}.
func (s *Server) student(r *request) error {
	if err := r.checkParameters(); err != nil {
		return err
	}
	ctx, cancel := s.turn()
	defer cancel()
	trace, err := s.engine.Trace(ctx, exam.TestID(r.param("test")), r.param("student"))
	if err != nil {
		return err
	}
	answer := traceJSON{
		Test:           trace.Test,
		Student:        trace.Student,
		Scoring:        trace.Rule.Policy.String(),
		Denominator:    trace.Rule.Denominator.String(),
		Position:       trace.Position,
		Obtained:       marksJSON(trace.Obtained),
		Available:      marksJSON(trace.Available),
		Percentage:     percentage(trace.Percentage),
		PercentileRank: percentage(trace.PercentileRank),
		Count:          trace.Count,
		ScansTotal:     trace.ScansTotal,
		Scans:          make([]scanJSON, len(trace.Scans)),
	}
	for i := range trace.Scans {
		answer.Scans[i] = newScanJSON(&trace.Scans[i])
	}
	return r.resourceJSON(answer)
}

func newScanJSON(scan *engine.TracedScan) scanJSON {
	return scanJSON{
		ImportID:  scan.Import.ID,
		Position:  scan.Import.Position,
		Received:  timestamp(scan.Import.Received),
		Source:    scan.Source,
		Record:    scan.Record,
		Line:      given(scan.Line),
		FirstName: given(scan.FirstName),
		LastName:  given(scan.LastName),
		ScannedOn: given(scan.ScannedOn),
		Obtained:  marksJSON(scan.Obtained),
		Available: marksJSON(scan.Available),
		Kept:      scan.Kept,
		Why:       scan.Why,
	}
}

// turn bounds the wait for a turn of those requests that take memory of their own.
func (s *Server) turn() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.limits.ReadTimeout)
}

// given is nil for what is not there.
func given[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

// moment is which state of a test is asked for: a position, 0 for the newest.
func (s *Server) moment(r *request) (entry.Position, error) {
	at, err := r.position("at")
	if err != nil {
		return 0, err
	}
	text, asOf := r.query("as-of")
	switch {
	case !asOf:
		return at, nil
	case at != 0:
		return 0, errParameter("as-of", "cannot be given together with at")
	}
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, errParameter("as-of", "must be a time like 2026-11-26T09:00:00Z, with its offset")
	}
	if at, err = s.engine.PositionAt(when); err != nil {
		return 0, err
	}
	if at == 0 {
		return 0, engine.ErrUnknownTest // Nothing had arrived.
	}
	return at, nil
}
