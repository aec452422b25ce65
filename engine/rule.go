package engine

import (
	"errors"
	"fmt"
	"slices"

	"markr/engine/audit"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// A rule in the log. Which rule is in force stands in the log, so that a restart and
// whoever else follows the log come to the same figures:
//
//   - a reprocess records the rule that it puts in force, in the step that does it;
//   - a start records its rule when it is another than the log's last.
//
// A start goes by the last reprocess of the log, and without one by what the last start
// has recorded. Where somebody has asked for another rule, a start's gives way, and the
// change is recorded. A reprocess's was looked at and decided, so the start is refused
// with a [RuleError] until the two agree.

// RuleInForce is the rule that decides what counts.
type RuleInForce struct {
	Rule scoring.Rule
	// Position is that of the event by which a reprocess has put it in force; 0: a start
	// has.
	Position entry.Position
	// Uncounted are accepted documents that do not count since that reprocess, because
	// the decoder of its day refused them; in order.
	Uncounted []entry.Position
}

// counts says whether the accepted document at a position counts.
func (r *RuleInForce) counts(at entry.Position) bool {
	_, found := slices.BinarySearch(r.Uncounted, at)
	return !found
}

// event is the event by which a reprocess puts the rule in force.
func (r *RuleInForce) event(who string) audit.Event {
	p, d := r.Rule.Policy, r.Rule.Denominator
	change := &audit.Reprocessing{
		Scoring: p.String(), ScoringVersion: p.Version(), Denominator: d.String(), DenominatorVersion: d.Version(),
	}
	for _, at := range r.Uncounted {
		change.Uncounted = append(change.Uncounted, uint64(at))
	}
	return audit.Event{Who: who, Action: audit.Reprocess, Outcome: audit.Done, Reprocess: change}
}

// ruleOf is the rule that a reprocess's event at a position has put in force.
func ruleOf(at entry.Position, change *audit.Reprocessing) (RuleInForce, error) {
	rule, err := findRule(change.Scoring, change.ScoringVersion, change.Denominator, change.DenominatorVersion)
	if err != nil {
		return RuleInForce{}, fmt.Errorf("position %d: %w", at, err)
	}
	return RuleInForce{Rule: rule, Position: at, Uncounted: uncountedBy(change)}, nil
}

func uncountedBy(change *audit.Reprocessing) (uncounted []entry.Position) {
	for _, at := range change.Uncounted {
		uncounted = append(uncounted, entry.Position(at))
	}
	return uncounted
}

// startVersion is the version of the rules that starts record, which name none: there
// has been no other. Who adds a second version has to add it to audit.RuleSet, too.
const startVersion = 1

func findRule(policy string, policyVersion int, denominator string, denominatorVersion int) (scoring.Rule, error) {
	p, policyErr := scoring.FindPolicy(policy, policyVersion)
	d, denominatorErr := scoring.FindDenominator(denominator, denominatorVersion)
	err := errors.Join(policyErr, denominatorErr)
	if errors.Is(err, scoring.ErrUnknownVersion) {
		err = fmt.Errorf("%w: %w", entry.ErrUnknownVersion, err)
	}
	return scoring.Rule{Policy: p, Denominator: d}, err
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

// StartDiffers says that the start was asked for another rule than is in force by now:
// the next one that is asked for the same is refused.
func (e *Engine) StartDiffers() bool {
	s := e.state.Load()
	if s == nil || s.inForce.Position == 0 {
		return false
	}
	asked, rule := e.opts.RuleAsked, s.inForce.Rule
	return asked.Policy && e.opts.Rule.Policy != rule.Policy || asked.Denominator && e.opts.Rule.Denominator != rule.Denominator
}

// settleRule finds out which rule is in force from now on, before the log is read.
func (e *Engine) settleRule() error {
	last, found, err := e.recordedRule()
	if err != nil {
		return fmt.Errorf("find rule in force: %w", err)
	}
	asked := e.opts.Rule
	if found && !e.opts.RuleAsked.Policy {
		asked.Policy = last.Rule.Policy
	}
	if found && !e.opts.RuleAsked.Denominator {
		asked.Denominator = last.Rule.Denominator
	}
	switch {
	case asked == last.Rule:
	case last.Position > 0:
		return &RuleError{Asked: asked, InForce: last}
	default:
		last = RuleInForce{Rule: asked}
	}
	e.inForce = &last
	return nil
}

// recordedRule is the rule of the last reprocess in the log, and without one that of
// the last start that has recorded its own; found is false without either.
func (e *Engine) recordedRule() (rule RuleInForce, found bool, err error) {
	for before := entry.Position(0); ; {
		headers, err := e.opts.Log.Headers(before, entry.Event, trailPage)
		if err != nil {
			return RuleInForce{}, false, err
		}
		for i := range headers {
			before = headers[i].Position
			// What a header says of its event saves reading it.
			if action := audit.Action(headers[i].Detail); action != "" && action != audit.Reprocess && (found || action != audit.Rules) {
				continue
			}
			event, err := eventAt(e.opts.Log, e.codec, before)
			if err != nil {
				return RuleInForce{}, false, err
			}
			switch {
			case event.Reprocess != nil:
				rule, err := ruleOf(before, event.Reprocess)
				return rule, true, err
			case event.Rules != nil && !found:
				if rule.Rule, err = findRule(event.Rules.Scoring, startVersion, event.Rules.Denominator, startVersion); err != nil {
					return RuleInForce{}, false, fmt.Errorf("position %d: %w", before, err)
				}
				found = true
			}
		}
		if len(headers) < trailPage {
			return rule, found, nil
		}
	}
}
