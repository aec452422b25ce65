package httpapi

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"markr/engine/intake"
	"markr/engine/summary"
	"markr/wal/entry"
)

// How many items a list shows.
const (
	listLimitDefault = 100
	listLimitMax     = 1000
)

// errParameter: a query parameter is not what it has to be. What is wrong is the
// end of a sentence that begins with the parameter's name.
func errParameter(name, wrong string) error {
	return refuse(codeInvalidParameter, "The query parameter %q %s.", name, wrong)
}

// checkParameters refuses query parameters other than the known ones, and known
// ones given twice. A misspelt filter that is ignored would look like an answer,
// and a refusal can be loosened later where an ignored word cannot become a
// parameter without surprising somebody.
func (r *request) checkParameters(known ...string) error { return r.checkParametersWith(nil, known...) }

// checkParametersWith is checkParameters where some of them may be given more than once.
func (r *request) checkParametersWith(repeated []string, known ...string) error {
	if !r.hasQuery() {
		return nil
	}
	seen := make([]string, 0, len(known))
	for key := range r.ctx.QueryArgs().All() {
		name := string(key)
		switch {
		case !slices.Contains(known, name):
			return errParameter(name, "is not a parameter of this path; it has "+listOf(known))
		case slices.Contains(seen, name) && !slices.Contains(repeated, name):
			return errParameter(name, "is given more than once")
		}
		seen = append(seen, name)
	}
	return nil
}

// queries are all values of a query parameter, in order. They are copies and may be kept.
func (r *request) queries(name string) []string {
	var values []string
	for _, value := range r.ctx.QueryArgs().PeekMulti(name) {
		values = append(values, string(value))
	}
	return values
}

// hasQuery says whether there is anything to look for parameters in.
func (r *request) hasQuery() bool { return bytes.IndexByte(r.ctx.RequestURI(), '?') >= 0 }

func listOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// limit is how many items a list is to show.
func (r *request) limit() (int, error) {
	text, given := r.query("limit")
	if !given {
		return listLimitDefault, nil
	}
	limit, err := strconv.ParseUint(text, 10, 32)
	if err != nil || limit < 1 || limit > listLimitMax {
		return 0, errParameter("limit", "must be a whole number from 1 to "+strconv.Itoa(listLimitMax))
	}
	return int(limit), nil
}

// position is a parameter that names a position, 0 if it is not given.
func (r *request) position(name string) (entry.Position, error) {
	text, given := r.query(name)
	if !given {
		return 0, nil
	}
	position, err := strconv.ParseUint(text, 10, 64)
	if err != nil || position == 0 {
		return 0, errParameter(name, "must be a position: a whole number from 1")
	}
	return entry.Position(position), nil
}

// percentsMax is how many percentages one request may name: every whole one from 1 to 99
// and one to spare.
const percentsMax = 100

// percents reads a list of percentages, which has a default.
func (r *request) percents(name, byDefault, plural string) ([]summary.Percent, error) {
	list, given := r.query(name)
	if !given {
		list = byDefault
	}
	if strings.Count(list, ",") >= percentsMax {
		return nil, errParameter(name, "names more than "+strconv.Itoa(percentsMax)+" "+plural)
	}
	percents := make([]summary.Percent, 0, strings.Count(list, ",")+1)
	for text := range strings.SplitSeq(list, ",") {
		percent, err := summary.ParsePercent(text)
		if err != nil {
			return nil, errParameter(name,
				"holds "+strconv.Quote(intake.CutValue([]byte(text)))+", which "+summary.ErrPercent.Error())
		}
		percents = append(percents, percent)
	}
	return percents, nil
}
