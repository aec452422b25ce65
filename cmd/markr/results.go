package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"
)

// testsPerPage is how many tests are asked for at a time, the most the server
// gives.
const testsPerPage = 1000

func newResults(std streams) *cli.Command {
	var (
		server, bearer      string
		percentiles, prefix string
		bins                int
		asJSON              bool
	)
	return &cli.Command{
		Name:        "results",
		Usage:       "show the statistics of a test, or list the tests",
		UsageText:   "markr results\nmarkr results 9863\nmarkr results 9863 --percentiles 10,90,99.9 --json\nmarkr results 9863 --histogram 20",
		ArgsUsage:   "[TEST]",
		Description: "With a TEST: mean, standard deviation of the population, extremes, percentiles and count, in percent of the available marks. Without: every test with its count, mean and latest import. --json prints what the server answers, each answer on a line, for a list one test per line.",
		Flags: []cli.Flag{
			serverFlag(&server),
			bearerFlag(&bearer),
			&cli.StringFlag{Name: "percentiles", Usage: "show these percentiles too: a `LIST` like 10,90,99.9", Destination: &percentiles},
			&cli.IntFlag{
				Name: "histogram", Usage: "draw a histogram of so many `BINS` too", DefaultText: "none", Destination: &bins, Validator: within(0, 1000),
			},
			&cli.StringFlag{Name: "prefix", Usage: "list only tests whose id starts with `TEXT`", Destination: &prefix},
			jsonFlag("print JSON", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			test := cmd.Args().First()
			switch {
			case test != "" && prefix != "":
				return usageError(errors.New("--prefix is for the list of tests, and a TEST is named"))
			case test == "" && percentiles != "":
				return usageError(errors.New("--percentiles are those of a test, and no TEST is named"))
			case test == "" && bins != 0:
				return usageError(errors.New("--histogram is of a test, and no TEST is named"))
			}
			c, err := newClient(serverFlagName, server, 1)
			if err != nil {
				return err
			}
			if err := c.present(bearer); err != nil {
				return err
			}
			if test != "" {
				if err := showResult(ctx, std, c, test, percentiles, asJSON); err != nil || bins == 0 {
					return err
				}
				return showHistogram(ctx, std, c, test, bins, asJSON)
			}
			return listResults(ctx, std, c, prefix, asJSON)
		},
	}
}

// showResult prints the figures of one test.
func showResult(ctx context.Context, std streams, c *client, test, percentiles string, asJSON bool) error {
	query := url.Values{}
	if percentiles != "" {
		query.Set("percentiles", percentiles)
	}
	body, err := c.get(ctx, c.url(query, "results", test, "aggregate"))
	if err != nil {
		return explainResult(err, test)
	}
	if asJSON {
		_, err := fmt.Fprintf(std.out, "%s\n", body)
		return err
	}
	return writeFigures(std, test, body)
}

// figureNames are the members of an aggregate in the order they are shown, with
// the words a person reads.
//
//nolint:gochecknoglobals // A table.
var figureNames = []struct{ member, words string }{
	{"count", "students"},
	{"mean", "mean %"},
	{"stddev", "standard deviation"},
	{"min", "lowest"},
	{"p25", "25th percentile"},
	{"p50", "median"},
	{"p75", "75th percentile"},
	{"max", "highest"},
}

// writeFigures prints an aggregate as a table. Numbers are shown as the server
// wrote them: it rounds once, and nobody after it.
func writeFigures(std streams, test string, body []byte) error {
	var figures map[string]json.RawMessage
	if err := json.Unmarshal(body, &figures); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	table := newTable(std.out)
	table.row("test", test)
	for _, f := range figureNames {
		table.row(f.words, string(figures[f.member]))
	}
	var percentiles map[string]json.Number
	if list, given := figures["percentiles"]; given {
		if err := json.Unmarshal(list, &percentiles); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
	}
	byPercent := func(a, b string) int {
		x, _ := json.Number(a).Float64() // The server names percentiles by numbers.
		y, _ := json.Number(b).Float64()
		return cmp.Compare(x, y)
	}
	for _, percent := range slices.SortedFunc(maps.Keys(percentiles), byPercent) {
		table.row("percentile "+percent, percentiles[percent])
	}
	return table.flush()
}

// listedTest is one test of the list.
type listedTest struct {
	ID         string      `json:"id"`
	Count      int         `json:"count"`
	Mean       json.Number `json:"mean"`
	LastImport struct {
		Received time.Time `json:"received"`
	} `json:"last_import"`
}

// listResults prints all tests.
func listResults(ctx context.Context, std streams, c *client, prefix string, asJSON bool) error {
	query := url.Values{"limit": {strconv.Itoa(testsPerPage)}}
	if prefix != "" {
		query.Set("prefix", prefix)
	}
	list := listing{
		path: []string{"results"}, query: query, member: "tests", header: []any{"TEST", "STUDENTS", "MEAN %", "LAST IMPORT"},
		row: func(t *table, item []byte) error {
			var test listedTest
			if err := readAnswer(item, &test); err != nil {
				return err
			}
			t.row(test.ID, test.Count, test.Mean, formatTime(test.LastImport.Received))
			return nil
		},
	}
	return list.show(ctx, std, c, asJSON)
}

// explainResult says what to do about a test that is not there.
func explainResult(err error, test string) error {
	if p, ok := errors.AsType[*problem](err); ok && p.Code == "unknown_test" {
		return withHint(fmt.Errorf("test %q: %w", test, p), "`markr results` lists the tests")
	}
	return err
}
