package wal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"markr/wal/entry"
)

// groupBytesMax bounds one Append, because a batch of Pebble ends at 4 GB. The
// engine's own budgets are far below.
const groupBytesMax = 2 << 30

// Append makes the entries durable in one step, in order: all of them or, after
// a crash, none. It gives each its Position, Ordinal and Chain, and so its ID, cuts Received to
// microseconds, and turns an Accepted entry whose digest is already accepted, in
// the log or earlier in the same group, into a Duplicate. It returns when they
// are on disk. On an error the entries are as they were.
//
// After entry.ErrReadOnly and entry.ErrInvalid, nothing has happened. After any
// other error the vault takes nothing more.
func (v *Vault) Append(entries []*entry.Entry) error {
	done, err := v.use()
	if err != nil {
		return err
	}
	defer done()
	v.appending.Lock()
	defer v.appending.Unlock()
	if len(entries) == 0 {
		return v.writable()
	}
	err = v.append(entries)
	if err != nil {
		v.metrics.appendFailures.Inc()
		return fmt.Errorf("append %d entries: %w", len(entries), err)
	}
	return nil
}

// append is the protocol of DESIGN.md, "Append".
func (v *Vault) append(entries []*entry.Entry) error {
	if err := v.writable(); err != nil {
		return err
	}
	size, err := check(entries)
	if err != nil {
		return err
	}
	g, err := v.newGroup(len(entries), size)
	if err == nil {
		defer g.close()
		err = g.build(entries)
	}
	if errors.Is(err, entry.ErrInvalid) {
		return err
	}
	if err == nil {
		err = v.commit(g.batch)
	}
	if err != nil {
		v.fail(err)
		return fmt.Errorf("%w: %w", entry.ErrFailed, err)
	}
	for i, e := range entries {
		e.Header = g.headers[i]
		if e.Outcome == entry.Duplicate {
			e.Body = nil
		}
	}
	v.publish(&g.meta)
	v.metrics.appended(g)
	return nil
}

// check looks at each entry by itself, and says how much they are in bytes.
func check(entries []*entry.Entry) (size int, err error) {
	for _, e := range entries {
		if err := e.Check(); err != nil {
			return 0, err
		}
		// The last term is what fixed fields, keys and Pebble's framing of five
		// records take, generously: the batch is allocated once.
		size += len(e.Body) + len(e.Source) + len(e.MediaType) + len(e.Detail) + 512
	}
	if size > groupBytesMax {
		return 0, fmt.Errorf("%w: a group of %d bytes, at most %d", entry.ErrInvalid, size, groupBytesMax)
	}
	return size, nil
}

// commit writes a batch and syncs it. Pebble can panic where it can neither go on
// nor call Fatalf.
func (v *Vault) commit(batch *pebble.Batch) error {
	defer func() {
		if p := recover(); p != nil {
			if v.failed.Load() == nil {
				v.fatal(fmt.Errorf("commit: %v", p))
			}
			panic(p) //nolint:forbidigo // It is OnFatal's.
		}
	}()
	start := v.opts.Now()
	if err := batch.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	v.metrics.fsyncDuration.Observe(v.opts.Now().Sub(start).Seconds())
	return nil
}
