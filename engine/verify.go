package engine

import (
	"context"
	"errors"
	"fmt"
	"io"

	"markr/engine/intake"
	"markr/wal/entry"
)

// VerifyOptions are what [Verify] looks at. Log and Replay are required.
type VerifyOptions struct {
	Log Log
	// Replay reads the documents of the log, as Options.Replay does.
	Replay *intake.Registry
	// Checkpoints has the checkpoint to compare; nil if there is none.
	Checkpoints Checkpoints
	// Progress, if it is not nil, is called with each position that was read.
	Progress func(entry.Position)
}

// Verification is what [Verify] has found.
type Verification struct {
	// Checkpoint is the position of the checkpoint, 0 if there is none.
	Checkpoint entry.Position
	// Outdated says that the checkpoint was made before the last reprocess. A start reads
	// the log instead, and nothing is compared.
	Outdated bool
	// Difference is nil if there is no checkpoint or it says what the log says. Else it
	// is a *[entry.DamagedError] that names the first thing that differs, or a
	// *[entry.VersionError] for a checkpoint that this program cannot read. None of them
	// says anything about the log: without its checkpoint, a start reads that.
	Difference error
}

// Verify reads the whole log as a start without a checkpoint would, every document and
// every event, and compares the checkpoint with what the log gives at its position. The
// error is why a start would not become ready: a *[entry.DamagedError],
// [ErrUnreadable], [entry.ErrUnknownVersion], the disk's, or ctx's.
//
// It holds one state in memory, as a start does; the checkpoint is compared as it is
// read.
func Verify(ctx context.Context, opts VerifyOptions) (Verification, error) {
	codec, err := entry.NewCodec()
	if err != nil {
		return Verification{}, fmt.Errorf("verify: %w", err)
	}
	// An engine that takes no imports and has no goroutines: recover is all it does.
	e := &Engine{opts: Options{Log: opts.Log, Replay: opts.Replay}, codec: codec, refused: newRefusals()}
	inForce, _, err := e.recordedRule()
	if err != nil {
		return Verification{}, fmt.Errorf("verify: %w", err)
	}
	c := comparison{checkpoints: opts.Checkpoints, inForce: inForce}
	if err := c.find(); err != nil {
		return Verification{}, err
	}
	e.opts.ItemAnalysis = c.items
	b := newBook(&c.inForce, c.items)
	err = e.recover(ctx, b, func(at entry.Position) error {
		if opts.Progress != nil {
			opts.Progress(at)
		}
		return c.compareBefore(at, b)
	})
	if err == nil {
		err = c.compareBefore(entry.PositionMax+1, b)
	}
	if ctx.Err() != nil {
		return Verification{}, context.Cause(ctx)
	}
	return c.Verification, err
}

// comparison compares a checkpoint with the book of its position, while the log is
// read.
type comparison struct {
	Verification

	checkpoints Checkpoints
	inForce     RuleInForce // that the log is read under
	items       bool        // the checkpoint has what is kept for item analysis
	compared    bool
}

// errSeen ends the reading of a checkpoint that is read no further for now.
var errSeen = errors.New("checkpoint: seen enough")

// find finds out about the checkpoint what has to be known before the log is read.
func (c *comparison) find() error {
	if c.compared = c.checkpoints == nil; c.compared {
		return nil
	}
	err := c.checkpoints.LoadCheckpoint(func(at entry.Position, r io.Reader) error {
		c.Checkpoint = at
		head, err := (&decoder{from: r}).head()
		switch {
		case err != nil:
			return err
		case c.inForce.Position == 0 && head.basis == 0:
			// A start may have been asked for another rule than it has recorded.
			c.inForce.Rule = head.rule
		case head.basis < c.inForce.Position:
			return errOtherBasis
		case head.basis > c.inForce.Position || head.rule != c.inForce.Rule:
			return errBook
		}
		c.items = head.items == itemsVersion
		return errSeen
	})
	switch {
	case errors.Is(err, errSeen):
		return nil
	case errors.Is(err, errOtherBasis):
		c.Outdated, err = true, nil
	case errors.Is(err, entry.ErrNotFound):
		err = nil
	}
	c.compared = true
	return c.note(err)
}

// compareBefore compares the checkpoint with the book as it is before the entry at a
// position is applied, if that is the first one behind the checkpoint. Those between the
// two, if there are any, were refused or duplicates, and have changed nothing.
func (c *comparison) compareBefore(at entry.Position, b *book) error {
	if c.compared || at <= c.Checkpoint {
		return nil
	}
	c.compared = true
	view := b.view()
	view.position = c.Checkpoint // Recovery sets the book's own at its end.
	return c.note(c.checkpoints.LoadCheckpoint(func(_ entry.Position, r io.Reader) error { return view.compare(r) }))
}

// note keeps what is wrong with the checkpoint. What comes back is an error of the
// disk.
func (c *comparison) note(err error) error {
	difference, differs := errors.AsType[*differenceError](err)
	switch {
	case err == nil:
	case differs:
		c.Difference = &entry.DamagedError{What: difference.Error()}
	case errors.Is(err, errBook):
		c.Difference = &entry.DamagedError{What: errBook.Error()}
	case errors.Is(err, entry.ErrDamaged), errors.Is(err, entry.ErrUnknownVersion):
		c.Difference = err
	default:
		return fmt.Errorf("verify checkpoint: %w", err)
	}
	return nil
}
