package httpapi

import (
	"net/url"
	"time"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/wal/entry"
)

// testsJSON is the answer to GET /results.
type testsJSON struct {
	Tests      []testJSON `json:"tests"`
	NextCursor *string    `json:"next_cursor"`
}

type testJSON struct {
	ID         exam.TestID   `json:"id"`
	Count      int           `json:"count"`
	Mean       percentage    `json:"mean"`
	LastImport importRefJSON `json:"last_import"`
}

type importRefJSON struct {
	ID       uuid.UUID      `json:"id"`
	Position entry.Position `json:"position"`
	Received timestamp      `json:"received"`
}

// results answers GET /results: the tests in order of id, as far as they fit.
func (s *Server) results(r *request) error {
	if err := r.checkParameters("prefix", "limit", "cursor"); err != nil {
		return err
	}
	after, limit, err := pageAsked(r, parseTestsCursor)
	if err != nil {
		return err
	}
	state := s.engine.State()
	if state == nil {
		return engine.ErrNotReady
	}
	prefix, _ := r.query("prefix")
	tests, last := cutPage(state.List(exam.TestID(prefix), after, limit+1), limit)
	answer := testsJSON{Tests: make([]testJSON, 0, len(tests))}
	for _, test := range tests {
		answer.Tests = append(answer.Tests, newTestJSON(test))
	}
	if last != nil {
		answer.NextCursor = r.nextPage("/results", url.Values{"prefix": {prefix}}, limit, testsCursor((*last).ID))
	}
	return r.resourceJSON(answer)
}

func newTestJSON(test *engine.Test) testJSON {
	figures := test.Aggregate()
	return testJSON{
		ID:    test.ID,
		Count: figures.Count,
		Mean:  percentage(figures.Mean),
		LastImport: importRefJSON{
			ID:       test.Last.ID,
			Position: test.Last.Position,
			Received: timestamp(test.Last.Received),
		},
	}
}

// timestamp is a time that encodes itself as RFC 3339 in UTC, always with six
// decimals: the log keeps microseconds, and texts of one length sort like times.
type timestamp time.Time

const timestampLayout = "2006-01-02T15:04:05.000000Z"

// MarshalJSON is the time in quotes.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"`+timestampLayout+`"`), nil
}
