package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reportView is what the report's page shows: text, and where things are drawn.
type reportView struct {
	Test, Written, Version, Preset string
	State                          string // of the server
	Source                         *reportSource
	Tiles                          []reportTile
	Distribution                   *reportChart
	Scatter                        *reportScatter
	Questions                      []reportRow
	Looked                         []reportLook
	Scores                         [][]string
	Grades                         [][]string
	Findings                       []reportFinding
}

type reportTile struct{ Name, Value, Unit, Note string }

type reportFinding struct {
	Count int
	What  string
}

// reportRow is a line of the table of questions.
type reportRow struct {
	Name, Facility, ItemRest, D, AlphaIfDeleted, Omitted, Key string
	Flags                                                     string
	Grave                                                     bool
}

// reportLook is a question that somebody has to look at.
type reportLook struct {
	Name, Words string
	Groups      []string
	Options     [][]string
}

func newReportView(s *reportSource, version string, now time.Time) *reportView {
	v := &reportView{Test: s.Test, Written: now.UTC().Format("2 January 2006, 15:04 UTC"), Version: version, Preset: s.Preset, Source: s}
	v.State = fmt.Sprintf("document %d of the log", s.Positions[1])
	if s.Positions[0] != s.Positions[1] {
		v.State = fmt.Sprintf("documents %d to %d of the log, because papers came in while it was written", s.Positions[0], s.Positions[1])
	}
	v.tiles()
	if s.Scores != nil {
		v.Distribution = newReportChart(s)
		for _, score := range s.Scores.Scores {
			v.Scores = append(v.Scores, []string{figure(score.Marks, -1), decimals(score.Percentage, 1), strconv.Itoa(score.Count), strconv.Itoa(score.CumulativeCount), decimals(score.PercentileRank, 1)})
		}
	}
	for _, grade := range s.Grades {
		row := []string{"below", "–", "–"}
		if grade.Grade != nil {
			row = []string{*grade.Grade, figure(grade.Boundary, 1), figure(grade.Marks, -1)}
		}
		row = append(row, strconv.Itoa(grade.Count), decimals(grade.Share, 1), decimals(grade.CumulativeShare, 1), countOrDash(grade.Below), countOrDash(grade.Above))
		v.Grades = append(v.Grades, row)
	}
	if s.Items != nil {
		v.questions()
	}
	for _, kind := range reportKinds {
		if n := s.Counts[kind.name]; n > 0 {
			v.Findings = append(v.Findings, reportFinding{n, kind.words})
		}
	}
	return v
}

func (v *reportView) tiles() {
	s := v.Source
	a := s.Aggregate
	v.Tiles = []reportTile{
		{"Students", strconv.Itoa(a.Count), "", ""},
		{"Mean", decimals(a.Mean, 1), "%", ""},
		{"Median", decimals(a.P50, 1), "%", fmt.Sprintf("half from %s to %s", decimals(a.P25, 1), decimals(a.P75, 1))},
		{"Standard deviation", decimals(a.StdDev, 1), "points", fmt.Sprintf("%s to %s in all", decimals(a.Min, 1), decimals(a.Max, 1))},
		{"Reliability α", "–", "", "not told"},
		{"Pass", decimals(s.Cut.Rate, 1), "%", fmt.Sprintf("at %s %%: %d of %d", decimals(s.Cut.Cut, -1), s.Cut.Passed, a.Count)},
	}
	if i := s.Items; i != nil {
		v.Tiles[4].Value, v.Tiles[4].Note = ratio(i.Alpha), ""
		if i.Sem != nil {
			v.Tiles[4].Note = fmt.Sprintf("SEM %s marks", decimals(*i.Sem, 1))
		}
		if i.Mean != nil && i.Available != nil {
			v.Tiles[1].Note = fmt.Sprintf("%s of %s marks", decimals(*i.Mean, 1), decimals(*i.Available, -1))
		}
	}
}

func (v *reportView) questions() {
	s := v.Source
	v.Scatter = newReportScatter(s.Items.Questions)
	for i := range s.Items.Questions {
		q := &s.Items.Questions[i]
		v.Questions = append(v.Questions, reportRow{
			Name: q.Question, Facility: figure(q.Facility, 1), ItemRest: ratio(q.ItemRest), D: ratio(q.D),
			AlphaIfDeleted: ratio(q.AlphaIfDeleted), Omitted: strconv.Itoa(q.Omitted), Key: strings.Join(q.Key, ", "),
			Flags: q.words(), Grave: q.grave(),
		})
	}
	slices.SortStableFunc(v.Questions, func(a, b reportRow) int { return cmp.Compare(grade(b.Grave), grade(a.Grave)) })
	for i := range s.Looked {
		q := &s.Looked[i]
		look := reportLook{Name: q.Question, Words: q.words()}
		for _, o := range q.Options {
			name := o.Response
			if name == "" {
				name = "none"
			}
			if o.Credited {
				name += " ✓"
			}
			row := []string{name, strconv.Itoa(o.Count), figure(o.Share, 1), ratio(o.OptionRest)}
			for _, share := range o.ShareByGroup {
				row = append(row, decimals(share, 0))
			}
			look.Options = append(look.Options, row)
		}
		if len(q.Options) > 0 {
			for n := range q.Options[0].ShareByGroup {
				look.Groups = append(look.Groups, [...]string{"1st", "2nd", "3rd", "4th", "5th"}[min(n, 4)])
			}
		}
		v.Looked = append(v.Looked, look)
	}
}

func grade(grave bool) int {
	if grave {
		return 1
	}
	return 0
}

// reportKinds are the kinds of findings in words.
//
//nolint:gochecknoglobals // A table.
var reportKinds = []struct{ name, words string }{
	{"key_conflict", "responses credited on one sheet and not on another"},
	{"sum_mismatch", "scans whose marks are not the sum of their answers’"},
	{"different_names", "students whose scans have different names"},
	{"different_answers", "students whose scans have different answers"},
	{"leading_zeros", "numbers that differ only by leading zeros"},
	{"awarded_above_available", "scans with more marks awarded than available for a question"},
	{"repeated_questions", "scans with a question twice"},
	{"several_available", "scans with other marks available than most"},
	{"different_questions", "scans with other questions than most"},
	{"bad_answers", "scans with an answer that cannot be read"},
	{"bad_scanned_on", "scans without a readable time"},
}

// reportFlags are the flags of a question in words, gravest first.
//
//nolint:gochecknoglobals // A table.
var reportFlags = []struct {
	name, words string
	grave       bool
}{
	{"suspect_key", "wrong key?", true},
	{"negative_discrimination", "runs backwards", true},
	{"key_conflict", "key conflict", true},
	{"no_variance", "no spread", false},
	{"too_hard", "hard", false},
	{"too_easy", "easy", false},
	{"low_efficiency", "low efficiency", false},
	{"non_functioning_distractor", "idle distractor", false},
}

// words are the flags; what follows from a graver one is left out.
func (q *reportQuestion) words() string {
	var words []string
	for _, flag := range reportFlags {
		follows := flag.name == "negative_discrimination" && slices.Contains(q.Flags, "suspect_key")
		if slices.Contains(q.Flags, flag.name) && !follows {
			words = append(words, flag.words)
		}
	}
	return strings.Join(words, ", ")
}

// grave says whether somebody has to look at the question before results go out.
func (q *reportQuestion) grave() bool {
	for _, flag := range reportFlags {
		if flag.grave && slices.Contains(q.Flags, flag.name) {
			return true
		}
	}
	return false
}

// decimals is a number with so many decimals; as many as it needs if they are negative.
func decimals(value float64, places int) string {
	text := strconv.FormatFloat(value, 'f', places, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return strings.Replace(text, "-", "−", 1)
}

func figure(value *float64, places int) string {
	if value == nil || math.IsNaN(*value) {
		return "–"
	}
	return decimals(*value, places)
}

// ratio is a number between -1 and 1 as the field's tables have it: .42.
func ratio(value *float64) string {
	text := figure(value, 2)
	if rest, found := strings.CutPrefix(text, "0."); found {
		return "." + rest
	}
	return strings.Replace(text, "−0.", "−.", 1)
}

func countOrDash(n *int) string {
	if n == nil {
		return "–"
	}
	return strconv.Itoa(*n)
}
