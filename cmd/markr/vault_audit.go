package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/wal"
	"markr/wal/entry"
)

func newVaultAudit(std streams) *cli.Command {
	var (
		dir    string
		limit  int
		events bool
		asJSON bool
	)
	return &cli.Command{
		Name:        "audit",
		Usage:       "list who changed what, newest first",
		UsageText:   "markr vault audit\nmarkr vault audit --events --limit 0\nmarkr vault audit --json",
		Description: "One line per change of data or rules, and per backup: position, time (UTC), who, what, outcome, and what is in force from there on. Imports are changes, too; --events leaves them out. With --json each line has its chain value, which covers it and all before it that were not refused.",
		Flags: []cli.Flag{
			vaultFlag(&dir),
			&cli.BoolFlag{Name: "events", Usage: "list only changes that are no imports", Destination: &events},
			&cli.IntFlag{Name: "limit", Usage: "list at most `N`, 0 lists all", Value: 50, Destination: &limit, Validator: within(0, 1<<53)},
			jsonFlag("print one JSON object per change", &asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return withVault(dir, func(vault *wal.Vault) error {
				return listAudit(ctx, std.out, vault, events, limit, asJSON)
			})
		},
	}
}

// listAudit prints the audit trail, page by page.
func listAudit(ctx context.Context, out io.Writer, vault *wal.Vault, events bool, limit int, asJSON bool) error {
	codec, err := entry.NewCodec()
	if err != nil {
		return err
	}
	table := newTable(out)
	if !asJSON {
		table.row("POSITION", "TIME", "WHO", "WHAT", "OUTCOME", "CHANGE")
	}
	var before entry.Position // 0: from the newest on
	for listed := 0; limit == 0 || listed < limit; {
		page := headersPerPage
		if limit > 0 {
			page = min(page, limit-listed)
		}
		changes, err := engine.ListChanges(vault, codec, before, events, page)
		if err != nil {
			return explainEntry(err, "list")
		}
		for i := range changes {
			if err := listChange(out, table, &changes[i], asJSON); err != nil {
				return err
			}
		}
		if len(changes) < page || ctx.Err() != nil {
			break
		}
		listed += len(changes)
		before = changes[len(changes)-1].Position
	}
	if err := table.flush(); err != nil {
		return err
	}
	return ctx.Err()
}

func listChange(out io.Writer, table *table, change *engine.Change, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(newChangeJSON(change))
	}
	wire := newChangeJSON(change)
	what := ""
	if change.Event != nil {
		what = change.Event.String()
	}
	table.row(change.Position, formatTime(change.Time), wire.Who, wire.What, wire.Outcome, what)
	return nil
}

// changeJSON is a line of the audit trail for programs: the shape of GET /audit.
type changeJSON struct {
	Position entry.Position `json:"position"`
	Time     time.Time      `json:"time"`
	Who      string         `json:"who"`
	What     string         `json:"what"`
	Outcome  string         `json:"outcome"`
	Reason   *string        `json:"reason"`
	ImportID *uuid.UUID     `json:"import_id"`
	Change   any            `json:"change"`
	Chain    string         `json:"chain"`
}

func newChangeJSON(change *engine.Change) changeJSON {
	wire := changeJSON{
		Position: change.Position, Time: change.Time.UTC(), Who: change.Who, What: "import",
		Outcome: change.Outcome.String(), Chain: hex.EncodeToString(change.Chain[:]),
	}
	if change.Event == nil {
		wire.ImportID = &change.Import
		return wire
	}
	wire.What, wire.Outcome, wire.Change = string(change.Event.Action), string(change.Event.Outcome), change.Event.Change()
	if change.Event.Reason != "" {
		wire.Reason = &change.Event.Reason
	}
	return wire
}
