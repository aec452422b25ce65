package wal

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Each life of a vault leaves small tables, one for each kind of keys. Compactions move
// bodies and headers down, because they overlap nothing, and never merge them; so their
// number would grow with every start, for ever. They are merged while the store is
// brought to rest, before it serves or after.
const (
	// mergeBelow: a table is small below a quarter of what one has in the first level.
	mergeBelow = tableBytes / 4
	// mergeTables is how many small neighbours are merged: a restart now and then writes
	// next to nothing again.
	mergeTables = 8
	// mergeBytesMax bounds what is written again for a merge, whatever lies between the
	// small ones, so that a start stays quick.
	mergeBytesMax = 8 << 20
)

// span is a range of keys, ends included, and the bytes of tables that reach into it.
type span struct {
	first, last []byte
	bytes       uint64
}

// mergeSmall merges runs of small neighbouring tables. Nothing depends on it: what goes
// wrong is logged, and is found by whoever reads it if it is damage.
func (v *Vault) mergeSmall(db *store) {
	if v.disk.check(v.opts.FreeBytesMin) != nil {
		return
	}
	levels, err := db.SSTables()
	if err != nil {
		v.opts.Logger.Warn("vault: small tables are not merged", "error", err)
		return
	}
	for _, run := range smallRuns(slices.Concat(levels...)) {
		if err := merge(db, run); err != nil {
			v.opts.Logger.Warn("vault: small tables are not merged", "error", err)
			return
		}
	}
}

// smallRuns finds runs of small tables of one kind of keys that are worth merging.
func smallRuns(tables []pebble.SSTableInfo) []span {
	slices.SortFunc(tables, func(a, b pebble.SSTableInfo) int {
		return bytes.Compare(a.Smallest.UserKey, b.Smallest.UserKey)
	})
	var runs []span
	for i := 0; i < len(tables); {
		kind, from := tables[i].Smallest.UserKey[0], i
		last, size := tables[i].Largest.UserKey, uint64(0)
		// A long run is merged in pieces, so that each is short of the bound.
		for ; i < len(tables) && tables[i].Size < mergeBelow && tables[i].Smallest.UserKey[0] == kind && size < mergeBytesMax/2; i++ {
			size += tables[i].Size
			if bytes.Compare(tables[i].Largest.UserKey, last) > 0 {
				last = tables[i].Largest.UserKey
			}
		}
		if i-from >= mergeTables {
			run := span{first: tables[from].Smallest.UserKey, last: last}
			if run.bytes = within(tables, run); run.bytes <= mergeBytesMax {
				runs = append(runs, run)
			}
		}
		i = max(i, from+1) // A table that is not small.
	}
	return runs
}

// within is how many bytes the tables have that reach into a span.
func within(tables []pebble.SSTableInfo, s span) (size uint64) {
	for i := range tables {
		if bytes.Compare(tables[i].Smallest.UserKey, s.last) <= 0 && bytes.Compare(tables[i].Largest.UserKey, s.first) >= 0 {
			size += tables[i].Size
		}
	}
	return size
}

// merge brings all tables of a span down to the lowest level, as one compaction. Pebble
// writes a table of the lowest level again only with one above that reaches over it, so
// there has to be one: it says that no range key is in the span, which is always so in a
// vault, and is gone when the compaction is done.
func merge(db *store, run span) error {
	err := db.RangeKeyDelete(run.first, append(slices.Clone(run.last), 0), pebble.NoSync)
	if err == nil {
		err = db.Flush()
	}
	if err == nil {
		err = db.Compact(context.Background(), run.first, append(slices.Clone(run.last), 0), false)
	}
	if err != nil {
		return fmt.Errorf("merge tables from %x to %x: %w", run.first, run.last, err)
	}
	return nil
}
