package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

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
		Usage:       "show all that is known of one document",
		UsageText:   "markr vault show 17\nmarkr vault show 01990f3c-7a3e-7c55-a0a4-0c9a3d0c2b11 --json",
		ArgsUsage:   "ID | POSITION",
		Description: "What the server noted when the document arrived. The document itself is read with `markr vault dump`.",
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
	}
	return table.flush()
}

func newVaultDump(std streams) *cli.Command {
	var dir string
	return &cli.Command{
		Name:        "dump",
		Usage:       "print one document as it was received",
		UsageText:   "markr vault dump 17 > scan.xml\nmarkr vault dump 17 | sha256sum",
		ArgsUsage:   "ID | POSITION",
		Description: "Prints the bytes that arrived, after their content coding was taken off, checked against the digest that was kept with them. For a duplicate these are the bytes it repeats.",
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
