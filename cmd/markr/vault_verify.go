package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/wal"
	"markr/wal/entry"
)

const verifyDescription = `Reads every entry and checks its checksums, its place in the order, the digest of its document, and every index. Then reads the log once more as a start without a checkpoint would, and compares the checkpoint with what the log gives. Exits 0 when all is whole; otherwise lists what is damaged, names the first position, and exits 1. Nothing is repaired: nobody can tell what was lost.

It needs as much memory as a server with the same marks, some 28 bytes a mark and what item analysis keeps if the checkpoint has it, and about twice as long as a start without a checkpoint: some 3 seconds for a million marks. It writes nothing, and no server may have the directory meanwhile.`

func newVaultVerify(std streams) *cli.Command {
	var (
		dir    string
		asJSON bool
	)
	return &cli.Command{
		Name:        "verify",
		Usage:       "read everything and check that it is what was written",
		UsageText:   "markr vault verify\nmarkr vault verify --data-dir /var/lib/markr --json",
		Description: verifyDescription,
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
	var state stateReport
	if report.Err() == nil { // Behind damage no state can be made.
		if state, err = verifyState(ctx, std, vault); err != nil {
			return err
		}
	}
	if asJSON {
		err = json.NewEncoder(std.out).Encode(newVerifyJSON(&report, &state))
	} else {
		err = writeVerify(std.out, &report, &state)
	}
	switch {
	case err != nil:
		return err
	case report.Err() != nil:
		return withHint(fmt.Errorf("%s is damaged: %w", dir, report.Err()), saveHint(report.Findings[0], dir))
	case state.unreadable != nil:
		return explainRecovery(fmt.Errorf("%s cannot be read to its end: %w", dir, state.unreadable), dir, nil)
	case state.Difference != nil && !state.ofAnotherVersion():
		return withHint(fmt.Errorf("%s has a checkpoint that is of no use: %w", dir, state.Difference),
			fmt.Sprintf("the log is whole: move %s away, and the next start reads the log and makes another; keep it for whoever looks for the cause",
				filepath.Join(dir, "checkpoint")))
	}
	return nil
}

// stateReport is what came of reading the log as a start would.
type stateReport struct {
	engine.Verification

	read       bool
	unreadable error // why a start would not become ready; nil if it would
}

// ofAnotherVersion says whether the checkpoint is one of another program, which is no
// damage: a start makes one of its own in its place.
func (s *stateReport) ofAnotherVersion() bool {
	return errors.Is(s.Difference, entry.ErrUnknownVersion)
}

// verifyState reads the log as a start would.
func verifyState(ctx context.Context, std streams, vault *wal.Vault) (stateReport, error) {
	formats, err := keptFormats()
	if err != nil {
		return stateReport{}, err
	}
	bar := newProgress(std.err, int(vault.Last()), "positions")
	found, err := engine.Verify(ctx, engine.VerifyOptions{
		Log: vault, Replay: formats, Checkpoints: vault, Progress: func(at entry.Position) { bar.set(int(at)) },
	})
	bar.finish()
	switch {
	case err == nil:
	case errors.Is(err, entry.ErrDamaged), errors.Is(err, entry.ErrUnknownVersion), errors.Is(err, engine.ErrUnreadable):
		return stateReport{read: true, unreadable: err}, nil
	default:
		return stateReport{}, err
	}
	return stateReport{Verification: found, read: true}, nil
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
func writeVerify(out io.Writer, report *wal.Report, state *stateReport) error {
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
	switch {
	case !state.read:
	case state.unreadable != nil:
		fmt.Fprintf(&b, "read as a start would: %v\n", state.unreadable)
	case state.ofAnotherVersion():
		fmt.Fprintf(&b, "checkpoint: not compared: %v\n", state.Difference)
	case state.Difference != nil:
		fmt.Fprintf(&b, "checkpoint of position %d: %v\n", state.Checkpoint, state.Difference)
	case state.Checkpoint == 0:
		fmt.Fprintln(&b, "checkpoint: none")
	default:
		fmt.Fprintf(&b, "checkpoint of position %d: it says what the log says\n", state.Checkpoint)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// verifyJSON tells a program.
type verifyJSON struct {
	Entries  uint64         `json:"entries"`
	Through  entry.Position `json:"through"`
	Findings []findingJSON  `json:"findings"`
	More     uint64         `json:"more_findings"`
	// Checkpoint is null if it was not looked at, because the log is damaged, or not
	// there.
	Checkpoint *checkpointJSON `json:"checkpoint"`
	// Unreadable is why a start would not become ready; null if it would, or if the log
	// is damaged.
	Unreadable *string `json:"unreadable"`
}

type checkpointJSON struct {
	Position   entry.Position `json:"position"`
	Compared   bool           `json:"compared"`   // false: it is of another version
	Difference *string        `json:"difference"` // the first, or why it was not compared; null if there is none
}

type findingJSON struct {
	Position entry.Position `json:"position"` // 0: in no entry
	What     string         `json:"what"`
}

func newVerifyJSON(report *wal.Report, state *stateReport) verifyJSON {
	wire := verifyJSON{Entries: report.Entries, Through: report.Through, Findings: []findingJSON{}, More: report.More}
	for _, finding := range report.Findings {
		wire.Findings = append(wire.Findings, findingJSON{finding.Position, finding.What})
	}
	if state.unreadable != nil {
		wire.Unreadable = new(state.unreadable.Error())
	}
	if state.Checkpoint > 0 || state.Difference != nil {
		wire.Checkpoint = &checkpointJSON{Position: state.Checkpoint, Compared: !state.ofAnotherVersion()}
		if state.Difference != nil {
			wire.Checkpoint.Difference = new(state.Difference.Error())
		}
	}
	return wire
}
