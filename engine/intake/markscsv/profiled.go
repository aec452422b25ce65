package markscsv

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"markr/engine/intake"
)

// A question of a table with a profile: its number and where its columns are, or
// columnNone.
type question struct {
	number                            int
	response, key, awarded, available int
}

var _ layout = (*Profile)(nil)

func (p *Profile) hasHeader() bool { return p.Header != headerAbsent }

func (p *Profile) separators() string { return cmp.Or(p.Separator, separatorsAll) }

// fits counts the columns that are there, and for tables without a header line those
// that there could be.
func (p *Profile) fits(r *reader) int {
	if !p.hasHeader() {
		return len(r.fields)
	}
	fit := 0
	for _, source := range p.sources() {
		if source != nil && source.Text == "" && r.find(source, 0) != columnNone {
			fit++
		}
	}
	if q := p.Questions; q != nil {
		for _, series := range [...]*Series{q.Response, q.Key, q.Awarded, q.Available} {
			if series != nil && len(r.series(series)) > 0 {
				fit++
			}
		}
	}
	return fit
}

// find gives the place of a source's column from a place on, or columnNone.
func (r *reader) find(source *Source, from int) int {
	if source.Number > 0 {
		if from < source.Number && source.Number <= len(r.fields) {
			return source.Number - 1
		}
		return columnNone
	}
	for i := from; i < len(r.fields); i++ {
		if string(r.said(i)) == source.Column {
			return i
		}
	}
	return columnNone
}

// numbered is a column of a series.
type numbered struct{ number, at int }

// series finds the columns of a series, in the order in which they stand.
func (r *reader) series(s *Series) []numbered {
	var found []numbered
	if s.Names == "" {
		to := len(r.fields)
		if s.To != 0 {
			to = s.To // Columns that are not there are missed later.
		}
		for at := s.From; at <= to; at += max(s.Step, 1) {
			found = append(found, numbered{len(found) + 1, at - 1})
		}
		return found
	}
	before, behind, _ := strings.Cut(s.Names, "#")
	for i := range r.fields {
		name, ok := bytes.CutPrefix(r.said(i), []byte(before))
		if !ok {
			continue
		}
		if name, ok = bytes.CutSuffix(name, []byte(behind)); !ok {
			continue
		}
		const digitsMax = 6
		number, err := strconv.ParseUint(string(name[:min(len(name), digitsMax+1)]), 10, 32)
		if err == nil && len(name) <= digitsMax {
			found = append(found, numbered{int(number), i})
		}
	}
	return found
}

// places finds the columns that the profile names.
func (p *Profile) places(r *reader) (places, bool) {
	if p.hasHeader() && p.fits(r) == 0 {
		return places{}, r.say(intake.CodeWrongDocument, r.at, "", string(r.said(0)),
			"begins a header line that has none of the columns of the profile "+p.name)
	}
	found := places{profile: p, test: []byte(p.TestID.Text)}
	for c, source := range p.sources() {
		found.of[c] = columnNone
		if source == nil || source.Text != "" {
			continue
		}
		at := r.find(source, 0)
		if at == columnNone {
			return places{}, r.missingColumn(p, column(c).String(), cmp.Or(source.Column, "number "+strconv.Itoa(source.Number)))
		}
		if again := r.find(source, at+1); again != columnNone {
			return places{}, r.say(intake.CodeRepeatedField, r.fields[again].at, column(c).String(), source.Column,
				"names a column that the header line has named already")
		}
		found.of[c] = at
	}
	if p.Questions == nil {
		return found, true
	}
	var ok bool
	found.questions, ok = r.questions(p)
	return found, ok
}

func (r *reader) missingColumn(p *Profile, name, column string) bool {
	return r.say(intake.CodeMissingField, r.at, name, column, fmt.Sprintf(
		"is missing: the profile %s reads it from that column, which the first line does not have", p.name))
}

// questions brings the columns of all series together, question by question.
func (r *reader) questions(p *Profile) ([]question, bool) {
	q := p.Questions
	kinds := [...]struct {
		series *Series
		name   string
		of     func(*question) *int
	}{
		{q.Response, "response", func(q *question) *int { return &q.response }},
		{q.Key, "key", func(q *question) *int { return &q.key }},
		{q.Awarded, "awarded", func(q *question) *int { return &q.awarded }},
		{q.Available, "available", func(q *question) *int { return &q.available }},
	}
	byNumber := make(map[int]*question)
	for _, kind := range kinds {
		if kind.series == nil {
			continue
		}
		for _, column := range r.series(kind.series) {
			if column.at >= len(r.fields) {
				return nil, r.missingColumn(p, questionName(column.number, kind.name), "number "+strconv.Itoa(column.at+1))
			}
			if byNumber[column.number] == nil {
				byNumber[column.number] = &question{column.number, columnNone, columnNone, columnNone, columnNone}
			}
			at := kind.of(byNumber[column.number])
			if *at != columnNone {
				return nil, r.say(intake.CodeRepeatedField, r.fields[column.at].at, questionName(column.number, kind.name),
					string(r.said(column.at)), "names a column that the header line has named already")
			}
			*at = column.at
		}
	}
	questions := make([]question, 0, len(byNumber))
	for _, q := range byNumber {
		questions = append(questions, *q)
	}
	slices.SortFunc(questions, func(a, b question) int { return cmp.Compare(a.number, b.number) })
	for i := range questions {
		for _, kind := range kinds {
			if kind.series != nil && *kind.of(&questions[i]) == columnNone {
				return nil, r.missingColumn(p, questionName(questions[i].number, kind.name), kind.series.Names)
			}
		}
	}
	if len(questions) == 0 {
		return nil, r.say(intake.CodeMissingField, r.at, "questions", "",
			"are missing: the first line has no column of any that the profile "+p.name+" looks for")
	}
	return questions, true
}

// questionName names a question's column in errors.
func questionName(number int, kind string) string {
	return "question " + strconv.Itoa(number) + "/" + kind
}
