package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/wal"
	"markr/wal/entry"
)

// headersPerPage is how many headers are read at a time.
const headersPerPage = 1000

func newVaultList(std streams) *cli.Command {
	var (
		dir, outcome string
		limit        int
		asJSON       bool
	)
	return &cli.Command{
		Name:        "list",
		Usage:       "list what arrived, newest first",
		UsageText:   "markr vault list\nmarkr vault list --outcome refused --limit 0\nmarkr vault list --json",
		Description: "One line per document: position, time received (UTC), outcome, records, size, import id, and why it was refused, which position it repeats, and which refused import it corrects or retries.",
		Flags: []cli.Flag{
			vaultFlag(&dir),
			&cli.StringFlag{
				Name: "outcome", Usage: "list only documents with `OUTCOME` accepted, refused or duplicate", Destination: &outcome,
				Validator: oneOf("", entry.Accepted.String(), entry.Refused.String(), entry.Duplicate.String()),
			},
			&cli.IntFlag{Name: "limit", Usage: "list at most `N`, 0 lists all", Value: 50, Destination: &limit, Validator: within(0, 1<<53)},
			jsonFlag("print one JSON object per document", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return withVault(dir, func(vault *wal.Vault) error {
				return listVault(ctx, std.out, vault, outcomeOf(outcome), limit, asJSON)
			})
		},
	}
}

// outcomeOf is the outcome of a name that the flag has checked; 0 stands for all.
func outcomeOf(name string) entry.Outcome {
	for _, outcome := range []entry.Outcome{entry.Accepted, entry.Refused, entry.Duplicate} {
		if outcome.String() == name {
			return outcome
		}
	}
	return 0
}

// listVault prints headers, page by page.
func listVault(ctx context.Context, out io.Writer, vault *wal.Vault, outcome entry.Outcome, limit int, asJSON bool) error {
	table := newTable(out)
	if !asJSON {
		table.row("POSITION", "RECEIVED", "OUTCOME", "RECORDS", "SIZE", "IMPORT ID", "REASON")
	}
	var before entry.Position // 0: from the newest on
	for listed := 0; limit == 0 || listed < limit; {
		page := headersPerPage
		if limit > 0 {
			page = min(page, limit-listed)
		}
		headers, err := vault.Headers(before, outcome, page)
		if err != nil {
			return explainEntry(err, "list")
		}
		for i := range headers {
			if headers[i].Outcome == entry.Event {
				continue // It is no document: `vault audit` lists it.
			}
			listed++
			if err := listEntry(out, table, &headers[i], asJSON); err != nil {
				return err
			}
		}
		if len(headers) < page || ctx.Err() != nil {
			break
		}
		before = headers[len(headers)-1].Position
	}
	if err := table.flush(); err != nil {
		return err
	}
	return ctx.Err()
}

func listEntry(out io.Writer, table *table, header *entry.Header, asJSON bool) error {
	known, err := engine.Describe(*header)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(newImportJSON(header, &known))
	}
	var reasons []string
	if aim := aimOf(&known); aim != "" {
		reasons = append(reasons, aim)
	}
	switch {
	case known.Refusal != nil:
		reasons = append(reasons, string(known.Refusal.Code)+": "+known.Refusal.Error())
	case header.Outcome == entry.Duplicate:
		reasons = append(reasons, fmt.Sprintf("repeats position %d", header.DuplicateOf))
	}
	table.row(header.Position, formatTime(header.Received), header.Outcome, known.Records,
		approximate(header.Size), header.ID, strings.Join(reasons, "; "))
	return nil
}
