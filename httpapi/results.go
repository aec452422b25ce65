package httpapi

import (
	"net/url"
	"strconv"
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
	limit, err := r.limit()
	if err != nil {
		return err
	}
	var after exam.TestID
	if cursor, given := r.query("cursor"); given {
		if after, err = parseTestsCursor(cursor); err != nil {
			return err
		}
	}
	state := s.engine.State()
	if state == nil {
		return engine.ErrNotReady
	}
	prefix, _ := r.query("prefix")
	// One more than asked for tells whether there is more.
	tests := state.List(exam.TestID(prefix), after, limit+1)
	answer := testsJSON{Tests: make([]testJSON, 0, min(len(tests), limit))}
	for _, test := range tests[:min(len(tests), limit)] {
		answer.Tests = append(answer.Tests, newTestJSON(test))
	}
	if len(tests) > limit {
		answer.NextCursor = new(testsCursor(tests[limit-1].ID))
		r.linkNext("/results", url.Values{"prefix": {prefix}}, limit, *answer.NextCursor)
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

// linkNext sets the Link header to the next part of a list (RFC 8288).
func (r *request) linkNext(path string, filter url.Values, limit int, cursor string) {
	for name, values := range filter {
		if values[0] == "" {
			delete(filter, name)
		}
	}
	filter.Set("limit", strconv.Itoa(limit))
	filter.Set("cursor", cursor)
	r.setHeader("Link", "<"+path+"?"+filter.Encode()+`>; rel="next"`)
}

// timestamp is a time that encodes itself as RFC 3339 in UTC, always with six
// decimals: the log keeps microseconds, and texts of one length sort like times.
type timestamp time.Time

const timestampLayout = "2006-01-02T15:04:05.000000Z"

// MarshalJSON is the time in quotes.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"`+timestampLayout+`"`), nil
}
