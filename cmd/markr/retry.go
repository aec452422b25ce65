package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/urfave/cli/v3"
)

const retryDescription = `Has a running server read refused documents again, from its vault, after a rule or a format has been mended. One that is accepted now counts as any other, and the refused import is resolved. One that is refused again changes nothing.

One line per import goes to standard output. IDs are those that the server has answered, ` + "`markr vault list --outcome refused`" + ` and the desk show. It takes a token with the scopes import and read, if the server asks for one.

Exit status: 0 everything was accepted, 3 something was refused again, is not refused or is resolved already, 4 the server could not be reached or did not become ready.`

func newRetry(std streams) *cli.Command {
	o := importOptions{jobs: 1}
	return &cli.Command{
		Name:        "retry",
		Usage:       "have refused documents read again",
		UsageText:   "markr retry 01990f3c-7a3e-7c55-a0a4-0c9a3d0c2b11",
		ArgsUsage:   "ID...",
		Description: retryDescription,
		Flags: []cli.Flag{
			serverFlag(&o.server),
			bearerFlag(&o.bearer),
			&cli.DurationFlag{
				Name: "retry-for", Usage: "ask for up to `DURATION` while the server is not ready; 0s asks once",
				Value: 30 * time.Second, Destination: &o.retryFor,
				Validator: notNegative,
			},
			jsonFlag("print one JSON object per import: retries, status, and the server's answer", &o.asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if !cmd.Args().Present() {
				return withHint(usageError(errors.New("which refused import?")), "name it by its id, see `markr retry --help`")
			}
			var again []document
			for _, id := range cmd.Args().Slice() {
				if err := importID(id); err != nil {
					return usageError(err)
				}
				again = append(again, refusedDocument(id))
			}
			c, err := newClient(serverFlagName, o.server, o.jobs)
			if err == nil {
				err = c.present(o.bearer)
			}
			if err != nil {
				return err
			}
			return importAll(ctx, std, newSender(c, &o, std.err), again, o)
		},
	}
}

// refusedDocument is a document that the server has already.
func refusedDocument(id string) document {
	return document{
		name: id, to: []string{"imports", id, "retry"},
		open: func() (io.ReadCloser, int64, error) { return http.NoBody, 0, nil },
	}
}
