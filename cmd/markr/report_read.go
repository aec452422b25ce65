package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// How much a report reads.
const (
	reportScoresMax    = 1000 // distinct scores, the most the server gives at once
	reportQuestionsMax = 12   // that are told in full
	reportTries        = 4    // to have all of it from one state
)

// reportSource is what the server says about a test. What a server does not tell is
// nil.
type reportSource struct {
	Test      string
	Cut       reportCut
	Preset    string
	Aggregate reportAggregate
	Scores    *reportScores
	Grades    []reportGrade
	Items     *reportItems
	Looked    []reportQuestion // those to look at, with their options
	Counts    map[string]int   // of findings, by kind
	Positions [2]uint64        // the lowest and the highest of the answers
}

type reportAggregate struct {
	Mean, StdDev, Min, Max, P25, P50, P75 float64
	Count                                 int
}

type reportScores struct {
	Position    uint64
	Denominator string
	Count       int
	Available   float64
	Scores      []reportScore
	NextCursor  *string `json:"next_cursor"`
}

type reportScore struct {
	Marks           *float64
	Percentage      float64
	Count           int
	CumulativeCount int     `json:"cumulative_count"`
	PercentileRank  float64 `json:"percentile_rank"`
}

type reportCut struct {
	Cut    float64
	Marks  *float64
	Passed int
	Rate   float64
	Below  int `json:"one_mark_below"`
	Above  int `json:"one_mark_above"`
}

type reportGrade struct {
	Grade           *string
	Boundary, Marks *float64
	Count           int
	Share           float64
	CumulativeShare float64 `json:"cumulative_share"`
	Below           *int    `json:"one_mark_below"`
	Above           *int    `json:"one_mark_above"`
}

type reportItems struct {
	Position           uint64
	Sheets             int
	Available          *float64
	Mean, Alpha, Sem   *float64
	Skewness, Kurtosis *float64
	Flags              []string
	Questions          []reportQuestion
}

type reportQuestion struct {
	Question       string
	Sheets         int
	Omitted        int
	Facility       *float64
	ItemRest       *float64 `json:"item_rest"`
	D              *float64 `json:"discrimination_27"`
	AlphaIfDeleted *float64 `json:"alpha_if_deleted"`
	Band           *string
	Flags          []string
	Key            []string
	Options        []reportOption
}

type reportOption struct {
	Response     string
	Count        int
	Share        *float64
	Credited     bool
	OptionRest   *float64  `json:"option_rest"`
	ShareByGroup []float64 `json:"share_by_group"`
}

// readReport reads all of it, again if documents came in between two answers.
func readReport(ctx context.Context, c *client, test string, o reportOptions) (source *reportSource, err error) {
	for range reportTries {
		if source, err = readReportOnce(ctx, c, test, o); err != nil {
			return nil, err
		}
		if source.Positions[0] == source.Positions[1] {
			break
		}
	}
	return source, nil
}

func readReportOnce(ctx context.Context, c *client, test string, o reportOptions) (*reportSource, error) {
	s := &reportSource{Test: test, Preset: o.preset}
	ask := func(to any, query url.Values, segments ...string) error {
		body, err := c.get(ctx, c.url(query, append([]string{"results", test}, segments...)...))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(body, to); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		var at struct{ Position uint64 }
		if json.Unmarshal(body, &at) == nil && at.Position > 0 { // An aggregate tells none.
			if s.Positions[0] == 0 {
				s.Positions[0] = at.Position
			}
			s.Positions = [2]uint64{min(s.Positions[0], at.Position), max(s.Positions[1], at.Position)}
		}
		return nil
	}
	if err := ask(&s.Aggregate, nil, "aggregate"); err != nil {
		return nil, err
	}
	var scores reportScores
	switch err := ask(&scores, url.Values{"limit": {strconv.Itoa(reportScoresMax)}}, "scores"); {
	case err == nil:
		s.Scores = &scores
	case !untold(err):
		return nil, err
	}
	var passes struct{ Cuts []reportCut }
	if err := ask(&passes, url.Values{"cut": {o.cut}}, "passes"); err != nil {
		return nil, err
	}
	if len(passes.Cuts) > 0 {
		s.Cut = passes.Cuts[0]
	}
	if o.boundaries != "" {
		var grades struct{ Grades []reportGrade }
		if err := ask(&grades, url.Values{"boundaries": {o.boundaries}}, "grades"); err != nil {
			return nil, err
		}
		s.Grades = grades.Grades
	}
	var found struct{ Counts map[string]int }
	if err := ask(&found, url.Values{"limit": {"1"}}, "quality"); err != nil {
		return nil, err
	}
	s.Counts = found.Counts
	return s, s.readQuestions(ask, o.preset)
}

// readQuestions reads the analysis, and in full the questions that somebody has to look
// at.
func (s *reportSource) readQuestions(ask func(to any, query url.Values, segments ...string) error, preset string) error {
	query := url.Values{"preset": {preset}}
	var items reportItems
	if err := ask(&items, query, "items"); untold(err) {
		return nil
	} else if err != nil {
		return err
	}
	s.Items = &items
	for i := range items.Questions {
		q := &items.Questions[i]
		if !q.grave() || len(s.Looked) == reportQuestionsMax {
			continue
		}
		var full reportQuestion
		if err := ask(&full, query, "items", q.Question); err != nil {
			return err
		}
		s.Looked = append(s.Looked, full)
	}
	return nil
}

// untold says whether a server does not have what was asked for, though it has the
// test: item analysis may be off.
func untold(err error) bool {
	p, ok := errors.AsType[*problem](err)
	return ok && p.Status == http.StatusNotFound && p.Code != "unknown_test"
}
