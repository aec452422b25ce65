package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"markr/wal"
	"markr/wal/entry"
)

func newVaultVerify(std streams) *cli.Command {
	var (
		dir    string
		asJSON bool
	)
	return &cli.Command{
		Name:        "verify",
		Usage:       "read everything and check that it is what was written",
		UsageText:   "markr vault verify\nmarkr vault verify --data-dir /var/lib/markr --json",
		Description: "Reads every entry and checks its checksums, its place in the order, the digest of its document, and every index. Exits 0 when all is whole; otherwise lists what is damaged, names the first position, and exits 1. Nothing is repaired: nobody can tell what was lost.",
		Flags:       []cli.Flag{vaultFlag(&dir), jsonFlag("print one JSON object", &asJSON)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return withVault(dir, func(vault *wal.Vault) error {
				return verifyVault(ctx, std, vault, dir, asJSON)
			})
		},
	}
}

// verifyVault checks a vault and tells what was found.
func verifyVault(ctx context.Context, std streams, vault *wal.Vault, dir string, asJSON bool) error {
	bar := newProgress(std.err, int(vault.Last()), "positions")
	report, err := vault.Verify(ctx, func(at entry.Position) { bar.set(int(at)) })
	bar.finish()
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		return fmt.Errorf("verify %s after position %d: %w", dir, report.Through, err)
	}
	if asJSON {
		err = json.NewEncoder(std.out).Encode(newVerifyJSON(&report))
	} else {
		err = writeVerify(std.out, &report)
	}
	if err != nil || report.Err() == nil {
		return err
	}
	return withHint(fmt.Errorf("%s is damaged: %w", dir, report.Err()), saveHint(report.Findings[0], dir))
}

// saveHint is what is left to do with damage at one place.
func saveHint(first *entry.DamagedError, dir string) string {
	const advice = "put back a copy of the directory"
	if first.Position == 0 {
		return advice
	}
	return fmt.Sprintf("%s; what is known of this document: `markr vault show %d --data-dir %s`, and whole documents are saved with `markr vault dump`",
		advice, first.Position, dir)
}

// writeVerify tells a person.
func writeVerify(out io.Writer, report *wal.Report) error {
	var b strings.Builder
	for _, finding := range report.Findings {
		fmt.Fprintln(&b, finding)
	}
	if report.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", report.More)
	}
	verdict := "all is whole"
	if n := uint64(len(report.Findings)) + report.More; n > 0 {
		verdict = counted(int(n), "finding")
	}
	fmt.Fprintf(&b, "%d entries up to position %d: %s\n", report.Entries, report.Through, verdict)
	_, err := io.WriteString(out, b.String())
	return err
}

// verifyJSON tells a program.
type verifyJSON struct {
	Entries  uint64         `json:"entries"`
	Through  entry.Position `json:"through"`
	Findings []findingJSON  `json:"findings"`
	More     uint64         `json:"more_findings"`
}

type findingJSON struct {
	Position entry.Position `json:"position"` // 0: in no entry
	What     string         `json:"what"`
}

func newVerifyJSON(report *wal.Report) verifyJSON {
	wire := verifyJSON{Entries: report.Entries, Through: report.Through, Findings: []findingJSON{}, More: report.More}
	for _, finding := range report.Findings {
		wire.Findings = append(wire.Findings, findingJSON{finding.Position, finding.What})
	}
	return wire
}
