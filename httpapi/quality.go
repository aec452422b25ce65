package httpapi

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/quality"
	"markr/wal/entry"
)

// testQualityJSON is the answer to GET /results/{test}/quality: what is odd about the
// scans of a test.
type testQualityJSON struct {
	Test       exam.TestID    `json:"test"`
	Position   entry.Position `json:"position"`
	Students   int            `json:"students"`
	Counts     countsJSON     `json:"counts"`
	Findings   []findingJSON  `json:"findings"`
	NextCursor *string        `json:"next_cursor"`
}

// findingJSON is one thing that is odd. What it is not about is null.
type findingJSON struct {
	Kind       string          `json:"kind"`
	Student    *string         `json:"student"`
	Question   *string         `json:"question"`
	Response   *string         `json:"response"`
	What       string          `json:"what"`
	ScansTotal int             `json:"scans_total"`
	Scans      []foundScanJSON `json:"scans"`
}

// foundScanJSON is a scan in which something is odd.
type foundScanJSON struct {
	ImportID  uuid.UUID      `json:"import_id"`
	Position  entry.Position `json:"position"`
	Received  timestamp      `json:"received"`
	Source    string         `json:"source"`
	Record    int            `json:"record"`
	Line      *int           `json:"line"`
	Student   string         `json:"student"`
	FirstName *string        `json:"first_name"`
	LastName  *string        `json:"last_name"`
	ScannedOn *string        `json:"scanned_on"`
	Obtained  marksJSON      `json:"obtained"`
	Available marksJSON      `json:"available"`
}

// countsJSON are the counts of all kinds, by name, in the order of the kinds.
type countsJSON quality.Counts

// MarshalJSON is an object.
func (c countsJSON) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	for i, kind := range quality.Kinds() {
		separator := `,"`
		if i == 0 {
			separator = `{"`
		}
		count, err := json.Marshal(c[kind])
		if err != nil {
			return nil, err
		}
		b.WriteString(separator + kind.String() + `":` + string(count))
	}
	return []byte(b.String() + "}"), nil
}

// testQuality answers GET /results/{test}/quality.
func (s *Server) testQuality(r *request) error {
	if err := r.checkParameters("kind", "limit", "cursor"); err != nil {
		return err
	}
	after, limit, err := pageAsked(r, func(cursor string) (*engine.FindingPlace, error) {
		place, err := parseFindingsCursor(cursor)
		return &place, err
	})
	if err != nil {
		return err
	}
	var only *quality.Kind
	name, given := r.query("kind")
	if given {
		kind, known := quality.ParseKind(name)
		if !known {
			return errParameter("kind", "must be one of the kinds that counts names")
		}
		only = &kind
	}
	ctx, cancel := s.turn()
	defer cancel()
	q, err := s.engine.Quality(ctx, exam.TestID(r.param("test")), only, after, limit)
	if err != nil {
		return err
	}
	answer := testQualityJSON{
		Test: q.Test, Position: q.Position, Students: q.Students, Counts: countsJSON(q.Counts),
		Findings: make([]findingJSON, len(q.Findings)),
	}
	for i := range q.Findings {
		answer.Findings[i] = newFindingJSON(&q.Findings[i])
	}
	if q.Next != nil {
		path := "/results/" + url.PathEscape(string(q.Test)) + "/quality"
		answer.NextCursor = r.nextPage(path, url.Values{"kind": {name}}, limit, findingsCursor(*q.Next))
	}
	return r.resourceJSON(answer)
}

func newFindingJSON(f *engine.Finding) findingJSON {
	finding := findingJSON{
		Kind: f.Kind.String(), Student: given(f.Student), Question: given(f.Question), Response: given(f.Response),
		What: f.What, ScansTotal: f.ScansTotal, Scans: make([]foundScanJSON, len(f.Scans)),
	}
	for i := range f.Scans {
		scan := &f.Scans[i]
		finding.Scans[i] = foundScanJSON{
			ImportID: scan.Import.ID, Position: scan.Import.Position, Received: timestamp(scan.Import.Received),
			Source: scan.Source, Record: scan.Record, Line: given(scan.Line), Student: scan.Student,
			FirstName: given(scan.FirstName), LastName: given(scan.LastName), ScannedOn: given(scan.ScannedOn),
			Obtained: marksJSON(scan.Obtained), Available: marksJSON(scan.Available),
		}
	}
	return finding
}

// qualityJSON is the answer to GET /quality: the findings of all tests together, and
// the tests that have any.
type qualityJSON struct {
	Position   entry.Position `json:"position"`
	Counts     countsJSON     `json:"counts"`
	Tests      []oddTestJSON  `json:"tests"`
	NextCursor *string        `json:"next_cursor"`
}

type oddTestJSON struct {
	ID     exam.TestID `json:"id"`
	Count  int         `json:"count"`
	Counts countsJSON  `json:"counts"`
}

// quality answers GET /quality.
func (s *Server) quality(r *request) error {
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
	tests, last := cutPage(state.ListOdd(exam.TestID(prefix), after, limit+1), limit)
	answer := qualityJSON{
		Position: state.Position(), Counts: countsJSON(state.Findings()), Tests: make([]oddTestJSON, 0, len(tests)),
	}
	for _, test := range tests {
		answer.Tests = append(answer.Tests, oddTestJSON{test.ID, test.Count(), countsJSON(test.Findings)})
	}
	if last != nil {
		answer.NextCursor = r.nextPage("/quality", url.Values{"prefix": {prefix}}, limit, testsCursor((*last).ID))
	}
	return r.resourceJSON(answer)
}
