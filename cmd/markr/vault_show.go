package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/engine/exam"
	"markr/wal"
	"markr/wal/entry"
)

func newVaultShow(std streams) *cli.Command {
	var (
		dir    string
		asJSON bool
	)
	return &cli.Command{
		Name:        "show",
		Usage:       "show all that is known of one document, or of another change",
		UsageText:   "markr vault show 17\nmarkr vault show 01990f3c-7a3e-7c55-a0a4-0c9a3d0c2b11 --json",
		ArgsUsage:   "ID | POSITION",
		Description: "What the server noted when the document arrived. The document itself is read with `markr vault dump`. At the position of a change that is no document, what `markr vault audit` lists of it.",
		Flags:       []cli.Flag{vaultFlag(&dir), jsonFlag("print one JSON object", &asJSON)},
		Action: func(_ context.Context, cmd *cli.Command) error {
			which, err := parseReference(cmd)
			if err != nil {
				return err
			}
			return withVault(dir, func(vault *wal.Vault) error {
				found, err := which.find(vault)
				if err != nil {
					return err
				}
				if found.Outcome == entry.Event {
					return showChange(std.out, vault, found.Position, asJSON)
				}
				return showEntry(std.out, &found.Header, asJSON)
			})
		},
	}
}

func showEntry(out io.Writer, header *entry.Header, asJSON bool) error {
	known, err := engine.Describe(*header)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(newImportJSON(header, &known))
	}
	table := newTable(out)
	table.row("position", header.Position)
	table.row("import id", header.ID)
	table.row("received", header.Received.UTC().Format("2006-01-02 15:04:05.000000Z"))
	table.row("source", header.Source)
	table.row("media type", header.MediaType)
	table.row("size", header.Size)
	table.row("digest", hex.EncodeToString(header.Digest[:]))
	table.row("outcome", header.Outcome)
	if aim := aimOf(&known); aim != "" {
		what, id, _ := strings.Cut(aim, " ")
		table.row(what, id)
	}
	switch header.Outcome {
	case entry.Refused:
		if known.Refusal != nil {
			table.row("code", known.Refusal.Code)
			table.row("reason", known.Refusal)
		}
	case entry.Duplicate:
		table.row("repeats", fmt.Sprintf("position %d", header.DuplicateOf))
		fallthrough
	case entry.Accepted:
		table.row("records", known.Records)
		table.row("tests", listTests(known.TestIDs))
		table.row("findings", fmt.Sprintf("%d bad scanned-on, %d bad answers", known.Findings.BadScannedOn, known.Findings.BadAnswers))
	case entry.Event: // It is shown as a change.
	}
	return table.flush()
}

// showChange shows a change that is no document.
func showChange(out io.Writer, vault *wal.Vault, at entry.Position, asJSON bool) error {
	codec, err := entry.NewCodec()
	if err != nil {
		return err
	}
	changes, err := engine.ListChanges(vault, codec, at+1, false, 1)
	if err != nil {
		return explainEntry(err, fmt.Sprintf("position %d", at))
	}
	wire := newChangeJSON(&changes[0])
	if asJSON {
		return json.NewEncoder(out).Encode(wire)
	}
	table := newTable(out)
	table.row("position", wire.Position)
	table.row("time", wire.Time.Format("2006-01-02 15:04:05.000000Z"))
	table.row("who", wire.Who)
	table.row("what", wire.What)
	table.row("outcome", wire.Outcome)
	table.row("change", changes[0].Event)
	table.row("chain", wire.Chain)
	return table.flush()
}

func newVaultDump(std streams) *cli.Command {
	var dir string
	return &cli.Command{
		Name:        "dump",
		Usage:       "print one document as it was received",
		UsageText:   "markr vault dump 17 > scan.xml\nmarkr vault dump 17 | sha256sum",
		ArgsUsage:   "ID | POSITION",
		Description: "Prints the bytes that arrived, after their content coding was taken off, checked against the digest that was kept with them. For a duplicate these are the bytes it repeats, for a change that is no document what was recorded of it, as JSON.",
		Flags:       []cli.Flag{vaultFlag(&dir)},
		Action: func(_ context.Context, cmd *cli.Command) error {
			which, err := parseReference(cmd)
			if err != nil {
				return err
			}
			return withVault(dir, func(vault *wal.Vault) error {
				return dumpEntry(std.out, vault, which)
			})
		},
	}
}

func dumpEntry(out io.Writer, vault *wal.Vault, which reference) error {
	found, err := which.find(vault)
	if err == nil && found.Outcome == entry.Duplicate {
		found, err = reference{position: found.DuplicateOf}.find(vault)
	}
	if err != nil {
		return err
	}
	codec, err := entry.NewCodec()
	if err != nil {
		return err
	}
	raw, err := codec.Raw(found, nil)
	if err != nil {
		return explainEntry(err, fmt.Sprintf("position %d", found.Position))
	}
	_, err = out.Write(raw)
	return err
}

// aimOf says which refused import a document corrects or retries; empty: none.
func aimOf(known *engine.Import) string {
	switch {
	case known.Corrects != uuid.Nil:
		return "corrects " + known.Corrects.String()
	case known.Retries != uuid.Nil:
		return "retries " + known.Retries.String()
	}
	return ""
}

// listTests names tests; an import remembers no more than so many.
func listTests(ids []exam.TestID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	text := strings.Join(names, ", ")
	if len(ids) == engine.TestIDsListed {
		text += " and perhaps more"
	}
	return text
}
