package engine

import (
	"fmt"
	"slices"
	"sync"

	"markr/engine/audit"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// An era is a part of the log for which one rule was in force, over the same documents.
type era struct {
	from      entry.Position // of the event it begins with; 0: the beginning
	rule      scoring.Rule
	uncounted []entry.Position // accepted documents before it that did not count; in order
}

// eras are what the log says of its rules, as far as somebody has asked.
type eras struct {
	sync.Mutex

	through entry.Position
	said    []saidRule // in order
}

// saidRule is what one event says.
type saidRule struct {
	era

	settled bool // by a reprocess, which no start changes
}

// erasThrough are the eras that had begun when the log ended at a position, which has been
// reached, and perhaps later ones: in order, at least one. now is the rule in force, for a
// log that says nothing of its rules. One that begins to say so was under the default rule
// until then, because starts record every other.
func (e *Engine) erasThrough(through entry.Position, now scoring.Rule) ([]era, error) {
	known := &e.eras
	known.Lock()
	defer known.Unlock()
	if known.through < through {
		said, err := e.rulesSaid(known.through, through)
		if err != nil {
			return nil, fmt.Errorf("find rules of the past: %w", err)
		}
		known.said, known.through = append(known.said, said...), through
	}
	if len(known.said) == 0 {
		return []era{{rule: now}}, nil
	}
	all, settled := []era{{}}, false
	for _, next := range known.said {
		if settled && !next.settled {
			continue // A start that has gone by the reprocess.
		}
		settled = next.settled
		if last := &all[len(all)-1]; next.rule != last.rule || !slices.Equal(next.uncounted, last.uncounted) {
			all = append(all, next.era)
		}
	}
	return all, nil
}

// rulesSaid reads the events about rules behind a position, up to another, in order.
func (e *Engine) rulesSaid(behind, through entry.Position) (said []saidRule, err error) {
	defer func() { slices.Reverse(said) }()
	for before := through + 1; ; {
		headers, err := e.opts.Log.Headers(before, entry.Event, trailPage)
		if err != nil {
			return nil, err
		}
		for i := range headers {
			before = headers[i].Position
			if before <= behind {
				return said, nil
			}
			// What a header says of its event saves reading it.
			if action := audit.Action(headers[i].Detail); action != "" && action != audit.Rules && action != audit.Reprocess {
				continue
			}
			event, err := eventAt(e.opts.Log, e.codec, before)
			if err != nil {
				return nil, err
			}
			var rule RuleInForce
			switch {
			case event.Reprocess != nil:
				rule, err = ruleOf(before, event.Reprocess)
			case event.Rules != nil:
				rule.Rule, err = findRule(event.Rules.Scoring, startVersion, event.Rules.Denominator, startVersion)
			default:
				continue
			}
			if err != nil {
				return nil, err
			}
			said = append(said, saidRule{era{before, rule.Rule, rule.Uncounted}, event.Reprocess != nil})
		}
		if len(headers) < trailPage {
			return said, nil
		}
	}
}
