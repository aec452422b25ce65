package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// distributionJSON is what the answers about the scores of a test begin with.
type distributionJSON struct {
	TestID      exam.TestID    `json:"test_id"`
	Position    entry.Position `json:"position"`
	Denominator string         `json:"denominator"`
	Count       int            `json:"count"`
	Available   marksJSON      `json:"available"`
}

// viewed is a test as it was at a position.
type viewed struct {
	*engine.Test

	position entry.Position
}

// testAsked is the test that a request is about, as it is or as it was.
func (s *Server) testAsked(r *request) (viewed, error) {
	at, err := s.moment(r)
	if err != nil {
		return viewed{}, err
	}
	id := exam.TestID(r.param("test"))
	if at != 0 {
		test, err := s.testAt(id, at)
		return viewed{test, at}, err
	}
	state := s.engine.State()
	if state == nil {
		return viewed{}, engine.ErrNotReady
	}
	test := state.Test(id)
	if test == nil {
		return viewed{}, engine.ErrUnknownTest
	}
	return viewed{test, state.Position()}, nil
}

// head is what the answer about it begins with.
func (v viewed) head() distributionJSON {
	return distributionJSON{
		TestID: v.ID, Position: v.position, Denominator: denominatorOf(v.Test).String(), Count: v.Count(), Available: marksJSON(v.Available),
	}
}

// denominatorOf is what the scores of a test are fractions of.
func denominatorOf(test *engine.Test) scoring.Denominator {
	if test.Scores().OfSheets() {
		return scoring.OfSheet
	}
	return scoring.OfTest
}

// resourceAt is resourceJSON for an answer with the member position at its beginning, which
// is not part of the tag: that the log has gone on changes no number. So 304 says that the
// numbers which the client has are those of now.
func (r *request) resourceAt(value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	// Quotes in a text in front of it are escaped, so this is the member.
	before, after, _ := bytes.Cut(body, []byte(`"position":`))
	var tag xxhash.Digest
	tag.Reset()
	_, _ = tag.Write(before) // Never fails.
	_, _ = tag.Write(bytes.TrimLeft(after, "0123456789"))
	if r.unchanged(appendHashTag(nil, tag.Sum64()), cacheResult) {
		return nil
	}
	encoded, err := r.encode(body)
	if err != nil {
		return err
	}
	r.ctx.SetContentType("application/json")
	r.ctx.Response.SwapBody(encoded)
	return nil
}
