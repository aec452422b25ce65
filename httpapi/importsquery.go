package httpapi

import (
	"net/url"
	"strconv"

	"markr/engine"
	"markr/engine/intake"
	"markr/wal/entry"
)

// Query parameters of GET /imports.
const (
	paramOutcome  = "outcome"
	paramCode     = "code"
	paramSource   = "source"
	paramResolved = "resolved"
)

// importsQuery is what a list of imports shows.
type importsQuery struct {
	outcome  entry.Outcome  // 0: all of them
	before   entry.Position // 0: from the newest on
	limit    int
	filtered bool // filter says more than nothing
	filter   engine.RefusedFilter
	values   url.Values // to be repeated in links
}

// importsQuery reads the parameters of GET /imports. Those that look into a refusal
// go with outcome=refused, and not with silence: a list that leaves out what was
// accepted should say so where it is asked for.
func (r *request) importsQuery() (*importsQuery, error) {
	if err := r.checkParameters(paramOutcome, paramCode, paramSource, paramResolved, "limit", "cursor"); err != nil {
		return nil, err
	}
	q := &importsQuery{values: make(url.Values)}
	var err error
	if q.limit, err = r.limit(); err != nil {
		return nil, err
	}
	if name, given := r.query(paramOutcome); given {
		if q.outcome, err = parseOutcome(name); err != nil {
			return nil, err
		}
		q.values.Set(paramOutcome, name)
	}
	if err := q.refusedFilter(r); err != nil {
		return nil, err
	}
	if cursor, given := r.query("cursor"); given {
		if q.before, err = parseImportsCursor(cursor); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// refusedFilter reads what is asked of refusals.
func (q *importsQuery) refusedFilter(r *request) error {
	for _, name := range []string{paramCode, paramSource, paramResolved} {
		value, given := r.query(name)
		if !given {
			continue
		}
		if q.outcome != entry.Refused {
			return errParameter(name, "goes with outcome=refused")
		}
		q.filtered = true
		q.values.Set(name, value)
		switch name {
		case paramCode:
			if value == "" {
				return errParameter(name, "must be a code, such as invalid_value")
			}
			q.filter.Code = intake.Code(value)
		case paramSource:
			q.filter.Source = &value
		case paramResolved:
			resolved, err := strconv.ParseBool(value)
			if err != nil || strconv.FormatBool(resolved) != value {
				return errParameter(name, "must be true or false")
			}
			q.filter.Resolved = &resolved
		}
	}
	return nil
}

// parseOutcome reads the outcome parameter.
func parseOutcome(name string) (entry.Outcome, error) {
	for _, outcome := range []entry.Outcome{entry.Accepted, entry.Refused, entry.Duplicate} {
		if outcome.String() == name {
			return outcome, nil
		}
	}
	return 0, errParameter(paramOutcome, "must be accepted, refused or duplicate")
}
