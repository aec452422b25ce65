package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"markr/engine/scoring"
	"markr/wal/entry"
)

// A rule in the log. Which rule is in force stands in the log, so that a restart and
// whoever else follows the log come to the same figures:
//
//   - a reprocess records the rule that it puts in force, in the step that does it;
//   - a start records its rule when it is another than the log's last.
//
// A start goes by the log's last rule. Where somebody has asked for another one, it
// depends on how the last came into force: one from an earlier start gives way, and
// the change is recorded; one that a reprocess has committed was looked at and
// decided, so the start is refused with a [RuleError] until the two agree.

// RuleInForce is the rule that decides what counts.
type RuleInForce struct {
	Rule scoring.Rule
	// Position is that of the entry that records it; 0 if none does.
	Position entry.Position
	// Reprocessed says that a reprocess has put it in force, and not a start.
	Reprocessed bool
	// Uncounted are accepted documents that do not count since that reprocess, because
	// the decoder of its day refused them; in order.
	Uncounted []entry.Position
}

// counts says whether the accepted document at a position counts.
func (r *RuleInForce) counts(at entry.Position) bool {
	_, found := slices.BinarySearch(r.Uncounted, at)
	return !found
}

// basis is what a checkpoint has to agree with beside the rule: the reprocess that
// the state began with. Its decoder need not be the one before it.
func (r *RuleInForce) basis() entry.Position {
	if r.Reprocessed {
		return r.Position
	}
	return 0
}

// RuleError says that a start was asked for another rule than a reprocess has put in
// force.
type RuleError struct {
	Asked   scoring.Rule
	InForce RuleInForce
}

// Error names both rules and the position.
func (e *RuleError) Error() string {
	return fmt.Sprintf("the rule %v was asked for, and %v was put in force by the reprocess at position %d",
		e.Asked, e.InForce.Rule, e.InForce.Position)
}

// ruleMediaType is that of the entries that record rules.
const ruleMediaType = "application/vnd.markr.rule+json"

// ruleVersion is the version of a recorded rule.
const ruleVersion = 1

// recordedRule is a rule as the log keeps it. It is JSON, because people read it in
// `markr vault show`.
type recordedRule struct {
	Version            int              `json:"v"`
	Scoring            string           `json:"scoring"`
	ScoringVersion     int              `json:"scoring_version"`
	Denominator        string           `json:"denominator"`
	DenominatorVersion int              `json:"denominator_version"`
	Reprocessed        bool             `json:"reprocessed"`
	Uncounted          []entry.Position `json:"uncounted,omitempty"`
}

// record makes a rule durable, before anything is counted under it. It returns the
// rule with its position. The committer calls it, or nobody else appends.
func (e *Engine) record(r RuleInForce, source string) (RuleInForce, error) {
	raw, err := json.Marshal(recordedRule{
		Version: ruleVersion,
		Scoring: r.Rule.Policy.String(), ScoringVersion: r.Rule.Policy.Version(),
		Denominator: r.Rule.Denominator.String(), DenominatorVersion: r.Rule.Denominator.Version(),
		Reprocessed: r.Reprocessed, Uncounted: r.Uncounted,
	})
	if err != nil {
		return r, fmt.Errorf("record rule: %w", err)
	}
	salt, err := newSalt(e.opts.Random)
	if err != nil {
		return r, fmt.Errorf("record rule: %w", err)
	}
	recorded := e.codec.Seal(entry.Header{
		Received: e.opts.Now().UTC().Truncate(time.Microsecond), Salt: salt, Source: source,
		MediaType: ruleMediaType, Outcome: ruleOutcome,
	}, raw)
	if err := e.opts.Log.Append([]*entry.Entry{recorded}); err != nil {
		return r, fmt.Errorf("record rule: %w", err)
	}
	r.Position = recorded.Position
	return r, nil
}

const ruleOutcome = entry.Refused

// recordedLast is the rule that the log records last; Position is 0 if it records none.
func (e *Engine) recordedLast() (RuleInForce, error) {
	const page = 64
	for before := entry.Position(0); ; {
		headers, err := e.opts.Log.Headers(before, ruleOutcome, page)
		if err != nil {
			return RuleInForce{}, err
		}
		for _, h := range headers {
			if h.MediaType == ruleMediaType {
				return e.recordedAt(h.Position)
			}
			before = h.Position
		}
		if len(headers) < page {
			return RuleInForce{}, nil
		}
	}
}

func (e *Engine) recordedAt(at entry.Position) (RuleInForce, error) {
	stored, err := e.opts.Log.At(at)
	if err != nil {
		return RuleInForce{}, err
	}
	raw, err := e.codec.Raw(stored, nil)
	if err != nil {
		return RuleInForce{}, err
	}
	var r recordedRule
	if err := json.Unmarshal(raw, &r); err != nil {
		return RuleInForce{}, fmt.Errorf("position %d: read rule: %w", at, err)
	}
	if r.Version != ruleVersion {
		return RuleInForce{}, &entry.VersionError{Position: at, What: "rule", Version: byte(r.Version)}
	}
	policy, policyErr := scoring.FindPolicy(r.Scoring, r.ScoringVersion)
	denominator, denominatorErr := scoring.FindDenominator(r.Denominator, r.DenominatorVersion)
	if err := errors.Join(policyErr, denominatorErr); err != nil {
		return RuleInForce{}, fmt.Errorf("position %d: read rule: %w", at, err)
	}
	return RuleInForce{
		Rule: scoring.Rule{Policy: policy, Denominator: denominator}, Position: at,
		Reprocessed: r.Reprocessed, Uncounted: r.Uncounted,
	}, nil
}

// settleRule finds out which rule is in force from now on, before the log is read.
func (e *Engine) settleRule() error {
	last, err := e.recordedLast()
	if err != nil {
		return fmt.Errorf("find rule in force: %w", err)
	}
	asked := e.opts.Rule
	if last.Position > 0 && !e.opts.RuleAsked.Policy {
		asked.Policy = last.Rule.Policy
	}
	if last.Position > 0 && !e.opts.RuleAsked.Denominator {
		asked.Denominator = last.Rule.Denominator
	}
	switch {
	case asked == last.Rule:
	case last.Reprocessed:
		return &RuleError{Asked: asked, InForce: last}
	default:
		last = RuleInForce{Rule: asked}
	}
	e.inForce = &last
	return nil
}
