package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"markr/engine"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// reprocessesJSON is the answer to GET /admin/reprocess, and to those that change it.
type reprocessesJSON struct {
	InForce   inForceJSON    `json:"in_force"`
	Reprocess *reprocessJSON `json:"reprocess"`
}

// ruleJSON is a rule. Whoever asks for one leaves the versions out.
type ruleJSON struct {
	Scoring            string `json:"scoring"`
	ScoringVersion     int    `json:"scoring_version"`
	Denominator        string `json:"denominator"`
	DenominatorVersion int    `json:"denominator_version"`
}

type inForceJSON struct {
	ruleJSON

	// Position is that of the reprocess that put it in force; 0 if a start has.
	Position  entry.Position `json:"position"`
	Uncounted int            `json:"uncounted"`
	// StartDiffers: the next start with the flags of this one would be refused.
	StartDiffers bool `json:"start_differs"`
}

type reprocessJSON struct {
	Rule       ruleJSON        `json:"rule"`
	Phase      engine.Phase    `json:"phase"`
	Paused     bool            `json:"paused"`
	Started    timestamp       `json:"started"`
	Position   entry.Position  `json:"position"`
	Last       entry.Position  `json:"last"`
	Documents  uint64          `json:"documents"`
	Records    uint64          `json:"records"`
	Difference *differenceJSON `json:"difference"`
	Committed  *entry.Position `json:"committed"`
	Error      string          `json:"error"`
}

type differenceJSON struct {
	Position          entry.Position `json:"position"`
	Computed          timestamp      `json:"computed"`
	Tests             int            `json:"tests"`
	TestsMoved        int            `json:"tests_moved"`
	Marks             int            `json:"marks"`
	StudentsMoved     int            `json:"students_moved"`
	StudentsAdded     int            `json:"students_added"`
	StudentsRemoved   int            `json:"students_removed"`
	KeptChanged       int            `json:"kept_scans_changed"`
	DocumentsRefused  int            `json:"documents_refused"`
	DocumentsAccepted int            `json:"documents_accepted"`
}

// reprocess answers GET /admin/reprocess: the rule in force, and how far a reprocess
// is.
func (s *Server) reprocess(r *request) error {
	if err := r.checkParameters(); err != nil {
		return err
	}
	return s.answerReprocess(r)
}

func (s *Server) answerReprocess(r *request) error {
	state := s.engine.State()
	if state == nil {
		return engine.ErrNotReady
	}
	rule := state.Rule()
	answer := reprocessesJSON{InForce: inForceJSON{newRuleJSON(rule.Rule), rule.Position, len(rule.Uncounted), s.engine.StartDiffers()}}
	if under := s.engine.Reprocess(); under != nil {
		answer.Reprocess = newReprocessJSON(under.Status())
	}
	return r.answerJSON(answer)
}

// startReprocess answers POST /admin/reprocess.
func (s *Server) startReprocess(r *request) error {
	if err := r.checkParameters(); err != nil {
		return err
	}
	state := s.engine.State()
	if state == nil {
		return engine.ErrNotReady
	}
	// What is not named stays as it is.
	rule := state.Rule().Rule
	asked := struct {
		Scoring     string `json:"scoring"`
		Denominator string `json:"denominator"`
	}{rule.Policy.String(), rule.Denominator.String()}
	if err := r.words(&asked); err != nil {
		return err
	}
	var err error
	if rule.Policy, err = scoring.ParsePolicy(asked.Scoring); err == nil {
		rule.Denominator, err = scoring.ParseDenominator(asked.Denominator)
	}
	if err != nil {
		return refuse(codeInvalidParameter, "There is no such rule: %v.", err)
	}
	if _, err := s.engine.StartReprocess(rule); err != nil {
		return err
	}
	s.tellReprocess(r, "reprocess started", slog.String("rule", rule.String()))
	return s.answerReprocess(r)
}

// pauseReprocess answers POST /admin/reprocess/pause.
func (s *Server) pauseReprocess(r *request) error {
	return s.changeReprocess(r, "reprocess paused", (*engine.Reprocess).Pause)
}

// resumeReprocess answers POST /admin/reprocess/resume.
func (s *Server) resumeReprocess(r *request) error {
	return s.changeReprocess(r, "reprocess resumed", (*engine.Reprocess).Resume)
}

// cancelReprocess answers DELETE /admin/reprocess, when nothing is left of it.
func (s *Server) cancelReprocess(r *request) error {
	return s.changeReprocess(r, "reprocess cancelled", (*engine.Reprocess).Cancel)
}

func (s *Server) changeReprocess(r *request, told string, change func(*engine.Reprocess) error) error {
	if err := r.checkParameters(); err != nil {
		return err
	}
	under, err := s.underWay()
	if err == nil {
		err = change(under)
	}
	if err != nil {
		return err
	}
	s.tellReprocess(r, told)
	return s.answerReprocess(r)
}

// commitWait is how long a commit waits for a reprocess that is just comparing.
const commitWait = 30 * time.Second

// commitReprocess answers POST /admin/reprocess/commit, when the rule is durable and
// everybody sees the figures under it.
func (s *Server) commitReprocess(r *request) error {
	if err := r.checkParameters(); err != nil {
		return err
	}
	var asked struct {
		Uncount bool `json:"uncount"`
	}
	if err := r.words(&asked); err != nil {
		return err
	}
	under, err := s.underWay()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitWait)
	defer cancel()
	rule, err := under.Commit(ctx, engine.CommitOptions{Uncount: asked.Uncount, Source: r.operator()})
	switch {
	case errors.Is(err, entry.ErrReadOnly):
		return refuse(codeReadOnly, "The disk is nearly full: the rule cannot be recorded, and nothing has changed.")
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(codeOverloaded, "The reprocess was busy for %v; nothing has changed.", commitWait)
	case err != nil:
		return err
	}
	s.tellReprocess(r, "reprocess committed", slog.String("rule", rule.Rule.String()),
		slog.Uint64("position", uint64(rule.Position)), slog.Int("uncounted", len(rule.Uncounted)))
	if s.engine.StartDiffers() {
		s.logger.Warn("the server was started with another rule: the next start with these flags will be refused",
			slog.String("in_force", rule.Rule.String()))
	}
	return s.answerReprocess(r)
}

// underWay is the reprocess under way, or how the last one ended.
func (s *Server) underWay() (*engine.Reprocess, error) {
	if under := s.engine.Reprocess(); under != nil {
		return under, nil
	}
	return nil, engine.ErrNoReprocess
}

// tellReprocess logs who has changed what everybody sees, or is about to.
func (s *Server) tellReprocess(r *request, what string, attributes ...slog.Attr) {
	s.logger.LogAttrs(context.Background(), slog.LevelInfo, what, append(attributes,
		slog.String("request_id", r.idText()), slog.String("client", r.client()), slog.String("name", r.name()))...)
}

func newRuleJSON(rule scoring.Rule) ruleJSON {
	return ruleJSON{rule.Policy.String(), rule.Policy.Version(), rule.Denominator.String(), rule.Denominator.Version()}
}

func newReprocessJSON(s engine.ReprocessStatus) *reprocessJSON {
	answer := &reprocessJSON{
		Rule: newRuleJSON(s.Rule), Phase: s.Phase, Paused: s.Paused, Started: timestamp(s.Started),
		Position: s.Position, Last: s.Last, Documents: s.Documents, Records: s.Records,
	}
	if d := s.Difference; d != nil {
		answer.Difference = &differenceJSON{
			Position: d.Position, Computed: timestamp(d.Computed), Tests: d.Tests, TestsMoved: d.TestsMoved, Marks: d.Marks,
			StudentsMoved: d.StudentsMoved, StudentsAdded: d.StudentsAdded, StudentsRemoved: d.StudentsRemoved,
			KeptChanged: d.KeptChanged, DocumentsRefused: d.Refused, DocumentsAccepted: d.Accepted,
		}
	}
	if s.Committed > 0 {
		answer.Committed = &s.Committed
	}
	if s.Err != nil {
		answer.Error = problemOf(s.Err).detail
	}
	return answer
}

// uncountDetail tells an administrator what stands against a commit.
func uncountDetail(e *engine.UncountError) string {
	detail := fmt.Sprintf("Accepted documents that today's decoder refuses: %d. A commit would stop to count them, though their senders were told "+
		"that they count. GET /admin/reprocess/documents lists them", e.Documents)
	if e.TooMany {
		return detail + "; there are more than one commit can name."
	}
	return detail + `; send {"uncount":true} to commit nevertheless.`
}
