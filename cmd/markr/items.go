package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"
)

func newItems(std streams) *cli.Command {
	var (
		server, bearer, preset string
		asJSON                 bool
	)
	return &cli.Command{
		Name:        "items",
		Usage:       "show what the sheets say of the questions of a test",
		UsageText:   "markr items 9863\nmarkr items 9863 --preset moodle\nmarkr items 9863 --json",
		ArgsUsage:   "TEST",
		Description: "The classical statistics of a test and its questions: how hard each is (facility, percent), how well it tells good students from weak ones (item-rest correlation, and D of the upper and the lower 27 %), Cronbach's alpha without it, and why somebody should look at it. --json prints what the server answers.",
		Flags: []cli.Flag{
			serverFlag(&server),
			bearerFlag(&bearer),
			&cli.StringFlag{Name: "preset", Usage: "judge questions as `NAME` does: ebel, blackboard or moodle", Value: "ebel", Destination: &preset, Validator: oneOf("ebel", "blackboard", "moodle")},
			jsonFlag("print JSON", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			if cmd.Args().First() == "" {
				return withHint(usageError(errors.New("no TEST is named")), "see `markr items --help`")
			}
			c, err := newClient(serverFlagName, server, 1)
			if err != nil {
				return err
			}
			if err := c.present(bearer); err != nil {
				return err
			}
			test := cmd.Args().First()
			body, err := c.get(ctx, c.url(url.Values{"preset": {preset}}, "results", test, "items"))
			if err != nil {
				return explainResult(err, test)
			}
			if asJSON {
				_, err := fmt.Fprintf(std.out, "%s\n", body)
				return err
			}
			return writeItems(std, body)
		},
	}
}

// listedItems is an item analysis, as far as it is shown. Numbers are as the server wrote
// them, or null.
type listedItems struct {
	Sheets    int             `json:"sheets"`
	LeftOut   int             `json:"left_out"`
	Limit     *string         `json:"limit"`
	Available json.RawMessage `json:"available"`
	Mean      *float64        `json:"mean"`
	StdDev    *float64        `json:"stddev"`
	Alpha     *float64        `json:"alpha"`
	SEM       *float64        `json:"sem"`
	Flags     []string        `json:"flags"`
	Questions []listedItem    `json:"questions"`
}

type listedItem struct {
	Question       string   `json:"question"`
	Sheets         int      `json:"sheets"`
	Omitted        int      `json:"omitted"`
	Facility       *float64 `json:"facility"`
	ItemRest       *float64 `json:"item_rest"`
	D              *float64 `json:"discrimination_27"`
	AlphaIfDeleted *float64 `json:"alpha_if_deleted"`
	Key            []string `json:"key"`
	Band           *string  `json:"band"`
	Flags          []string `json:"flags"`
}

// rounded is a figure as a table has room for it.
func rounded(figure *float64, decimals int) string {
	if figure == nil {
		return "-"
	}
	return fmt.Sprintf("%.*f", decimals, *figure)
}

// writeItems prints the figures of the test, and a line for each question.
func writeItems(std streams, body []byte) error {
	var items listedItems
	if err := readAnswer(body, &items); err != nil {
		return err
	}
	head := newTable(std.out)
	head.row("sheets", items.Sheets)
	head.row("left out", items.LeftOut)
	head.row("available marks", string(items.Available))
	head.row("mean marks", rounded(items.Mean, 2))
	head.row("standard deviation", rounded(items.StdDev, 2))
	head.row("Cronbach's alpha", rounded(items.Alpha, 3))
	head.row("standard error", rounded(items.SEM, 2))
	head.row("to be minded", listOrDash(items.Flags))
	if items.Limit != nil {
		head.row("too many", *items.Limit)
	}
	if err := head.flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.out); err != nil {
		return err
	}
	table := newTable(std.out)
	table.row("QUESTION", "SHEETS", "OMITTED", "FACILITY %", "ITEM-REST", "D", "ALPHA WITHOUT", "KEY", "BAND", "FLAGS")
	for i := range items.Questions {
		q := &items.Questions[i]
		table.row(q.Question, q.Sheets, q.Omitted, rounded(q.Facility, 1), rounded(q.ItemRest, 2), rounded(q.D, 2),
			rounded(q.AlphaIfDeleted, 3), listOrDash(q.Key), orDash(q.Band), listOrDash(q.Flags))
	}
	return table.flush()
}

// listOrDash is a list in one cell.
func listOrDash(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}
