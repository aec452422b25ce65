package httpapi

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"markr/engine/intake"
	"markr/engine/summary"
)

// Limits of a table of grades: more grades than any system has, with names that fit into a
// column.
const (
	gradesMax         = 50
	gradeNameCharsMax = 32
)

// gradesJSON is the answer to GET /results/{test}/grades.
type gradesJSON struct {
	distributionJSON

	Grades []gradeJSON `json:"grades"`
}

// gradeJSON is one grade, the best first: students who reach its boundary and not the next
// better one's. The last is that of those who reach none, and has no name and no boundary.
type gradeJSON struct {
	Grade           *string     `json:"grade"`
	Boundary        *percentage `json:"boundary"`
	Marks           *marksJSON  `json:"marks"` // the fewest that reach it
	Count           int         `json:"count"`
	Share           percentage  `json:"share"`
	CumulativeCount int         `json:"cumulative_count"` // with this grade or a better one
	CumulativeShare percentage  `json:"cumulative_share"`
	Below           *int        `json:"one_mark_below"`
	Above           *int        `json:"one_mark_above"`
}

// boundary is the lowest percentage of a grade.
type boundary struct {
	grade   string
	percent summary.Percent
}

// grades answers GET /results/{test}/grades.
func (s *Server) grades(r *request) error {
	if err := r.checkParameters("boundaries", "at", "as-of"); err != nil {
		return err
	}
	boundaries, err := r.boundaries()
	if err != nil {
		return err
	}
	test, err := s.testAsked(r)
	if err != nil {
		return err
	}
	answer := gradesJSON{distributionJSON: test.head(), Grades: make([]gradeJSON, 0, len(boundaries)+1)}
	better, all := 0, test.Count()
	add := func(g gradeJSON, reached int) {
		g.Count, g.CumulativeCount = reached-better, reached
		g.Share, g.CumulativeShare = percentage(summary.Share(g.Count, all)), percentage(summary.Share(reached, all))
		answer.Grades = append(answer.Grades, g)
		better = reached
	}
	for _, b := range boundaries {
		bound := summary.AtPercent(b.percent)
		sides := newSidesJSON(test.Test, bound)
		add(gradeJSON{
			Grade: &b.grade, Boundary: new(percentage(b.percent.Float64())), Marks: new(marksJSON(bound.Marks(test.Available))),
			Below: &sides.Below, Above: &sides.Above,
		}, all-test.Scores().Below(bound, test.Available))
	}
	add(gradeJSON{}, all)
	return r.resourceAt(answer)
}

// boundaries reads the parameter: NAME:PERCENT, the best grade first.
func (r *request) boundaries() ([]boundary, error) {
	const name = "boundaries"
	list, given := r.query(name)
	if !given {
		return nil, errParameter(name, "must be given, like A:80,B:65,C:50")
	}
	if strings.Count(list, ",") >= gradesMax {
		return nil, errParameter(name, "names more than "+strconv.Itoa(gradesMax)+" grades")
	}
	var boundaries []boundary
	seen := make(map[string]bool)
	for text := range strings.SplitSeq(list, ",") {
		wrong := func(why string) error {
			return errParameter(name, "holds "+strconv.Quote(intake.CutValue([]byte(text)))+", "+why)
		}
		grade, percentText, pair := strings.Cut(text, ":")
		percent, err := summary.ParsePercent(percentText)
		chars := utf8.RuneCountInString(grade)
		switch {
		case !pair || chars < 1 || chars > gradeNameCharsMax || !utf8.ValidString(grade) || strings.ContainsFunc(grade, unicode.IsControl):
			return nil, wrong("which is not like A:80, with a name of at most " + strconv.Itoa(gradeNameCharsMax) + " characters")
		case err != nil:
			return nil, wrong("whose percentage " + summary.ErrPercent.Error())
		case seen[grade]:
			return nil, wrong("whose grade is there already")
		case len(boundaries) > 0 && percent.Float64() >= boundaries[len(boundaries)-1].percent.Float64():
			return nil, wrong("which is not below the boundary before it: the best grade comes first")
		}
		seen[grade] = true
		boundaries = append(boundaries, boundary{grade, percent})
	}
	return boundaries, nil
}
