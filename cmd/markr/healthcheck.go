package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/urfave/cli/v3"
)

func newHealthcheck(std streams) *cli.Command {
	var (
		address string
		timeout time.Duration
	)
	return &cli.Command{
		Name:        "healthcheck",
		Usage:       "ask a server whether it is ready",
		UsageText:   "markr healthcheck\nmarkr healthcheck --url http://127.0.0.1:4567/livez",
		Description: "Exits 0 when the answer is 200, and 4 when it is anything else or does not come in time. Made for HEALTHCHECK in an image without a shell. /readyz fails while the server reads its log, drains, or cannot take imports; /livez fails only when the process does not answer.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "ask `URL`", Value: serverDefault + "/readyz", Destination: &address},
			&cli.DurationFlag{Name: "timeout", Usage: "wait no longer than `DURATION`", Value: 3 * time.Second, Destination: &timeout},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			c, err := newClient("url", address, 1)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String(), http.NoBody)
			if err != nil {
				return usageError(err)
			}
			a, err := c.do(request)
			if err != nil {
				return err
			}
			if a.status != http.StatusOK {
				return unreachableError(fmt.Errorf("%s: %w", c.base, readProblem(a)))
			}
			_, err = fmt.Fprintln(std.out, "ready")
			return err
		},
	}
}
