package httpapi

import (
	"encoding/json"
	"net/url"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/wal/entry"
)

// differencesJSON is the answer to GET /admin/reprocess/difference: tests, or, when one
// is named, its students.
type differencesJSON struct {
	Test       *exam.TestID            `json:"test"`
	Tests      []testDifferenceJSON    `json:"tests"`
	Students   []studentDifferenceJSON `json:"students"`
	NextCursor *string                 `json:"next_cursor"`
}

type testDifferenceJSON struct {
	ID              exam.TestID     `json:"id"`
	Before          json.RawMessage `json:"before"` // an aggregate, or null
	After           json.RawMessage `json:"after"`
	StudentsMoved   int             `json:"students_moved"`
	StudentsAdded   int             `json:"students_added"`
	StudentsRemoved int             `json:"students_removed"`
	KeptChanged     int             `json:"kept_scans_changed"`
}

type studentDifferenceJSON struct {
	StudentNumber string         `json:"student_number"`
	Before        *keptMarksJSON `json:"before"`
	After         *keptMarksJSON `json:"after"`
}

type keptMarksJSON struct {
	Obtained   marks          `json:"obtained"`
	Available  marks          `json:"available"`
	Percentage percentage     `json:"percentage"`
	Position   entry.Position `json:"position"`
	Record     int            `json:"record"`
}

// marks are marks that encode themselves as a number.
type marks exam.Marks

// MarshalJSON is the shortest decimal.
func (m marks) MarshalJSON() ([]byte, error) { return []byte(exam.Marks(m).String()), nil }

// reprocessDifference answers GET /admin/reprocess/difference.
func (s *Server) reprocessDifference(r *request) error {
	if err := r.checkParameters("test", "limit", "cursor"); err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	under, err := s.underWay()
	if err != nil {
		return err
	}
	answer := differencesJSON{Tests: []testDifferenceJSON{}, Students: []studentDifferenceJSON{}}
	if test, given := r.query("test"); given {
		answer.Test = new(exam.TestID(test))
		err = answer.fillStudents(r, under, limit)
	} else {
		err = answer.fillTests(r, under, limit)
	}
	if err != nil {
		return err
	}
	return r.answerJSON(answer)
}

// fillTests lists the tests that differ.
func (a *differencesJSON) fillTests(r *request, under *engine.Reprocess, limit int) error {
	var after exam.TestID
	var err error
	if cursor, given := r.query("cursor"); given {
		if after, err = parseTestsCursor(cursor); err != nil {
			return err
		}
	}
	tests, err := under.Differences(after, limit+1)
	if err != nil {
		return err
	}
	tests, last := cutPage(tests, limit)
	for i := range tests {
		t := &tests[i]
		a.Tests = append(a.Tests, testDifferenceJSON{
			ID: t.ID, Before: figuresOf(t.Before), After: figuresOf(t.After), StudentsMoved: t.Moved,
			StudentsAdded: t.Added, StudentsRemoved: t.Removed, KeptChanged: t.KeptChanged,
		})
	}
	if last != nil {
		a.NextCursor = r.nextPage(reprocessPattern+"/difference", url.Values{}, limit, testsCursor(last.ID))
	}
	return nil
}

// fillStudents lists the students of a test who differ.
func (a *differencesJSON) fillStudents(r *request, under *engine.Reprocess, limit int) error {
	var from uint64
	var err error
	if cursor, given := r.query("cursor"); given {
		if from, err = parseStudentsCursor(cursor); err != nil {
			return err
		}
	}
	students, err := under.StudentDifferences(*a.Test, from, limit+1)
	if err != nil {
		return err
	}
	students, last := cutPage(students, limit)
	for i := range students {
		d := &students[i]
		a.Students = append(a.Students, studentDifferenceJSON{d.Student, newKeptMarksJSON(d.Before), newKeptMarksJSON(d.After)})
	}
	if last != nil {
		path := reprocessPattern + "/difference"
		a.NextCursor = r.nextPage(path, url.Values{"test": {string(*a.Test)}}, limit, studentsCursor(last.Next))
	}
	return nil
}

// figuresOf is a test's aggregate as GET /results/{test}/aggregate shows it.
func figuresOf(test *engine.Test) json.RawMessage {
	if test == nil {
		return json.RawMessage("null")
	}
	return appendAggregate(nil, test, nil)
}

func newKeptMarksJSON(k *engine.KeptMarks) *keptMarksJSON {
	if k == nil {
		return nil
	}
	return &keptMarksJSON{marks(k.Obtained), marks(k.Available), percentage(k.Percentage()), k.Position, k.Record + 1}
}

// documentChangesJSON is the answer to GET /admin/reprocess/documents.
type documentChangesJSON struct {
	Documents  []documentChangeJSON `json:"documents"`
	NextCursor *string              `json:"next_cursor"`
}

type documentChangeJSON struct {
	ImportID uuid.UUID      `json:"import_id"`
	Position entry.Position `json:"position"`
	Received timestamp      `json:"received"`
	Records  int            `json:"records"`
	Refusal  *documentError `json:"refusal"`
}

// reprocessDocuments answers GET /admin/reprocess/documents: what today's decoder
// judges differently.
func (s *Server) reprocessDocuments(r *request) error {
	if err := r.checkParameters("now", "limit", "cursor"); err != nil {
		return err
	}
	after, limit, err := pageAsked(r, parseImportsCursor)
	if err != nil {
		return err
	}
	now, given := r.query("now")
	if !given {
		now = entry.Refused.String()
	}
	if now != entry.Refused.String() && now != entry.Accepted.String() {
		return errParameter("now", "must be refused or accepted")
	}
	under, err := s.underWay()
	if err != nil {
		return err
	}
	changes, err := under.DocumentChanges(now == entry.Accepted.String(), after, limit+1)
	if err != nil {
		return err
	}
	changes, last := cutPage(changes, limit)
	answer := documentChangesJSON{Documents: []documentChangeJSON{}}
	for i := range changes {
		c := &changes[i]
		d := documentChangeJSON{ImportID: c.ID, Position: c.Position, Received: timestamp(c.Received), Records: c.Records}
		if c.Refusal != nil {
			d.Refusal = new(newDocumentError(c.Refusal))
		}
		answer.Documents = append(answer.Documents, d)
	}
	if last != nil {
		answer.NextCursor = r.nextPage(reprocessPattern+"/documents", url.Values{"now": {now}}, limit, importsCursor(last.Position))
	}
	return r.answerJSON(answer)
}
