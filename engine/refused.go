package engine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"markr/engine/intake"
	"markr/wal/entry"
)

// RefusedFilter says which refused imports are wanted; its zero value is all.
type RefusedFilter struct {
	Code     intake.Code // empty: any
	Source   *string     // nil: any
	Resolved *bool       // nil: either
}

// Bounds of one look through the refused imports.
const (
	// refusedStep is how many are passed in memory at a time, under a lock that the
	// committer takes: some tens of microseconds.
	refusedStep = 16 << 10
	// refusedHeadersMax is how many headers are read for one list. Only those of
	// sources that are not counted by name are read in vain.
	refusedHeadersMax = 10_000
)

// Refused returns up to limit refused imports before a position (0: the newest),
// newest first, those that the filter wants, and the position to go on before, 0 if
// there are no more. The list may be short, or empty, and there may be more.
func (e *Engine) Refused(before entry.Position, f RefusedFilter, limit int) (list []Import, more entry.Position, err error) {
	if err := e.ready(); err != nil {
		return nil, 0, err
	}
	if before == 0 {
		before = entry.PositionMax + 1
	}
	for headers := 0; ; {
		var found []entry.Position
		if found, before = e.refused.match(before, f, limit-len(list)); before == 0 && len(found) == 0 {
			return list, 0, nil
		}
		for _, position := range found {
			one, err := e.refusedAt(position, f)
			if err != nil {
				return nil, 0, err
			}
			if one != nil {
				list = append(list, *one)
			}
		}
		if headers += len(found); before == 0 || len(list) >= limit || headers >= refusedHeadersMax {
			return list, before, nil
		}
	}
}

// refusedAt is the refused import at a position; nil if the filter does not want it, or
// it has been dropped meanwhile.
func (e *Engine) refusedAt(position entry.Position, f RefusedFilter) (*Import, error) {
	h, err := e.headerAt(position)
	if errors.Is(err, entry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list refused imports: %w", err)
	}
	one, err := e.describe(h)
	if err != nil {
		return nil, err
	}
	if f.Source != nil && one.Source != *f.Source || f.Code != "" && (one.Refusal == nil || one.Refusal.Code != f.Code) {
		return nil, nil
	}
	return &one, nil
}

// match returns the positions of up to limit documents before a position that the
// filter may want, newest first, and where to go on, 0 if there are no more.
func (r *refusals) match(before entry.Position, f RefusedFilter, limit int) (found []entry.Position, more entry.Position) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var code, source uint32
	some := true
	if f.Code != "" {
		code, some = r.mu.codes.may(string(f.Code))
	}
	if f.Source != nil && some {
		source, some = r.mu.sources.may(*f.Source)
	}
	if !some {
		return nil, 0
	}
	kept := r.mu.kept[r.mu.first:]
	end, _ := slices.BinarySearchFunc(kept, before, byPosition)
	for i := end - 1; i >= 0; i-- {
		one := &kept[i]
		if len(found) >= limit || end-i > refusedStep {
			return found, one.position + 1
		}
		if (f.Code == "" || uint32(one.code) == code) && (f.Source == nil || one.source == source) &&
			(f.Resolved == nil || *f.Resolved == (one.resolvedBy != 0)) {
			found = append(found, one.position)
		}
	}
	return found, 0
}

// RefusedCounts says how many refused documents are kept, and of what.
type RefusedCounts struct {
	Kept, Unresolved int
	ByCode, BySource []RefusedCount // most first, then by name
	// OtherSources are the documents whose source is not counted by name, because
	// there are too many of them or it is too long.
	OtherSources RefusedCount
}

// RefusedCount is a part of the refused documents that are kept.
type RefusedCount struct {
	Name             string // a code, a source
	Kept, Unresolved int
}

// RefusedCounts counts the refused documents that are kept now. At most sources of
// each kind are listed, those with the most. The error is [ErrNotReady].
func (e *Engine) RefusedCounts(sources int) (RefusedCounts, error) {
	if err := e.ready(); err != nil {
		return RefusedCounts{}, err
	}
	e.refused.mu.RLock()
	defer e.refused.mu.RUnlock()
	m := &e.refused.mu
	counts := RefusedCounts{
		Kept: len(m.kept) - m.first, Unresolved: m.unresolved,
		ByCode: m.codes.counts(), BySource: m.sources.counts(),
	}
	others := m.sources.list[0]
	counts.OtherSources = RefusedCount{Kept: others.kept, Unresolved: others.unresolved}
	if len(counts.BySource) > sources {
		for _, one := range counts.BySource[sources:] {
			counts.OtherSources.Kept += one.Kept
			counts.OtherSources.Unresolved += one.Unresolved
		}
		counts.BySource = counts.BySource[:sources]
	}
	return counts, nil
}

// counts lists the names that something has.
func (n *names) counts() []RefusedCount {
	var list []RefusedCount
	for number := 1; number < len(n.list); number++ {
		if one := &n.list[number]; one.kept > 0 {
			list = append(list, RefusedCount{one.name, one.kept, one.unresolved})
		}
	}
	slices.SortFunc(list, func(a, b RefusedCount) int {
		return cmp.Or(b.Kept-a.Kept, cmp.Compare(a.Name, b.Name))
	})
	return list
}
