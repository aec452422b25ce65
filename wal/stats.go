package wal

import "markr/wal/entry"

// Totals are what the entries of one outcome amount to.
type Totals struct {
	Entries uint64 `json:"entries"`
	// DocumentBytes is the sum of the documents' sizes, before compression. For
	// duplicates it is what was sent, not kept.
	DocumentBytes uint64 `json:"document_bytes"`
	// StoredBytes is the sum of all keys and values.
	StoredBytes uint64 `json:"stored_bytes"`
}

// Stats describe a vault.
type Stats struct {
	// Format is the format of the data directory: what it was, if it is opened for
	// reading.
	Format int `json:"format"`
	// First and Last are the positions of the oldest and the newest entry; the
	// oldest may have been dropped, and the newest too.
	First entry.Position `json:"first"`
	Last  entry.Position `json:"last"`

	Accepted   Totals `json:"accepted"`
	Refused    Totals `json:"refused"`
	Duplicates Totals `json:"duplicates"`
	Events     Totals `json:"events"`
	// Dropped is how many refused entries were dropped to stay under the quota,
	// DroppedThrough the position of the newest of them.
	Dropped        uint64         `json:"dropped"`
	DroppedThrough entry.Position `json:"dropped_through"`

	// DiskBytes is what Pebble's files take, with what is still to be cleaned up.
	DiskBytes uint64 `json:"disk_bytes"`
}

// Stats returns the vault's figures. It reads one header.
func (v *Vault) Stats() (Stats, error) {
	snapshot, done, err := v.snapshot()
	if err != nil {
		return Stats{}, err
	}
	defer done()
	iter, err := positions(snapshot, prefixHeader, 0, v.Last())
	if err != nil {
		return Stats{}, err
	}
	var first entry.Position
	if iter.First() {
		first = keyPosition(iter.Key())
	}
	if err := iter.Close(); err != nil {
		return Stats{}, damage(0, err)
	}
	m := v.current()
	return Stats{
		Format:         v.format,
		First:          first,
		Last:           m.last,
		Accepted:       m.accepted.exported(),
		Refused:        m.refused.exported(),
		Duplicates:     m.duplicates.exported(),
		Events:         m.events.exported(),
		Dropped:        m.dropped,
		DroppedThrough: m.droppedThrough,
		DiskBytes:      v.db.Metrics().DiskSpaceUsage(),
	}, nil
}

func (t totals) exported() Totals {
	return Totals{Entries: t.entries, DocumentBytes: t.size, StoredBytes: t.bytes}
}
