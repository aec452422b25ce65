package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"

	"markr/engine/quality"
)

func newQuality(std streams) *cli.Command {
	var (
		server, bearer, kind string
		asJSON               bool
	)
	return &cli.Command{
		Name:        "quality",
		Usage:       "say what is odd about the scans of a test, or of all",
		UsageText:   "markr quality\nmarkr quality 9863\nmarkr quality 9863 --kind different_names",
		ArgsUsage:   "[TEST]",
		Description: "Scans that were accepted may be odd: one student with two names, marks that are not the sum of the answers', a response that is credited on one sheet and not on another. With a TEST: how much there is of each kind, and every finding with the scans it is in. Without: the counts of every test that has findings. --json prints what the server answers, one test or finding per line.",
		Flags: []cli.Flag{
			serverFlag(&server),
			bearerFlag(&bearer),
			&cli.StringFlag{Name: "kind", Usage: "show only findings of this `KIND`, such as different_names", Destination: &kind},
			jsonFlag("print JSON", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			test := cmd.Args().First()
			if _, known := quality.ParseKind(kind); kind != "" && !known {
				return usageError(fmt.Errorf("--kind %q: must be one of %s", kind, strings.Join(qualityKinds(), ", ")))
			}
			if kind != "" && test == "" {
				return usageError(errors.New("--kind is for the findings of a test, and no TEST is named"))
			}
			c, err := newClient(serverFlagName, server, 1)
			if err != nil {
				return err
			}
			if err := c.present(bearer); err != nil {
				return err
			}
			if test == "" {
				return showQualities(ctx, std, c, asJSON)
			}
			query := url.Values{"limit": {fmt.Sprint(stepsPerPage)}}
			if kind != "" {
				query.Set("kind", kind)
			}
			return showQuality(ctx, std, c, test, query, asJSON)
		},
	}
}

func qualityKinds() []string {
	var names []string
	for _, k := range quality.Kinds() {
		names = append(names, k.String())
	}
	return names
}

// qualityFinding is a finding, as far as it is shown.
type qualityFinding struct {
	Kind     string  `json:"kind"`
	Student  *string `json:"student"`
	Question *string `json:"question"`
	Response *string `json:"response"`
	What     string  `json:"what"`
	Scans    []struct {
		Position uint64 `json:"position"`
		Record   int    `json:"record"`
		Line     *int   `json:"line"`
	} `json:"scans"`
	Total int `json:"scans_total"`
}

// showQuality prints what is odd about a test.
func showQuality(ctx context.Context, std streams, c *client, test string, query url.Values, asJSON bool) error {
	list := listing{
		path: []string{"results", test, "quality"}, query: query, member: "findings",
		header: []any{"KIND", "STUDENT", "QUESTION", "RESPONSE", "POSITION/RECORD/LINE", "THE FINDING"},
		begin: func(body []byte) error {
			var page struct {
				Counts map[string]int `json:"counts"`
			}
			if err := readAnswer(body, &page); err != nil {
				return err
			}
			return showCounts(std, page.Counts)
		},
		row: func(t *table, item []byte) error {
			var f qualityFinding
			if err := readAnswer(item, &f); err != nil {
				return err
			}
			t.row(f.Kind, orDash(f.Student), orDash(f.Question), orDash(f.Response), f.places(), f.What)
			return nil
		},
	}
	return explainResult(list.show(ctx, std, c, asJSON), test)
}

// places are where a finding's scans are.
func (f *qualityFinding) places() string {
	var places []string
	for i := range f.Scans {
		s := &f.Scans[i]
		places = append(places, fmt.Sprintf("%d/%d/%s", s.Position, s.Record, orDash(s.Line)))
	}
	if f.Total > len(f.Scans) {
		places = append(places, "…")
	}
	return strings.Join(places, " ")
}

// showCounts prints the counts of every kind, and a line between them and the findings.
func showCounts(std streams, counts map[string]int) error {
	table := newTable(std.out)
	for _, kind := range qualityKinds() {
		table.row(kind, counts[kind])
	}
	if err := table.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(std.out)
	return err
}

// showQualities prints the counts of all tests that have findings.
func showQualities(ctx context.Context, std streams, c *client, asJSON bool) error {
	list := listing{
		path: []string{"quality"}, query: url.Values{"limit": {fmt.Sprint(testsPerPage)}}, member: "tests",
		header: []any{"TEST", "STUDENTS", "FINDINGS"},
		row: func(t *table, item []byte) error {
			var test struct {
				ID     string         `json:"id"`
				Count  int            `json:"count"`
				Counts map[string]int `json:"counts"`
			}
			if err := readAnswer(item, &test); err != nil {
				return err
			}
			var found []string
			for _, kind := range qualityKinds() {
				if n := test.Counts[kind]; n > 0 {
					found = append(found, fmt.Sprintf("%d %s", n, kind))
				}
			}
			t.row(test.ID, test.Count, strings.Join(found, ", "))
			return nil
		},
	}
	return list.show(ctx, std, c, asJSON)
}
