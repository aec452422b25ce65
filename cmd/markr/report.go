package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"os"
	"time"

	"github.com/urfave/cli/v3"
)

const reportDescription = `Writes one page about a test that stands for itself: figures, distribution, grades, every question with what is to be looked at, and what is odd about the scans. It needs nothing else to be looked at or printed (A4), opens no connection, and names no student. It is written in one piece from one state of the server; when papers keep coming in meanwhile it says so.`

// reportOptions are the flags of the verb.
type reportOptions struct {
	server, bearer  string
	output          string // empty: standard output
	cut, boundaries string
	preset          string
}

func newReport(std streams) *cli.Command {
	var o reportOptions
	return &cli.Command{
		Name:        "report",
		Usage:       "write a page about a test, to be printed or mailed",
		UsageText:   "markr report 9863 -o report.html\nmarkr report 9863 --cut 40 --boundaries A:80,B:65,C:50 > report.html",
		ArgsUsage:   "TEST",
		Description: reportDescription,
		Flags: []cli.Flag{
			serverFlag(&o.server),
			bearerFlag(&o.bearer),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE` instead of standard output", TakesFile: true, Destination: &o.output},
			&cli.StringFlag{Name: "cut", Usage: "pass from `PERCENT` on", Value: "50", Destination: &o.cut},
			&cli.StringFlag{Name: "boundaries", Usage: "show grades with the boundaries in `LIST`, in percent, like A:80,B:65", Destination: &o.boundaries},
			&cli.StringFlag{Name: "preset", Usage: "judge questions as `NAME` does: ebel, blackboard or moodle", Value: "ebel", Destination: &o.preset, Validator: oneOf("ebel", "blackboard", "moodle")},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			test := cmd.Args().First()
			if test == "" {
				return withHint(usageError(errors.New("no TEST is named")), "`markr results` lists the tests")
			}
			c, err := newClient(serverFlagName, o.server, 1)
			if err != nil {
				return err
			}
			if err := c.present(o.bearer); err != nil {
				return err
			}
			return writeReport(ctx, std, c, test, o)
		},
	}
}

//go:embed report.html
var reportPage string

// writeReport reads what a report says and writes it. The file is not touched when
// something of it cannot be had.
func writeReport(ctx context.Context, std streams, c *client, test string, o reportOptions) error {
	source, err := readReport(ctx, c, test, o)
	if err != nil {
		return explainResult(err, test)
	}
	page, err := template.New("report").Parse(reportPage)
	if err != nil {
		return fmt.Errorf("read the report's page: %w", err)
	}
	var body bytes.Buffer
	if err := page.Execute(&body, newReportView(source, readBuild().Version, time.Now())); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if o.output == "" {
		_, err := std.out.Write(body.Bytes())
		return err
	}
	if err := os.WriteFile(o.output, body.Bytes(), 0o666); err != nil {
		return withHint(err, "name another file with --output")
	}
	return nil
}
