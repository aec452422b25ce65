package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/urfave/cli/v3"
)

// stepsPerPage is how many steps of a history are asked for at a time, the most the
// server gives.
const stepsPerPage = 1000

func newExplain(std streams) *cli.Command {
	var (
		server, bearer, student string
		from, to                uint64
		asJSON                  bool
	)
	return &cli.Command{
		Name:      "explain",
		Usage:     "say where a test's statistics or a student's marks come from",
		UsageText: "markr explain 9863\nmarkr explain 9863 --from 1000 --to 1100\nmarkr explain 9863 --student 2319",
		ArgsUsage: "TEST",
		Description: "Without --student: every document that named the test, what its records did, and the mean and count after it, under the rule of that time; and every change of the rule. With --student: the marks that count, and every scan that was considered, with its document, record and line, and why it counts or not. " +
			"--json prints what the server answers, for a history one document per line.",
		Flags: []cli.Flag{
			serverFlag(&server),
			bearerFlag(&bearer),
			&cli.StringFlag{Name: "student", Usage: "explain the marks of the student with this `NUMBER`", Destination: &student},
			&cli.Uint64Flag{Name: "from", Usage: "show documents from this `POSITION` on", Destination: &from},
			&cli.Uint64Flag{Name: "to", Usage: "show documents up to this `POSITION`", Destination: &to},
			jsonFlag("print JSON", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			test := cmd.Args().First()
			switch {
			case test == "":
				return usageError(errors.New("a TEST must be named"))
			case student != "" && (from != 0 || to != 0):
				return usageError(errors.New("--from and --to are for a test's documents, and a --student is named"))
			}
			c, err := newClient(serverFlagName, server, 1)
			if err != nil {
				return err
			}
			if err := c.present(bearer); err != nil {
				return err
			}
			if student != "" {
				return explainStudent(ctx, std, c, test, student, asJSON)
			}
			query := url.Values{"limit": {fmt.Sprint(stepsPerPage)}}
			if from != 0 {
				query.Set("from", fmt.Sprint(from))
			}
			if to != 0 {
				query.Set("to", fmt.Sprint(to))
			}
			return explainTest(ctx, std, c, test, query, asJSON)
		},
	}
}

// studentTrace is what the server says of a student, as far as it is shown.
type studentTrace struct {
	Scoring        string      `json:"scoring"`
	Denominator    string      `json:"denominator"`
	Obtained       json.Number `json:"obtained"`
	Available      json.Number `json:"available"`
	Percentage     json.Number `json:"percentage"`
	PercentileRank json.Number `json:"percentile_rank"`
	Count          int         `json:"count"`
	ScansTotal     int         `json:"scans_total"`
	Scans          []struct {
		Position  uint64      `json:"position"`
		ImportID  string      `json:"import_id"`
		Source    string      `json:"source"`
		Record    int         `json:"record"`
		Line      *int        `json:"line"`
		FirstName *string     `json:"first_name"`
		LastName  *string     `json:"last_name"`
		ScannedOn *string     `json:"scanned_on"`
		Obtained  json.Number `json:"obtained"`
		Available json.Number `json:"available"`
		Kept      bool        `json:"kept"`
		Why       string      `json:"why"`
	} `json:"scans"`
}

// explainStudent prints one student's scans.
func explainStudent(ctx context.Context, std streams, c *client, test, student string, asJSON bool) error {
	body, err := c.get(ctx, c.url(nil, "results", test, "students", student))
	if err != nil {
		return explainResult(err, test)
	}
	if asJSON {
		_, err := fmt.Fprintf(std.out, "%s\n", body)
		return err
	}
	var trace studentTrace
	if err := json.Unmarshal(body, &trace); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	head := newTable(std.out)
	head.row("test", test)
	head.row("student", student)
	head.row("marks", fmt.Sprintf("%v of %v, %v %%", trace.Obtained, trace.Available, trace.Percentage))
	head.row("percentile rank", fmt.Sprintf("%v among %s", trace.PercentileRank, counted(trace.Count, "student")))
	head.row("rule", fmt.Sprintf("%s, percent of the %s's available marks", trace.Scoring, trace.Denominator))
	head.row("scans", trace.ScansTotal)
	if err := head.flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.out); err != nil {
		return err
	}
	scans := newTable(std.out)
	scans.row("COUNTS", "MARKS", "POSITION", "RECORD", "LINE", "SCANNED ON", "NAME", "SOURCE", "IMPORT", "THE SCAN")
	for i := range trace.Scans {
		s := &trace.Scans[i]
		counts := "no"
		if s.Kept {
			counts = "yes"
		}
		scans.row(counts, fmt.Sprintf("%v/%v", s.Obtained, s.Available), s.Position, s.Record, orDash(s.Line), orDash(s.ScannedOn),
			orDash(s.FirstName)+" "+orDash(s.LastName), s.Source, s.ImportID, s.Why)
	}
	return scans.flush()
}

// orDash is a dash for what the document does not say.
func orDash[T any](value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprint(*value)
}

// historyStep is a step of a test's history, as far as it is shown.
type historyStep struct {
	Position  uint64    `json:"position"`
	Received  time.Time `json:"received"`
	ImportID  *string   `json:"import_id"`
	Source    string    `json:"source"`
	What      string    `json:"what"`
	Rule      ruleState `json:"rule"`
	Records   int       `json:"records"`
	Added     int       `json:"students_added"`
	Raised    int       `json:"marks_raised"`
	Aggregate struct {
		Mean  json.Number `json:"mean"`
		Count int         `json:"count"`
	} `json:"aggregate"`
}

// explainTest prints what every document and every rule did to a test.
func explainTest(ctx context.Context, std streams, c *client, test string, query url.Values, asJSON bool) error {
	list := listing{
		path: []string{"results", test, "history"}, query: query, member: "steps",
		header: []any{"POSITION", "RECEIVED", "RECORDS", "ADDED", "RAISED", "STUDENTS", "MEAN %", "SOURCE", "IMPORT"},
		row: func(t *table, item []byte) error {
			var s historyStep
			if err := readAnswer(item, &s); err != nil {
				return err
			}
			from := orDash(s.ImportID)
			if s.ImportID == nil {
				from = fmt.Sprintf("%s: %v from here on", s.What, s.Rule)
			}
			t.row(s.Position, formatTime(s.Received), s.Records, s.Added, s.Raised, s.Aggregate.Count, s.Aggregate.Mean, s.Source, from)
			return nil
		},
	}
	return explainResult(list.show(ctx, std, c, asJSON), test)
}
