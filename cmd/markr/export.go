package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
)

// exportFormats are the formats that the server writes; the first is the default.
//
//nolint:gochecknoglobals // A table.
var exportFormats = []string{"ndjson", "csv", "json"}

const exportDescription = `One row for each student: the student number, the marks of the scan that counts, their percentage and percentile rank, and the import and record that the scan is from. All rows stand for one position of the log, which is told on standard error; imports go on meanwhile. With --at the rows are what they were then, under the scoring rule that holds now.

With --out, the file appears when it is complete, and only its owner can read it. In CSV, ids that begin with = + - @ or an apostrophe have an apostrophe in front of them, so that no spreadsheet takes them for formulas.`

func newExport(std streams) *cli.Command {
	var (
		server, bearer, format, out string
		at                          uint64
	)
	return &cli.Command{
		Name:        "export",
		Usage:       "write every student of a test with the marks that count",
		UsageText:   "markr export 9863 > 9863.ndjson\nmarkr export 9863 -o 9863.csv\nmarkr export 9863 --format json --at 1000",
		ArgsUsage:   "TEST",
		Description: exportDescription,
		Flags: []cli.Flag{
			serverFlag(&server),
			bearerFlag(&bearer),
			&cli.StringFlag{
				Name: "format", Usage: "write `FORMAT`: ndjson, csv or json", Destination: &format,
				DefaultText: "by the ending of --out, otherwise ndjson",
				Validator: func(name string) error {
					if name != "" && !slices.Contains(exportFormats, name) {
						return errors.New("must be ndjson, csv or json")
					}
					return nil
				},
			},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write `FILE`; -o for short", Destination: &out, TakesFile: true},
			&cli.Uint64Flag{Name: "at", Usage: "export the test as it was at this `POSITION`", DefaultText: "as it is", Destination: &at},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			test := cmd.Args().First()
			if test == "" {
				return usageError(errors.New("a TEST must be named"))
			}
			c, err := newClient(serverFlagName, server, 1)
			if err != nil {
				return err
			}
			if err := c.present(bearer); err != nil {
				return err
			}
			query := url.Values{"format": {exportFormat(format, out)}}
			if at != 0 {
				query.Set("at", strconv.FormatUint(at, 10))
			}
			return export(ctx, std, c, test, query, out)
		},
	}
}

// exportFormat is the format that is asked for, by name or by the ending of a file.
func exportFormat(name, file string) string {
	ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), ".")
	switch {
	case name != "":
		return name
	case slices.Contains(exportFormats, ending):
		return ending
	}
	return exportFormats[0]
}

// export writes a test's students to a file, or to standard output if it has no name.
func export(ctx context.Context, std streams, c *client, test string, query url.Values, file string) error {
	body, position, err := c.open(ctx, c.url(query, "results", test, "students"))
	if err != nil {
		return explainResult(err, test)
	}
	defer body.Close() //nolint:errcheck // Nothing is lost: it is read to its end.
	var size int64
	if file == "" {
		size, err = io.Copy(std.out, body)
	} else {
		size, err = writeWhole(file, body)
	}
	if err != nil {
		return explainBroken(ctx, c, err)
	}
	note(std.err, "exported test %s as it was at position %s, %d bytes", test, position, size)
	return nil
}

// explainBroken says what to do about an export that did not come to its end.
func explainBroken(ctx context.Context, c *client, err error) error {
	broken, ok := errors.AsType[*readError](err)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ok:
		return withHint(unreachableError(fmt.Errorf("%s ended the export before it was complete: %w", c.server(), broken.error)),
			"export again; what was written is not complete")
	}
	return fmt.Errorf("write export: %w", err)
}

// readError is an answer that broke off, as against a disk that is full.
type readError struct{ error }

// Unwrap gives the cause.
func (e *readError) Unwrap() error { return e.error }

// answerBody is the body of an answer while it is read.
type answerBody struct{ io.ReadCloser }

// Read marks the errors of reading.
func (b answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return n, err
}

// open begins to read an answer of any length, and says which position it stands for.
// The error is that of get.
func (c *client) open(ctx context.Context, address string) (body io.ReadCloser, position string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	response, err := c.begin(request)
	if err != nil {
		return nil, "", err
	}
	if response.StatusCode != http.StatusOK {
		a, err := c.whole(response)
		if err != nil {
			return nil, "", err
		}
		return nil, "", c.failure(a)
	}
	return answerBody{response.Body}, response.Header.Get("Markr-Position"), nil
}

// writeWhole writes a file that is there when it is complete, and not before. What is in
// it is personal, so only its owner can read it.
func writeWhole(name string, from io.Reader) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // For its owner alone.
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	size, err = io.Copy(file, from)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return size, err
	}
	return size, os.Rename(file.Name(), name)
}
