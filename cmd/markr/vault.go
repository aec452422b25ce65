package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/wal"
	"markr/wal/entry"
)

const vaultDescription = `The vault is where the server keeps every document that arrived, in order, each at a position. Between them are the changes that are no document: of the rules and of who is let in. These verbs look at it while no server has it open, and write nothing. With a server running, ask the server: GET /imports, GET /audit.`

func newVault(std streams) *cli.Command {
	return &cli.Command{
		Name:        "vault",
		Usage:       "look into a data directory that no server has open",
		UsageText:   "markr vault list --data-dir ./markr-data\nmarkr vault dump 17 > scan.xml\nmarkr vault verify",
		Description: vaultDescription,
		Commands: []*cli.Command{
			newVaultList(std),
			newVaultShow(std),
			newVaultDump(std),
			newVaultAudit(std),
			newVaultVerify(std),
		},
		Action: func(_ context.Context, cmd *cli.Command) error { return missingVerb(std, cmd) },
	}
}

// vaultFlag names the data directory to look into.
func vaultFlag(target *string) cli.Flag {
	return &cli.StringFlag{
		Name: "data-dir", Usage: "look into `DIR`", Value: dataDirDefault, Destination: target,
		TakesFile: true, Validator: notEmpty,
	}
}

// withVault opens a vault for reading, and closes it when look is done.
func withVault(dir string, look func(*wal.Vault) error) error {
	vault, err := wal.Open(wal.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return explainLook(err, dir)
	}
	return errors.Join(look(vault), vault.Close())
}

// reference is how a person names an entry: by import id or by position.
type reference struct {
	id       uuid.UUID
	position entry.Position // 0: by id
}

func parseReference(cmd *cli.Command) (reference, error) {
	text := cmd.Args().First()
	if text == "" {
		return reference{}, withHint(usageError(errors.New("which import?")),
			fmt.Sprintf("name it by position or import id; `markr vault list` shows both, see `%s --help`", cmd.FullName()))
	}
	if err := atMostArguments(cmd, 1); err != nil {
		return reference{}, err
	}
	if position, err := strconv.ParseUint(text, 10, 64); err == nil && position > 0 {
		return reference{position: entry.Position(position)}, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return reference{}, withHint(usageError(fmt.Errorf("%q is neither a position nor an import id", text)),
			"`markr vault list` shows both")
	}
	return reference{id: id}, nil
}

// find reads the entry that is meant.
func (r reference) find(vault *wal.Vault) (*entry.Entry, error) {
	position := r.position
	if position == 0 {
		header, err := vault.Find(r.id)
		if err != nil {
			return nil, explainEntry(err, "import "+r.id.String())
		}
		position = header.Position
	}
	found, err := vault.At(position)
	return found, explainEntry(err, fmt.Sprintf("position %d", position))
}

// importJSON is what the vault verbs print for programs: the shape of GET /imports.
type importJSON struct {
	ID          uuid.UUID       `json:"id"`
	Position    entry.Position  `json:"position"`
	Received    time.Time       `json:"received"`
	Source      string          `json:"source"`
	MediaType   string          `json:"media_type"`
	Size        int64           `json:"size"`
	Digest      string          `json:"digest"`
	Outcome     string          `json:"outcome"`
	Records     int             `json:"records"`
	TestIDs     []exam.TestID   `json:"test_ids"`
	Findings    findingsJSON    `json:"findings"`
	Refusal     *refusalJSON    `json:"refusal"`
	DuplicateOf *entry.Position `json:"duplicate_of_position"`
	Corrects    *uuid.UUID      `json:"corrects"`
	Retries     *uuid.UUID      `json:"retries"`
}

type findingsJSON struct {
	BadScannedOn int `json:"bad_scanned_on"`
	BadAnswers   int `json:"bad_answers"`
}

type refusalJSON struct {
	Code   intake.Code `json:"code"`
	Record int         `json:"record,omitempty"`
	Line   int         `json:"line,omitempty"`
	Column int         `json:"column,omitempty"`
	Field  string      `json:"field"`
	Value  string      `json:"value"`
	Reason string      `json:"reason"`
}

func newImportJSON(header *entry.Header, known *engine.Import) importJSON {
	wire := importJSON{
		ID: header.ID, Position: header.Position, Received: header.Received.UTC(), Source: header.Source,
		MediaType: header.MediaType, Size: header.Size, Digest: hex.EncodeToString(header.Digest[:]),
		Outcome: header.Outcome.String(), Records: known.Records, TestIDs: known.TestIDs,
		Findings: findingsJSON(known.Findings),
	}
	if wire.TestIDs == nil {
		wire.TestIDs = []exam.TestID{} // [] and not null
	}
	if known.Refusal != nil {
		refusal := refusalJSON(*known.Refusal)
		wire.Refusal = &refusal
	}
	if header.Outcome == entry.Duplicate {
		wire.DuplicateOf = &header.DuplicateOf
	}
	if known.Corrects != uuid.Nil {
		wire.Corrects = &known.Corrects
	}
	if known.Retries != uuid.Nil {
		wire.Retries = &known.Retries
	}
	return wire
}
